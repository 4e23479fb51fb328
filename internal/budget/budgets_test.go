package budget

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/document"
	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/watch"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// world is what Budgets ask and tell, in the time of a bubble.
type world struct {
	t    *testing.T
	file string
	logs watch.Output

	mu       sync.Mutex
	spend    func(q store.StatsQuery) (float64, error)
	takes    time.Duration // a question
	asked    []store.StatsQuery
	answer   func(n int) int // the status of the nth request to the webhook, from 1; 0: no answer
	received []Message
	requests int
	header   http.Header
}

func newWorld(t *testing.T) *world {
	return &world{t: t, file: filepath.Join(t.TempDir(), "budgets.json"), answer: func(int) int { return 200 }}
}

func (w *world) set(usd float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spend = func(store.StatsQuery) (float64, error) { return usd, nil }
}

func (w *world) stats(_ context.Context, _ string, q store.StatsQuery) (*wire.Page[wire.StatRow], error) {
	w.mu.Lock()
	w.asked = append(w.asked, q)
	spend, takes := w.spend, w.takes
	w.mu.Unlock()
	time.Sleep(takes) // of the bubble
	usd, err := spend(q)
	if err != nil {
		return nil, err
	}
	return &wire.Page[wire.StatRow]{Data: []wire.StatRow{{"cost": usd, "unpriced_count": int64(3)}}}, nil
}

// RoundTrip is the webhook.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests++
	w.header = r.Header
	status := w.answer(w.requests)
	if status == 0 {
		return nil, errors.New("connection refused")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if status < 300 {
		var m Message
		if err := json.Unmarshal(body, &m); err != nil {
			w.t.Errorf("%s: %v", body, err)
		}
		w.received = append(w.received, m)
	}
	return &http.Response{StatusCode: status, Status: "a line of " + r.URL.Path, Body: io.NopCloser(strings.NewReader("Cannot POST " + r.URL.Path)), Header: http.Header{}, Request: r}, nil
}

// got is what the webhook took: level and amount, in order.
func (w *world) got() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var got []string
	for _, m := range w.received {
		got = append(got, m.Level+" "+dollars(m.USD)+" at "+dollars(m.Spend))
	}
	return strings.Join(got, ", ")
}

// state is the world as it is, to read from.
func (w *world) state() (s struct {
	asked, requests int
	received        []Message
	header          http.Header
}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s.asked, s.requests, s.received, s.header = len(w.asked), w.requests, slices.Clone(w.received), w.header
	return s
}

func (w *world) options() Options {
	return Options{
		File: w.file, Stats: w.stats, Webhook: func(string) string { return "https://chat.example/hook" }, Transport: w,
		Header: http.Header{"Authorization": {"Bearer s"}}, Now: time.Now, Logger: slog.New(slog.NewTextHandler(&w.logs, nil)),
	}
}

// run runs Budgets until the stop that it returns.
func (w *world) run(o Options) (*Budgets, func()) {
	w.t.Helper()
	b, err := Open(o)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error)
	go func() { done <- b.Run(ctx) }()
	return b, func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	}
}

func (w *world) put(b *Budgets, text string) {
	w.t.Helper()
	if err := b.Set("shop", []byte(text)); err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()
}

// wait lets time go by.
func wait(d time.Duration) {
	time.Sleep(d) // of the bubble
	synctest.Wait()
}

const chat = `[{"name":"chat","period":"month","user_id":"u","warn":8,"stop":10}]`

