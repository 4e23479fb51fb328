package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/document"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// world is what nodes of a test share: a clock, the statistics, and a place.
type world struct {
	mu    sync.Mutex // guards what follows
	now   time.Time
	rows  []wire.StatRow
	more  bool // there is another page
	err   error
	asked []url.Values
}

func newWorld() *world { return &world{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (w *world) at() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// is has statistics answer so from now on.
func (w *world) is(rows ...wire.StatRow) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rows, w.err = rows, nil
}

func (w *world) fails(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
}

func (w *world) ask(_ context.Context, _ string, question url.Values) (*wire.Page[wire.StatRow], error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, question)
	p := &wire.Page[wire.StatRow]{Data: w.rows}
	if w.more {
		p.NextCursor = new(string)
	}
	return p, w.err
}

func rate(v any) wire.StatRow { return wire.StatRow{"error_rate": v} }

// alone is a node that shares nothing, whose rules are kept in a file.
func alone(t testing.TB, o Options) *Alerts {
	t.Helper()
	if o.Place == nil {
		o.Place = &document.File{Path: filepath.Join(t.TempDir(), "alerts.json"), Replace: func(path string, content []byte) error { return os.WriteFile(path, content, 0o600) }}
	}
	a, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// node is one of a world, which may send to this machine.
func (w *world) node(t testing.TB, o Options) *Alerts {
	o.Ask, o.Now, o.Private = w.ask, w.at, true
	return alone(t, o)
}

func put(t testing.TB, a *Alerts, name, text string) Row {
	t.Helper()
	row, err := a.Put("p", name, "key_1", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return row
}

// turn has a minute pass, and whatever is due done.
func (w *world) turn(t testing.TB, nodes ...*Alerts) {
	t.Helper()
	w.pass(time.Minute)
	for _, a := range nodes {
		a.round(t.Context())
		for i := 0; a.deliverDue(t.Context()) == 0; i++ {
			if i > 1000 {
				t.Fatal("it sends without end")
			}
		}
	}
}

// receiver is a webhook. status is what it answers; 0 is 200.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex // guards what follows
	status int
	header http.Header // of its answers
	got    []delivered
}

// delivered is a request as it came.
type delivered struct {
	header http.Header
	body   []byte
	Message
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{header: http.Header{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		d := delivered{header: req.Header, body: body}
		_ = json.Unmarshal(body, &d.Message)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, d)
		for name, values := range r.header {
			w.Header()[name] = values
		}
		if r.status != 0 {
			w.WriteHeader(r.status)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

func (r *receiver) all() []delivered {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// states is what the receiver was told, in the order in which it came.
func (r *receiver) states() string {
	var all []string
	for _, d := range r.all() {
		all = append(all, d.Data.State)
	}
	return strings.Join(all, " ")
}

func (r *receiver) rule(more string) string {
	return ruleOf(`,"destinations":[{"kind":"webhook","url":"` + r.URL + `/hooks/1"}]` + more)
}

// Each change of the state is told once, however often it is found; what it is found from is the window that ended a lag ago.
func TestEachChangeIsToldOnce(t *testing.T) {
	t.Parallel()
	w, r := newWorld(), newReceiver(t)
	a := w.node(t, Options{})
	put(t, a, "errors", r.rule(`,"question":"metrics=error_rate&filter=env:prod","description":"look at the log"`))
	for _, v := range []float64{0.05, 0.1, 0.2, 0.3, 0.7, 0.6, 0.51, 0.5, 0.05, 0} {
		w.is(rate(v))
		w.turn(t, a)
	}
	if got := r.states(); got != "warning alert warning ok" {
		t.Errorf("told %s", got)
	}
	first := r.all()[0]
	at := time.Date(2026, 3, 1, 12, 3, 0, 0, time.UTC)
	if d := first.Data; d.Name != "errors" || d.Project != "p" || d.Before != "ok" || *d.Value != 0.2 || !d.To.Equal(at.Add(-time.Minute)) || !d.From.Equal(at.Add(-6*time.Minute)) ||
		!d.At.Equal(at) || d.Description != "look at the log" || *d.Warning != 0.1 || d.Metric != "error_rate" || d.NoData || first.Type != "alert.changed" {
		t.Errorf("%s", first.body)
	}
	if want := "WARNING: errors of project p: error_rate is 0.2, above 0.1 (2026-03-01 11:57:00 to 12:02:00 UTC, before: ok)."; first.Data.Text != want {
		t.Errorf("%s", first.Data.Text)
	}
	if q := w.asked[0]; q.Get("filter") != "env:prod" || q.Get("from") != "2026-03-01T11:55:00.000000Z" || q.Get("to") != "2026-03-01T12:00:00.000000Z" {
		t.Errorf("asked %v", q)
	}
	ids := map[string]bool{}
	for _, d := range r.all() {
		ids[d.Data.ID] = true
	}
	if len(ids) != 4 {
		t.Errorf("%d ids", len(ids))
	}
	list, err := a.Deliveries("p", "errors")
	if err != nil || len(list) != 4 || list[0].Message.Data.State != "ok" || list[0].State != "sent" || list[0].Attempts != 1 || list[0].Last != "200 OK" || !strings.HasSuffix(list[0].To, "/"+masked) {
		t.Errorf("%+v %v", list, err)
	}
	row, _ := a.Get("p", "errors")
	if row.State != "ok" || row.Since == nil || !row.Since.Equal(time.Date(2026, 3, 1, 12, 9, 0, 0, time.UTC)) || len(row.Groups) != 1 || *row.Groups[0].Value != 0 {
		t.Errorf("%+v", row)
	}
}

// A state changes once so many looks in a row say so, in any direction; what looks sooner than it should counts for nothing.
func TestLooksInARow(t *testing.T) {
	t.Parallel()
	w, r := newWorld(), newReceiver(t)
	a := w.node(t, Options{})
	put(t, a, "errors", r.rule(`,"for":3`))
	for _, v := range []float64{0.2, 0.2, 0, 0.2, 0.7, 0.2, 0.2} { // never three
		w.is(rate(v))
		w.turn(t, a)
	}
	if got := r.states(); got != "" {
		t.Fatalf("told %s", got)
	}
	for range 10 { // it is asked again and again in the same minute
		put(t, a, "errors", r.rule(`,"for":3`))
		a.round(t.Context())
	}
	if got := r.states(); got != "" {
		t.Fatalf("told %s", got)
	}
	w.turn(t, a)
	w.is(rate(0.0))
	for range 4 {
		w.turn(t, a)
	}
	if got := r.states(); got != "warning ok" {
		t.Errorf("told %s", got)
	}
}

// What no value means is the rule's to say.
func TestNoData(t *testing.T) {
	t.Parallel()
	for meaning, want := range map[string]string{"ok": "alert ok", "keep": "alert", "warning": "alert warning", "alert": "alert"} {
		w, r := newWorld(), newReceiver(t)
		a := w.node(t, Options{})
		put(t, a, "errors", r.rule(`,"no_data":"`+meaning+`"`))
		w.is(rate(0.9))
		w.turn(t, a)
		w.is(rate(nil))
		w.turn(t, a)
		w.is() // no row at all
		w.turn(t, a)
		if got := r.states(); got != want {
			t.Errorf("%s: told %s", meaning, got)
		}
		if row, _ := a.Get("p", "errors"); !row.Groups[0].NoData || row.Groups[0].Value != nil {
			t.Errorf("%s: %+v", meaning, row.Groups)
		}
		if last := r.all()[len(r.all())-1]; want != "alert" && (!last.Data.NoData || last.Data.Value != nil || !strings.Contains(last.Data.Text, "has no value")) {
			t.Errorf("%s: %s", meaning, last.body)
		}
	}
}

// Each group has a state; one of which nothing comes any more is as the rule says of no data; more than are told are left out and that is said.
func TestGroups(t *testing.T) {
	t.Parallel()
	w, r := newWorld(), newReceiver(t)
	a := w.node(t, Options{})
	of := func(model any, v float64) wire.StatRow { return wire.StatRow{"model": model, "error_rate": v} }
	put(t, a, "errors", r.rule(`,"question":"metrics=error_rate&group_by=model","no_data":"ok"`))
	w.is(of("a", 0.7), of("b", 0.2), of(nil, 0))
	w.turn(t, a)
	w.is(of("b", 0.2), of(nil, 0.9))
	w.turn(t, a)
	var told []string
	for _, d := range r.all() {
		told = append(told, fmt.Sprint(d.Data.By["model"], " ", d.Data.State))
	}
	if got := strings.Join(told, ", "); got != "a alert, b warning, <nil> alert, a ok" {
		t.Errorf("told %s", got)
	}
	row, _ := a.Get("p", "errors")
	if row.State != "alert" || len(row.Groups) != 2 || row.Groups[0].By["model"] != nil || row.Groups[1].State != "warning" {
		t.Errorf("%+v", row.Groups)
	}
	var many []wire.StatRow
	for i := range 300 {
		many = append(many, of(fmt.Sprint("m", i), 0.9))
	}
	w.is(many...)
	w.turn(t, a)
	w.turn(t, a)
	if row, _ = a.Get("p", "errors"); !strings.Contains(row.Fault, "more than 100 groups are not ok") || len(row.Groups) != 100 {
		t.Errorf("%q, %d groups", row.Fault, len(row.Groups))
	}
	if h := a.snapshot()[0]; len(h.States) > mostStates || len(h.Deliveries) > mostPending+keptDeliveries {
		t.Errorf("%d states, %d deliveries", len(h.States), len(h.Deliveries))
	}
	t.Run("bounded", func(t *testing.T) { // whatever is sent, the text stays small
		h := a.snapshot()[0].clone()
		h.Deliveries[0].Message.Data.Description = strings.Repeat("x", mostText/20)
		for i := range h.Deliveries {
			h.Deliveries[i].Message.Data.Description = h.Deliveries[0].Message.Data.Description
		}
		if text, err := encodeWithin([]held{*h}, w.at()); err != nil || len(text) > mostText {
			t.Errorf("%d bytes, %v", len(text), err)
		}
	})
	w.more = true
	w.turn(t, a)
	if row, _ = a.Get("p", "errors"); !strings.Contains(row.Fault, "more than 1000 groups") {
		t.Errorf("%q", row.Fault)
	}
}

// What was told stays told when the answer of the receiver was 2xx, and is sent again, under the same id and with the same content, until then.
func TestReceiverComesBack(t *testing.T) {
	t.Parallel()
	w, r := newWorld(), newReceiver(t)
	a := w.node(t, Options{})
	put(t, a, "errors", r.rule(""))
	r.answers(http.StatusServiceUnavailable)
	w.is(rate(0.9))
	w.turn(t, a)
	w.is(rate(0.0)) // the ok waits behind the alert
	for range 20 {
		w.turn(t, a)
	}
	tries := r.all()
	if len(tries) < 5 || len(tries) > 15 || r.states() != strings.TrimSpace(strings.Repeat("alert ", len(tries))) {
		t.Fatalf("%d tries: %s", len(tries), r.states())
	}
	list, _ := a.Deliveries("p", "errors")
	if d := list[1]; d.State != pending || d.Attempts != int64(len(tries)) || d.Last != "503 Service Unavailable" || d.Next == nil || d.Next.Before(w.at().Add(-time.Minute)) {
		t.Errorf("%+v", d)
	}
	if row, _ := a.Get("p", "errors"); row.Pending != 2 {
		t.Errorf("%d are pending", row.Pending)
	}
	r.answers(0)
	for range 20 {
		w.turn(t, a)
	}
	after := r.all()[len(tries):]
	if len(after) != 2 || after[0].Data.State != "alert" || after[1].Data.State != "ok" {
		t.Fatalf("after it came back: %d", len(after))
	}
	if string(after[0].body) != string(tries[0].body) || after[0].header.Get("Webhook-Id") != tries[0].header.Get("Webhook-Id") || after[0].header.Get("Webhook-Signature") == tries[0].header.Get("Webhook-Signature") {
		t.Errorf("%s\n%s", tries[0].body, after[0].body)
	}
	if s := a.Stats(); s.Sent != 2 || s.Retries != int64(len(tries)) || s.Pending != 0 || s.Changes != 2 {
		t.Errorf("%+v", s)
	}
}

// A receiver that says how long it wants to be left alone is; one that is gone is not asked again; and nothing is sent for ever.
func TestGivingUp(t *testing.T) {
	t.Parallel()
	w, r := newWorld(), newReceiver(t)
	a := w.node(t, Options{})
	put(t, a, "errors", r.rule(""))
	r.answers(http.StatusTooManyRequests)
	r.header.Set("Retry-After", "600")
	w.is(rate(0.9))
	for range 9 {
		w.turn(t, a)
	}
	if n := len(r.all()); n != 1 {
		t.Errorf("%d requests in the time of Retry-After", n)
	}
	w.pass(giveUp)
	w.turn(t, a)
	list, _ := a.Deliveries("p", "errors")
	if list[0].State != givenUp || !strings.Contains(list[0].Last, "429 Too Many Requests; given up") || len(r.all()) != 1 {
		t.Errorf("%+v, %d requests", list[0], len(r.all()))
	}
	r.answers(http.StatusGone)
	w.is(rate(0.0))
	for range 5 {
		w.turn(t, a)
	}
	if list, _ = a.Deliveries("p", "errors"); list[0].State != givenUp || list[0].Last != "410 Gone" || len(r.all()) != 2 {
		t.Errorf("%+v, %d requests", list[0], len(r.all()))
	}
}

// A process that ends anywhere leaves what is to be sent to the next one, which sends it once.
func TestTheNextProcessGoesOn(t *testing.T) {
	t.Parallel()
	w, r := newWorld(), newReceiver(t)
	place := &document.File{Path: filepath.Join(t.TempDir(), "alerts.json")}
	a := w.node(t, Options{Place: place})
	put(t, a, "errors", r.rule(""))
	w.is(rate(0.9))
	a.round(t.Context()) // it was seen, and nothing is sent yet
	for range 3 {
		a = w.node(t, Options{Place: place})
		w.turn(t, a)
	}
	if got := r.states(); got != "alert" {
		t.Errorf("told %s", got)
	}
}

// What was taken and could not be noted is not sent again by the process that knows it.
func TestTakenAndNotNoted(t *testing.T) {
	t.Parallel()
	w, r := newWorld(), newReceiver(t)
	broken := false
	a := w.node(t, Options{Place: &document.File{Path: filepath.Join(t.TempDir(), "alerts.json"), Replace: func(path string, content []byte) error {
		if broken {
			return errors.New("no space left on device")
		}
		return os.WriteFile(path, content, 0o600)
	}}})
	put(t, a, "errors", r.rule(""))
	w.is(rate(0.9))
	a.round(t.Context())
	broken = true
	for range 5 {
		w.turn(t, a)
	}
	if got := r.states(); got != "alert" || !a.Stats().Fault || a.Health().OK {
		t.Errorf("told %s, %+v", got, a.Health())
	}
	w.is(rate(0.0))
	w.turn(t, a) // a change that cannot be kept is not told
	if got := r.states(); got != "alert" {
		t.Errorf("told %s", got)
	}
	broken = false
	w.turn(t, a)
	if got := r.states(); got != "alert ok" || a.Stats().Fault || !a.Health().OK {
		t.Errorf("told %s, %+v", got, a.Health())
	}
}

// What cannot be asked changes nothing, and is said; so is what cannot be asked yet.
func TestQuestionsThatFail(t *testing.T) {
	t.Parallel()
	w, r := newWorld(), newReceiver(t)
	behind := time.Duration(0)
	a := w.node(t, Options{Behind: func() time.Duration { return behind }})
	put(t, a, "errors", r.rule(""))
	w.is(rate(0.9))
	w.turn(t, a)
	for _, c := range []struct {
		err  error
		want string
	}{
		{&store.QueryError{Param: "q", Message: "asks for too much"}, "asks for too much"},
		{context.DeadlineExceeded, "took longer"}, {errors.New("/secret/path"), "the server's log says why"},
	} {
		w.fails(c.err)
		w.turn(t, a)
		row, _ := a.Get("p", "errors")
		if !strings.Contains(row.Fault, c.want) || strings.Contains(row.Fault, "/secret") || row.State != "alert" || *row.Groups[0].Value != 0.9 {
			t.Errorf("%v: %+v", c.err, row)
		}
	}
	w.is(rate(0.0))
	behind = 2 * time.Minute
	w.turn(t, a)
	if row, _ := a.Get("p", "errors"); row.State != "alert" || row.Fault != errBehind.Error() || a.Stats().Delayed != 1 {
		t.Errorf("%+v %+v", row, a.Stats())
	}
	behind = 0
	w.pass(againAfter)
	a.round(t.Context())
	if row, _ := a.Get("p", "errors"); row.State != "ok" || row.Fault != "" {
		t.Errorf("%+v", row)
	}
}

// Who was told that a rule is not ok is told when it is disabled, or asks for something else; what is to be sent to a destination that is removed is not.
func TestRulesThatChange(t *testing.T) {
	t.Parallel()
	w, r := newWorld(), newReceiver(t)
	a := w.node(t, Options{})
	row := put(t, a, "errors", r.rule(""))
	with := func(more string) string {
		return ruleOf(fmt.Sprintf(`,"destinations":[{"id":%q,"kind":"webhook","url":%q,"secret":%q}]%s`, row.Destinations[0].ID, maskedURL(r.URL+"/hooks/1"), masked, more))
	}
	w.is(rate(0.9))
	w.turn(t, a)
	put(t, a, "errors", with(`,"description":"another"`))
	w.turn(t, a)
	if got := r.states(); got != "alert" {
		t.Fatalf("told %s", got)
	}
	put(t, a, "errors", with(`,"question":"metrics=error_rate&of=traces"`))
	w.turn(t, a)
	put(t, a, "errors", with(`,"disabled":true`))
	w.turn(t, a)
	w.turn(t, a)
	if got := r.states(); got != "alert ok alert ok" {
		t.Errorf("told %s", got)
	}
	for i, reason := range []string{"", "its question was changed", "", "the alert was disabled"} {
		if d := r.all()[i].Data; d.Reason != reason || d.NoData || reason != "" && !strings.Contains(d.Text, reason) {
			t.Errorf("%+v", d)
		}
	}
	put(t, a, "errors", with(""))
	r.answers(http.StatusServiceUnavailable)
	w.turn(t, a)
	put(t, a, "errors", ruleOf(""))
	list, _ := a.Deliveries("p", "errors")
	if list[0].State != givenUp || list[0].Last != "the destination was removed" {
		t.Errorf("%+v", list[0])
	}
}

// A secret that the server made is shown once, stays when the rule is put as it is shown, and signs what is sent.
func TestSecrets(t *testing.T) {
	t.Parallel()
	w, r := newWorld(), newReceiver(t)
	a := w.node(t, Options{})
	made := put(t, a, "errors", r.rule("")).Destinations[0]
	if _, err := secretOf(made.Secret); err != nil || made.ID == "" || made.URL != r.URL+"/"+masked {
		t.Fatalf("%+v %v", made, err)
	}
	row, _ := a.Get("p", "errors")
	if d := row.Destinations[0]; d.Secret != masked {
		t.Errorf("it shows %+v", d)
	}
	back, _ := json.Marshal(row.Rule)
	if again := put(t, a, "errors", string(back)); again.Destinations[0] != row.Destinations[0] {
		t.Errorf("put again: %+v", again.Destinations)
	}
	w.is(rate(0.9))
	w.turn(t, a)
	got := r.all()[0]
	want := http.Header{}
	if err := sign(want, made.Secret, got.Data.ID, w.at(), got.body); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"} {
		if got.header.Get(name) != want.Get(name) || want.Get(name) == "" {
			t.Errorf("%s is %q, want %q", name, got.header.Get(name), want.Get(name))
		}
	}
	list, _ := json.Marshal(a.List("p"))
	log, _ := a.Deliveries("p", "errors")
	told, _ := json.Marshal(log)
	for _, text := range []string{string(list), string(told), string(got.body)} {
		if strings.Contains(text, made.Secret) || strings.Contains(text, "/hooks/1") {
			t.Errorf("it shows a secret: %s", text)
		}
	}
}

// The signature of a message is that of the specification's own example: id, time and body of its test vector.
func TestSignature(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	err := sign(h, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if err != nil || h.Get("Webhook-Signature") != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("%v %v", h, err)
	}
}

// Slack is sent its own form, in which what telemetry says means nothing.
func TestSlack(t *testing.T) {
	t.Parallel()
	w, r := newWorld(), newReceiver(t)
	a := w.node(t, Options{})
	put(t, a, "errors", ruleOf(`,"question":"metrics=error_rate&group_by=user_id","description":"*see* <https://x>","destinations":[{"kind":"slack","url":"`+r.URL+`"}]`))
	w.is(wire.StatRow{"user_id": "<!channel>\n*x*", "error_rate": 0.9})
	w.turn(t, a)
	var got struct {
		Text   string
		Blocks []struct {
			Type string
			Text struct{ Type, Text string }
		}
	}
	if err := json.Unmarshal(r.all()[0].body, &got); err != nil || len(got.Blocks) != 3 || got.Blocks[0].Text.Type != "plain_text" || got.Blocks[1].Text.Text != "*see* <https://x>" ||
		!strings.Contains(got.Text, "user_id &lt;!channel&gt; *x*") || strings.Contains(got.Text, "<") {
		t.Errorf("%v %s", err, r.all()[0].body)
	}
	if r.all()[0].header.Get("Webhook-Signature") != "" {
		t.Error("it is signed by no secret")
	}
}

// A command gets the message on its standard input, nothing of the server's environment, and says by its exit code whether it took it.
func TestCommand(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a script of sh")
	}
	t.Setenv("BROKLE_REDIS_URL", "redis://secret")
	w, dir := newWorld(), t.TempDir()
	script := filepath.Join(dir, "pager")
	if err := os.WriteFile(script, []byte("#!/bin/sh\ncat >> \"$1/out\"; echo >> \"$1/out\"; env >> \"$1/env\"\ntest -e \"$1/well\" || { yes x | head -c 100000; exit 3; }\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	a := w.node(t, Options{Commands: map[string][]string{"pager": {script, dir}}})
	put(t, a, "errors", ruleOf(`,"destinations":[{"kind":"command","command":"pager"}]`))
	w.is(rate(0.9))
	w.turn(t, a)
	list, _ := a.Deliveries("p", "errors")
	if list[0].State != pending || list[0].Last != "exit status 3" || list[0].To != "pager" {
		t.Errorf("%+v", list[0])
	}
	if err := os.WriteFile(filepath.Join(dir, "well"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.turn(t, a)
	w.turn(t, a)
	if list, _ = a.Deliveries("p", "errors"); list[0].State != sent || list[0].Last != "exit code 0" || list[0].Attempts != 2 {
		t.Errorf("%+v", list[0])
	}
	out, _ := os.ReadFile(filepath.Join(dir, "out"))
	var m Message
	if err := json.Unmarshal([]byte(strings.Split(string(out), "\n")[0]), &m); err != nil || m.Data.State != "alert" {
		t.Errorf("%v %s", err, out)
	}
	if env, _ := os.ReadFile(filepath.Join(dir, "env")); strings.Contains(string(env), "secret") || !strings.Contains(string(env), "PATH=") {
		t.Errorf("its environment: %s", env)
	}
}

// Nothing is sent to this machine, whatever name leads there, and no redirection is followed.
func TestPrivateAddresses(t *testing.T) {
	t.Parallel()
	w, r := newWorld(), newReceiver(t)
	place := &document.File{Path: filepath.Join(t.TempDir(), "alerts.json")}
	put(t, w.node(t, Options{Place: place}), "errors", r.rule(""))
	a, err := Open(Options{Place: place, Ask: w.ask, Now: w.at}) // it was allowed, and is no more
	if err != nil {
		t.Fatal(err)
	}
	w.is(rate(0.9))
	w.turn(t, a)
	list, _ := a.Deliveries("p", "errors")
	if len(r.all()) != 0 || list[0].State != pending || !strings.Contains(list[0].Last, "--alert-private") {
		t.Errorf("%d requests, %+v", len(r.all()), list[0])
	}
	from := httptest.NewServer(http.RedirectHandler(r.URL, http.StatusTemporaryRedirect))
	defer from.Close()
	b := w.node(t, Options{})
	put(t, b, "errors", ruleOf(`,"destinations":[{"kind":"slack","url":"`+from.URL+`"}]`))
	w.turn(t, b)
	list, _ = b.Deliveries("p", "errors")
	if len(r.all()) != 0 || list[0].Last != "307 Temporary Redirect" {
		t.Errorf("%d requests, %+v", len(r.all()), list[0])
	}
}

// A rule that is tried out says what would be told, changes nothing, and sends what says that it is a test.
func TestTrial(t *testing.T) {
	t.Parallel()
	w, r := newWorld(), newReceiver(t)
	a := w.node(t, Options{})
	put(t, a, "errors", r.rule(`,"for":5`))
	w.is(rate(0.9))
	trial, err := a.Test(t.Context(), "p", "errors", false)
	if err != nil || len(trial.Groups) != 1 || trial.Groups[0].State != "alert" || len(trial.Messages) != 1 || trial.Messages[0].Data.State != "alert" || len(trial.Sent) != 0 || len(r.all()) != 0 {
		t.Fatalf("%+v %v", trial, err)
	}
	if row, _ := a.Get("p", "errors"); row.State != "ok" || row.Pending != 0 || a.snapshot()[0].Changes != 0 {
		t.Errorf("%+v", row)
	}
	for _, status := range []int{200, 500} {
		r.answers(status)
		trial, err = a.Test(t.Context(), "p", "errors", true)
		if err != nil || len(trial.Sent) != 1 || trial.Sent[0].Taken != (status == 200) {
			t.Fatalf("%+v %v", trial, err)
		}
	}
	if got := r.all(); len(got) != 2 || got[0].Type != "alert.test" || !strings.HasPrefix(got[0].Data.Text, "This is a test.") || got[0].Data.ID == got[1].Data.ID || got[0].header.Get("Webhook-Signature") == "" {
		t.Errorf("%d: %s", len(got), got[0].body)
	}
	if _, err := a.Test(t.Context(), "q", "errors", true); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}

// A file of a later release, or one that is damaged, stops the start and is left as it is.
func TestFilesThatAreNone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"version":2}`: "later release", `{"version":0}`: "damaged", `[`: "damaged", `{"version":1,"alerts":[{"name":"X"}]}`: "damaged",
	} {
		path := filepath.Join(t.TempDir(), "alerts.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Options{Place: &document.File{Path: path}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
		if says, err := Read(path); err == nil {
			t.Errorf("%s: %s", text, says)
		}
	}
}
