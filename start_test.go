package brokle_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokletest"
)

const secret = "4111-1111"

// secrets are options that put the secret wherever an event can hold it.
func secrets() []brokle.Option {
	return []brokle.Option{brokle.Input(secret), brokle.Output(secret), brokle.Metadata(map[string]any{"card": secret}), brokle.UserID(secret),
		brokle.SessionID(secret), brokle.Tags(secret), brokle.StatusMessage(secret), brokle.Comment(secret), brokle.Release(secret),
		brokle.ModelParameters(map[string]any{"card": secret}), brokle.Model(secret), brokle.CodeVersion(secret), brokle.Level(brokle.LevelInfo),
		brokle.Error(errors.New(secret)), brokle.ErrorType(secret), brokle.RequestedModel(secret), brokle.ResponseID(secret), brokle.FinishReason(secret),
		brokle.Prompt(secret, secret), brokle.Attribute("card", secret), brokle.ProviderUsage(map[string]any{"card": secret}), brokle.Count(secret, 1)}
}

// use says the secret in every way in which what was started can say more, and starts a child.
func use(ctx context.Context, o *brokle.ActiveObservation) {
	o.Update(secrets()...)
	o.Score("quality", secret, brokle.Comment(secret))
	_, child := brokle.StartSpan(ctx, "child of "+secret, secrets()...)
	child.End(secrets()...)
	ctx = brokle.WithMetadata(brokle.WithTags(brokle.WithSession(brokle.WithUser(ctx, secret), secret), secret), map[string]any{"card": secret})
	slog.New(&brokle.LogHandler{}).ErrorContext(ctx, "card "+secret, "card", secret)
	for range brokle.Deltas(o, func(yield func(string, error) bool) { yield(secret, nil) }, func(s string) string { return s }, secrets()...) {
	}
	o.End(secrets()...)
	brokle.TraceFromContext(ctx).Score("tone", secret)
	brokle.TraceFromContext(ctx).End(secrets()...)
}

func fails(ctx context.Context) error {
	use(ctx, brokle.ObservationFromContext(ctx))
	return errors.New("no card " + secret)
}

// starts are all ways to start something. Those of the package find their client by the context or the default.
var starts = map[string]func(ctx context.Context, c *brokle.Client){
	"StartGeneration": func(ctx context.Context, _ *brokle.Client) {
		use(brokle.StartGeneration(ctx, "call "+secret, secrets()...))
	},
	"StartSpan": func(ctx context.Context, _ *brokle.Client) {
		use(brokle.StartSpan(ctx, "call "+secret, secrets()...))
	},
	"StartObservation": func(ctx context.Context, _ *brokle.Client) {
		use(brokle.StartObservation(ctx, brokle.TypeTool, "call "+secret, secrets()...))
	},
	"Observe": func(ctx context.Context, _ *brokle.Client) {
		_ = brokle.Observe(ctx, "call "+secret, fails, secrets()...)
	},
	"Do": func(ctx context.Context, _ *brokle.Client) {
		_, _ = brokle.Do(ctx, "call "+secret, func(ctx context.Context) (int, error) { return 0, fails(ctx) }, secrets()...)
	},
	"Client.StartTrace": func(ctx context.Context, c *brokle.Client) {
		ctx, trace := c.StartTrace(ctx, "call "+secret, secrets()...)
		trace.Update(secrets()...)
		use(brokle.StartSpan(ctx, "below "+secret, secrets()...))
	},
	"Client.StartGeneration": func(ctx context.Context, c *brokle.Client) {
		use(c.StartGeneration(ctx, "call "+secret, secrets()...))
	},
	"Client.StartSpan": func(ctx context.Context, c *brokle.Client) {
		use(c.StartSpan(ctx, "call "+secret, secrets()...))
	},
	"Client.StartObservation": func(ctx context.Context, c *brokle.Client) {
		use(c.StartObservation(ctx, brokle.TypeAgent, "call "+secret, secrets()...))
	},
	"Client.Observe": func(ctx context.Context, c *brokle.Client) {
		_ = c.Observe(ctx, "call "+secret, fails, secrets()...)
	},
}