// Each level is told once in a period: not again after a restart, nor when the spend falls below it and reaches it again.
func TestAlertsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		w.t = t
		w.set(7.999999999999)
		o := w.options()
		o.Every = 10 * time.Minute
		b, stop := w.run(o)
		w.put(b, chat)
		if got := w.got(); got != "" {
			t.Errorf("below both levels: %s", got)
		}
		w.set(8)
		wait(10 * time.Minute)
		if s := b.Status("shop")[0]; s.Reached != Warn || *s.Spend != 8 || s.Unpriced != 3 {
			t.Errorf("%+v", s)
		}
		w.set(10.5)
		wait(10 * time.Minute)
		want := "warn 8 at 8, stop 10 at 10.5"
		if got := w.got(); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
		w.set(3)
		wait(10 * time.Minute)
		if s := b.Status("shop")[0]; s.Reached != "" || b.Stats().Budgets[0].Over {
			t.Errorf("fallen below: %+v", s)
		}
		w.set(11)
		wait(10 * time.Minute)
		stop()
		b, stop = w.run(o)
		wait(10 * time.Minute)
		if s := b.Status("shop")[0]; s.Reached != Stop || len(s.Alerts) != 2 || s.Alerts[1].Delivery != sent || !b.Stats().Budgets[0].Over {
			t.Errorf("after a restart: %+v", s)
		}
		if got := w.got(); got != want {
			t.Errorf("told again: %s", got)
		}
		m := w.state().received[1]
		if !strings.Contains(m.Text, "Budget chat of project shop: 10.5 USD spent, the stop level of 10 USD is reached (month from 2000-01-01, UTC).") ||
			!strings.Contains(m.Text, "at least that: the cost of 3 calls") || m.Version != 1 || m.Name != "chat" || m.UserID != "u" || m.ID == "" || w.state().header.Get("Authorization") != "Bearer s" {
			t.Errorf("%+v %v", m, w.state().header)
		}
		if n := strings.Count(w.logs.String(), "a level of a budget is reached"); n != 2 || strings.Contains(w.logs.String(), "chat.example") {
			t.Errorf("%d lines: %s", n, w.logs.String())
		}
		wait(32 * 24 * time.Hour) // another month
		if got := w.got(); got != want+", warn 8 at 11, stop 10 at 11" {
			t.Errorf("in another month: %s", got)
		}
		wait(32 * 24 * time.Hour)
		if raw, err := os.ReadFile(w.file); err != nil || strings.Count(string(raw), `"level"`) > 4 {
			t.Errorf("alerts of old periods are kept: %s, %v", raw, err)
		}
		stop()
	})
}

// A level that is raised is told again when it is reached, one that is lowered is not; a budget that counts something else is another.
func TestAlertsOfChangedLevels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		w.t = t
		w.set(11)
		b, stop := w.run(w.options())
		defer stop()
		w.put(b, `[{"name":"chat","period":"day","stop":10}]`)
		w.put(b, `[{"name":"chat","period":"day","stop":5}]`)
		wait(time.Minute)
		w.put(b, `[{"name":"chat","period":"day","stop":20}]`)
		wait(time.Minute)
		if s := b.Status("shop")[0]; s.Reached != "" {
			t.Errorf("%+v", s)
		}
		w.set(20)
		wait(time.Minute)
		if got, want := w.got(), "stop 10 at 11, stop 20 at 20"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		w.put(b, `[{"name":"chat","period":"day","model":"m","stop":20}]`)
		if s := b.Status("shop")[0]; len(s.Alerts) != 1 || w.state().received[2].Model != "m" {
			t.Errorf("another budget of the name: %+v", s)
		}
		w.put(b, `[]`)
		if len(b.Status("shop")) != 0 || len(b.Stats().Budgets) != 0 {
			t.Errorf("%+v", b.Stats())
		}
	})
}

// An alert is sent again until the webhook takes it, also after a stop, and it is the same one then.
func TestAlertIsSentUntilTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		w.t = t
		w.set(11)
		statuses := []int{0, 500, 404, 302, 429}
		w.answer = func(n int) int {
			if n <= len(statuses) {
				return statuses[n-1]
			}
			return 204
		}
		b, stop := w.run(w.options())
		w.put(b, `[{"name":"chat","period":"month","stop":10}]`)
		if h := b.Health(); h.OK || h.Blocking || !strings.Contains(h.Detail, "connection refused") || strings.Contains(h.Detail, "chat.example") {
			t.Errorf("%+v", h)
		}
		if s := b.Stats(); s.Pending != 1 || s.Retries != 1 || s.Sent != 0 || !s.Fault {
			t.Errorf("%+v", s)
		}
		wait(3 * time.Second)
		// Many servers say in a 404 which path it was.
		if h, logs := b.Health(), w.logs.String(); h.OK || strings.Contains(h.Detail+logs, "/hook") || !strings.Contains(logs, "500 Internal Server Error") {
			t.Errorf("%+v\n%s", h, logs)
		}
		stop()
		b, stop = w.run(w.options())
		wait(time.Minute)
		if s := b.Stats(); s.Pending != 0 || s.Sent != 1 || s.Fault || !b.Health().OK {
			t.Errorf("%+v %+v", s, b.Health())
		}
		if got := w.got(); got != "stop 10 at 11" || w.state().requests != len(statuses)+1 {
			t.Errorf("%s after %d requests", got, w.state().requests)
		}
		stop()
	})
}

