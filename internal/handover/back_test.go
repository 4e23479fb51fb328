package handover_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/handover"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// nameOf tells facts apart.
func nameOf(r *entity.Record) string {
	return fmt.Sprintf("%s %s %x", r.Project, r.Event.ID, extract.ContentOf(&r.Event))
}

// cluster is what several nodes have taken, some of it more than one of them.
type cluster struct {
	logs  [][]entity.Record // of each node, by its own Seqs
	first map[string][2]uint64
	want  []string // the facts, as a new log should have them
}

func newCluster(t *testing.T, nodes int) *cluster {
	rng := chance.Of(t)
	c := &cluster{logs: make([][]entity.Record, nodes), first: map[string][2]uint64{}}
	taken := make([]map[string]bool, nodes)
	for _, r := range storetest.History(rng.Uint64(), 1500) {
		for n := range nodes {
			if n != rng.IntN(nodes) && rng.IntN(6) > 0 {
				continue
			}
			if taken[n] == nil {
				taken[n] = map[string]bool{}
			}
			if taken[n][nameOf(&r)] { // a warehouse has each fact once
				continue
			}
			taken[n][nameOf(&r)] = true
			own := r
			own.Seq = entity.Seq(3*len(c.logs[n]) + 2)
			own.Notes = nil
			if rng.IntN(9) == 0 {
				own.Notes = []string{"a note"}
			}
			c.logs[n] = append(c.logs[n], own)
		}
	}
	for n, log := range c.logs {
		for i := range log {
			if _, known := c.first[nameOf(&log[i])]; !known {
				c.first[nameOf(&log[i])] = [2]uint64{uint64(n), uint64(log[i].Seq)}
				c.want = append(c.want, nameOf(&log[i]))
			}
		}
	}
	return c
}

// copyBack copies as long as nothing fails.
func (c *cluster) copyBack(ctx context.Context, b *handover.Back) error {
	if err := b.Resume(ctx); err != nil {
		return err
	}
	for n, log := range c.logs {
		b.First = func(_ context.Context, recs []entity.Record) ([]bool, error) {
			counts := make([]bool, len(recs))
			for i := range recs {
				counts[i] = c.first[nameOf(&recs[i])] == [2]uint64{uint64(n), uint64(recs[i].Seq)}
			}
			return counts, nil
		}
		err := b.Node(ctx, uint16(n), func(after entity.Seq, each func(*entity.Record) error) error {
			for i := range log {
				if r := log[i]; r.Seq > after {
					if err := each(&r); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Whatever is interrupted, and whatever several nodes took of one event, the new log has each fact once, in the order of the nodes and of their logs, and knows which place has
// become which.
func TestBackIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, rng := t.Context(), chance.Of(t)
	c := newCluster(t, 3)
	dir := t.TempDir()
	saved := handover.Progress{Nodes: map[uint16]entity.Seq{}, Begins: map[uint16]entity.Seq{}, Places: map[uint16]map[entity.Seq]entity.Seq{}}
	for n := range c.logs {
		saved.Places[uint16(n)] = map[entity.Seq]entity.Seq{1: 0, 2: 0, 500: 0, 1 << 40: 0}
	}
	errStop := errors.New("killed")
	ended, stops := false, 0
	for !ended {
		log, err := segmentlog.Open(dir, segmentlog.Options{})
		if err != nil {
			t.Fatal(err)
		}
		stopAt := rng.IntN(4)
		b := &handover.Back{
			Log: log, Told: func(int64) {}, Records: 1 + rng.IntN(200),
			Progress: cloneOf(&saved),
			Save: func(p *handover.Progress) error {
				if stopAt--; stopAt < 0 && stops < 25 {
					return errStop
				}
				saved = cloneOf(p)
				return nil
			},
		}
		switch err := c.copyBack(ctx, b); {
		case err == nil:
			ended = true
		case errors.Is(err, errStop):
			stops++
		default:
			t.Fatal(err)
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d facts, interrupted %d times", len(c.want), stops)
	c.check(t, dir, saved)
}

func cloneOf(p *handover.Progress) handover.Progress {
	clone := handover.Progress{Nodes: maps.Clone(p.Nodes), Head: p.Head, Begins: maps.Clone(p.Begins), Places: map[uint16]map[entity.Seq]entity.Seq{}}
	for n, places := range p.Places {
		clone.Places[n] = maps.Clone(places)
	}
	return clone
}

// check compares the new log with what it should have.
func (c *cluster) check(t *testing.T, dir string, p handover.Progress) {
	t.Helper()
	log, err := segmentlog.Open(dir, segmentlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	}()
	sent := map[string]entity.Record{}
	for n := range c.logs {
		for _, r := range c.logs[n] {
			if c.first[nameOf(&r)] == [2]uint64{uint64(n), uint64(r.Seq)} {
				sent[nameOf(&r)] = r
			}
		}
	}
	var got []string
	at := map[string]entity.Seq{}
	for after := entity.Seq(0); after < log.Head(); {
		recs, upto, err := log.Read(t.Context(), after, 100)
		if err != nil {
			t.Fatal(err)
		}
		for i := range recs {
			r, is := &recs[i], nameOf(&recs[i])
			got, at[is] = append(got, is), r.Seq
			was := sent[is]
			if string(was.Event.Payload) != string(r.Event.Payload) || was.BatchID != r.BatchID || was.KeyID != r.KeyID || was.Environment != r.Environment || !was.ReceivedAt.Equal(r.ReceivedAt) || !was.Event.Timestamp.Equal(r.Event.Timestamp.Time) || !slices.Equal(was.Notes, r.Notes) {
				t.Fatalf("%s is %+v instead of %+v", is, *r, was)
			}
			if _, err := log.EventReceipt(t.Context(), r.Project, r.Event.ID); err != nil {
				t.Fatalf("a retry of %s would be stored: %v", is, err)
			}
		}
		after = upto
	}
	if !slices.Equal(got, c.want) {
		t.Fatalf("the new log has %d facts, or others, or in another order; want %d", len(got), len(c.want))
	}
	end := entity.Seq(0) // of the nodes before
	for n, log := range c.logs {
		if p.Begins[uint16(n)] != end {
			t.Errorf("the events of node %d begin behind %d, want %d", n, p.Begins[uint16(n)], end)
		}
		for place, is := range p.Places[uint16(n)] {
			want := entity.Seq(0)
			for i := range log {
				if r := &log[i]; r.Seq <= place && c.first[nameOf(r)] == [2]uint64{uint64(n), uint64(r.Seq)} {
					want = at[nameOf(r)]
				}
			}
			if is != want {
				t.Errorf("the place %d of node %d has become %d, want %d", place, n, is, want)
			}
			end = max(end, want)
		}
	}
}
