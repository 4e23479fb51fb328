package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
	"github.com/brokle-ai/brokle-go/internal/redistest"
)

// standardWebhooks is the library of the specification's authors that TestAlertsAreSigned installs; the one place to change its version.
const standardWebhooks = "standardwebhooks==1.1.0"

// listener is a webhook of alerts: it keeps what comes, and takes it or not.
type listener struct {
	*httptest.Server
	mu    sync.Mutex // guards what follows
	takes bool
	got   []heard
}

// heard is a message as it came.
type heard struct {
	header http.Header
	body   string
	taken  bool
	Type   string
	Data   struct {
		ID, Name, State, Text string
	}
}

func newListener(t *testing.T) *listener {
	l := &listener{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		m := heard{header: r.Header, body: string(body)}
		if err != nil || json.Unmarshal(body, &m) != nil {
			return // it was killed while it sent
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		m.taken = l.takes
		l.got = append(l.got, m)
		if !l.takes {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(l.Close)
	return l
}

func (l *listener) take(takes bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.takes = takes
}

func (l *listener) heard() []heard {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]heard(nil), l.got...)
}

// rule is an alert on whether there are calls at all.
func (l *listener) rule(of string) string {
	return fmt.Sprintf(`{"question":"metrics=count&filter=name:%s","window":"1h","lag":"0s","comparison":"above","alert":0.5,"destinations":[{"kind":"webhook","url":%q}]}`, of, l.URL)
}

// callsOf sends a call of this name.
func callsOf(t *testing.T, n *rig.Node, name string) {
	t.Helper()
	body := fmt.Sprintf(`{"events":[{"event_id":"e-%s","event_type":"observation_create","payload":{"id":"o-%[1]s","trace_id":"t","name":"%[1]s","type":"llm","start_time":%q}}]}`, name, time.Now().Add(-time.Minute).UTC().Format(time.RFC3339))
	must(t, n, http.MethodPost, "/v1/telemetry/batch", body)
}

// A change that was seen is told after a SIGKILL, whenever it comes, under the id that it had; what was taken and noted is not told again.
func TestAlertsOfRulesSurviveKills(t *testing.T) {
	rng := chance.Of(t)
	l := newListener(t)
	dir, port := t.TempDir(), freePort(t)
	start := func() *rig.Node { return startNode(t, dir, "--listen", port, "--alert-private") }
	n := start()
	const rounds = 8
	for k := range rounds {
		name := fmt.Sprint("a", k)
		l.take(k%3 != 0) // else it is killed between the change and what is told of it
		callsOf(t, n, name)
		must(t, n, http.MethodPut, "/v1/alerts/"+name, l.rule(name))
		if k%3 == 0 {
			redistest.Eventually(t, soon, func() bool { // it was seen and kept
				var log struct{ Data []struct{ State string } }
				n.GetJSON(t, "/v1/alerts/"+name+"/deliveries", &log)
				return len(log.Data) == 1
			})
		} else {
			sleep(t, time.Duration(rng.IntN(300))*time.Millisecond)
		}
		n.Kill()
		l.take(true)
		n = start()
	}
	type delivery struct {
		ID, State string
		Attempts  int
	}
	told := func(name string) []delivery {
		var log struct{ Data []delivery }
		n.GetJSON(t, "/v1/alerts/"+name+"/deliveries", &log)
		return log.Data
	}
	for k := range rounds {
		redistest.Eventually(t, 2*time.Minute, func() bool {
			log := told(fmt.Sprint("a", k))
			return len(log) == 1 && log[0].State == "sent"
		})
	}
	requests := len(l.heard())
	if code := terminate(t, n); code != 0 {
		t.Errorf("it ends with %d", code)
	}
	n = start()
	for k := range rounds {
		name := fmt.Sprint("a", k)
		must(t, n, http.MethodPut, "/v1/alerts/"+name, strings.Replace(l.rule(name), `,"destinations"`, `,"description":"again","destinations"`, 1))
	}
	redistest.Eventually(t, soon, func() bool { // each was looked at again
		var list struct {
			Data []struct {
				State string
				At    *time.Time
			}
		}
		n.GetJSON(t, "/v1/alerts", &list)
		for _, a := range list.Data {
			if a.At == nil || a.State != "alert" {
				return false
			}
		}
		return len(list.Data) == rounds
	})
	all := l.heard()
	if len(all) != requests {
		t.Errorf("%d requests after all was taken", len(all)-requests)
	}
	ids := map[string]map[string]bool{}
	for _, m := range all {
		if ids[m.Data.Name] == nil {
			ids[m.Data.Name] = map[string]bool{}
		}
		ids[m.Data.Name][m.Data.ID] = true
		if m.header.Get("Webhook-Id") != m.Data.ID || m.Data.State != "alert" {
			t.Errorf("%s", m.body)
		}
	}
	for k := range rounds {
		name := fmt.Sprint("a", k)
		if log := told(name); len(ids[name]) != 1 || !ids[name][log[0].ID] {
			t.Errorf("%s came under %v, the log has %v", name, ids[name], log)
		}
	}
	t.Logf("%d requests for %d changes", requests, rounds)
}

// What is sent is taken by the library of the specification's authors, and what was changed on the way is not.
func TestAlertsAreSigned(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short leaves out what installs packages")
	}
	dir := t.TempDir()
	python := pythonWith(t, dir, standardWebhooks)
	l := newListener(t)
	l.take(true)
	n := startNode(t, t.TempDir(), "--alert-private")
	callsOf(t, n, "signed")
	_, answer, err := n.Do(t.Context(), http.DefaultClient, http.MethodPut, "/v1/alerts/signed", []byte(l.rule("signed")))
	var row struct{ Destinations []struct{ Secret string } }
	if err != nil || json.Unmarshal(answer, &row) != nil || len(row.Destinations) != 1 {
		t.Fatalf("%v %s", err, answer)
	}
	redistest.Eventually(t, soon, func() bool { return len(l.heard()) == 1 })
	m := l.heard()[0]
	const program = `
import json, sys
from standardwebhooks import Webhook, WebhookVerificationError
secret, body = sys.argv[1], sys.stdin.read()
headers = {name: sys.argv[i] for i, name in enumerate(["webhook-id", "webhook-timestamp", "webhook-signature"], 2)}
data = Webhook(secret).verify(body, headers)
assert data["type"] == "alert.changed" and data["data"]["state"] == "alert", data
for changed in (body.replace("alert", "alarm"), body + " "):
    try:
        Webhook(secret).verify(changed, headers)
    except WebhookVerificationError:
        continue
    sys.exit("it takes what was changed")
try:
    Webhook(secret).verify(body, {**headers, "webhook-id": "another"})
except WebhookVerificationError:
    print("verified")
`
	cmd := exec.CommandContext(t.Context(), python, "-c", program, row.Destinations[0].Secret, m.header.Get("Webhook-Id"), m.header.Get("Webhook-Timestamp"), m.header.Get("Webhook-Signature"))
	cmd.Stdin = strings.NewReader(m.body)
	out, err := cmd.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "verified" {
		t.Errorf("%v: %s", err, out)
	}
}

