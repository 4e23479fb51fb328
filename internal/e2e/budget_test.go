package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// alertKills is how often TestAlertsSurviveKills kills the server.
const alertKills = 10

// hook is a webhook that takes some alerts, refuses some and lets some wait.
type hook struct {
	*httptest.Server
	mu   sync.Mutex
	took map[string][]string // bodies, by the budget's name
	n    int
}

func newHook(t *testing.T) *hook {
	h := &hook{took: map[string][]string{}}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m struct {
			Name string
			raw  json.RawMessage
		}
		if err := json.NewDecoder(r.Body).Decode(&m.raw); err != nil || json.Unmarshal(m.raw, &m) != nil {
			return // it was killed while it sent
		}
		h.mu.Lock()
		h.n++
		kind := h.n % 3
		if kind != 0 {
			h.took[m.Name] = append(h.took[m.Name], string(m.raw))
		}
		h.mu.Unlock()
		switch kind {
		case 0:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 1: // taken, and the sender may not live to hear of it
			sleep(t, 50*time.Millisecond)
		}
	}))
	t.Cleanup(h.Close)
	return h
}

// Each level that is reached comes to the webhook at least once, and with the same content each time, however often and whenever the server is
// killed; what was sent once and noted is not sent again.
func TestAlertsSurviveKills(t *testing.T) {
	rng := chance.Of(t)
	h := newHook(t)
	dir, port := t.TempDir(), freePort(t)
	start := func() *rig.Node {
		return startNode(t, dir, "--listen", port, "--alert-webhook", h.URL, "--budget-interval", "5s")
	}
	n := start()
	do := func(method, path, body string) []byte {
		t.Helper()
		status, said, err := n.Do(t.Context(), http.DefaultClient, method, path, []byte(body))
		if err != nil || status != http.StatusOK {
			t.Fatalf("%d %s %v", status, said, err)
		}
		return said
	}
	do("POST", "/v1/telemetry/batch", `{"events":[{"event_id":"e","event_type":"observation_create","payload":{"id":"o","trace_id":"t","name":"n","type":"llm","total_cost":1,"start_time":"`+time.Now().UTC().Format(time.RFC3339)+`"}}]}`)
	waitEvents(t, n, 1)
	var budgets []string
	for k := range alertKills {
		budgets = append(budgets, fmt.Sprintf(`{"name":"b%d","period":"month","warn":0.5,"stop":1}`, k))
		do("PUT", "/v1/budgets", "["+strings.Join(budgets, ",")+"]")
		sleep(t, time.Duration(rng.IntN(400))*time.Millisecond)
		n.Kill()
		n = start()
	}
	type alert struct{ ID, Delivery string }
	var list struct {
		Status []struct {
			Name   string
			At     *time.Time
			Alerts []alert
		}
	}
	settled := func() bool {
		n.GetJSON(t, "/v1/budgets", &list)
		for _, s := range list.Status {
			if s.At == nil || len(s.Alerts) != 2 || s.Alerts[0].Delivery != "sent" || s.Alerts[1].Delivery != "sent" {
				return false
			}
		}
		return len(list.Status) == alertKills
	}
	settle := func() {
		t.Helper()
		for deadline := time.Now().Add(rig.Patience); !settled(); sleep(t, 20*time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("not all was sent: %+v", list)
			}
		}
	}
	settle()
	h.mu.Lock()
	requests := h.n
	h.mu.Unlock()
	if code := terminate(t, n); code != 0 {
		t.Errorf("it ends with %d", code)
	}
	n = start()
	settle()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.n != requests {
		t.Errorf("%d requests after everything was sent", h.n-requests)
	}
	repeated := 0
	for _, s := range list.Status {
		content := map[string]bool{}
		for _, body := range h.took[s.Name] {
			content[body] = true
		}
		if len(content) != 2 {
			t.Errorf("%s was told as %d: %v", s.Name, len(content), h.took[s.Name])
		}
		repeated += len(h.took[s.Name]) - 2
		for _, a := range s.Alerts {
			if !strings.Contains(strings.Join(h.took[s.Name], "\n"), a.ID) {
				t.Errorf("%s, %s did not come", s.Name, a.ID)
			}
		}
	}
	t.Logf("%d requests, %d alerts came again", requests, repeated)
}
