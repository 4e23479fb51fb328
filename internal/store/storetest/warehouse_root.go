package storetest

import (
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// What a trace's own events leave open is as its root says it, in lists, filters and
// totals too, however long ago the root came.
func testRoot(w *warehouseTest) {
	w.insert(w.record("1", wire.ObservationCreate, noon, `{"id":"root","trace_id":"t","name":"answer","user_id":"u","session_id":"s","tags":["prod","chat"]}`),
		w.record("2", wire.ObservationCreate, noon.Add(-time.Second), `{"id":"child","trace_id":"t","parent_observation_id":"root","name":"look-up","user_id":"nobody"}`))
	check := func(what, name, user string, tags ...string) {
		w.Helper()
		traces := w.traces(store.Query{Filter: store.Filter{UserID: user}})
		if len(traces) != 1 {
			w.Fatalf("%s: %d traces of %s", what, len(traces), user)
		}
		w.equal(what, []any{traces[0].Name, traces[0].UserID, traces[0].SessionID, traces[0].Tags}, []any{name, user, "s", tags})
		users, sessions := w.users(store.Query{}), w.sessions(store.Query{})
		if len(users) != 1 || users[0].ID != user || len(sessions) != 1 || sessions[0].ID != "s" {
			w.Errorf("%s: users %+v, sessions %+v", what, users, sessions)
		}
	}
	check("of its root", "answer", "u", "chat", "prod")
	for i, id := range []string{"later", "last"} {
		w.checkpoint()
		w.reopen() // the root is known from its row only
		w.insert(w.record(id, wire.ObservationCreate, noon.Add(time.Duration(i+1)*time.Second), `{"id":"%s","trace_id":"t","name":"another","user_id":"v","session_id":"s","tags":["x"]}`, id))
		check("with "+id, "answer", "u", "chat", "prod")
	}
	w.insert(w.record("t", wire.TraceCreate, noon, `{"id":"t","name":"own","user_id":"me"}`))
	check("with its own event", "own", "me", "chat", "prod")
	w.erase(5)
	check("without it", "answer", "u", "chat", "prod")
	w.erase(1)
	check("when the root is erased", "another", "v", "x")
}
