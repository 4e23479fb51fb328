package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/alert"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// receiver is a webhook that keeps what it is told.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex // guards what follows
	status int
	got    []alert.Message
}

func newReceiver(t *testing.T) *receiver {
	w := &receiver{status: http.StatusNoContent}
	w.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		var m alert.Message
		_ = json.Unmarshal(raw, &m)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.got = append(w.got, m)
		out.WriteHeader(w.status)
	}))
	t.Cleanup(w.Close)
	return w
}

func (w *receiver) all() []alert.Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]alert.Message(nil), w.got...)
}

func (w *receiver) answers(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status = status
}

// putAlert sets an alert, by which it is looked at, too.
func (h *house) putAlert(name, members string) alert.Row {
	h.tb.Helper()
	rep := h.send("PUT", "/v1/alerts/"+name, []byte(`{"window":"5m","comparison":"above",`+members+`}`))
	if rep.status != 200 {
		h.tb.Fatalf("%d %s", rep.status, rep.body)
	}
	return decoded[alert.Row](h.tb, rep)
}

// looked waits until the alert was looked at since it was set.
func (h *house) looked(name string) alert.Row {
	h.tb.Helper()
	var row alert.Row
	h.until("the alert is looked at", func() bool {
		row = decoded[alert.Row](h.tb, h.get("/v1/alerts/"+name))
		return row.At != nil && !row.At.Before(row.UpdatedAt) && row.Pending == 0
	})
	return row
}

// calls posts calls of a model that began so long ago, of which some failed.
func (h *house) calls(batch string, n, failed int, ago time.Duration) {
	h.tb.Helper()
	var events []string
	for i := range n {
		level := "DEFAULT"
		if i < failed {
			level = "ERROR"
		}
		id := fmt.Sprintf("%s-%d", batch, i)
		events = append(events, event(id, "observation_create", fmt.Sprintf(`{"id":"%s","trace_id":"t-%s","name":"call","type":"llm","model":"%s","level":"%s","input":"words of %s","start_time":%q}`,
			id, batch, batch, level, batch, time.Now().Add(-ago).UTC().Format(time.RFC3339Nano))))
	}
	h.post(events...)
	h.settle()
}

// From a question about real events to a real webhook: warning, alert and ok are told, three times in all; and what came late counts.
func TestAlertsAreTold(t *testing.T) {
	t.Parallel()
	h, w := open(t, setup{}), newReceiver(t)
	rule := `"question":"metrics=error_rate&filter=words","lag":"1m","warning":0.05,"alert":0.5,"destinations":[{"kind":"webhook","url":"` + w.URL + `"}]`
	h.putAlert("errors", rule)
	if row := h.looked("errors"); row.State != "ok" || len(row.Groups) != 1 || !row.Groups[0].NoData {
		t.Fatalf("%+v", row)
	}
	want := []string{}
	for i, step := range []struct {
		n, failed int
		ago       time.Duration
		state     string
		rate      float64
	}{
		{10, 1, 2 * time.Minute, "warning", 0.1},
		{20, 20, 4 * time.Minute, "alert", 0.7}, // they come late: their time is looked at for the second time
		{5, 5, time.Second, "alert", 0.7},       // their time is not looked at yet
		{5, 5, 30 * time.Minute, "alert", 0.7},  // nor any more
		{970, 0, 3 * time.Minute, "ok", 0.021},
	} {
		h.calls(fmt.Sprint("b", i), step.n, step.failed, step.ago)
		h.putAlert("errors", rule)
		row := h.looked("errors")
		if row.State != step.state || *row.Groups[0].Value != step.rate {
			t.Errorf("step %d: %s, %v", i, row.State, *row.Groups[0].Value)
		}
		if len(want) == 0 || want[len(want)-1] != step.state {
			want = append(want, step.state)
		}
	}
	got := w.all()
	if len(got) != 3 {
		t.Fatalf("%d messages: %+v", len(got), got)
	}
	before := "ok"
	for i, m := range got {
		if m.Type != "alert.changed" || m.Data.State != want[i] || m.Data.Before != before || m.Data.Project != "one" || m.Data.Name != "errors" {
			t.Errorf("%d: %+v", i, m)
		}
		before = m.Data.State
	}
	log := decoded[wire.Page[alert.Delivery]](t, h.get("/v1/alerts/errors/deliveries")).Data
	if len(log) != 3 || log[0].State != "sent" || log[0].Last != "204 No Content" || log[0].Message.Data.State != "ok" {
		t.Errorf("%+v", log)
	}
	m := h.scrape()
	for name, want := range map[string]float64{
		"brokle_alert_changes_total": 3, "brokle_alert_messages_sent_total": 3, "brokle_alert_messages_pending": 0, "brokle_alert_leads": 1, "brokle_alert_fault": 0,
		`brokle_alert_state{alert="errors",project="one"}`: 0,
	} {
		if m[name] != want {
			t.Errorf("%s is %v", name, m[name])
		}
	}
}

