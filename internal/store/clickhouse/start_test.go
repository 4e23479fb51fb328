package clickhouse

import (
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// A node that starts finds what it has left in the table without reading what is settled, however many events there are, its own and another one's.
func TestStartReadsWhatIsLeft(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	w := openWith(t, o)
	o.Node = 1
	other := openWith(t, o)
	begin := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const events = 3000 // more than one piece of the table
	for _, of := range []*Warehouse{w, other} {
		var recs []entity.Record
		for i := range events {
			recs = append(recs, record(t, entity.Seq(i+1), fmt.Sprint("e", of.Node(), i), wire.TraceCreate, begin, fmt.Sprintf(`{"id":"t%05d-%d","name":"n"}`, i, of.Node())))
		}
		insert(t, of, recs, events)
		if err := of.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.Do(t, "OPTIMIZE TABLE "+o.Database+".events FINAL")
	for _, of := range []*Warehouse{w, other} {
		q := &builder{}
		if marks := readBy(t, of, q, of.begunText(q, "events")); marks > 0 {
			t.Errorf("node %d reads %d pieces of the table, which has nothing that it has left", of.Node(), marks)
		}
		of.self.cursor = events - 1 // as if it had stopped in front of its last event
		there, err := of.begun(t.Context(), of.pool, "events")
		if last := uint64(Shared(of.Node(), events)); err != nil || len(there) != 1 || !there[last] {
			t.Errorf("node %d finds %v, %v, want %d", of.Node(), there, err, last)
		}
		of.self.cursor = events
	}
	closeOf(t, w)
	closeOf(t, other)
}

// What is no more is not read through in looking for scores that name an observation alone.
func TestErasedScoresAreNotReadThrough(t *testing.T) {
	t.Parallel()
	s := server(t)
	w := openWith(t, testOptions(t, s, s.Database(t)))
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	recs := []entity.Record{
		record(t, 1, "e1", wire.TraceCreate, at, `{"id":"t1","name":"n"}`),
		record(t, 2, "e2", wire.QualityScoreCreate, at, `{"id":"s1","trace_id":"t1","name":"named","value":1,"data_type":"NUMERIC"}`),
		record(t, 3, "e3", wire.QualityScoreCreate, at, `{"id":"s2","observation_id":"o1","name":"loose","value":1,"data_type":"NUMERIC"}`),
	}
	insert(t, w, recs, 3)
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	reads := func() uint64 {
		q := (&view{w, storetest.HistoryProject}).query()
		return readBy(t, w, q, "SELECT id FROM scores WHERE "+isLoose+" LIMIT 1")
	}
	if reads() == 0 {
		t.Error("a loose score is not looked for")
	}
	if err := w.Erase(t.Context(), storetest.HistoryProject, []entity.Seq{2, 3}); err != nil {
		t.Fatal(err)
	}
	if n := s.Do(t, "SELECT count() FROM "+w.options.Database+".scores"); n == "0" {
		t.Error("of erased scores no rows stay: this test tests nothing")
	}
	if marks := reads(); marks > 0 {
		t.Errorf("%d pieces of the table are read for scores that are no more", marks)
	}
	closeOf(t, w)
}

// readBy is how many pieces of tables a statement reads.
func readBy(t *testing.T, w *Warehouse, q *builder, text string) (marks uint64) {
	t.Helper()
	var database, table proto.ColStr
	var parts, rows, each proto.ColUInt64
	result := proto.Results{{Name: "database", Data: &database}, {Name: "table", Data: &table}, {Name: "parts", Data: &parts}, {Name: "rows", Data: &rows}, {Name: "marks", Data: &each}}
	if err := w.ask(t.Context(), q, "EXPLAIN ESTIMATE "+text, result, func(i int) { marks += each.Row(i) }); err != nil {
		t.Fatal(err)
	}
	return marks
}
