package broklehttp_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/broklehttp"
	"github.com/brokle-ai/brokle-go/brokletest"
	"github.com/brokle-ai/brokle-go/internal/standin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T) (*brokle.Client, *brokletest.Server) {
	t.Helper()
	srv := brokletest.NewServer(t)
	c, err := brokle.New(srv.Config())
	if err != nil {
		t.Fatal(err)
	}
	return c, srv
}

// payloads closes c and returns what events of one type say.
func payloads[T any](t *testing.T, c *brokle.Client, srv *brokletest.Server, typ brokle.EventType) (all []T) {
	t.Helper()
	if err := c.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, ev := range srv.OfType(typ) {
		var v T
		if err := json.Unmarshal(ev.Payload, &v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

// serve starts a server, and a client for it that leaves nothing behind.
func serve(t *testing.T, h http.Handler, opts ...broklehttp.Option) (string, *http.Client) {
	t.Helper()
	s := httptest.NewServer(h)
	base := &http.Transport{}
	c := &http.Client{Transport: broklehttp.Transport(base, opts...)}
	t.Cleanup(func() {
		c.CloseIdleConnections() // which reaches base
		s.Close()
	})
	return s.URL, c
}

func post(t *testing.T, ctx context.Context, c *http.Client, url, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTransportKnowsCallsOfModels(t *testing.T) {
	t.Parallel()
	const asked = `{"model":"m","messages":[{"role":"user","content":"Why?"}]}`
	for path, tc := range map[string]struct{ body, name string }{
		"/v1/chat/completions": {asked, "chat m"}, "/v1/messages": {asked, "chat m"},
		"/v1beta/models/gemini-3:generateContent": {`{"contents":[{"parts":[{"text":"Why?"}]}]}`, "generate_content gemini-3"},
	} {
		client, srv := open(t)
		url, c := serve(t, standin.New(), broklehttp.WithOptions(brokle.Tags("by http")))
		ctx, span := client.StartSpan(t.Context(), "step")
		if got := post(t, ctx, c, url+path, tc.body); !strings.Contains(got, "blue") {
			t.Errorf("the program got %s", got)
		}
		all := payloads[brokle.Observation](t, client, srv, brokle.ObservationCreate)
		if len(all) != 2 || all[1].Name != tc.name || all[1].ParentObservationID != span.ID() || all[1].Tags[0] != "by http" {
			t.Errorf("%s: %+v", path, all)
		}
		if done := payloads[brokle.Observation](t, client, srv, brokle.ObservationComplete); len(done) != 1 || len(done[0].Usage) == 0 || !strings.Contains(string(done[0].Output), "blue") {
			t.Errorf("%s: %+v", path, done)
		}
	}
}

// A named client records; content can be switched off; the context's client is not asked.
func TestTransportKeepsToItsOptions(t *testing.T) {
	t.Parallel()
	client, srv := open(t)
	url, c := serve(t, standin.New(), broklehttp.WithClient(client), broklehttp.WithContent(false))
	post(t, t.Context(), c, url+"/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"Why?"}],"temperature":1}`)
	if err := client.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, ev := range srv.Require(3) {
		if strings.Contains(string(ev.Payload), "Why") || strings.Contains(string(ev.Payload), "blue") {
			t.Errorf("content was recorded: %s", ev.Payload)
		}
	}
}

// A service behind the middleware hangs its steps below the observation of the one that asked, when it trusts it.
func TestATraceGoesOnFromServiceToService(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		opts    []broklehttp.Option
		trusted bool
	}{
		"trusted":     {[]broklehttp.Option{broklehttp.WithTrusted(func(*http.Request) bool { return true })}, true},
		"not trusted": {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asking, askingSrv := open(t)
			there, thereSrv := open(t)
			var baggage, own string
			inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				baggage, own = r.Header.Get("Baggage"), r.Header.Get("Traceparent")
				_, o := brokle.StartSpan(r.Context(), "look-up")
				o.End()
			})
			opts := append(tc.opts, broklehttp.WithClient(there))
			url, c := serve(t, broklehttp.Middleware(opts...)(inner), broklehttp.WithBaggage(func(r *http.Request) bool { return r.URL.Path == "/inside" }))
			ctx, span := asking.StartSpan(brokle.WithUser(t.Context(), "ada"), "asks")
			post(t, ctx, c, url+"/outside", "{}")
			if baggage != "" || own == "" {
				t.Errorf("baggage %q, traceparent %q", baggage, own)
			}
			post(t, ctx, c, url+"/inside", "{}")
			if baggage != "user.id=ada" {
				t.Errorf("baggage %q", baggage)
			}
			span.End()
			if err := asking.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			askingSrv.Require(3)
			all := payloads[brokle.Observation](t, there, thereSrv, brokle.ObservationCreate)
			if !tc.trusted {
				if traces := payloads[brokle.Trace](t, there, thereSrv, brokle.TraceCreate); len(traces) != 2 || traces[0].ID == span.TraceID() || traces[0].UserID != "" || traces[1].Name != "POST /inside" {
					t.Errorf("%+v", traces)
				}
				return
			}
			if len(all) != 4 || all[0].Name != "POST /outside" || all[0].TraceID != span.TraceID() || all[0].ParentObservationID != span.ID() || all[1].ParentObservationID != all[0].ID {
				t.Errorf("%+v", all)
			}
		})
	}
}

// The handler's writer has what the server's has; status and panics are recorded.
func TestMiddlewareMakesTracesAndChangesNothing(t *testing.T) {
	t.Parallel()
	client, srv := open(t)
	mux := http.NewServeMux()
	handle := func(pattern string, h http.HandlerFunc) {
		mux.Handle(pattern, broklehttp.Middleware(broklehttp.WithClient(client))(h))
	}
	handle("GET /fine/{id}", func(w http.ResponseWriter, r *http.Request) {
		brokle.WithUser(r.Context(), "ada")
		for name, ok := range map[string]bool{"Flusher": is[http.Flusher](w), "Hijacker": is[http.Hijacker](w), "ReaderFrom": is[io.ReaderFrom](w)} {
			if !ok {
				t.Errorf("the writer is no %s", name)
			}
		}
		fmt.Fprint(w, r.PathValue("id"))
		w.(http.Flusher).Flush()
	})
	handle("GET /broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	handle("GET /missing", http.NotFound)
	handle("GET /panics", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	handle("GET /hijacked", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
		conn.Close()
	})
	var handlers sync.WaitGroup // a client may have its answer before they return
	url, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handlers.Add(1)
		defer handlers.Done()
		mux.ServeHTTP(w, r)
	}))
	plain := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for path, want := range map[string]string{"/fine/7": "7", "/broken": "", "/missing": "404 page not found\n", "/hijacked": "hi"} {
		resp, err := plain.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(bufio.NewReader(resp.Body))
		resp.Body.Close()
		if string(got) != want {
			t.Errorf("%s: the client got %q", path, got)
		}
	}
	if _, err := plain.Get(url + "/panics"); err == nil {
		t.Error("the panic did not reach the server")
	}
	handlers.Wait()
	names := map[string]string{}
	for _, tr := range payloads[brokle.Trace](t, client, srv, brokle.TraceCreate) {
		names[tr.ID] = tr.Name
	}
	got := map[string]string{}
	for _, tr := range payloads[brokle.Trace](t, client, srv, brokle.TraceUpdate) {
		if tr.EndTime == nil {
			got[names[tr.ID]] += tr.UserID + ":"
			continue
		}
		var about map[string]any
		_ = json.Unmarshal(tr.Metadata, &about)
		got[names[tr.ID]] += fmt.Sprintf("%v|%s|%s|%s", about["http.response.status_code"], tr.Status, tr.ErrorType, tr.StatusMessage)
	}
	for name, want := range map[string]string{"GET /fine/{id}": "ada:200|||", "GET /broken": "502|error|502|HTTP status 502", "GET /missing": "404|||", "GET /panics": "<nil>|error||panicked", "GET /hijacked": "200|||"} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
}