// A webhook that takes nothing for days has its alert given up, and one that does not answer is asked once in a round for all.
func TestAlertIsGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		w.t = t
		w.set(11)
		w.answer = func(int) int { return 0 }
		o := w.options()
		o.Every = 10 * time.Minute
		b, stop := w.run(o)
		defer stop()
		w.put(b, `[{"name":"a","period":"month","warn":1,"stop":10},{"name":"b","period":"month","stop":10}]`)
		if w.state().requests != 1 {
			t.Errorf("%d requests in the first round", w.state().requests)
		}
		wait(73 * time.Hour)
		if s := b.Stats(); s.Pending != 0 || s.Dropped != 3 || s.Sent != 0 {
			t.Errorf("%+v", s)
		}
		if w.state().requests > 73*60/2 {
			t.Errorf("%d requests", w.state().requests)
		}
		wait(24 * time.Hour)
		if s := b.Stats(); s.Alerts != 3 {
			t.Errorf("told again: %+v", s)
		}
	})
}

// Without a webhook a level is told in the log alone, and is not sent when there is one later.
func TestNoWebhook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		w.t = t
		w.set(11)
		o := w.options()
		o.Webhook = nil
		b, stop := w.run(o)
		w.put(b, chat)
		stop()
		b, stop = w.run(w.options())
		wait(time.Hour)
		if s := b.Status("shop")[0]; len(s.Alerts) != 2 || s.Alerts[0].Delivery != none || w.state().requests != 0 {
			t.Errorf("%+v, %d requests", s, w.state().requests)
		}
		stop()
	})
}

// What is sent late counts to the period in which it began, and is told for a day after its end; a budget that was set later is about what comes.
func TestLateEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		w.t = t
		first := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // where a bubble begins
		usd := 0.0
		w.spend = func(q store.StatsQuery) (float64, error) {
			if q.From.Equal(first) {
				return usd, nil
			}
			return 0, nil
		}
		b, stop := w.run(w.options())
		defer stop()
		w.put(b, `[{"name":"old","period":"day","stop":1}]`)
		wait(24*time.Hour + 10*time.Minute)
		w.put(b, `[{"name":"old","period":"day","stop":1},{"name":"new","period":"day","stop":1}]`)
		w.mu.Lock()
		usd = 2
		w.mu.Unlock()
		wait(time.Minute)
		if got := w.got(); got != "stop 1 at 2" || w.state().received[0].Name != "old" || !w.state().received[0].From.Equal(first) {
			t.Errorf("%s %+v", got, w.state().received)
		}
		if s := b.Status("shop")[0]; s.Reached != "" || *s.Spend != 0 || len(s.Alerts) != 1 {
			t.Errorf("the present period: %+v", s)
		}
	})
}

// Looks take a tenth of the time at most, however long a question takes, and happen when budgets are set.
func TestLooksAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		w.t = t
		w.set(0)
		b, stop := w.run(w.options())
		defer stop()
		wait(time.Hour)
		if w.state().asked != 0 {
			t.Errorf("%d questions without budgets", w.state().asked)
		}
		w.put(b, `[{"name":"a","period":"month","stop":10},{"name":"b","period":"month","stop":10}]`)
		if w.state().asked != 2 {
			t.Errorf("%d questions when they were set", w.state().asked)
		}
		wait(time.Hour)
		if n := w.state().asked; n != 2+2*60 {
			t.Errorf("%d questions in an hour, one a minute each", n)
		}
		w.mu.Lock()
		w.takes, w.asked = 20*time.Second, nil
		w.mu.Unlock()
		wait(10 * time.Hour)
		if n := time.Duration(w.state().asked); n*20*time.Second > time.Hour+time.Minute || n*20*time.Second < 50*time.Minute {
			t.Errorf("%v of 10 hours were asked", n*20*time.Second)
		}
	})
}

