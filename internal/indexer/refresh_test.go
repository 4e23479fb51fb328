package indexer

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// refreshed is how long Refresh takes by the bubble's clock.
func refreshed(x *Indexer) time.Duration {
	began := time.Now()
	x.Refresh(context.Background())
	return time.Since(began)
}

// Property 1: a question does not wait for what is being gathered, and many questions share one insert.
func TestRefreshEndsTheGathering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, w := newLog(), &fakeWarehouse{}
		x, stop := start(t, Options{Log: log, Warehouse: w})
		defer stop()
		log.add(1, "")
		catchUp(t, x)
		for n := 2; n < 200; n++ {
			log.add(1, "")
			if n%2 == 0 {
				synctest.Wait() // it is being gathered
			}
			if took := refreshed(x); took != 0 {
				t.Fatalf("waited %v", took)
			}
			w.once(t, n)
		}
		inserts := len(w.sizes)
		log.add(10, "")
		var asking sync.WaitGroup
		for range 100 {
			asking.Go(func() { x.Refresh(context.Background()) })
		}
		asking.Wait()
		w.once(t, 209)
		if n := len(w.sizes) - inserts; n != 1 {
			t.Errorf("%d inserts for 100 questions", n)
		}
		if took := refreshed(x); took != 0 || len(w.sizes) != inserts+1 {
			t.Errorf("with nothing new: %v, %d inserts", took, len(w.sizes)-inserts)
		}
	})
}

// No question waits for a Warehouse that refuses, and one at most for one that hangs. Afterwards they wait again.
func TestRefreshWaitsForNoStoppedWarehouse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refuses, hangs atomic.Bool
		release := make(chan struct{})
		log, w := newLog(), &fakeWarehouse{fault: func([]entity.Record) error {
			if hangs.Load() {
				<-release
			}
			if refuses.Load() {
				return errors.New("no room")
			}
			return nil
		}}
		x, stop := start(t, Options{Log: log, Warehouse: w})
		defer stop()

		refuses.Store(true)
		log.add(3, "")
		for range 10 {
			if took := refreshed(x); took != 0 {
				t.Errorf("waited %v for one that refuses", took)
			}
		}
		refuses.Store(false)
		catchUp(t, x)

		hangs.Store(true)
		log.add(3, "")
		gone, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		x.Refresh(gone) // says nothing of the Warehouse
		if took := refreshed(x); took != refreshWithin {
			t.Errorf("the first waited %v for one that hangs", took)
		}
		for range 10 {
			log.add(1, "")
			if took := refreshed(x); took != 0 {
				t.Errorf("another waited %v for one that hangs", took)
			}
		}
		hangs.Store(false)
		close(release)
		catchUp(t, x)
		log.add(1, "")
		if took := refreshed(x); took != 0 {
			t.Errorf("waited %v", took)
		}
		w.once(t, 17)
	})
}

// No question waits for a backlog that is larger than what one insert takes.
func TestRefreshWaitsForNoBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, w := newLog(), &fakeWarehouse{fault: func([]entity.Record) error { time.Sleep(20 * time.Millisecond); return nil }} // of the bubble's clock
		log.add(1050, "")
		x, stop := start(t, Options{Log: log, Warehouse: w, MaxRecords: 100})
		defer stop()
		for synctest.Wait(); x.Stats().Lag > 100; synctest.Wait() {
			if took := refreshed(x); took != 0 {
				t.Errorf("waited %v with %d behind", took, x.Stats().Lag)
			}
			time.Sleep(20 * time.Millisecond)
		}
		if took := refreshed(x); took == 0 || took > 20*time.Millisecond {
			t.Errorf("waited %v for the last of it", took)
		}
		w.once(t, 1050)
	})
}

func BenchmarkRefreshNothingNew(b *testing.B) {
	log := newLog()
	x, err := New(Options{Log: log, Warehouse: &fakeWarehouse{}, Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		x.Refresh(context.Background())
	}
}