// A new exported way to start something must be in the table above.
func TestEveryWayToStartIsInTheTable(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || !f.Name.IsExported() || !takes(f, 0, "context", "Context") || !takesOptions(f) {
				continue
			}
			found++
			way := f.Name.Name
			if f.Recv != nil {
				way = f.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name + "." + way
			}
			if starts[way] == nil {
				t.Errorf("%s starts something and is not in the table of this test", way)
			}
		}
	}
	if found != len(starts) {
		t.Errorf("%d ways to start, %d in the table", found, len(starts))
	}
}

func takes(f *ast.FuncDecl, i int, pkg, name string) bool {
	if len(f.Type.Params.List) <= i {
		return false
	}
	sel, ok := f.Type.Params.List[i].Type.(*ast.SelectorExpr)
	return ok && sel.X.(*ast.Ident).Name == pkg && sel.Sel.Name == name
}

func takesOptions(f *ast.FuncDecl) bool {
	list := f.Type.Params.List
	last, ok := list[len(list)-1].Type.(*ast.Ellipsis)
	if !ok {
		return false
	}
	id, ok := last.Elt.(*ast.Ident)
	return ok && id.Name == "Option"
}

// leak is a server that the environment names; whatever reaches it went past the program's client.
func leak(t *testing.T) *atomic.Int64 {
	t.Helper()
	var requests atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(srv.Close)
	t.Setenv("BROKLE_API_KEY", "bk_of_the_environment")
	t.Setenv("BROKLE_HOST", srv.URL)
	t.Setenv("BROKLE_BATCH_FLUSH_INTERVAL", "100ms")
	t.Setenv("BROKLE_BATCH_MAX_SIZE", "1")
	brokle.ForgetProcess()
	t.Cleanup(brokle.ForgetProcess)
	return &requests
}

func maskCards(_ brokle.EventType, p json.RawMessage) (json.RawMessage, error) {
	return bytes.ReplaceAll(p, []byte(secret), []byte("####")), nil
}