// A question that fails keeps the figures before, until the period is over.
func TestLookFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		w.t = t
		w.set(9)
		b, stop := w.run(w.options())
		defer stop()
		w.put(b, `[{"name":"chat","period":"day","warn":8,"stop":10}]`)
		w.mu.Lock()
		w.spend = func(store.StatsQuery) (float64, error) { return 0, errors.New("the disk is /secret/path") }
		w.mu.Unlock()
		wait(time.Minute)
		s := b.Status("shop")[0]
		if !s.Fault || *s.Spend != 9 || s.Reached != Warn {
			t.Errorf("%+v", s)
		}
		if h := b.Health(); h.OK || h.Blocking || strings.Contains(h.Detail, "secret") || b.Stats().Failed != 1 {
			t.Errorf("%+v %+v", h, b.Stats())
		}
		wait(24 * time.Hour)
		if s := b.Status("shop")[0]; !s.Fault || s.Spend != nil || s.Reached != "" {
			t.Errorf("in the next period: %+v", s)
		}
		w.set(0)
		wait(time.Minute)
		if s := b.Status("shop")[0]; s.Fault || *s.Spend != 0 || !b.Health().OK {
			t.Errorf("%+v", s)
		}
	})
}

// Retention that is shorter than the period takes from the spend; that is said.
func TestExpiredPart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		w.t = t
		w.set(1)
		o := w.options()
		o.Kept = func(string) time.Duration { return 7 * 24 * time.Hour }
		b, stop := w.run(o)
		defer stop()
		w.put(b, `[{"name":"chat","period":"month","stop":10}]`)
		for _, c := range []struct {
			after time.Duration
			want  bool
		}{{0, false}, {6 * 24 * time.Hour, false}, {2 * 24 * time.Hour, true}} {
			if wait(c.after); b.Status("shop")[0].Expired != c.want {
				t.Errorf("%v later: %v", c.after, !c.want)
			}
		}
	})
}

// A file that cannot be written refuses what was set, and a level that is reached then is told once it can.
func TestFileCannotBeWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		w.t = t
		w.set(0)
		b, stop := w.run(w.options())
		defer stop()
		w.put(b, chat)
		dir := filepath.Dir(w.file)
		if err := os.Rename(dir, dir+"-gone"); err != nil {
			t.Fatal(err)
		}
		w.set(9)
		wait(time.Minute)
		if s := b.Status("shop")[0]; s.Reached != Warn || len(s.Alerts) != 0 || w.state().requests != 0 {
			t.Errorf("%+v", s)
		}
		if err := b.Set("shop", []byte("[]")); err == nil || errors.Is(err, ErrInvalid) || b.Health().OK || len(b.List("shop")) != 1 {
			t.Errorf("%v %+v", err, b.Health())
		}
		if err := os.Rename(dir+"-gone", dir); err != nil {
			t.Fatal(err)
		}
		wait(time.Minute)
		if got := w.got(); got != "warn 8 at 9" || !b.Health().OK {
			t.Errorf("%s %+v", got, b.Health())
		}
	})
}

// Who asks how budgets stand waits for no disk.
func TestStatusWaitsForNoDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		w.t = t
		w.set(11)
		b, err := Open(w.options())
		if err != nil {
			t.Fatal(err)
		}
		writes := 0
		b.kept.Place.(*document.File).Replace = func(path string, text []byte) error {
			writes++
			if !b.mu.TryLock() {
				t.Error("a write keeps others waiting")
				return errors.New("it is held")
			}
			b.mu.Unlock()
			return durable.Replace(path, text)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.Run(ctx) }()
		w.put(b, `[{"name":"chat","period":"day","warn":8,"stop":10}]`)
		wait(80 * time.Hour) // told, sent, and forgotten
		cancel()
		if err := <-done; err != nil || writes < 6 {
			t.Errorf("%d writes, %v", writes, err)
		}
	})
}

