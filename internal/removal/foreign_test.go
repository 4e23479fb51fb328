package removal

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// away is a log that erases nothing.
type away struct{ *lateNode }

func (away) Erase(context.Context, []entity.Seq) error { return store.ErrUnavailable }

// An erasure that was interrupted is ended as the node names events now: one that began while it shared a warehouse names those of all nodes, one that began while it was
// alone those of its log. What it did not begin under another name is not translated.
func TestWhatBeganUnderAnotherName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ began, is bool }{{false, false}, {false, true}, {true, false}, {true, true}} {
		l, _ := openLog(t)
		n := &lateNode{Log: l}
		journal := filepath.Join(t.TempDir(), "erasing.json")
		if err := writeJournal(journal, []Erasure{{Project: "p", Seqs: []entity.Seq{3, 4}}}, c.began); err != nil {
			t.Fatal(err)
		}
		asked := 0
		e := NewEraser(EraserOptions{
			Log: n, Mentions: l, Warehouse: lateWarehouse{n: n}, Indexer: n, Ingest: n, Journal: journal, Shared: c.is,
			Foreign: func(_ context.Context, list []Erasure) ([]Erasure, error) {
				asked++
				return []Erasure{{Project: list[0].Project, Seqs: []entity.Seq{entity.Seq(70 + len(list[0].Seqs))}}}, nil
			},
		})
		if err := e.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := []string{"log [3 4]", "forget [3 4]", "warehouse p [3 4]"}
		if c.began != c.is {
			want = []string{"log [72]", "forget [72]", "warehouse p [72]"}
		}
		if !slices.Equal(n.steps, want) || asked > 1 {
			t.Errorf("began shared %t, shared now %t: %q, want %q", c.began, c.is, n.steps, want)
		}
		if list, err := ReadErasures(journal); err != nil || list != nil {
			t.Errorf("afterwards: %+v, %v", list, err)
		}
		e.o.Log = away{n}
		if err := e.begin(t.Context(), []Erasure{{Project: "p", Seqs: []entity.Seq{1}}}, 0); err == nil {
			t.Error("it is ended")
		}
		if list, shared, err := readJournal(journal); err != nil || len(list) != 1 || shared != c.is {
			t.Errorf("interrupted: %+v, shared %t, %v", list, shared, err)
		}
	}
}
