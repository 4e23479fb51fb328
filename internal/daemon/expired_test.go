package daemon

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/verify"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// What retention took from the warehouse and not from the log yet is no damage, nor
// after the retention was made longer again; a row that is missing for no reason is.
func TestVerifyKnowsWhatHasExpired(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	count := func(n *testNode, want string) {
		t.Helper()
		watch.Until(t, want+" events are counted", func() bool {
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
	remove(t, dir, datadir.ExpiredFile)
	v, err := Verify(t.Context(), Config{DataDir: dir, WarehouseMemory: 96 << 20}, nil)
	if err != nil || v.State != verify.Damaged {
		t.Errorf("without %s: %+v %v", datadir.ExpiredFile, v, err)
	}
}
