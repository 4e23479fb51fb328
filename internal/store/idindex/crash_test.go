package idindex

import (
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
)

// TestCrash pulls the plug at random moments, also in the middle of an Apply, a
// flush or a compaction, with any part of what was not synced lost: the
// index then holds exactly the blocks up to its cursor, and a replay of the
// rest brings it to where it was.
func TestCrash(t *testing.T) {
	t.Parallel()
	r, c := chance.Of(t), newClock()
	fs := vfs.NewCrashableMem()
	ids := allIDs(300)
	var log []Change
	var ends []entity.Seq
	var x *Index
	survived := 0
	for round := range chance.Rounds(4) {
		x = openSmall(t, fs, c)
		upto := x.Cursor()
		n, found := slices.BinarySearch(ends, upto)
		if upto != 0 && !found {
			t.Fatalf("cursor %d is not the end of a block", upto)
		} else if upto != 0 {
			n++
		}
		survived += n
		prefix := newModel()
		for i := range n {
			prefix.apply(log[i], ends[i])
		}
		prefix.check(t, x, c.Now(), ids)
		if n < len(log) { // all in one, as a recovering Log may
			if err := x.Apply(log, ends[len(ends)-1]); err != nil {
				t.Fatal(err)
			}
		}
		for i := n; i < len(log); i++ {
			prefix.apply(log[i], ends[i])
		}
		prefix.check(t, x, c.Now(), ids)

		clones := make(chan *vfs.MemFS, 1)
		blocks := 100 + r.IntN(150)
		at, percent := r.IntN(blocks), r.IntN(101)
		for i := range blocks {
			ch, end := prefix.change(r, c.Now(), 300)
			prefix.apply(ch, end)
			log, ends = append(log, ch), append(ends, end)
			if i == at { // beside the applies that follow
				go func() {
					clones <- fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: chance.From(uint64(round), uint64(at))})
				}()
			}
			if err := x.Apply([]Change{ch}, end); err != nil {
				t.Fatal(err)
			}
			switch r.IntN(60) {
			case 0:
				if err := x.Flush(); err != nil {
					t.Fatal(err)
				}
			case 1:
				c.Advance(time.Duration(r.IntN(600)) * time.Second)
			case 2:
				if err := x.Sweep(c.Now()); err != nil {
					t.Fatal(err)
				}
			}
		}
		fs = <-clones
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if survived == 0 {
		t.Error("no crash left anything: the test shows nothing")
	}
}
