package idindex

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/chance"
)

func TestFilterHoldsWhatWasAdded(t *testing.T) {
	t.Parallel()
	r := chance.Of(t)
	f := newFilter()
	hashes := make([]uint64, 1_000_000) // spread over 1 + 2 MiB
	for i := range hashes {
		hashes[i] = r.Uint64()
		f.add(hashes[i], 100*minuteMicros, 0)
	}
	c := f.covers(0)
	if c == nil || len(c.gens) != 2 {
		t.Fatalf("state %+v", c)
	}
	for _, h := range hashes {
		if c.absent(h) {
			t.Fatal("an added hash is absent")
		}
	}
	alarms := 0
	for range 100_000 {
		if !c.absent(r.Uint64()) {
			alarms++
		}
	}
	if alarms > 5_000 {
		t.Errorf("%d false alarms in 100 000", alarms)
	}
}

// When more is marked than fits, the filter stays within its memory and proves
// nothing until what it forgot has expired.
func TestFilterOverflows(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	f := newFilter()
	fill := func(expires, now int64) {
		f.add(r.Uint64(), expires, now)
		gens := f.state.Load().gens
		gens[len(gens)-1].room = 0 // full at once: the next add grows
		total := 0
		for _, g := range gens {
			total += g.Bytes()
		}
		if total > maxFilter {
			t.Fatalf("%d bytes, the bound is %d", total, maxFilter)
		}
	}
	for range 7 {
		fill(100*minuteMicros, 0)
	}
	if f.covers(0) == nil {
		t.Fatal("proves nothing before it is full")
	}
	fill(200*minuteMicros, 0)
	if f.covers(100*minuteMicros-1) != nil || f.covers(100*minuteMicros) == nil {
		t.Error("does not wait until the forgotten marks expire")
	}
	fill(300*minuteMicros, 150*minuteMicros) // the rest of the first seven has expired
	if n := len(f.state.Load().gens); n != 2 {
		t.Errorf("%d generations, want 2", n)
	}
}

// After Open the filter knows the old marks, or proves nothing.
func TestFilterAfterOpen(t *testing.T) {
	t.Parallel()
	c, fs := newClock(), vfs.NewMem()
	x := open(t, fs, c)
	var ids []string
	for i := range 10_000 {
		ids = append(ids, strconv.Itoa(i))
	}
	for i := 0; i < len(ids); i += 1000 {
		put(t, x, c, "p", time.Hour, ids[i:i+1000]...)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	x = open(t, fs, c)
	now := c.Now().UnixMicro()
	hash := func(id string) uint64 { return x.filter.hash(appendKey(nil, kindMark, "p", id)) }
	check := func() (proves bool) {
		t.Helper()
		for _, id := range ids {
			if cov := x.filter.covers(now); cov != nil {
				proves = true
				if cov.absent(hash(id)) {
					t.Fatalf("%s is proved absent, but it is marked", id)
				}
			}
		}
		return proves
	}
	check()
	put(t, x, c, "p", time.Hour, "while it reads")
	<-x.readInDone
	if !check() {
		t.Error("the filter proves nothing after it has read all marks")
	}
	if cov := x.filter.covers(now); cov.absent(hash("while it reads")) {
		t.Error("a mark made while it read is proved absent")
	}
}
