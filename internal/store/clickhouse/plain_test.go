package clickhouse

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// What a node remembers of an entity is not all that there is when another node took events of it, or erased some, or a restart came between: whatever two nodes
// do in whatever order, the answers are those of one fold of the events that are left.
func TestWhatIsRememberedIsConfirmed(t *testing.T) {
	t.Parallel()
	s := server(t)
	for round := range chance.Rounds(3) {
		seed := chance.Seed(t)
		rng := chance.From(seed, uint64(40+round))
		recs := storetest.History(seed, 120)
		switch round % 3 {
		case 1:
			recs = storetest.SharedHistory(seed, 100)
		case 2:
			recs = storetest.CallHistory(seed, 100)
		}
		logs, all := shareOut(rng, withRows(t, recs), 2)
		o := testOptions(t, s, s.Database(t))
		nodes := make([]*Warehouse, 2)
		open := func(n int) {
			own := o
			own.Node = uint16(n)
			nodes[n] = openWith(t, own)
		}
		open(0)
		open(1)
		erased := map[entity.Seq]bool{}
		done := []int{0, 0}
		for done[0] < len(logs[0]) || done[1] < len(logs[1]) {
			n := rng.IntN(2)
			to := min(done[n]+1+rng.IntN(12), len(logs[n]))
			if to > done[n] {
				insert(t, nodes[n], logs[n][done[n]:to], logs[n][to-1].Seq)
				done[n] = to
			}
			switch rng.IntN(8) {
			case 0: // one of them erases what the other may remember
				of := rng.IntN(2)
				if done[of] == 0 {
					continue
				}
				r := logs[of][rng.IntN(done[of])]
				var copies []entity.Seq // of which the table may have merged some away
				for node, log := range logs {
					for _, c := range log[:done[node]] {
						if c.Event.ID == r.Event.ID && c.Row.Content() == r.Row.Content() && c.Project == r.Project && c.Row.Kind() == r.Row.Kind() && string(c.Row.EntityID()) == string(r.Row.EntityID()) {
							copies = append(copies, Shared(uint16(node), c.Seq))
							erased[copies[len(copies)-1]] = true
						}
					}
				}
				if err := nodes[n].Erase(t.Context(), r.Project, copies); err != nil {
					t.Fatal(err)
				}
			case 1:
				closeOf(t, nodes[n])
				open(n)
			}
		}
		left := slices.DeleteFunc(all, func(r entity.Record) bool { return erased[r.Seq] })
		same(t, fmt.Sprintf("round %d, %d of %d events erased", round, len(erased), len(all)), answers(t, nodes[0]), answers(t, reference(t, left)))
		for _, w := range nodes {
			closeOf(t, w)
		}
	}
}

// What is new, and what this node made a moment ago, is not read back; what another node has to do with is.
func TestPlainBlocksAreNotReadBack(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	w := openWith(t, o)
	o.Node = 1
	other := openWith(t, o)
	readBack := 0
	w.pool.fault = func(statement string) error {
		if strings.Contains(statement, "form, said FROM events") {
			readBack++
		}
		return nil
	}
	seq := entity.Seq(0)
	made := func(typ wire.EventType, id, payload string) entity.Record {
		seq++
		at := time.Date(2026, 5, 1, 12, 0, int(seq), 0, time.UTC)
		return entity.Record{Seq: seq, Project: "p", ReceivedAt: at, Event: wire.Event{ID: fmt.Sprint("event-", seq), Type: typ, Timestamp: wire.At(at),
			Payload: json.RawMessage(fmt.Sprintf(`{"id":%q,%s}`, id, payload))}}
	}
	call := func(n int) string {
		return fmt.Sprintf(`"trace_id":"t-%d","type":"generation","response_id":"r-%d","model":"m","prompt_tokens":%d,"completion_tokens":3,"start_time":"2026-05-01T12:00:00Z","end_time":"2026-05-01T12:00:05Z"`, n, n, n)
	}
	block := func(w *Warehouse, recs ...entity.Record) {
		insert(t, w, withRows(t, recs), seq)
	}
	block(w, made("trace_create", "t-1", `"name":"one"`), made("observation_create", "o-1", `"trace_id":"t-1","type":"span"`), made("observation_create", "c-1", call(1)),
		made("observation_create", "c-2", call(2)), made("quality_score_create", "s-1", `"trace_id":"t-1","name":"good","value":1`))
	block(w, made("observation_complete", "o-1", `"trace_id":"t-1","output":"done"`), made("trace_update", "t-1", `"user_id":"u"`), made("observation_create", "o-2", `"trace_id":"t-1","type":"span"`))
	if readBack != 0 {
		t.Errorf("%d statements read back what was new or known", readBack)
	}
	block(other, made("observation_update", "o-2", `"trace_id":"t-1","name":"by another"`))
	block(w, made("observation_complete", "o-2", `"trace_id":"t-1","output":"done"`))
	if readBack == 0 {
		t.Error("what another node has taken of an observation was not read")
	}
	page, err := query.ListObservations(t.Context(), w, "p", store.Query{Filter: store.Filter{ID: "o-2"}})
	if err != nil || len(page.Data) != 1 || page.Data[0].Name != "by another" || page.Data[0].EndTime == nil {
		t.Errorf("the observation of both is %+v, %v", page.Data, err)
	}
	closeOf(t, w)
	closeOf(t, other)
}

