package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/clock"
)

// load holds ready request bodies; a request is a copy of one of them with
// fresh ids written over the old ones, so that making load costs little beside
// serving it.
type load struct {
	wire   wire
	bodies []template
	json   int // bytes of the events as JSON, in all bodies
}

type template struct {
	body  []byte
	ids   []int // offsets of the 26-character event ids
	times []int // offsets of the timestamps, ten digits each
	// traces are the offsets of the trace ids of generated events, 26 characters each.
	traces []int
	// parents are the offsets of the ids of the first event of each trace, where the others name it as their parent.
	parents []int
}

const (
	bodiesMade     = 120 // different requests of a load
	eventsPerTrace = 10
)

func (l *load) meanEventBytes() int { return l.json / (len(l.bodies) * len(l.bodies[0].ids)) }

// newLoad makes the requests of a wire. Every wire gets the same events.
func newLoad(o options, w wire) (*load, error) { return newLoadOf(o, w, generated) }

// newLoadOf is newLoad of events that are made so, when there are none from a file; i is the event's place in its request.
func newLoadOf(o options, w wire, made func(rng *rand.Rand, i int) brokle.Event) (*load, error) {
	payloads, err := readPayloads(o.input)
	if err != nil {
		return nil, err
	}
	l := &load{wire: w}
	rng := rand.New(rand.NewPCG(1, 2))
	for next := 0; len(l.bodies) < bodiesMade; {
		events := make([]brokle.Event, o.batch)
		for i := range events {
			if len(payloads) > 0 {
				events[i] = payloads[next%len(payloads)]
				next++
			} else {
				events[i] = made(rng, i)
			}
			events[i].ID, events[i].Timestamp = brokle.NewID(), brokle.At(time.Now().Truncate(time.Second))
			raw, err := json.Marshal(&events[i])
			if err != nil {
				return nil, err
			}
			l.json += len(raw)
		}
		t := template{}
		if t.body, err = w.encode(events); err != nil {
			return nil, err
		}
		for i := range events {
			t.ids = append(t.ids, bytes.Index(t.body, []byte(events[i].ID)))
		}
		t.times = offsets(t.body, `"timestamp":`)
		if len(payloads) == 0 {
			t.traces = offsets(t.body, `"trace_id":"`)
			t.parents = offsets(t.body, `"parent_observation_id":"`)
		}
		l.bodies = append(l.bodies, t)
	}
	return l, nil
}

// request is the nth body with fresh ids of events and traces, in buf.
func (l *load) request(n int, buf []byte) []byte {
	t := &l.bodies[n%len(l.bodies)]
	buf = append(buf[:0], t.body...)
	var first []string // ids of the first events of traces
	for i, at := range t.ids {
		id := brokle.NewID()
		copy(buf[at:], id)
		if len(t.parents) > 0 && i%eventsPerTrace == 0 {
			first = append(first, id)
		}
	}
	for i, at := range t.parents {
		copy(buf[at:], first[i/(eventsPerTrace-1)])
	}
	var trace string
	for i, at := range t.traces {
		if i%eventsPerTrace == 0 {
			trace = brokle.NewID()
		}
		copy(buf[at:], trace)
	}
	return buf
}

// offsets finds what stands behind each field in a body.
func offsets(body []byte, field string) (at []int) {
	for i := 0; ; {
		next := bytes.Index(body[i:], []byte(field))
		if next < 0 {
			return at
		}
		i += next + len(field)
		at = append(at, i)
	}
}

// zstdPerEvent is what the bodies of 100 000 events take as one zstd stream of level 3.
func (l *load) zstdPerEvent(o options) (float64, error) {
	var n counter
	w, err := zstd.NewWriter(&n, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(3)))
	if err != nil {
		return 0, err
	}
	requests := min(100_000, o.events) / o.batch
	var body []byte
	for i := range requests {
		body = l.request(i, body)
		if _, err := w.Write(body); err != nil {
			return 0, err
		}
	}
	if err := w.Close(); err != nil {
		return 0, err
	}
	return float64(n) / float64(requests*o.batch), nil
}

type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// readPayloads reads events, one a line; ids inside payloads stay, so entities
// are updated rather than made anew on the second pass over the file.
func readPayloads(path string) ([]brokle.Event, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var events []brokle.Event
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var e brokle.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		events = append(events, e)
	}
	return events, lines.Err()
}