// A receiver that is away and comes back gets one message.
func TestAlertsWaitForTheReceiver(t *testing.T) {
	t.Parallel()
	h, w := open(t, setup{}), newReceiver(t)
	w.answers(http.StatusBadGateway)
	h.calls("b", 4, 4, 2*time.Minute)
	h.putAlert("errors", `"question":"metrics=error_rate","alert":0.5,"destinations":[{"kind":"webhook","url":"`+w.URL+`"}]`)
	h.until("it was tried three times", func() bool { return len(w.all()) >= 3 })
	w.answers(http.StatusOK)
	h.until("it was taken", func() bool {
		return decoded[wire.Page[alert.Delivery]](t, h.get("/v1/alerts/errors/deliveries")).Data[0].State == "sent"
	})
	tries := w.all()
	h.putAlert("errors", `"question":"metrics=error_rate","alert":0.5`)
	h.looked("errors")
	for _, m := range tries {
		if m.Data.ID != tries[0].Data.ID {
			t.Error("it came under another id")
		}
	}
	if len(w.all()) != len(tries) {
		t.Errorf("%d requests after it was taken", len(w.all())-len(tries))
	}
}

// The answers and statuses of the API; what is masked is nowhere in them.
func TestAlertsAPI(t *testing.T) {
	t.Parallel()
	h, w := open(t, setup{}), newReceiver(t)
	h.calls("a", 4, 4, 2*time.Minute)
	h.calls("b", 4, 0, 2*time.Minute)
	members := `"question":"metrics=error_rate&group_by=model","alert":0.5,"destinations":[{"kind":"webhook","url":"` + w.URL + `/secret-path"},{"kind":"slack","url":"` + w.URL + `/hidden"}]`
	made := h.putAlert("errors", members)
	if !strings.HasPrefix(made.Destinations[0].Secret, "whsec_") || made.Lag != "1m" || made.Every != "1m" || made.NoData != "keep" || made.For != 1 {
		t.Errorf("%+v", made)
	}
	row := h.looked("errors")
	if row.Metric != "error_rate" || row.State != "alert" || row.Since == nil || len(row.Groups) != 2 || row.Groups[0].By["model"] != "a" || row.Groups[0].State != "alert" || row.Groups[1].State != "ok" {
		t.Errorf("%+v", row)
	}
	for _, path := range []string{"/v1/alerts", "/v1/alerts/errors", "/v1/alerts/errors/deliveries"} {
		rep := h.get(path, "X-API-Key", "", "X-API-Key", h.newKey("one", "read"))
		if rep.status != 200 || strings.Contains(string(rep.body), made.Destinations[0].Secret) || strings.Contains(string(rep.body), "secret-path") || strings.Contains(string(rep.body), "hidden") {
			t.Errorf("%s: %d %s", path, rep.status, rep.body)
		}
	}
	trial := decoded[alert.Trial](t, h.send("POST", "/v1/alerts/errors/test", nil))
	if len(trial.Groups) != 2 || trial.Groups[0].State != "alert" || len(trial.Messages) != 0 || len(trial.Sent) != 0 {
		t.Errorf("%+v", trial)
	}
	before := len(w.all())
	trial = decoded[alert.Trial](t, h.send("POST", "/v1/alerts/errors/test?send=true", nil))
	if len(trial.Sent) != 2 || !trial.Sent[0].Taken || !trial.Sent[1].Taken || len(w.all()) != before+2 || w.all()[before].Type != "alert.test" {
		t.Errorf("%+v", trial)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"PUT", "/v1/alerts/x", `{"question":"metrics=nonsense","window":"1s","comparison":"above","warning":2,"alert":1}`, 400, "window: it is from 1m to 30d"},
		{"PUT", "/v1/alerts/X", `{"question":"","window":"5m","comparison":"above","alert":1}`, 400, "name: it has 1 to 64"},
		{"PUT", "/v1/alerts/x", `{`, 400, "it is no JSON object"},
		{"PUT", "/v1/alerts/x", strings.Repeat(" ", maxSaved+1), 413, "at most"},
		{"GET", "/v1/alerts/none", "", 404, "no alert of this name"},
		{"GET", "/v1/alerts/none/deliveries", "", 404, "no alert of this name"},
		{"DELETE", "/v1/alerts/none", "", 404, "no alert of this name"},
		{"POST", "/v1/alerts/none/test", "", 404, "no alert of this name"},
		{"POST", "/v1/alerts/errors/test?send=perhaps", "", 400, "must be true or false"},
		{"POST", "/v1/alerts/errors/test?to=x", "", 400, "unknown parameter"},
	} {
		if rep := h.send(c.method, c.path, []byte(c.body)); rep.status != c.status || !strings.Contains(string(rep.body), c.says) {
			t.Errorf("%s %s: %d %s", c.method, c.path, rep.status, rep.body)
		}
	}
	if rep := h.send("DELETE", "/v1/alerts/errors", nil); rep.status != 204 {
		t.Errorf("%d %s", rep.status, rep.body)
	}
	if list := decoded[wire.Page[alert.Row]](t, h.get("/v1/alerts")).Data; len(list) != 0 {
		t.Errorf("%+v", list)
	}
}

// A question that cannot be answered is said, with its reason, and changes nothing.
func TestAlertsOfTooMuch(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	var events []string
	for i := range 1002 {
		events = append(events, event(fmt.Sprint("e", i), "observation_create", fmt.Sprintf(`{"id":"o%d","trace_id":"t%d","name":"n%d","start_time":%q}`, i, i, i, time.Now().Add(-2*time.Minute).UTC().Format(time.RFC3339))))
	}
	h.post(events[:500]...)
	h.post(events[500:1000]...)
	h.post(events[1000:]...)
	h.settle()
	h.putAlert("many", `"question":"metrics=count&group_by=name","alert":0`)
	if row := h.looked("many"); !strings.Contains(row.Fault, "more than 1000 groups") || row.State != "ok" {
		t.Errorf("%+v", row)
	}
}