// Two reports of one call that come in one block are found, and so are those of which one is read back and is a call only then.
func TestTwinsOfABlock(t *testing.T) {
	t.Parallel()
	s := server(t)
	w := openWith(t, testOptions(t, s, s.Database(t)))
	begin := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	seq := entity.Seq(0)
	event := func(typ wire.EventType, payload string) entity.Record {
		seq++
		return entity.Record{Seq: seq, Project: "p", ReceivedAt: begin, Event: wire.Event{ID: fmt.Sprint("event-", seq), Type: typ, Timestamp: wire.At(begin.Add(time.Second)), Payload: json.RawMessage(payload)}}
	}
	own := func(id, more string) string {
		return fmt.Sprintf(`{"id":%q,"trace_id":"%032x","type":"generation","start_time":"2026-05-01T12:00:00Z"%s}`, id, 1, more)
	}
	const ends = `,"end_time":"2026-05-01T12:00:01Z"`
	span := func(id, response string) string {
		return fmt.Sprintf(`{"otlp":{"door":"otlp","scope":{"name":"openinference.instrumentation.openai"},"span":{"traceId":"%032x","spanId":%q,"name":"chat","kind":3,"startTimeUnixNano":"%d","endTimeUnixNano":"%d",
			"attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.response.id","value":{"stringValue":%q}}]}}}`, 2, id, begin.UnixNano(), begin.Add(time.Second).UnixNano(), response)
	}
	block := func(recs ...entity.Record) { insert(t, w, withRows(t, recs), seq) }
	twins := func(id string) int {
		found, err := w.Twins(t.Context(), "p", store.EventRef{IDs: []string{id}})
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	block(event(wire.ObservationCreate, own("o-1", ends+`,"response_id":"r-1"`)), event(wire.ObservationCreate, span("00000000000000a1", "r-1")))
	if n := twins("o-1"); n != 1 {
		t.Errorf("%d twins of two reports of one block", n)
	}
	block(event(wire.ObservationCreate, own("o-2", `,"response_id":"r-2"`)))
	w.recent.forget()
	block(event(wire.ObservationUpdate, fmt.Sprintf(`{"id":"o-2","trace_id":"%032x"%s}`, 1, ends)), event(wire.ObservationCreate, span("00000000000000a2", "r-2")))
	if n := twins("o-2"); n != 1 {
		t.Errorf("%d twins of a report of the block and one that was read back", n)
	}
	block(event(wire.ObservationCreate, own("o-3", ends+`,"response_id":"r-3"`)))
	block(event(wire.ObservationCreate, span("00000000000000a3", "r-3")))
	if n := twins("o-3"); n != 1 {
		t.Errorf("%d twins of reports of two blocks", n)
	}
	closeOf(t, w)
}
