package brokle_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokletest"
)

// newExampleClient stands for brokle.New(brokle.Config{}) with BROKLE_API_KEY and
// BROKLE_HOST set: the examples run against a server in memory.
func newExampleClient() (*brokle.Client, *brokletest.Server) {
	srv := brokletest.New()
	client, err := brokle.New(srv.Config())
	if err != nil {
		log.Fatal(err)
	}
	return client, srv
}

func ExampleNew() {
	_, err := brokle.New(brokle.Config{APIKey: "bk_example", BatchMaxSize: 5000})
	var bad *brokle.ConfigError
	if errors.As(err, &bad) {
		fmt.Println(bad.Field, bad.Problem)
	}
	// Output: BatchMaxSize must be 1 to 1000
}

func ExampleGetClient() {
	client := brokle.GetClient() // from the environment; without a key it does nothing
	defer client.Close(context.Background())
	fmt.Println(client.SubmitTelemetry(map[string]any{"name": "started"}))
	// Output: <nil>
}

func ExampleSetDefault() {
	client, srv := newExampleClient()
	brokle.SetDefault(client) // once, where the program begins

	// Anywhere else, without passing the client on:
	_, gen := brokle.StartGeneration(context.Background(), "chat", brokle.Model("small-1"))
	gen.End(brokle.Output("because"))

	brokle.SetDefault(nil)
	_ = client.Close(context.Background())
	for _, ev := range srv.Events() {
		fmt.Println(ev.Type)
	}
	// Output:
	// trace_create
	// observation_create
	// observation_complete
}

func ExampleWithClient() {
	client, srv := newExampleClient()
	handle := func(ctx context.Context) error { // knows of no client
		return brokle.Observe(ctx, "look-up", func(context.Context) error { return nil })
	}
	err := handle(brokle.WithClient(context.Background(), client))
	_ = client.Close(context.Background())
	fmt.Println(err, len(srv.OfType(brokle.ObservationComplete)))
	// Output: <nil> 1
}

func ExampleClient_StartGeneration() {
	client, srv := newExampleClient()
	_, gen := client.StartGeneration(context.Background(), "chat", brokle.Model("small-1"), brokle.UserID("u1"))
	gen.End(brokle.Output("because"), brokle.Usage(12, 3))
	_ = client.Close(context.Background())
	fmt.Println(len(srv.OfType(brokle.TraceCreate)), "trace of", len(srv.OfType(brokle.ObservationCreate)), "observation")
	// Output: 1 trace of 1 observation
}

func ExampleClient_SubmitBatchEvent() {
	client, srv := newExampleClient()
	id, err := client.SubmitBatchEvent(brokle.TraceCreate, map[string]any{"name": "checkout", "user_id": "u1"})
	if err != nil {
		log.Println(err) // ErrQueueFull, ErrTooLarge, …: the event was not taken
	}
	_, err = client.SubmitBatchEvent(brokle.ObservationCreate, brokle.Observation{TraceID: id, Name: "pay", Type: "span"})
	if err != nil {
		log.Println(err)
	}
	if err := client.Close(context.Background()); err != nil {
		log.Println(err)
	}
	fmt.Println(len(srv.Events()), "events stored")
	// Output: 2 events stored
}

func ExampleClient_SubmitEvent() {
	client, srv := newExampleClient()
	ev := brokle.Event{ID: "order-4711-paid", Type: brokle.EventCreate, Payload: json.RawMessage(`{"amount":12.5}`),
		Timestamp: brokle.At(time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC))}
	for range 2 { // the id comes from the content, so sending again adds nothing
		if _, err := client.SubmitEvent(ev); err != nil {
			log.Println(err)
		}
	}
	_ = client.Close(context.Background())
	m := client.ProcessorMetrics()
	fmt.Println(len(srv.Events()), "stored;", m.Delivered, "delivered,", m.Duplicate, "duplicate")
	// Output: 1 stored; 1 delivered, 1 duplicate
}

func ExampleClient_SubmitTelemetry() {
	client, srv := newExampleClient()
	_ = client.SubmitTelemetry(struct {
		Name string `json:"name"`
	}{"cache-miss"})
	_ = client.SubmitTelemetryAs(brokle.TraceCreate, map[string]any{"name": "job"})
	_ = client.Close(context.Background())
	fmt.Println(len(srv.OfType(brokle.EventCreate)), len(srv.OfType(brokle.TraceCreate)))
	// Output: 1 1
}