// A file of a later release and one that is damaged are refused; each by name.
func TestFileIsRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"version":3,"budgets":"other"}`: ErrNewer.Error(), `{`: "budgets.json is damaged", `{"version":1,"budgets":[{"project":"p","name":"X"}]}`: "budgets.json is damaged: invalid budgets",
		`{"version":0}`: "version 0",
	} {
		file := filepath.Join(t.TempDir(), "budgets.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Options{File: file}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
		if _, err := Read(file); err == nil {
			t.Errorf("%s was read", text)
		}
	}
	file := filepath.Join(t.TempDir(), "budgets.json")
	b, err := Open(Options{File: file})
	if err != nil {
		t.Fatal(err)
	}
	if said, err := Read(file); said != "" || err != nil {
		t.Error(said, err)
	}
	for _, project := range []string{"shop", "lab"} {
		if err := b.Set(project, []byte(chat)); err != nil {
			t.Fatal(err)
		}
	}
	if said, err := Read(file); said != "2 budgets of 2 projects" || err != nil {
		t.Error(said, err)
	}
	again, err := Open(Options{File: file})
	if err != nil || len(again.List("shop")) != 1 || len(again.List("lab")) != 1 || *again.List("lab")[0].Stop != 10 {
		t.Error(again, err)
	}
}

// notified is a place of several nodes, which hear of the changes of one another.
type notified struct {
	*document.File
	changed chan struct{}
	others  []*notified
}

func (n *notified) Changed() <-chan struct{} { return n.changed }

func (n *notified) Change(edit func([]byte) ([]byte, error)) ([]byte, error) {
	text, err := n.File.Change(edit)
	for _, o := range n.others {
		clock.Wake(o.changed)
	}
	return text, err
}

// Of several nodes one tells each level, and when it is killed while it sends another one does.
func TestOneOfSeveralNodesTells(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		w.t = t
		w.set(1)
		var places []*notified
		for range 3 {
			places = append(places, &notified{File: &document.File{Path: w.file, Others: true}, changed: make(chan struct{}, 1)})
		}
		var nodes []*Budgets
		var stops []func()
		for i, p := range places {
			for k, o := range places {
				if k != i {
					p.others = append(p.others, o)
				}
			}
			o := w.options()
			o.Place, o.Node = p, string(rune('a'+i))
			b, stop := w.run(o)
			nodes, stops = append(nodes, b), append(stops, stop)
		}
		w.put(nodes[0], `[{"name":"chat","period":"day","warn":8}]`)
		wait(time.Minute)
		if list := nodes[2].List("shop"); len(list) != 1 {
			t.Fatalf("%+v", list)
		}
		w.set(9)
		wait(5 * time.Minute)
		if got := w.got(); got != "warn 8 at 9" || w.state().requests != 1 {
			t.Errorf("%s, in %d requests", got, w.state().requests)
		}
		for _, b := range nodes {
			if s := b.Status("shop")[0]; len(s.Alerts) != 1 || s.Alerts[0].Delivery != sent {
				t.Errorf("%+v", s)
			}
		}
		// The one that took an alert last is gone, and has not said what became of it.
		for _, stop := range stops {
			stop()
		}
		o := w.options()
		o.Place, o.Node = places[0], "d"
		_, err := places[0].File.Change(func(old []byte) ([]byte, error) {
			all, err := parse("budgets.json", old)
			if err != nil {
				return nil, err
			}
			all[0].Alerts[0].Delivery = pending
			all[0].Sending = map[string]lease{all[0].Alerts[0].ID: {"gone", time.Now().Add(sendTime)}}
			return encode(all)
		})
		if err != nil {
			t.Fatal(err)
		}
		_, stop := w.run(o)
		wait(sendTime / 2)
		if w.state().requests != 1 {
			t.Error("what another node sends is sent")
		}
		wait(sendTime)
		if w.state().requests != 2 {
			t.Errorf("%d requests", w.state().requests)
		}
		stop()
	})
}
