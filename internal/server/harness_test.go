package server

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/brokle-ai/brokle-go/internal/alert"
	"github.com/brokle-ai/brokle-go/internal/budget"
	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/dataset"
	"github.com/brokle-ai/brokle-go/internal/document"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/indexer"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/judge"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/prompt"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/removal"
	"github.com/brokle-ai/brokle-go/internal/repricing"
	"github.com/brokle-ai/brokle-go/internal/saved"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/duckstore"
	"github.com/brokle-ai/brokle-go/internal/store/mediafiles"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
	"github.com/brokle-ai/brokle-go/internal/watch"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/formats"
)

// house is the whole server on real engines in a temporary directory, served on a real socket.
type house struct {
	tb      testing.TB
	dir     string // of the data
	close   func() // before the test ends; more than once is once
	logDir  string
	log     *segmentlog.Log
	wh      *duckstore.Warehouse
	media   *mediafiles.Store
	weeder  *removal.Weeder
	prices  *pricing.Pricing
	budgets *budget.Budgets
	alerts  *alert.Alerts
	ing     *ingest.Ingest
	idx     *indexer.Indexer
	keys    *keyring.Keyring
	srv     *Server
	url     string // of Handler
	addr    string
	ops     string         // URL of Ops
	key     string         // all scopes, of project one
	logs    *watch.Output  // what the server logged, at the lowest level
	servers []*http.Server // of the API and of Ops
}

// setup changes what a house is made of; every field may be nil or zero.
type setup struct {
	options func(*Options)
	log     func(store.Log) store.Log // around the real one, to inject faults
	limits  wireformat.Limits
	dir     string // "" for a new one
	now     func() time.Time
	gather  time.Duration  // of the indexer; 0 is 2 ms
	cost    pricing.Choice // "" is as-sent: nothing is computed

	datasets store.DatasetLines            // where nodes share them; nil: in files
	items    func(itemsEraser) itemsEraser // around what erases items of datasets, to inject faults
}

// stats answers as GET /v1/stats does.
func (h *house) stats(ctx context.Context, project string, q store.StatsQuery) (*wire.Page[wire.StatRow], error) {
	h.idx.Refresh(ctx)
	return query.ListStats(ctx, h.wh, project, q)
}

