package duckstore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// steps are what a program calls its observations in every trace.
var steps = [...]string{"llm", "step-1", "step-2"}

// steps adds a trace of the three, which end in it.
func (g *generator) steps(trace string) {
	g.at = g.at.Add(time.Second)
	for _, id := range steps {
		g.add(wire.NewIDAt(g.at), wire.ObservationCreate, 0, id, entity.ObservationKind, entity.RankCreate, txt(entity.TraceID, trace), txt(entity.Name, "call"), num(entity.TotalTokens, 1))
		g.add(wire.NewIDAt(g.at), wire.ObservationComplete, time.Second, id, entity.ObservationKind, entity.RankComplete, txt(entity.TraceID, trace))
	}
}

// effort is what a flush cost.
type effort struct{ rows, events int64 }

// effortOf has what was generated written, and counts the rows that were and the events that were read again.
func (g *generator) effortOf(t *testing.T, w *Warehouse, read *int64) effort {
	t.Helper()
	before := *read
	recs := g.next(len(g.open))
	if err := insertNow(t.Context(), w, recs); err != nil {
		t.Fatal(err)
	}
	e := effort{events: *read - before}
	for _, kind := range entityKinds {
		n, err := w.write.int64s(fmt.Sprintf("SELECT count(*) FROM %s WHERE written = %d", tableOf(kind), w.lastWritten))
		if err != nil {
			t.Fatal(err)
		}
		e.rows += n[0]
	}
	return e
}

// A program may call its observations the same in every trace: what one more trace costs, and what is said of an old one, does
// not grow with the traces that have them.
func TestSharedIDsCostNoMore(t *testing.T) {
	t.Parallel()
	for _, memory := range []int{1, 0} { // it remembers nothing, or what is usual
		var few []effort
		for _, n := range []int{30, 3000} {
			g := newGenerator(1)
			path := filepath.Join(t.TempDir(), "w.db")
			var read int64
			o := Options{CacheMemory: memory, Records: func(ctx context.Context, seqs []entity.Seq) ([]entity.Record, error) {
				read += int64(len(seqs))
				return g.Records(ctx, seqs)
			}}
			w, err := Open(path, o)
			if err != nil {
				t.Fatal(err)
			}
			for i := range n {
				g.steps(fmt.Sprint("trace-", i))
			}
			costs := []effort{g.effortOf(t, w, &read)}
			if want := (effort{rows: int64(4 * n)}); costs[0] != want {
				t.Errorf("%d traces at once cost %+v, want %+v", n, costs[0], want)
			}
			g.steps("one more")
			costs = append(costs, g.effortOf(t, w, &read))
			g.add("late", wire.ObservationUpdate, 0, steps[0], entity.ObservationKind, entity.RankUpdate, txt(entity.TraceID, "trace-7"), txt(entity.Level, "ERROR"))
			costs = append(costs, g.effortOf(t, w, &read))
			g.add("floats", wire.ObservationUpdate, 0, steps[0], entity.ObservationKind, entity.RankUpdate, txt(entity.Level, "ERROR"))
			costs = append(costs, g.effortOf(t, w, &read))
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if w, err = Open(path, o); err != nil {
				t.Fatal(err)
			}
			g.steps("after a start")
			costs = append(costs, g.effortOf(t, w, &read))
			if few == nil {
				few = costs
			}
			for i, what := range []string{"all at once", "one more trace", "an event of an old one", "an event of none", "one more after a start"} {
				if i > 0 && (costs[i].rows != few[i].rows || costs[i].rows > 6 || costs[i].events > 9) {
					t.Errorf("%d bytes of cache, %d traces: %s costs %+v, with few traces %+v", memory, n, what, costs[i], few[i])
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			sound(t, path, g)
		}
	}
}

// Whatever the writer remembers of ids that many traces share, every row is the fold of its events, the newest of each id is one, and what
// goes takes nothing else along.
func TestSharedHistories(t *testing.T) {
	t.Parallel()
	for range chance.Rounds(8) {
		seed := chance.Seed(t)
		rng := chance.From(seed, 3)
		recs := storetest.SharedHistory(seed, 50+rng.IntN(350))
		extract.Fill(recs)
		for i := range recs {
			recs[i].Row = recs[i].Fields.AppendRow(nil)
		}
		s := &spans{T: t}
		path := filepath.Join(t.TempDir(), "w.db")
		o := Options{Records: s.Records, CacheMemory: []int{1, 4_000, 30_000, 0}[rng.IntN(4)]}
		open := func() *Warehouse {
			w, err := Open(path, o)
			if err != nil {
				t.Fatal(err)
			}
			return w
		}
		w := open()
		most := 1 + rng.IntN(len(recs)/3)
		for rest := recs; len(rest) > 0; {
			n := min(1+rng.IntN(most), len(rest))
			s.insertAll(w, rest[:n]...)
			rest = rest[n:]
			switch rng.IntN(15) {
			case 0:
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				sound(t, path, s)
				w = open()
			case 1:
				gone := goneOf(rng, s.All())
				s.Erase(storetest.HistoryProject, gone...)
				if err := w.Erase(t.Context(), storetest.HistoryProject, gone); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		sound(t, path, s)
		if t.Failed() {
			return
		}
	}
}

// goneOf are some records, with those that say the same; or all that name a trace of an observation id, so that only what floats is left.
func goneOf(rng *rand.Rand, recs []entity.Record) (gone []entity.Seq) {
	id, ids := recs[rng.IntN(len(recs))].Fields.EntityID, map[string]bool{}
	named := rng.IntN(2) == 0
	for _, rec := range recs {
		trace := rec.Row.Get(entity.TraceID)
		one, known := ids[rec.Event.ID]
		if !known {
			one = rng.IntN(10) == 0
			ids[rec.Event.ID] = one
		}
		if named && rec.Fields.Kind == entity.ObservationKind && rec.Fields.EntityID == id && len(trace) > 0 || !named && one {
			gone = append(gone, rec.Seq)
		}
	}
	return gone
}
