package daemon

import (
	"fmt"
	"math"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/removal"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// What retention took from the warehouse and not from the log yet is no damage, nor
// after the retention was made longer again; a row that is missing for no reason is.
func TestVerifyKnowsWhatHasExpired(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	count := func(n *testNode, want string) {
		t.Helper()
		eventually(t, want+" events are counted", func() bool {
			_, body := n.get(t, testKey, "/v1/stats?of=events&metrics=count")
			return strings.Contains(body, `"count":`+want)
		})
	}
	n := start(t, Config{DataDir: dir, BootstrapAPIKey: testKey})
	for i, age := range []time.Duration{155 * time.Minute, time.Minute, 2 * time.Hour, 0, 0} { // most stay: no segment is rewritten soon
		body := fmt.Sprintf(`{"events":[{"event_id":"e%d","event_type":"event_create","payload":{"n":%[1]d},"timestamp":%d}]}`, i, time.Now().Add(-age).Unix())
		if status, raw, err := n.request(t.Context(), http.MethodPost, "/v1/telemetry/batch", body); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s %v", status, raw, err)
		}
	}
	count(n, "5")
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	n = start(t, Config{DataDir: dir, Retention: Age(150 * time.Minute)})
	count(n, "4")
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	if v := whole(t, dir); !strings.Contains(fmt.Sprint(v.Parts), "events have expired") {
		t.Errorf("%+v", v.Parts)
	}
	n = start(t, Config{DataDir: dir}) // kept for ever from now on
	count(n, "4")
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	whole(t, dir)
	remove(t, dir, expiredFile)
	v, err := Verify(t.Context(), Config{DataDir: dir, WarehouseMemory: 64 << 20}, nil)
	if err != nil || v.State != PartDamaged {
		t.Errorf("without %s: %+v %v", expiredFile, v, err)
	}
}

func TestNoteExpiredOnlyRises(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), expiredFile)
	now := time.UnixMicro(1_770_000_000_000_000)
	note := func(c store.Cutoffs) removal.ExpiredUpTo {
		t.Helper()
		if err := removal.NoteExpired(path, c); err != nil {
			t.Fatal(err)
		}
		has, err := removal.ReadExpired(path)
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