func open(tb testing.TB, with setup) *house {
	tb.Helper()
	dir := with.dir
	if dir == "" {
		dir = tb.TempDir()
	}
	h := &house{tb: tb, dir: dir, logDir: filepath.Join(dir, "log"), logs: &watch.Output{}}
	logger := slog.New(slog.NewTextHandler(h.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	check := func() {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	h.log, err = segmentlog.Open(h.logDir, segmentlog.Options{Logger: logger, Now: with.now})
	check()
	h.prices, err = pricing.Open(pricing.Options{Dir: filepath.Join(dir, "prices"), Cost: cmp.Or(with.cost, pricing.AsSent), Head: h.log.Head, Now: time.Now, Logger: logger})
	check()
	h.wh, err = duckstore.Open(filepath.Join(dir, "warehouse.duckdb"), duckstore.Options{Records: extract.Records(h.log.Get), Prices: h.prices, Logger: logger, Now: with.now})
	check()
	h.keys, err = keyring.Open(filepath.Join(dir, "keys.json"), keyring.Options{Logger: logger})
	check()
	h.budgets, err = budget.Open(budget.Options{File: filepath.Join(dir, "budgets.json"), Now: with.now, Logger: logger, Stats: h.stats, KeyName: h.keys.NameOf})
	check()
	h.alerts, err = alert.Open(alert.Options{Place: &document.File{Path: filepath.Join(dir, "alerts.json")}, Private: true, Now: with.now, Logger: logger, FirstBackoff: 20 * time.Millisecond,
		Ask: func(ctx context.Context, project string, values url.Values) (*wire.Page[wire.StatRow], error) {
			h.idx.Refresh(ctx)
			return h.srv.Stats(ctx, project, values)
		}})
	check()
	judges, err := judge.Open(judge.Options{Place: &document.File{Path: filepath.Join(dir, "judges.json")}, Now: with.now})
	check()
	prompts := prompt.New(prompt.Options{Place: func(project string) document.Place {
		return &document.File{Path: filepath.Join(dir, prompt.FileName(project))}
	}, Now: with.now})
	datasets, err := dataset.Open(dataset.Options{Dir: filepath.Join(dir, "datasets"), Store: with.datasets, Now: with.now, Logger: logger})
	check()
	kept, err := saved.Open(saved.Options{Place: &document.File{Path: filepath.Join(dir, "saved.json")}, Now: with.now})
	check()
	h.key = h.newKey("one", "ingest", "read", "admin")
	var l store.Log = h.log
	if with.log != nil {
		l = with.log(l)
	}
	with.limits.MaxMediumBytes = cmp.Or(with.limits.MaxMediumBytes, 20<<20)
	h.media, err = mediafiles.Open(nil, filepath.Join(dir, "media"))
	check()
	h.weeder = removal.NewWeeder(removal.WeederOptions{Media: h.media, Mentions: h.log, Head: h.log.Head, Now: with.now, Logger: logger})
	h.ing = ingest.New(ingest.Options{Log: l, Media: h.media, Jobs: h.log, Decode: formats.All().Jobs(with.limits), Now: with.now, Logger: logger})
	h.idx, err = indexer.New(indexer.Options{
		Log: l, Warehouse: h.wh, Dir: filepath.Join(dir, "quarantine"), Logger: logger, Gather: cmp.Or(with.gather, 2*time.Millisecond),
	})
	check()
	o := Options{
		Ingest: h.ing, Limits: with.limits, Log: l, Receipts: h.log, Warehouse: h.wh, Prices: h.prices, Budgets: h.budgets, Alerts: h.alerts, Prompts: prompts, Judges: judges, Definitions: kept.Definitions(), Views: kept.Views(), Charts: kept.Charts(), Datasets: datasets, Search: h.log, Keys: h.keys, SQL: h.wh,
		Media:       h.weeder,
		Indexer:     h.idx,
		PositionKey: bytes.Repeat([]byte{7}, PositionKeySize),
		LogStats:    h.log.Stats, IndexerStats: h.idx.Stats, Logger: logger, OpsOnMain: true,
	}
	o.Now = with.now
	if with.options != nil {
		with.options(&o)
	}
	var items itemsEraser = o.Datasets
	if with.items != nil {
		items = with.items(items)
	}
	o.Eraser = removal.NewEraser(removal.EraserOptions{
		Log: l, Mentions: h.log, Warehouse: o.Warehouse, Indexer: h.idx, Ingest: h.ing, Media: h.weeder, Items: items, Journal: filepath.Join(dir, "erasing.json"), Logger: logger,
	})
	o.Repricer = repricing.New(repricing.Options{Prices: h.prices, Warehouse: o.Warehouse, Indexer: h.idx, Logger: logger})
	h.srv, err = New(o)
	check()
	h.srv.scratch.poison = true

	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	run := func(name string, f func(context.Context) error) {
		running.Go(func() {
			if err := f(ctx); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, store.ErrClosed) {
				tb.Errorf("%s: %v", name, err)
			}
		})
	}
	run("keyring", h.keys.Run)
	run("ingest", h.ing.Run)
	run("indexer", h.idx.Run)
	run("eraser", o.Eraser.Run)
	run("budgets", h.budgets.Run)
	run("alerts", h.alerts.Run)
	run("repricer", o.Repricer.Run)
	run("server", h.srv.Run)
	listen := func(handler http.Handler) string {
		tb.Helper()
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		hs := h.srv.HTTPServer(handler)
		h.servers = append(h.servers, hs)
		running.Go(func() { _ = Serve(hs, ln, nil) })
		return ln.Addr().String()
	}
	h.addr = listen(h.srv.Handler())
	h.url = "http://" + h.addr
	h.ops = "http://" + listen(h.srv.Ops())
	h.close = sync.OnceFunc(func() {
		for _, hs := range h.servers {
			_ = hs.Close()
		}
		cancel()
		running.Wait()
		if err := errors.Join(h.wh.Close(), h.log.Close()); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	tb.Cleanup(h.close)
	return h
}

// newKey makes a key of the project and returns its secret.
func (h *house) newKey(project string, scopes ...string) string {
	h.tb.Helper()
	secret, _, err := h.keys.Create(project, "test", scopes)
	if err != nil {
		h.tb.Fatal(err)
	}
	return secret
}

// skipBulk skips, with -short, what has one client send much data: the race detector, which
// makes it many times slower, learns nothing there that other tests do not show.
func skipBulk(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("skipped with -short: one client, much data")
	}
}

// reply is an answer with its body read.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// send makes a request; headers come as pairs and replace the defaults, "" removes one.
func (h *house) send(method, path string, body []byte, headers ...string) reply {
	h.tb.Helper()
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	return h.do(method, path, r, headers...)
}

func (h *house) do(method, path string, body io.Reader, headers ...string) reply {
	h.tb.Helper()
	rep, err := h.try(method, path, body, headers...)
	if err != nil {
		h.tb.Fatalf("%s %s: %v", method, path, err)
	}
	return rep
}

func (h *house) try(method, path string, body io.Reader, headers ...string) (reply, error) {
	base := h.url
	if strings.HasPrefix(path, "http://") {
		base = ""
	}
	req, err := http.NewRequest(method, base+path, body)
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("X-API-Key", h.key)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
		} else {
			req.Header.Add(headers[i], headers[i+1])
		}
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	return reply{status: res.StatusCode, header: res.Header, body: got}, err
}

// read is an answer that somebody else asked for.
func read(tb testing.TB, res *http.Response) reply {
	tb.Helper()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return reply{status: res.StatusCode, header: res.Header, body: got}
}

func (h *house) get(path string, headers ...string) reply {
	h.tb.Helper()
	return h.do(http.MethodGet, path, nil, headers...)
}

// post sends a batch of events and expects a 200.
func (h *house) post(events ...string) wire.BatchResponse {
	h.tb.Helper()
	rep := h.send("POST", "/v1/telemetry/batch", batch(events...))
	if rep.status != http.StatusOK {
		h.tb.Fatalf("%d %s", rep.status, rep.body)
	}
	return decoded[wire.BatchResponse](h.tb, rep)
}

// batch is a request of these events, each as JSON.
func batch(events ...string) []byte {
	return []byte(`{"events":[` + strings.Join(events, ",") + `]}`)
}

// event is one event as JSON.
func event(id, typ, payload string) string {
	return fmt.Sprintf(`{"event_id":%q,"event_type":%q,"payload":%s,"timestamp":1700000000}`, id, typ, payload)
}

func decoded[T any](tb testing.TB, rep reply) T {
	tb.Helper()
	var v T
	if err := json.Unmarshal(rep.body, &v); err != nil {
		tb.Fatalf("%d %s: %v", rep.status, rep.body, err)
	}
	return v
}

// code is the error code of an answer that is not 2xx, whose envelope it checks: our own, or the
// google.rpc.Status of OTLP's paths, whose message begins with the code.
func (r reply) code(tb testing.TB) string {
	tb.Helper()
	status, ok := r.rpcStatus(tb)
	if ok {
		code, message, _ := strings.Cut(status.GetMessage(), ": ")
		if status.GetCode() == 0 || code == "" || message == "" {
			tb.Errorf("%d with a google.rpc.Status that says nothing: %s", r.status, r.body)
		}
		return code
	}
	e := decoded[struct{ Error wire.ErrorBody }](tb, r)
	if e.Error.Code == "" || e.Error.Message == "" {
		tb.Errorf("%d without an error envelope: %s", r.status, r.body)
	}
	return e.Error.Code
}

// rpcStatus is a refusal of OTLP's paths, in either encoding; false for an answer with our own envelope.
func (r reply) rpcStatus(tb testing.TB) (*rpcstatus.Status, bool) {
	tb.Helper()
	var s rpcstatus.Status
	switch r.header.Get("Content-Type") {
	case "application/x-protobuf":
		if err := proto.Unmarshal(r.body, &s); err != nil {
			tb.Errorf("%d %x is no google.rpc.Status: %v", r.status, r.body, err)
		}
		return &s, true
	case "application/json": // ours names a charset
		if err := protojson.Unmarshal(r.body, &s); err != nil {
			tb.Errorf("%d %s is no google.rpc.Status: %v", r.status, r.body, err)
		}
		return &s, true
	}
	return nil, false
}

// settle waits until everything in the Log is queryable.
func (h *house) settle() {
	h.tb.Helper()
	ctx, cancel := context.WithTimeout(h.tb.Context(), 20*time.Second)
	defer cancel()
	if err := h.idx.CatchUp(ctx); err != nil {
		h.tb.Fatalf("the indexer does not catch up: %v", err)
	}
}

// until waits for a condition, at most 20 seconds.
func (h *house) until(what string, holds func() bool) {
	h.tb.Helper()
	watch.Until(h.tb, what, holds)
}

// stored is how many events of the house's project the warehouse counts.
func (h *house) stored() int64 {
	h.tb.Helper()
	h.settle()
	rep := h.get("/v1/stats?of=events")
	page := decoded[wire.Page[struct{ Count int64 }]](h.tb, rep)
	if rep.status != http.StatusOK || len(page.Data) > 1 {
		h.tb.Fatalf("%d %s", rep.status, rep.body)
	}
	if len(page.Data) == 0 {
		return 0
	}
	return page.Data[0].Count
}

// faulty is a Log that a test can hold up or make fail.
type faulty struct {
	store.Log
	mu     sync.Mutex // guards before
	before func(*store.Batch) error
}

// holding puts a faulty Log around the real one and tells the test where it is.
func holding(f **faulty) func(store.Log) store.Log {
	return func(l store.Log) store.Log {
		*f = &faulty{Log: l}
		return *f
	}
}

func (f *faulty) set(before func(*store.Batch) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = before
}

func (f *faulty) Append(ctx context.Context, b *store.Batch) ([]store.Outcome, error) {
	f.mu.Lock()
	before := f.before
	f.mu.Unlock()
	if before != nil {
		if err := before(b); err != nil {
			return nil, err
		}
	}
	return f.Log.Append(ctx, b)
}

func newClock() *clock.Stopped {
	return clock.NewStopped(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
}