const letters = "etaoinshrdlucmfwypvbgkjqxz"

// words is a vocabulary with the lengths of English; drawn with a skew, text
// made of it compresses about as prose does.
var words = func() []string {
	rng := rand.New(rand.NewPCG(3, 4))
	out := make([]string, 6000)
	for i := range out {
		var b strings.Builder
		for range 2 + rng.IntN(9) {
			b.WriteByte(letters[min(rng.IntN(26), rng.IntN(26))])
		}
		out[i] = b.String()
	}
	return out
}()

func prose(rng *rand.Rand, chars int) string {
	var b strings.Builder
	for b.Len() < chars {
		b.WriteString(words[int(float64(len(words))*rng.Float64()*rng.Float64()*rng.Float64())])
		b.WriteByte(' ')
	}
	return b.String()
}

// generated is a finished chat generation of about 900 bytes.
func generated(rng *rand.Rand, _ int) brokle.Event {
	models := []string{"gpt-4o-mini", "claude-sonnet-4", "llama-3.3-70b", "mistral-large"}
	payload := fmt.Sprintf(`{"trace_id":"%s","type":"generation","name":"chat","model":"%s","provider":"openai","input":[{"role":"user","content":"%s"}],"output":{"role":"assistant","content":"%s"},"prompt_tokens":%d,"completion_tokens":%d,"total_cost":%.6f,"latency_ms":%d,"metadata":{"region":"eu-west-%d","attempt":%d},"model_parameters":{"temperature":0.%d}}`,
		brokle.NewID(), models[rng.IntN(4)], prose(rng, 230), prose(rng, 240), 50+rng.IntN(900), 20+rng.IntN(400), rng.Float64()/100,
		200+rng.IntN(4000), 1+rng.IntN(3), rng.IntN(3), rng.IntN(10))
	return brokle.Event{Type: brokle.ObservationCreate, Payload: json.RawMessage(payload)}
}

// fire posts total events over conns connections and returns how long every answer took.
func (l *load) fire(url string, o options) (took time.Duration, answers []time.Duration, err error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: o.conns, DisableCompression: true}}
	defer client.CloseIdleConnections()
	var next, failed atomic.Int64
	requests := int64(o.events / o.batch)
	times := make([][]time.Duration, o.conns)
	var wg sync.WaitGroup
	var firstErr atomic.Value
	begin := time.Now()
	for c := range o.conns {
		wg.Go(func() {
			var body []byte
			for n := next.Add(1); n <= requests && failed.Load() == 0; n = next.Add(1) {
				body = l.request(int(n), body)
				sent := time.Now()
				if err := l.wire.post(client, url, body, o.batch); err != nil {
					firstErr.CompareAndSwap(nil, err)
					failed.Add(1)
					return
				}
				times[c] = append(times[c], time.Since(sent))
			}
		})
	}
	wg.Wait()
	took = time.Since(begin)
	if err, _ := firstErr.Load().(error); err != nil {
		return 0, nil, err
	}
	return took, slices.Concat(times...), nil
}

// openConns are the connections of an open loop: who waits for an answer must not keep others from
// being sent.
const openConns = 64

// fireAt posts o.openRate events a second for o.openTime, and returns how long every answer took, since it was to be sent.
func (l *load) fireAt(ctx context.Context, url string, o options) ([]time.Duration, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: openConns, DisableCompression: true}}
	defer client.CloseIdleConnections()
	every := time.Duration(o.batch) * time.Second / time.Duration(o.openRate)
	requests := int64(o.openTime / every)
	times := make([][]time.Duration, openConns)
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	begin := time.Now()
	for c := range openConns {
		wg.Go(func() {
			var body []byte
			for n := next.Add(1); n <= requests && failed.Load() == nil; n = next.Add(1) {
				body = l.request(int(n), body)
				due := begin.Add(time.Duration(n) * every)
				err := clock.Sleep(ctx, time.Until(due))
				if err == nil {
					err = l.wire.post(client, url, body, o.batch)
				}
				if err != nil {
					failed.CompareAndSwap(nil, &err)
					return
				}
				times[c] = append(times[c], time.Since(due))
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	return slices.Concat(times...), nil
}
