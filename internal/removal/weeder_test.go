package removal

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// manyMedia are names of media, of which it is noted who is asked about.
type manyMedia struct {
	store.Media
	names []store.MediumName
	asked []string
}

func (m *manyMedia) Projects() ([]string, error) { return []string{"p"}, nil }

func (m *manyMedia) Shard(_ string, n int) ([]store.MediumName, error) {
	if n == 0 {
		return slices.Clone(m.names), nil
	}
	return nil, nil
}

func (m *manyMedia) Weed(_ context.Context, _ string, hashes []string, _ func(context.Context, []string) (map[string]bool, error)) (int, error) {
	m.asked = append(m.asked, hashes...)
	return 0, nil
}

// The first pass looks at the newest media, those that follow at all others in turn, and each at all that have expired.
func TestPassesLookAtAll(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	m := &manyMedia{}
	for i := range 5*lookedAt + 7 {
		m.names = append(m.names, store.MediumName{Hash: fmt.Sprintf("%064x", uint64(i)*0x9e3779b97f4a7c15), Until: now.Add(-time.Duration(i) * time.Second)})
	}
	old := m.names[len(m.names)-1]
	w := NewWeeder(WeederOptions{
		Media: m, Head: func() entity.Seq { return 0 }, Now: func() time.Time { return now },
		Retention: store.Retention{Default: now.Sub(old.Until) - 500*time.Millisecond},
	})
	pass := func() []string {
		m.asked = nil
		if err := w.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
		if m.asked[0] != old.Hash {
			t.Errorf("the first is %s, and not what has expired", m.asked[0])
		}
		return m.asked[1:]
	}
	first := pass()
	for i, hash := range first {
		if hash != m.names[i].Hash {
			t.Fatalf("%d of the first pass is not the newest", i)
		}
	}
	seen := map[string]bool{}
	for range 6 {
		for _, hash := range pass() {
			seen[hash] = true
		}
	}
	if len(first) != lookedAt || len(seen) != len(m.names) {
		t.Errorf("%d at first, %d of %d in six passes", len(first), len(seen), len(m.names))
	}
	for keep, want := range map[time.Duration]time.Duration{0: time.Hour, time.Hour: 3 * time.Minute, 90 * 24 * time.Hour: time.Hour, time.Second: leastEvery} {
		if got := NewWeeder(WeederOptions{Retention: store.Retention{Default: keep}}).o.Every; got != want {
			t.Errorf("kept for %s: a pass each %s, want %s", keep, got, want)
		}
	}
}