// Of two nodes that share alerts one tells; when it is killed the other one takes over, with what was still to be told.
func TestOneNodeTells(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped with -short: it runs two nodes, a Redis and a ClickHouse")
	}
	l := newListener(t)
	s := startSharing(t, "--alert-private", "--auth-failures", "10000")
	leads := func(i int) bool {
		_, answer, _ := as(t, s.node(i), http.MethodGet, "/metrics", "", "", "")
		return strings.Contains(string(answer), "\nbrokle_alert_leads 1\n")
	}
	leader := -1
	redistest.Eventually(t, time.Minute, func() bool {
		for i := range s.nodes {
			if leads(i) {
				leader = i
			}
		}
		return leader >= 0
	})
	other := (leader + 1) % len(s.nodes)
	l.take(true)
	callsOf(t, s.node(other), "first")
	must(t, s.node(other), http.MethodPut, "/v1/alerts/first", l.rule("first")) // whichever is asked
	stateOf := func(i int, name string) string {
		_, answer, _ := as(t, s.node(i), http.MethodGet, "/v1/alerts/"+name, rig.Key, "", "")
		var row struct {
			State  string
			At     *time.Time
			Groups []struct{ Value float64 }
		}
		if json.Unmarshal(answer, &row) != nil || row.At == nil {
			return ""
		}
		return fmt.Sprint(row.State, " ", row.Groups[0].Value)
	}
	redistest.Eventually(t, time.Minute, func() bool {
		return len(l.heard()) == 1 && stateOf(leader, "first") == "alert 1" && stateOf(other, "first") == "alert 1"
	})

	l.take(false)
	callsOf(t, s.node(other), "second")
	must(t, s.node(other), http.MethodPut, "/v1/alerts/second", l.rule("second"))
	redistest.Eventually(t, time.Minute, func() bool { return len(l.heard()) > 1 })
	s.node(leader).Kill()
	l.take(true)
	killed := time.Now()
	redistest.Eventually(t, 3*time.Minute, func() bool {
		all := l.heard()
		return all[len(all)-1].taken && all[len(all)-1].Data.Name == "second"
	})
	t.Logf("the other node told after %v", time.Since(killed))
	s.start(t, leader)
	redistest.Eventually(t, time.Minute, func() bool { return stateOf(leader, "second") == "alert 1" })
	taken := map[string]int{}
	ids := map[string]bool{}
	for _, m := range l.heard() {
		ids[m.Data.ID] = true
		if m.taken {
			taken[m.Data.Name]++
		}
	}
	if taken["first"] != 1 || taken["second"] != 1 || len(ids) != 2 {
		t.Errorf("taken %v under %d ids", taken, len(ids))
	}
	if leads(leader) || !leads(other) {
		t.Error("the one that came back leads")
	}
}
