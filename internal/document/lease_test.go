package document

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Of several nodes one has a lease; when it ends another one takes it, and when it dies another one does once the time is over.
func TestLease(t *testing.T) {
	t.Parallel()
	dirs := []string{t.TempDir(), t.TempDir()}
	synctest.Test(t, func(t *testing.T) {
		store := &table{all: map[string][]string{}}
		var leases [2]*Lease
		var stops [2]func()
		for i, dir := range dirs {
			s, err := NewShared(dir, time.Now, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			n := &node{s.Place("lease", File{Path: dir + "/lease"}, JoinLease), s, dir + "/lease"}
			n.run(t, store)
			leases[i] = NewLease(n.Place, string(rune('a'+i)), "does it", 30*time.Second, time.Now, slog.New(slog.DiscardHandler))
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			time.Sleep(2 * Every)
			running.Go(func() { leases[i].Run(ctx) })
			stops[i] = func() { cancel(); running.Wait() }
			time.Sleep(2 * Every)
		}
		held := func(a, b bool, when string) {
			t.Helper()
			if leases[0].Held() != a || leases[1].Held() != b {
				t.Errorf("%s: %v %v, want %v %v", when, leases[0].Held(), leases[1].Held(), a, b)
			}
		}
		held(true, false, "at first")
		time.Sleep(5 * time.Minute)
		held(true, false, "after a while")
		stops[0]()
		time.Sleep(11 * time.Second)
		held(false, true, "after the one that had it ended")
		stops[1]()
		held(false, false, "at the end")
	})
	var alone *Lease
	if !alone.Held() || alone.Taken() != nil {
		t.Error("a node alone has it")
	}
}
