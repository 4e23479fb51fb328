package handover_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/handover"
	"github.com/brokle-ai/brokle-go/internal/store/duckstore"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// ledger is the log of a side.
type ledger struct {
	storetest.Ledger
	w *duckstore.Warehouse
}

func (l *ledger) Get(ctx context.Context, seqs []entity.Seq) ([]entity.Record, error) {
	return l.Records(ctx, seqs)
}

// side is a warehouse with these records.
func side(t *testing.T, recs []entity.Record) *ledger {
	t.Helper()
	l := &ledger{}
	var err error
	if l.w, err = duckstore.Open(filepath.Join(t.TempDir(), "w.db"), duckstore.Options{Records: l.Records}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.w.Close(); err != nil {
			t.Error(err)
		}
	})
	l.add(t, recs)
	return l
}

func (l *ledger) add(t *testing.T, recs []entity.Record) {
	t.Helper()
	recs = slices.Clone(recs)
	for i := range recs {
		recs[i].Fields, _ = extract.Of(&recs[i])
		recs[i].Row = recs[i].Fields.AppendRow(nil)
	}
	l.Add(recs...)
	if err := l.w.Insert(t.Context(), recs, recs[len(recs)-1].Seq); err != nil {
		t.Fatal(err)
	}
	if err := l.w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func compared(t *testing.T, of, with *ledger, sync func()) *handover.Compared {
	t.Helper()
	c := handover.Comparison{
		Of: handover.Side{Warehouse: of.w, Records: of}, With: handover.Side{Warehouse: with.w, Records: with},
		Sync: func(context.Context) error { sync(); return nil }, Told: func(int) {}, Pause: time.Millisecond,
	}
	found, err := c.Run(t.Context(), []string{storetest.HistoryProject})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// What is the same is found the same; one event less, one byte more, is not, and what comes meanwhile is no difference.
func TestCompare(t *testing.T) {
	t.Parallel()
	recs := storetest.History(31, 300)
	whole := side(t, recs)
	found := compared(t, whole, side(t, recs), func() {})
	if !found.Whole() || len(found.Moving) > 0 || found.Rows < 500 || found.Traces < 5 || found.Events < 100 {
		t.Errorf("the same: %+v", found)
	}
	if found := compared(t, whole, side(t, recs[:299]), func() {}); found.Whole() {
		t.Errorf("with an event less: %+v", found)
	}
	other := slices.Clone(recs)
	at := slices.IndexFunc(other, func(r entity.Record) bool { return strings.Contains(string(r.Event.Payload), `"name"`) })
	other[at].Event.Payload = append(slices.Clone(other[at].Event.Payload), ' ')
	if found := compared(t, whole, side(t, other), func() {}); found.Whole() {
		t.Errorf("with a blank more in a payload: %+v", found)
	}
	moving, follows, n := side(t, recs[:200]), side(t, recs[:200]), 200
	found = compared(t, moving, follows, func() {
		if n < 300 { // the one that is asked afterwards knows more, and the first one before it is asked again
			follows.add(t, recs[n:n+1])
			moving.add(t, recs[n:n+1])
			n++
		}
	})
	if !found.Whole() || n <= 200+found.Answers/2 || found.Rows < 300 {
		t.Errorf("while events come: %+v, %d", found, n)
	}
}