// eachWay runs do for every way to start something and every way to name its client; do ends
// the client. Nothing may reach the server of the environment.
func eachWay(t *testing.T, do func(t *testing.T, start func(c *brokle.Client))) {
	for how, name := range map[string]func(ctx context.Context, c *brokle.Client) context.Context{
		"by context": brokle.WithClient,
		"by default": func(ctx context.Context, c *brokle.Client) context.Context {
			brokle.SetDefault(c)
			return ctx
		},
		"by carrying context": func(ctx context.Context, c *brokle.Client) context.Context {
			ctx = brokle.WithMetadata(brokle.WithTags(brokle.WithUser(ctx, secret), secret), map[string]any{"card": secret})
			return brokle.WithClient(brokle.WithSession(ctx, secret), c)
		},
		"by another process": func(ctx context.Context, c *brokle.Client) context.Context {
			h := http.Header{"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, "Baggage": {"user.id=" + secret}}
			return brokle.Extract(brokle.WithClient(ctx, c), h)
		},
		"by trace": func(ctx context.Context, c *brokle.Client) context.Context {
			ctx, _ = c.StartTrace(ctx, "outer "+secret, secrets()...)
			return ctx
		},
	} {
		for what, start := range starts {
			t.Run(what+" "+how, func(t *testing.T) {
				requests := leak(t)
				do(t, func(c *brokle.Client) { start(name(t.Context(), c), c) })
				if n := requests.Load(); n != 0 {
					t.Errorf("%d requests went past the program's client", n)
				}
			})
		}
	}
}

// Issue 11, point 1: what starts without a trace in its context goes to the client that the program named, with its
// Mask, its OnOutcome and its Close, and to no other.
func TestWhatStartsGoesToTheClientThatTheProgramNamed(t *testing.T) {
	eachWay(t, func(t *testing.T, start func(*brokle.Client)) {
		srv := brokletest.NewServer(t)
		var masked, told atomic.Int64
		c := open(t, srv, func(c *brokle.Config) {
			c.Mask = func(typ brokle.EventType, p json.RawMessage) (json.RawMessage, error) {
				masked.Add(1)
				return maskCards(typ, p)
			}
			c.OnOutcome = func(o brokle.Outcome) {
				if o.Kind == brokle.Delivered {
					told.Add(1)
				}
			}
		})
		start(c)
		closeClient(t, c)
		m := c.ProcessorMetrics()
		balanced(t, m)
		if n := int64(len(srv.Events())); n < 9 || m.Delivered != n || m.Accepted != n || told.Load() != n || masked.Load() != n {
			t.Errorf("%d events stored, %d masked, %d told, %+v", n, masked.Load(), told.Load(), m)
		}
		cards := 0
		for _, ev := range srv.Events() {
			if bytes.Contains(ev.Payload, []byte(secret)) {
				t.Errorf("unmasked: %s %s", ev.Type, ev.Payload)
			}
			cards += bytes.Count(ev.Payload, []byte("####"))
		}
		if cards < 30 {
			t.Errorf("the secret was said only %d times: this test does not look everywhere", cards)
		}
	})
}

// Sampling, the spool and the log of the named client count for what starts without a trace.
func TestWhatStartsIsSampledByTheClientThatTheProgramNamed(t *testing.T) {
	eachWay(t, func(t *testing.T, start func(*brokle.Client)) {
		srv := brokletest.NewServer(t)
		c := open(t, srv, func(c *brokle.Config) { c.SampleRate = 1e-12 })
		start(c)
		closeClient(t, c)
		m := c.ProcessorMetrics()
		balanced(t, m)
		if m.Accepted < 9 || m.Dropped[brokle.DropSampled] != m.Accepted || len(srv.Requests()) != 0 {
			t.Errorf("%+v, %d requests", m, len(srv.Requests()))
		}
	})
}

func TestWhatStartsIsSpooledByTheClientThatTheProgramNamed(t *testing.T) {
	eachWay(t, func(t *testing.T, start func(*brokle.Client)) {
		srv, dir := brokletest.NewServer(t), t.TempDir()
		srv.Rule(brokletest.Every(1, brokletest.Status(503)))
		c := open(t, srv, func(c *brokle.Config) { c.SpoolDir = dir; c.Mask = maskCards; c.MaxRetries = -1 })
		start(c)
		var pe *brokle.PendingError
		err := c.Close(t.Context())
		m := c.ProcessorMetrics()
		balanced(t, m)
		if !errors.As(err, &pe) || m.Accepted < 9 || int64(pe.Spooled) != m.Accepted || m.Spooled != m.Accepted {
			t.Errorf("close: %v, %+v", err, m)
		}
		for _, file := range spooled(t, dir) {
			if b, err := os.ReadFile(file); err != nil || bytes.Contains(b, []byte(secret)) || !bytes.Contains(b, []byte("####")) {
				t.Errorf("%s: %v, %s", file, err, b)
			}
		}
	})
}

func TestWhatStartsIsLoggedByTheClientThatTheProgramNamed(t *testing.T) {
	eachWay(t, func(t *testing.T, start func(*brokle.Client)) {
		var buf bytes.Buffer
		srv := brokletest.NewServer(t)
		c := open(t, srv, func(c *brokle.Config) { c.Logger = slog.New(slog.NewTextHandler(&buf, nil)) })
		closeClient(t, c)
		start(c)
		m := c.ProcessorMetrics()
		balanced(t, m)
		if m.Refused.Closed < 9 || m.Accepted != 0 || !strings.Contains(buf.String(), "client closed") {
			t.Errorf("%+v, log %s", m, buf.String())
		}
	})
}

// Where the program named no client there is none: nothing is recorded, and one line says so.
func TestWithoutAClientNothingIsRecordedAndTheLogSaysItOnce(t *testing.T) {
	requests := leak(t)
	var buf bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&buf, nil)))
	defer slog.SetDefault(old)
	for range 3 {
		for name, start := range starts {
			if !strings.HasPrefix(name, "Client.") {
				start(t.Context(), nil)
			}
		}
	}
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests to a server that only the environment names", n)
	}
	if lines := strings.Count(buf.String(), "\n"); lines != 1 || !strings.Contains(buf.String(), "level=WARN") || !strings.Contains(buf.String(), "SetDefault") {
		t.Errorf("log:\n%s", buf.String())
	}
	if c := brokle.ClientFromContext(t.Context()); c != nil {
		t.Errorf("a client came from nowhere: %+v", c)
	}
}