func is[T any](v any) bool {
	_, ok := v.(T)
	return ok
}

// With no client, and with one that is closed, requests pass as they are.
func TestOffMeansOff(t *testing.T) {
	t.Parallel()
	client, srv := open(t)
	ctx, _ := client.StartTrace(t.Context(), "t")
	if err := client.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	var header http.Header
	url, c := serve(t, broklehttp.Middleware()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		if brokle.TraceFromContext(r.Context()) != nil {
			t.Error("a trace without a client")
		}
	})))
	post(t, ctx, c, url+"/x", "{}")
	post(t, ctx, c, url+"/v1/chat/completions", "{}")
	if header.Get("Traceparent") != "" || len(srv.Events()) != 1 || client.ProcessorMetrics().Refused.Closed != 0 {
		t.Errorf("%v, %d events", header, len(srv.Events()))
	}
}

func Example() {
	provider := httptest.NewServer(standin.New()) // stands for a provider
	defer provider.Close()
	srv := brokletest.New()
	client, err := brokle.New(srv.Config()) // brokle.New(brokle.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	brokle.SetDefault(client)
	defer brokle.SetDefault(nil)

	c := http.Client{Transport: broklehttp.Transport(nil)} // the one line
	resp, err := c.Post(provider.URL+"/v1/chat/completions", "application/json", strings.NewReader(`{"model":"gpt-4o-mini","messages":[]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	c.CloseIdleConnections()

	_ = client.Close(context.Background())
	fmt.Println(len(srv.OfType(brokle.ObservationComplete)), "call")
	// Output: 1 call
}
