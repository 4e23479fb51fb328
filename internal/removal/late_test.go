package removal

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// lateNode is what an Eraser works on, and notes in which order it was asked.
type lateNode struct {
	store.Log
	steps []string
}

func (n *lateNode) Erase(_ context.Context, seqs []entity.Seq) error {
	n.steps = append(n.steps, fmt.Sprint("log ", seqs))
	return nil
}

func (n *lateNode) CatchUp(context.Context) error          { return nil }
func (n *lateNode) WaitJobs(context.Context, string) error { return nil }
func (n *lateNode) ForgetFailures(string)                  {}
func (n *lateNode) Forget(seqs []entity.Seq) error {
	n.steps = append(n.steps, fmt.Sprint("forget ", seqs))
	return nil
}

type lateWarehouse struct {
	store.Warehouse
	n *lateNode
}

func (w lateWarehouse) Erase(_ context.Context, project string, seqs []entity.Seq) error {
	w.n.steps = append(w.n.steps, fmt.Sprint("warehouse ", project, " ", seqs))
	return nil
}

// Of several erasures that others asked for, none has the Warehouse erase before all are gone from what it may be given with that.
func TestWhatIsLateGoesAtOnce(t *testing.T) {
	t.Parallel()
	l, _ := openLog(t)
	n := &lateNode{Log: l}
	for _, trace := range []string{"a", "b", "c"} {
		for _, project := range []string{"p", "q"} {
			_, err := l.Append(t.Context(), &store.Batch{Project: project, ID: project + trace, ReceivedAt: time.Now(), Events: []wire.Event{{
				ID: project + trace, Type: wire.TraceCreate, Payload: fmt.Appendf(nil, `{"id":%q,"name":"n","user_id":"u-%s"}`, trace, trace), Timestamp: wire.At(time.Now()),
			}}})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	e := NewEraser(EraserOptions{Log: n, Mentions: l, Warehouse: lateWarehouse{n: n}, Indexer: n, Ingest: n, Journal: filepath.Join(t.TempDir(), "erasing.json")})
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	err := e.Again(t.Context(), []Late{
		{Asked: Asked{Project: "p", UserID: "u-a"}, Before: soon}, {Asked: Asked{Project: "q", TraceID: "b"}, Before: soon},
		{Asked: Asked{Project: "p", TraceID: "nothing"}, Before: soon}, {Asked: Asked{Project: "p", TraceID: "c"}, Before: past},
	})
	want := []string{"log [1]", "forget [1]", "log [4]", "forget [4]", "warehouse p [1]", "warehouse q [4]"}
	if err != nil || !slices.Equal(n.steps, want) {
		t.Errorf("%q, want %q; %v", n.steps, want, err)
	}
}