// A program that turned its telemetry off hears nothing, and what it starts goes to no other client.
func TestWhatADisabledClientStartsGoesNowhere(t *testing.T) {
	requests := leak(t)
	var buf bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&buf, nil)))
	defer slog.SetDefault(old)
	off, err := brokle.New(brokle.Config{Disabled: true})
	if err != nil {
		t.Fatal(err)
	}
	srv := brokletest.NewServer(t)
	other := open(t, srv, nil)
	for _, c := range []*brokle.Client{nil, off} {
		for _, start := range starts {
			start(brokle.WithClient(t.Context(), c), c)
			brokle.SetDefault(c)
			start(t.Context(), c)
			brokle.SetDefault(other)
			start(brokle.WithClient(t.Context(), c), c)
			brokle.SetDefault(nil)
		}
		ctx, trace := c.StartTrace(t.Context(), "off")
		starts["StartGeneration"](ctx, c)
		if trace != nil {
			t.Error("a disabled client made a trace")
		}
		brokle.SetDefault(other) // another's default must not get the parts of this trace
		ctx, _ = c.StartTrace(t.Context(), "off")
		starts["StartGeneration"](ctx, c)
		ctx, _ = c.StartTrace(brokle.WithClient(t.Context(), other), "off")
		starts["Observe"](ctx, c)
		outer, _ := other.StartTrace(t.Context(), "outer")
		ctx, _ = c.StartTrace(outer, "off")
		starts["StartSpan"](ctx, c)
		brokle.SetDefault(nil)
	}
	closeClient(t, other)
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests", n)
	}
	srv.RequireStored(t, 2) // the two outer traces of other itself
	if buf.Len() != 0 {
		t.Errorf("log: %s", buf.String())
	}
}

// What starts in a context with a trace belongs to that trace, whichever client it is called on and whatever else is named.
func TestATraceInTheContextGoesFirst(t *testing.T) {
	requests := leak(t)
	first, second := brokletest.NewServer(t), brokletest.NewServer(t)
	a, b := open(t, first, nil), open(t, second, nil)
	brokle.SetDefault(b)
	ctx, trace := a.StartTrace(t.Context(), "outer")
	ctx = brokle.WithClient(ctx, b)
	if brokle.ClientFromContext(ctx) != a {
		t.Error("the trace's client does not go first")
	}
	_, byFunction := brokle.StartSpan(ctx, "one")
	_, byMethod := b.StartGeneration(ctx, "two")
	var off *brokle.Client
	_, byNil := off.StartSpan(ctx, "three")
	closeClient(t, a)
	closeClient(t, b)
	for _, o := range []*brokle.ActiveObservation{byFunction, byMethod, byNil} {
		if o.TraceID() != trace.ID() {
			t.Errorf("in trace %q, want %q", o.TraceID(), trace.ID())
		}
	}
	first.RequireStored(t, 4)
	second.RequireStored(t, 0)
	if requests.Load() != 0 {
		t.Error("the environment's client was used")
	}
}

