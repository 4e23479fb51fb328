package daemon

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/budget"
	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/verify"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// URLs may be of one project or of all, in the setting or in a file; what is wrong is told without them.
func TestAlertSettings(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "hook")
	if err := os.WriteFile(file, []byte("https://chat.example/secret-2?a=b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var c Config
	hook := settingNamed("AlertWebhook")
	for _, text := range []string{"https://chat.example/x?token=secret-1", "shop=@" + file + "\nlab=http://lab.example/"} {
		if err := hook.Set(&c, text); err != nil {
			t.Fatal(err)
		}
	}
	hooks, err := c.webhooks()
	if err != nil || c.Validate() != nil {
		t.Fatal(err, c.Validate())
	}
	for project, want := range map[string]string{"default": "https://chat.example/x?token=secret-1", "shop": "https://chat.example/secret-2?a=b", "lab": "http://lab.example/"} {
		if got := hooks.of(project); got != want {
			t.Errorf("%s: %s, want %s", project, got, want)
		}
	}
	for _, s := range c.Effective() {
		if strings.Contains(s.Value, "secret") {
			t.Errorf("%s shows %q", s.Field, s.Value)
		}
	}
	if hooks, _ := (&Config{AlertWebhook: Lines{"shop=http://h"}}).webhooks(); hooks.of("other") != "" {
		t.Errorf("another project's alerts go to %q", hooks.of("other"))
	}
	for says, c := range map[string]Config{
		"AlertWebhook (--alert-webhook, BROKLE_ALERT_WEBHOOK) is ********: must be a URL":                     {AlertWebhook: Lines{"secret"}},
		"is ********: must not hold a name or a password":                                                     {AlertWebhook: Lines{"https://u:secret@h"}},
		"is ********: the file of the URL":                                                                    {AlertWebhook: Lines{"shop=@/no/such/file"}},
		"is ********: names two URLs":                                                                         {AlertWebhook: Lines{"http://secret", "http://secret"}},
		"AlertWebhookHeader (--alert-webhook-header, BROKLE_ALERT_WEBHOOK_HEADER) is ********: must be NAME=": {AlertWebhook: Lines{"http://h"}, AlertWebhookHeader: Lines{"secret"}},
		"is ********: needs --alert-webhook":                                                                  {AlertWebhookHeader: Lines{"K=secret"}},
		"BudgetInterval (--budget-interval, BROKLE_BUDGET_INTERVAL) is 1s: must be 5s to 1h":                  {BudgetInterval: time.Second},
	} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// chat is a webhook that keeps what it took.
type chat struct {
	*httptest.Server
	mu    sync.Mutex
	took  []budget.Message
	heads []http.Header
}

func newChat(t *testing.T) *chat {
	c := &chat{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m budget.Message
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Errorf("an alert cannot be read: %v", err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.took, c.heads = append(c.took, m), append(c.heads, r.Header)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *chat) messages() []budget.Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]budget.Message{}, c.took...)
}

// spend sends a call of now that cost so much, which is taken whatever was spent.
func (n *testNode) spend(t *testing.T, id, usd string) {
	t.Helper()
	status, raw, err := n.request(t.Context(), "POST", "/v1/telemetry/batch", fmt.Sprintf(
		`{"events":[{"event_id":%q,"event_type":"observation_create","payload":{"id":%q,"trace_id":"t","name":"n","type":"llm","model":"m","total_cost":%s,"start_time":%q}}]}`,
		id, id, usd, time.Now().UTC().Format(time.RFC3339Nano)))
	if err != nil || status != http.StatusOK || !strings.Contains(string(raw), `"processed_events":1`) {
		t.Fatalf("%d %s %v", status, raw, err)
	}
}

// setBudgets sets budgets, and waits until they were looked at.
func (n *testNode) setBudgets(t *testing.T, body string) budget.Status {
	t.Helper()
	began := time.Now()
	status, raw, err := n.request(t.Context(), "PUT", "/v1/budgets", body)
	if err != nil || status != http.StatusOK {
		t.Fatalf("%d %s %v", status, raw, err)
	}
	return n.budget(t, began)
}

// budget is the first budget, once it was looked at since.
func (n *testNode) budget(t *testing.T, since time.Time) (s budget.Status) {
	t.Helper()
	watch.Until(t, "the budget is looked at", func() bool {
		list := told[struct{ Status []budget.Status }](t, n, "/v1/budgets").Status
		if len(list) > 0 {
			s = list[0]
		}
		return s.At != nil && !s.At.Before(since)
	})
	return s
}

// A level that is reached is told once to the webhook, before and after a restart and in a copy from a backup; what comes in goes on.
func TestBudgets(t *testing.T) {
	t.Parallel()
	c := newChat(t)
	top := t.TempDir()
	cfg := Config{DataDir: filepath.Join(top, "data"), BootstrapAPIKey: testKey, AlertWebhook: Lines{c.URL + "/hook"}, AlertWebhookHeader: Lines{"Authorization=Bearer s"}}
	n := start(t, cfg)
	const body = `[{"name":"all","period":"month","warn":1,"stop":2}]`
	if s := n.setBudgets(t, body); s.Reached != "" {
		t.Fatalf("%+v", s)
	}
	n.spend(t, "a", "0.9")
	n.spend(t, "b", "0.3")
	if s := n.setBudgets(t, body); s.Reached != budget.Warn || *s.Spend != 1.2 {
		t.Fatalf("%+v", s)
	}
	n.spend(t, "c", "0.8")
	if s := n.setBudgets(t, body); s.Reached != budget.Stop || *s.Spend != 2 {
		t.Fatalf("%+v", s)
	}
	n.spend(t, "d", "5")
	watch.Until(t, "both levels are told", func() bool {
		return len(c.messages()) == 2 && told[struct{ Status []budget.Status }](t, n, "/v1/budgets").Status[0].Alerts[1].Delivery == "sent"
	})
	watch.Until(t, "/readyz tells of them", func() bool { // it is what the monitor saw last
		status, ready := n.get(t, testKey, "/readyz")
		return status == http.StatusOK && strings.Contains(ready, "budgets: ok: 1 are watched")
	})
	copied := filepath.Join(top, "copy")
	if _, err := n.takeBackup(t, filepath.Join(top, "backup"), nil); err != nil {
		t.Fatal(err)
	}
	whole(t, filepath.Join(top, "backup"))
	if _, err := Restore(t.Context(), Config{DataDir: copied}, filepath.Join(top, "backup"), slog.New(slog.DiscardHandler), nil); err != nil {
		t.Fatal(err)
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{cfg.DataDir, copied} {
		whole(t, dir)
		again := cfg
		again.DataDir = dir
		n := start(t, again)
		if s := n.setBudgets(t, body); len(s.Alerts) != 2 || s.Reached != budget.Stop || *s.Spend != 7 {
			t.Errorf("%s: %+v", dir, s)
		}
		if err := n.stop(); err != nil {
			t.Fatal(err)
		}
	}
	got := c.messages()
	if len(got) != 2 || got[0].Level != budget.Warn || got[1].Level != budget.Stop || got[1].Project != "default" || c.heads[0].Get("Authorization") != "Bearer s" {
		t.Errorf("%+v %v", got, c.heads)
	}
}

// A damaged file of budgets is found, named with its remedy, and stops the start.
func TestVerifyBudgets(t *testing.T) {
	t.Parallel()
	cfg := Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey, WarehouseMemory: 96 << 20}
	n := start(t, cfg)
	n.setBudgets(t, `[{"name":"a","period":"day","stop":1}]`)
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(cfg.DataDir, datadir.BudgetsFile)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw[:len(raw)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := Verify(t.Context(), cfg, nil)
	if err != nil || found.State != verify.Damaged {
		t.Fatalf("%+v, %v", found, err)
	}
	for _, p := range found.Parts {
		if damaged := p.State == verify.Damaged; damaged != (p.Name == datadir.PartBudgets) || damaged && (len(p.Problems) != 1 || !strings.Contains(p.Problems[0].Remedy, "delete it and set the budgets again")) {
			t.Errorf("%s is %s: %+v", p.Name, p.State, p.Problems)
		}
	}
	cfg.Listen = "127.0.0.1:0"
	if err := Run(t.Context(), cfg, slog.New(slog.DiscardHandler), &watch.Output{}); err == nil || !strings.Contains(err.Error(), "budgets.json is damaged") {
		t.Errorf("it starts: %v", err)
	}
	remove(t, path)
	if err := start(t, cfg).stop(); err != nil {
		t.Fatal(err)
	}
	whole(t, cfg.DataDir)
}
