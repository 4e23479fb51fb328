package sdk

import (
	"context"
	"testing"
	"time"

	"github.com/honeycombio/libhoney-go"
	"github.com/honeycombio/libhoney-go/transmission"
	"github.com/posthog/posthog-go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/brokle-ai/brokle-go"
)

// batchSize is the same for every client.
const batchSize = 100

// run is one client at work. send says whether the event was taken; done flushes and closes.
type run struct {
	send func() bool
	done func(tb testing.TB)
}

// setting is what a run asks of a client.
type setting struct {
	host     string
	size     int // bytes of the event, about
	queue    int // events
	bytes    int // of memory, where the client has such a bound
	compress bool
	hurry    bool // do not wait for a server that stalls
}

type peer struct {
	name  string
	open  func(tb testing.TB, s setting) run
	tells bool // of an event that is not taken; the others leave it out without a word
}

var peers = []peer{
	{"brokle", func(tb testing.TB, s setting) run { return openBrokle(tb, s, properties(s.size)) }, true},
	{"brokle-struct", func(tb testing.TB, s setting) run { return openBrokle(tb, s, structured(s.size)) }, true},
	{"brokle-generation", openGeneration, false},
	{"posthog", openPosthog, true},
	{"libhoney", openLibhoney, true},
	{"otel-bsp", openOTel, false},
}

func openBrokle(tb testing.TB, s setting, payload any) run {
	c := newBrokle(tb, s)
	return run{
		send: func() bool {
			_, err := c.SubmitBatchEvent(brokle.ObservationCreate, payload)
			return err == nil
		},
		done: func(tb testing.TB) { closeBrokle(tb, s, c) },
	}
}

// openGeneration says a call as programs do: when it begins and when it ends, which are two events. Its name is that of one of them.
func openGeneration(tb testing.TB, s setting) run {
	c := newBrokle(tb, s)
	in, out := text(s.size)
	ctx, _ := c.StartTrace(context.Background(), "bench")
	return run{
		send: func() bool {
			_, g := c.StartGeneration(ctx, "chat", brokle.Model("small-1"), brokle.Input(in))
			g.End(brokle.Output(out), brokle.Usage(300, 21))
			return true
		},
		done: func(tb testing.TB) { closeBrokle(tb, s, c) },
	}
}

func newBrokle(tb testing.TB, s setting) *brokle.Client {
	cfg := brokle.Config{APIKey: "bk_bench", Host: s.host, BatchMaxSize: batchSize, QueueMaxEvents: s.queue, QueueMaxBytes: s.bytes, Compression: "none"}
	if s.compress {
		cfg.Compression = "zstd"
	}
	c, err := brokle.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func closeBrokle(tb testing.TB, s setting, c *brokle.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime(s))
	defer cancel()
	if err := c.Close(ctx); err != nil && !s.hurry {
		tb.Fatal(err)
	}
}

func closeTime(s setting) time.Duration {
	if s.hurry {
		return time.Millisecond
	}
	return 2 * time.Minute
}

type silence struct{}

func (silence) Debugf(string, ...any) {}
func (silence) Logf(string, ...any)   {}
func (silence) Warnf(string, ...any)  {}
func (silence) Errorf(string, ...any) {}

func openPosthog(tb testing.TB, s setting) run {
	cfg := posthog.Config{Endpoint: s.host, BatchSize: batchSize, MaxQueueSize: s.queue, MaxEnqueuedRequests: s.queue / batchSize,
		Logger: silence{}, ShutdownTimeout: closeTime(s)}
	if s.compress {
		cfg.Compression = posthog.CompressionGzip
	}
	c, err := posthog.NewWithConfig("bench", cfg)
	if err != nil {
		tb.Fatal(err)
	}
	props := posthog.Properties(properties(s.size))
	return run{
		send: func() bool {
			return c.Enqueue(posthog.Capture{DistinctId: "u1", Event: "observation_create", Properties: props}) == nil
		},
		done: func(tb testing.TB) {
			if err := c.Close(); err != nil && !s.hurry {
				tb.Fatal(err)
			}
		},
	}
}

func openLibhoney(tb testing.TB, s setting) run {
	c, err := libhoney.NewClient(libhoney.ClientConfig{APIKey: "bench", Dataset: "bench", APIHost: s.host,
		Transmission: &transmission.Honeycomb{MaxBatchSize: batchSize, BatchTimeout: 5 * time.Second, MaxConcurrentBatches: 4,
			PendingWorkCapacity: uint(s.queue), DisableCompression: !s.compress, UserAgentAddition: "bench"}})
	if err != nil {
		tb.Fatal(err)
	}
	props := properties(s.size)
	var read chan struct{}
	if !s.hurry {
		read = make(chan struct{})
		go func() { // its contract: somebody reads the responses, which say what was dropped
			defer close(read)
			for range c.TxResponses() {
			}
		}()
	}
	return run{
		send: func() bool {
			ev := c.NewEvent()
			return ev.Add(props) == nil && ev.Send() == nil
		},
		done: func(testing.TB) {
			if s.hurry { // Close waits for a server that will not answer
				return
			}
			c.Close()
			<-read
		},
	}
}

// openOTel sends by OTLP over HTTP, as what exports spans does unless told otherwise.
func openOTel(tb testing.TB, s setting) run {
	opts := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(s.host + "/v1/traces"), otlptracehttp.WithTimeout(time.Minute)}
	if s.compress {
		opts = append(opts, otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	}
	exporter, err := otlptracehttp.New(context.Background(), opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter, sdktrace.WithMaxQueueSize(s.queue), sdktrace.WithMaxExportBatchSize(batchSize)))
	tracer := tp.Tracer("bench")
	in, out := text(s.size)
	return run{
		send: func() bool {
			_, span := tracer.Start(context.Background(), "chat")
			span.SetAttributes(attribute.String("type", "generation"), attribute.String("model", "small-1"),
				attribute.String("input", in), attribute.String("output", out), attribute.Int("total_tokens", 321), attribute.String("environment", "bench"))
			span.End()
			return true
		},
		done: func(tb testing.TB) {
			ctx, cancel := context.WithTimeout(context.Background(), closeTime(s))
			defer cancel()
			if err := tp.Shutdown(ctx); err != nil && !s.hurry {
				tb.Fatal(err)
			}
		},
	}
}