func ExampleClient_SendBatch() {
	client, _ := newExampleClient()
	ans, err := client.SendBatch(context.Background(), &brokle.BatchRequest{Events: []brokle.Event{
		{Type: brokle.TraceCreate, Payload: json.RawMessage(`{"name":"import"}`)},
		{Type: brokle.TraceCreate, Payload: json.RawMessage(`{}`)},
	}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ans.ProcessedEvents, "processed;", ans.Errors[0].Message)
	// Output: 1 processed; Missing required field 'name'
}

func ExampleClient_WaitJob() {
	client, _ := newExampleClient()
	ctx := context.Background()
	ans, err := client.SendBatch(ctx, &brokle.BatchRequest{AsyncMode: true, Events: []brokle.Event{
		{Type: brokle.EventCreate, Payload: json.RawMessage(`{}`)},
	}})
	if err != nil {
		log.Fatal(err)
	}
	job, err := client.WaitJob(ctx, ans.JobID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(job.Status, job.Result.ProcessedEvents)
	// Output: completed 1
}

func ExampleClient_StartTrace() {
	client, srv := newExampleClient()
	ctx, trace := client.StartTrace(context.Background(), "answer", brokle.UserID("u1"), brokle.Input("why?"))

	_, gen := brokle.StartGeneration(ctx, "chat", brokle.Model("small-1"))
	gen.End(brokle.Output("because"), brokle.Usage(12, 3))

	trace.Score("quality", 0.9)
	trace.End(brokle.Output("because"))
	_ = client.Close(context.Background())
	for _, ev := range srv.Events() {
		fmt.Println(ev.Type)
	}
	// Output:
	// trace_create
	// observation_create
	// observation_complete
	// quality_score_create
	// trace_update
}

func ExampleObserve() {
	client, srv := newExampleClient()
	ctx, trace := client.StartTrace(context.Background(), "request")
	err := brokle.Observe(ctx, "look-up", func(ctx context.Context) error {
		return errors.New("nothing found")
	})
	trace.End()
	_ = client.Close(context.Background())
	done := srv.OfType(brokle.ObservationComplete)[0]
	var o brokle.Observation
	_ = json.Unmarshal(done.Payload, &o)
	fmt.Println(err, "/", o.Level, o.StatusMessage)
	// Output: nothing found / ERROR nothing found
}

func ExampleClient_Flush() {
	client, srv := newExampleClient()
	srv.Rule(brokletest.Every(1, brokletest.Unavailable(time.Second)))
	_ = client.SubmitTelemetry(map[string]any{"n": 1})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	var pending *brokle.PendingError
	if err := client.Flush(ctx); errors.As(err, &pending) {
		fmt.Println(pending.Pending, "without an outcome yet")
	}
	_ = client.Close(ctx)
	// Output: 1 without an outcome yet
}

func ExampleClient_ProcessorMetrics() {
	client, _ := newExampleClient()
	for range 3 {
		_ = client.SubmitTelemetry(map[string]any{})
	}
	_ = client.Flush(context.Background())
	m := client.ProcessorMetrics()
	fmt.Println(m.Accepted, m.Delivered, m.Pending, client.ProcessorHealthy())
	_ = client.Close(context.Background())
	// Output: 3 3 0 true
}

func ExampleConfig_onOutcome() {
	srv := brokletest.New()
	cfg := srv.Config()
	cfg.OnOutcome = func(o brokle.Outcome) {
		var e *brokle.EventError
		if errors.As(o.Err, &e) {
			fmt.Println(o.Kind, e.Code)
		}
	}
	client, err := brokle.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	_ = client.SubmitTelemetryAs(brokle.TraceCreate, map[string]any{"user_id": "u1"}) // no name
	_ = client.Close(context.Background())
	// Output: rejected missing_field
}

func ExampleTraces_List() {
	client, err := brokle.New(brokle.Config{}) // BROKLE_API_KEY, BROKLE_HOST
	if err != nil {
		log.Fatal(err)
	}
	slow := 1000.0
	for trace, err := range client.Traces.List(context.Background(), brokle.TraceQuery{
		Filter: brokle.Filter{From: time.Now().Add(-time.Hour), MinLatencyMS: &slow},
		Order:  brokle.Order{Sort: "-latency_ms"},
	}) {
		if err != nil {
			log.Println(err)
			break
		}
		if trace.TotalCost != nil { // nil is not known, which is not 0
			fmt.Println(trace.Name, *trace.TotalCost)
		}
	}
}

func ExampleClient_Stats() {
	client, err := brokle.New(brokle.Config{})
	if err != nil {
		log.Fatal(err)
	}
	page, err := client.Stats(context.Background(), brokle.StatsQuery{Metrics: []string{"count", "latency_p95"}, GroupBy: []string{"model"}})
	if err != nil {
		log.Println(err)
		return
	}
	for _, row := range page.Data {
		fmt.Println(row["model"], row["count"])
	}
}

func ExampleDo() {
	client, srv := newExampleClient()
	ctx := brokle.WithUser(brokle.WithClient(context.Background(), client), "ada")
	n, err := brokle.Do(ctx, "count", func(context.Context) (int, error) { return 3, nil }, brokle.Type(brokle.TypeTool))
	_ = client.Close(context.Background())
	fmt.Println(n, err, len(srv.OfType(brokle.ObservationComplete)))
	// Output: 3 <nil> 1
}

func ExampleDeltas() {
	client, srv := newExampleClient()
	answer := func(yield func(string, error) bool) { // what a model's client gives
		_ = yield("be", nil) && yield("cause", nil)
	}
	_, gen := client.StartGeneration(context.Background(), "chat", brokle.Model("small-1"))
	for piece, err := range brokle.Deltas(gen, answer, func(s string) string { return s }) {
		fmt.Print(piece, err, " ")
	}
	_ = client.Close(context.Background())
	var got brokle.Observation
	_ = json.Unmarshal(srv.OfType(brokle.ObservationComplete)[0].Payload, &got)
	fmt.Println(string(got.Output), got.TimeToFirstTokenMS != nil)
	// Output: be<nil> cause<nil> "because" true
}

func ExampleInject() {
	client, srv := newExampleClient()
	ctx, trace := client.StartTrace(brokle.WithUser(context.Background(), "ada"), "answer")
	request := http.Header{}
	brokle.Inject(ctx, request)

	// In the process that takes the request:
	ctx = brokle.Extract(brokle.WithClient(context.Background(), client), request)
	_, span := brokle.StartSpan(ctx, "look-up")
	span.End()

	_ = client.Close(context.Background())
	fmt.Println(span.TraceID() == trace.ID(), request.Get("Baggage"), len(srv.OfType(brokle.TraceCreate)))
	// Output: true user.id=ada 1
}

func ExampleLogHandler() {
	client, srv := newExampleClient()
	logger := slog.New(&brokle.LogHandler{Next: slog.DiscardHandler})
	ctx, span := client.StartSpan(context.Background(), "look-up")
	logger.WarnContext(ctx, "nothing found", "query", "sky")
	span.End()
	_ = client.Close(context.Background())
	var got brokle.Observation
	_ = json.Unmarshal(srv.OfType(brokle.ObservationCreate)[1].Payload, &got)
	fmt.Println(got.Level, got.Name, string(got.Metadata), got.ParentObservationID == span.ID())
	// Output: WARN nothing found {"query":"sky"} true
}

// A prompt comes from the server, where people change it, and from the program while the server cannot be asked.
func ExampleClient_Prompt() {
	client, err := brokle.New(brokle.Config{}) // without a key it gives the fallback
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	p, err := client.Prompt(ctx, "greeting", brokle.FallbackText("Hello {{name}}!"))
	if err != nil {
		log.Fatal(err)
	}
	text, err := p.CompileText(map[string]any{"name": "Ada"})
	if err != nil {
		log.Fatal(err)
	}
	_, call := client.StartGeneration(ctx, "greet", brokle.OfPrompt(p), brokle.Input(text))
	defer call.End()
	fmt.Println(text)
	// Output: Hello Ada!
}
