package removal

import (
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
)

func TestNoteExpiredOnlyRises(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "expired.json")
	now := time.UnixMicro(1_770_000_000_000_000)
	note := func(c store.Cutoffs) Expired {
		t.Helper()
		if err := noteExpired(path, c); err != nil {
			t.Fatal(err)
		}
		has, err := ReadExpired(path)
		if err != nil {
			t.Fatal(err)
		}
		return has
	}
	first := note(store.Cutoffs{Now: now, Retention: store.Retention{Default: time.Hour, Projects: map[string]time.Duration{"shop": time.Minute, "lab": 0}}})
	if first.Of("other") != now.Add(-time.Hour).UnixMicro() || first.Of("shop") != now.Add(-time.Minute).UnixMicro() || first.Of("lab") != math.MinInt64 {
		t.Errorf("%+v", first)
	}
	second := note(store.Cutoffs{Now: now, Retention: store.Retention{Projects: map[string]time.Duration{"shop": 24 * time.Hour, "other": time.Minute}}})
	if second.Of("shop") != first.Of("shop") || second.Of("third") != first.Of("third") || second.Of("lab") != math.MinInt64 || second.Of("other") != now.Add(-time.Minute).UnixMicro() {
		t.Errorf("%+v", second)
	}
}
