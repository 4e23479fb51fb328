package clickhouse

import (
	"errors"
	"fmt"
	"strconv"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// Whichever statement a node gets no further than, after it each event is in the table once, and all rows are there: the block is cut and
// named as it was.
func TestACrashAtAnyStatement(t *testing.T) {
	t.Parallel()
	s := server(t)
	recs := firstOf(withRows(t, storetest.History(5, 60)))
	upto := recs[len(recs)-1].Seq
	want := answers(t, reference(t, recs))
	crashed := errors.New("crashed")
	for n := 0; ; n++ {
		o := testOptions(t, s, s.Database(t))
		w := openWith(t, o)
		first := recs[:20]
		insert(t, w, first, first[19].Seq)
		left := n
		w.pool.fault = func(string) error {
			if left--; left < 0 {
				return crashed
			}
			return nil
		}
		if err := w.Insert(t.Context(), recs[20:], upto); err != nil {
			t.Fatal(err)
		}
		err := w.Flush(t.Context())
		if err != nil && !errors.Is(err, crashed) {
			t.Fatal(err)
		}
		w.pool.close() // and no more is heard of it
		whole := err == nil

		w = openWith(t, o)
		cursor, err := w.Cursor(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if whole != (cursor == upto) {
			t.Errorf("after %d statements the cursor is %d, whole is %t", n, cursor, whole)
		}
		for from := 0; from < len(recs); from += 7 { // read in other pieces
			to := min(from+7, len(recs))
			if recs[to-1].Seq > cursor {
				insert(t, w, after(recs[from:to], cursor), recs[to-1].Seq)
			}
		}
		if got := s.Do(t, "SELECT count() FROM "+o.Database+".events"); got != strconv.Itoa(len(recs)) {
			t.Errorf("after a crash at statement %d there are %s rows of %d events", n, got, len(recs))
		}
		same(t, fmt.Sprintf("after a crash at statement %d", n), answers(t, w), want)
		closeOf(t, w)
		if whole {
			if n < 8 {
				t.Errorf("it took %d statements", n)
			}
			return
		}
	}
}

// firstOf leaves out what comes again.
func firstOf(recs []entity.Record) (first []entity.Record) {
	met := map[entity.FactID]bool{}
	for i := range recs {
		if id := (entity.FactID{EventID: recs[i].Event.ID, Content: recs[i].Row.Content()}); !met[id] {
			met[id] = true
			first = append(first, recs[i])
		}
	}
	return first
}

// after leaves out the records up to a Seq.
func after(recs []entity.Record, cursor entity.Seq) []entity.Record {
	for len(recs) > 0 && recs[0].Seq <= cursor {
		recs = recs[1:]
	}
	return recs
}

// A repeated insert is dropped by its token though its rows are not alike; that is why the Seqs are part of a token.
func TestTokensAreOfTheirEvents(t *testing.T) {
	t.Parallel()
	n := node{id: 3, generation: 7, inserting: 11}
	recs := withRows(t, storetest.History(5, 10))
	token := n.token(recs)
	if n.token(recs) != token {
		t.Error("a block has two tokens")
	}
	others := map[string]string{"fewer events": n.token(recs[1:]), "others": n.token(append(recs[1:10:10], entity.Record{Seq: 99}))}
	for what, change := range map[string]func(*node){
		"another node": func(n *node) { n.id++ }, "another life": func(n *node) { n.generation++ }, "another step": func(n *node) { n.inserting++ },
	} {
		o := n
		change(&o)
		others[what] = o.token(recs)
	}
	for what, other := range others {
		if other == token {
			t.Errorf("%s have the same token", what)
		}
	}
}

// What two nodes took of one event is one event, in every answer.
func TestOneEventOfTwoNodes(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	first := openWith(t, o)
	o.Node = 1
	second := openWith(t, o)
	recs := withRows(t, storetest.History(6, 80))
	insert(t, first, recs, recs[79].Seq)
	insert(t, second, recs, recs[79].Seq)
	want := answers(t, reference(t, recs))
	same(t, "on the first node", answers(t, first), want)
	same(t, "on the second node", answers(t, second), want)
	rows, err := query.ListStats(t.Context(), second, storetest.HistoryProject, store.StatsQuery{Of: "events"})
	if err != nil {
		t.Fatal(err)
	}
	if n, want := rows.Data[0]["count"], int64(len(firstOf(recs))); n != want {
		t.Errorf("%v events, want %d", n, want)
	}
	closeOf(t, first)
	closeOf(t, second)
}
