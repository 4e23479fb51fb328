package clickhouse

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

func entityRowOf(r *entity.Record) entity.Row {
	fields, _ := extract.Of(r) // all of a history can be read
	return fields.AppendRow(nil)
}

// A node that others may have taken for one that is away inserts nothing before it is trusted; what was erased meanwhile it never inserts, whoever had read it already.
func TestWhatWasErasedIsNotInserted(t *testing.T) {
	t.Parallel()
	o := testOptions(t, server(t), databaseOf(t.TempDir()))
	w := openWith(t, o)
	t.Cleanup(func() { _ = w.Close() })
	recs := storetest.History(chance.Of(t).Uint64(), 6)
	for i := range recs {
		recs[i].Seq, recs[i].Event.ID, recs[i].Row = entity.Seq(i+1), fmt.Sprint("e", i), entityRowOf(&recs[i])
	}
	w.Guard()
	if err := w.Insert(t.Context(), recs[:4], 4); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(t.Context()); !errors.Is(err, errSuspect) || !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("it inserts: %v", err)
	}
	if err := w.Skip(t.Context(), []entity.Seq{2, 5}); err != nil { // one that is hot, and one that the indexer holds
		t.Fatal(err)
	}
	w.Trust()
	if err := w.Insert(t.Context(), recs[4:], 6); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for seq := entity.Seq(1); seq <= 6; seq++ {
		found, err := w.Records(t.Context(), []entity.Seq{seq})
		if err != nil {
			t.Fatal(err)
		}
		if want := seq != 2 && seq != 5; (len(found) == 1) != want {
			t.Errorf("event %d is there: %v", seq, len(found) == 1)
		}
	}
	if cursor, err := w.Cursor(t.Context()); err != nil || cursor != 6 || len(w.hot.erased) != 0 {
		t.Errorf("cursor %d, %v, %d are remembered", cursor, err, len(w.hot.erased))
	}
	// After a gap it is suspect again.
	w.heard = time.Now().Add(-2 * gapAfter)
	if err := w.Flush(t.Context()); !errors.Is(err, errSuspect) {
		t.Errorf("after a gap: %v", err)
	}
	w.Trust()
}

// Nodes that are away are told; what they were told is forgotten once it is done.
func TestNodesThatAreAwayAreAsked(t *testing.T) {
	t.Parallel()
	o := testOptions(t, server(t), databaseOf(t.TempDir()))
	other := o
	other.Node = 1
	a, b := openWith(t, o), openWith(t, other)
	t.Cleanup(func() { _, _ = a.Close(), b.Close() })
	for _, w := range []*Warehouse{a, b} {
		if err := w.locked(t.Context(), func() error { return w.step(t.Context(), w.self) }); err != nil {
			t.Fatal(err)
		}
	}
	if late, err := a.CatchUpOthers(t.Context()); err != nil || len(late) != 1 || late[0] != 1 { // it says nothing more
		t.Fatalf("late are %v, %v", late, err)
	}
	what := Again{Project: "p", UserID: "u'\t", TraceID: ""}
	if err := a.AskAgain(t.Context(), []uint16{1}, what); err != nil {
		t.Fatal(err)
	}
	if none, err := a.AskedAgain(t.Context()); err != nil || len(none) != 0 {
		t.Errorf("%+v, %v", none, err)
	}
	asked, err := b.AskedAgain(t.Context())
	if err != nil || len(asked) != 1 || asked[0].UserID != what.UserID || asked[0].Project != "p" || time.Since(asked[0].At) > time.Minute {
		t.Fatalf("%+v, %v", asked, err)
	}
	if others, err := b.Asked(t.Context()); err != nil || len(others) != 0 {
		t.Errorf("%+v, %v", others, err)
	}
	if err := b.DidAgain(t.Context(), asked[0]); err != nil {
		t.Fatal(err)
	}
	if asked, err := b.AskedAgain(t.Context()); err != nil || len(asked) != 0 {
		t.Errorf("%+v, %v", asked, err)
	}
	// A node that lives is waited for.
	var beating sync.WaitGroup
	stop := make(chan struct{})
	beating.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
				if err := b.locked(t.Context(), func() error { return b.step(t.Context(), b.self) }); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	if late, err := a.CatchUpOthers(t.Context()); err != nil || len(late) != 0 {
		t.Errorf("late are %v, %v", late, err)
	}
	close(stop)
	beating.Wait()
}

// Retention that two nodes do at the same time removes each event once, and is counted once.
func TestNodesExpireOneAtATime(t *testing.T) {
	t.Parallel()
	o := testOptions(t, server(t), databaseOf(t.TempDir()))
	other := o
	other.Node = 1
	nodes := []*Warehouse{openWith(t, o), openWith(t, other)}
	t.Cleanup(func() { _, _ = nodes[0].Close(), nodes[1].Close() })
	recs := storetest.History(chance.Of(t).Uint64(), 60)
	for n, w := range nodes {
		var own []entity.Record
		for i := range recs {
			if i%2 == n {
				r := recs[i]
				r.Seq, r.Event.ID, r.Row = entity.Seq(len(own)+1), fmt.Sprint("e", i), entityRowOf(&r)
				own = append(own, r)
			}
		}
		if err := w.Insert(t.Context(), own, entity.Seq(len(own))); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	count := func() (n int) {
		for i := range nodes {
			for seq := range entity.Seq(len(recs)) {
				found, err := nodes[0].Records(t.Context(), []entity.Seq{Shared(uint16(i), seq+1)})
				if err != nil {
					t.Fatal(err)
				}
				n += len(found)
			}
		}
		return n
	}
	before := int64(count())
	var work sync.WaitGroup
	var removed [2]int64
	for i, w := range nodes {
		work.Go(func() {
			var err error
			removed[i], err = w.Expire(t.Context(), store.Cutoffs{Now: time.Now().AddDate(1000, 0, 0), Retention: store.Retention{Default: time.Hour}})
			if err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	if after := count(); after != 0 || removed[0]+removed[1] > before || removed[0] > 0 && removed[1] > 0 {
		t.Errorf("%d of %d are left, %v were removed", after, before, removed)
	}
}