// The trace that an observation without one gets begins with it, and is about the same user.
func TestTheTraceOfAnObservationAloneSaysWhatItsOptionsSay(t *testing.T) {
	t.Parallel()
	srv := brokletest.NewServer(t)
	c := open(t, srv, nil)
	at := brokle.StartedAt(mustTime(t, "2026-01-02T03:04:05Z"))
	_, gen := c.StartGeneration(t.Context(), "chat", at, brokle.UserID("u1"), brokle.SessionID("s1"), brokle.Release("r1"), brokle.ID("g1"))
	gen.End()
	closeClient(t, c)
	var trace brokle.Trace
	if err := json.Unmarshal(srv.OfType(brokle.TraceCreate)[0].Payload, &trace); err != nil {
		t.Fatal(err)
	}
	if trace.Name != "chat" || trace.UserID != "u1" || trace.SessionID != "s1" || trace.Release != "r1" ||
		!trace.StartTime.Equal(mustTime(t, "2026-01-02T03:04:05Z")) || trace.ID != gen.TraceID() || trace.ID == "g1" {
		t.Errorf("trace %s", srv.OfType(brokle.TraceCreate)[0].Payload)
	}
}

// GetClient makes the default once, also when many ask at once; SetDefault goes before it, and nil takes it away.
func TestTheDefaultClientIsOneAndClosingItSendsAll(t *testing.T) {
	brokle.ForgetProcess()
	t.Cleanup(brokle.ForgetProcess)
	srv := brokletest.NewServer(t)
	t.Setenv("BROKLE_API_KEY", brokletest.Key)
	t.Setenv("BROKLE_HOST", srv.Config().Host)
	for round := range 300 {
		brokle.ForgetProcess()
		var wg sync.WaitGroup
		var made [8]*brokle.Client
		begin := make(chan struct{})
		for i := range made {
			wg.Go(func() { <-begin; made[i] = brokle.GetClient() })
		}
		close(begin)
		wg.Wait()
		for _, c := range made {
			if c != brokle.GetClient() {
				t.Fatalf("round %d: more than one client was made", round)
			}
		}
	}
	_, gen := brokle.StartGeneration(t.Context(), "chat")
	gen.End()
	c := brokle.GetClient()
	closeClient(t, c)
	srv.RequireStored(t, 3)
	if c != brokle.GetClient() {
		t.Error("closing the default took it away")
	}
	other := open(t, srv, nil)
	brokle.SetDefault(other)
	if brokle.GetClient() != other || brokle.ClientFromContext(t.Context()) != other {
		t.Error("SetDefault does not go before what GetClient made")
	}
	closeClient(t, other)
	brokle.SetDefault(nil)
	if fresh := brokle.GetClient(); fresh == c || fresh == other || fresh.Err() != nil {
		t.Errorf("after SetDefault(nil): %v", fresh.Err())
	}
	t.Setenv("BROKLE_BATCH_MAX_SIZE", "many")
	brokle.SetDefault(nil)
	var bad *brokle.ConfigError
	if err := brokle.GetClient().Err(); !errors.As(err, &bad) {
		t.Errorf("a malformed environment: %v", err)
	}
}

// SetDefault may be called while others start things; what starts belongs to the one or the other.
func TestSetDefaultIsSafeForConcurrentUse(t *testing.T) {
	requests := leak(t)
	first, second := brokletest.NewServer(t), brokletest.NewServer(t)
	a, b := open(t, first, nil), open(t, second, nil)
	brokle.SetDefault(a)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				_, o := brokle.StartSpan(t.Context(), "x")
				o.End()
			}
		})
		wg.Go(func() {
			for range 100 {
				brokle.SetDefault(b)
				brokle.SetDefault(a)
				_ = brokle.GetClient()
			}
		})
	}
	wg.Wait()
	closeClient(t, a)
	closeClient(t, b)
	if n := len(first.Events()) + len(second.Events()); n != 4*200*3 {
		t.Errorf("%d events, want %d", n, 4*200*3)
	}
	if requests.Load() != 0 {
		t.Error("the environment's client was used")
	}
}

func mustTime(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
