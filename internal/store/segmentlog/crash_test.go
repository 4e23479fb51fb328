package segmentlog

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

func TestCrash(t *testing.T) {
	t.Parallel()
	small := Options{SegmentBytes: 32 << 10, TailBytes: 64 << 10, MaxOpenFiles: 4}
	for name, o := range map[string]Options{"Tiny": tiny, "Small": small, "Defaults": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.LogCrash(t, opener(o), chance.Rounds(3))
		})
	}
	t.Run("Packing", func(t *testing.T) {
		t.Parallel()
		storetest.LogCrash(t, runningOpener(eager), chance.Rounds(3))
	})
}

// A crash before any write of recompression, erasure or trimming leaves either the old files or
// the new ones.
func TestCrashDuringMaintenance(t *testing.T) {
	t.Parallel()
	s := chance.Seed(t)
	for name, work := range map[string]func(l *Log, erase []entity.Seq) error{
		"Pack": func(l *Log, _ []entity.Seq) error {
			err := l.tidy(context.Background())
			if n := l.Stats().Segments; n > 2 {
				t.Errorf("%d segments are left of what was to be made one", n)
			}
			return err
		},
		"Erase": func(l *Log, erase []entity.Seq) error { return l.Erase(context.Background(), erase) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := chance.From(s, 0)
			for n := 1; ; n++ {
				if !crashDuring(t, rng, n, name == "Erase", work) {
					t.Logf("%d crash points", n)
					return
				}
			}
		})
	}
}

func crashDuring(t *testing.T, rng *rand.Rand, n int, erases bool, work func(*Log, []entity.Seq) error) (reached bool) {
	ctx := context.Background()
	mem := vfs.NewCrashableMem()
	l, err := Open("log", Options{FS: mem, SegmentBytes: 2 << 10})
	if err != nil {
		t.Fatal(err)
	}
	want := map[entity.Seq]string{}
	var erase []entity.Seq
	for i := range 12 {
		b := testBatch(fmt.Sprintf("b%d", i), 5, 200)
		first := l.Head() + 1
		if _, err := l.Append(ctx, b); err != nil {
			t.Fatal(err)
		}
		for j, e := range b.Events {
			want[first+entity.Seq(j)] = string(e.Payload)
		}
		if i == 1 || i == 3 {
			erase = append(erase, first, first+2)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	clone, reached := storetest.CrashAt(t, mem, n, rng, func(fs vfs.FS) {
		l, err := Open("log", Options{FS: fs, IdleAfter: time.Nanosecond}) // several of the segments fit into one now
		if err != nil {
			t.Fatal(err)
		}
		if err := work(l, erase); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	})
	l = openTest(t, clone, "log", Options{SegmentBytes: 2 << 10})
	recs, err := storetest.ReadAll(l)
	if err != nil {
		t.Fatal(err)
	}
	got := map[entity.Seq]string{}
	for _, r := range recs {
		got[r.Seq] = string(r.Event.Payload)
	}
	if erases {
		if !reached && len(got) != len(want)-len(erase) {
			t.Errorf("after erasing, %d records are left of %d", len(got), len(want))
		}
		for _, seq := range erase {
			delete(want, seq)
		}
	}
	for seq, p := range want {
		if got[seq] != p {
			t.Errorf("crash point %d: record %d is %.40q", n, seq, got[seq])
		}
	}
	for i := range 12 {
		b := testBatch(fmt.Sprintf("b%d", i), 5, 200)
		out, err := l.Append(ctx, b)
		if err != nil || out[0] != store.Duplicate || out[4] != store.Duplicate {
			t.Errorf("crash point %d: append again: %v, %v", n, out, err)
		}
	}
	names, err := clone.List("log")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, name := range names {
		if _, ok := parseSegmentName(name); ok {
			files++
		}
	}
	if st := l.Stats(); files != st.Segments {
		t.Errorf("crash point %d: %d segment files, %d known", n, files, st.Segments)
	}
	if st := l.Stats(); st.TornBytes != 0 || st.CorruptBlocks != 0 {
		t.Errorf("crash point %d: %+v", n, st)
	}
	return reached
}
