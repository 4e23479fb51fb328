package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brokle-ai/brokle-go"
)

// load holds ready request bodies; a request is a copy of one of them with
// fresh ids written over the old ones, so that making load costs little beside
// serving it.
type load struct {
	bodies []template
}

type template struct {
	body  []byte
	ids   []int // offsets of the 26-character event ids
	times []int // offsets of the timestamps, ten digits each
}

func (l *load) meanEventBytes() int {
	bytes, events := 0, 0
	for _, t := range l.bodies {
		bytes += len(t.body)
		events += len(t.ids)
	}
	return bytes / events
}

func newLoad(o options) (*load, error) {
	payloads, err := readPayloads(o.input)
	if err != nil {
		return nil, err
	}
	l := &load{}
	rng := rand.New(rand.NewPCG(1, 2))
	for next := 0; len(l.bodies) < 120; {
		t := template{}
		t.body = append(t.body, `{"events":[`...)
		for i := range o.batch {
			if i > 0 {
				t.body = append(t.body, ',')
			}
			t.body = append(t.body, `{"event_id":"`...)
			t.ids = append(t.ids, len(t.body))
			t.body = append(t.body, brokle.NewID()...)
			var e brokle.Event
			if len(payloads) > 0 {
				e = payloads[next%len(payloads)]
				next++
			} else {
				e = generated(rng)
			}
			t.body = fmt.Appendf(t.body, `","event_type":%q,"payload":%s,"timestamp":`, e.Type, e.Payload)
			t.times = append(t.times, len(t.body))
			t.body = fmt.Appendf(t.body, `%d}`, time.Now().Unix())
		}
		t.body = append(t.body, `],"environment":"production"}`...)
		l.bodies = append(l.bodies, t)
	}
	return l, nil
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
func generated(rng *rand.Rand) brokle.Event {
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
				t := l.bodies[int(n)%len(l.bodies)]
				body = append(body[:0], t.body...)
				for _, at := range t.ids {
					copy(body[at:], brokle.NewID())
				}
				sent := time.Now()
				if err := post(client, url, body, o.batch); err != nil {
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

func post(client *http.Client, url string, body []byte, events int) error {
	req, err := http.NewRequest(http.MethodPost, url+"/v1/telemetry/batch", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-API-Key", benchKey)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || !bytes.Contains(answer, []byte(`"processed_events":`+strconv.Itoa(events)+`,`)) {
		return fmt.Errorf("answer %d: %.300s", resp.StatusCode, answer)
	}
	return nil
}

func percentile(sorted []time.Duration, p float64) float64 {
	return float64(sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]) / float64(time.Millisecond)
}
