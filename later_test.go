package brokle_test

import (
	"context"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokletest"
	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// someText is a text of up to a few thousand bytes, with whatever JSON must escape and with bytes that are no UTF-8.
func someText(rng *rand.Rand) string {
	parts := []string{"plain words ", "\"", "\\", "\n", "\x00", "é", "漢", "\xff", "\xe2\x82", "\u2028", "<&>"}
	var b strings.Builder
	for range rng.IntN(400) {
		b.WriteString(parts[rng.IntN(len(parts))])
	}
	return b.String()
}

func somePayload(rng *rand.Rand) map[string]any {
	m := map[string]any{}
	for range rng.IntN(6) {
		name := []string{"", "a", "b\"\\", "c", "é", "\xff"}[rng.IntN(6)]
		switch rng.IntN(5) {
		case 0:
			m[name] = rng.Int()
		case 1:
			m[name] = map[string]any{"inner": []any{someText(rng), 1.5, nil}}
		case 2:
			m[name] = struct{ A []int }{[]int{1, 2}} // for encoding/json
		default:
			m[name] = someText(rng)
		}
	}
	return m
}

// asJSON is what encoding/json makes of v, read again.
func asJSON(t *testing.T, v any) (read any) {
	t.Helper()
	text, ok := v.(json.RawMessage)
	if !ok {
		var err error
		if text, err = json.Marshal(v); err != nil {
			t.Fatal(err)
		}
	}
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return read
}

// TestPayloadsArriveAsTheyWereWhenTheyWereTaken: whoever writes an event, the caller or the worker, and whatever the program does
// with it after the call.
func TestPayloadsArriveAsTheyWereWhenTheyWereTaken(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	srv := brokletest.NewServer(t)
	c := open(t, srv, func(c *brokle.Config) { c.BatchMaxSize = 7 })
	want := map[string]any{}
	for range chance.Rounds(300) {
		var payload any
		m := somePayload(rng)
		switch payload = m; rng.IntN(6) {
		case 0:
			text, _ := json.Marshal(m)
			payload = string(text)
		case 1:
			text, _ := json.Marshal(m)
			payload = json.RawMessage(text)
		}
		ev := brokle.Event{Type: brokle.EventCreate}
		if rng.IntN(3) == 0 {
			ev.ID = brokle.NewID() + `"\`
		}
		expected := asJSON(t, m)
		var id string
		var err error
		if raw, ok := payload.(json.RawMessage); ok || ev.ID != "" {
			if !ok {
				raw, _ = json.Marshal(m)
			}
			ev.Payload = raw
			id, err = c.SubmitEvent(ev)
			clear(raw)
		} else {
			id, err = c.SubmitBatchEvent(ev.Type, payload)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range m {
			if inner, ok := v.(map[string]any); ok {
				inner["inner"].([]any)[0] = "changed"
			}
		}
		clear(m)
		want[id] = expected
	}
	closeClient(t, c)
	srv.RequireIDs(t, sorted(want)...)
	for _, ev := range srv.Events() {
		if got := asJSON(t, ev.Payload); !reflect.DeepEqual(got, want[ev.ID]) {
			t.Fatalf("%s: %v, want %v", ev.ID, got, want[ev.ID])
		}
	}
}

func sorted(m map[string]any) (keys []string) {
	for k := range maps.Keys(m) {
		keys = append(keys, k)
	}
	return keys
}

// TestTextsOfAGenerationArrive: long ones, which are written later, beside what is written at once.
func TestTextsOfAGenerationArrive(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	srv := brokletest.NewServer(t)
	c := open(t, srv, func(c *brokle.Config) {
		c.Mask = func(_ brokle.EventType, p json.RawMessage) (json.RawMessage, error) { // sees all of it
			return json.RawMessage(strings.ReplaceAll(string(p), "secret", "******")), nil
		}
	})
	input, output := someText(rng)+strings.Repeat("secret ", 40), someText(rng)
	_, g := c.StartGeneration(t.Context(), "chat", brokle.Model("m"), brokle.Input(input))
	g.End(brokle.Output(output), brokle.Usage(1, 2))
	closeClient(t, c)
	begun, ended := srv.OfType(brokle.ObservationCreate)[0], srv.OfType(brokle.ObservationComplete)[0]
	hidden := strings.ReplaceAll(input, "secret", "******")
	if got := asJSON(t, begun.Payload).(map[string]any); got["input"] != asJSON(t, hidden) || got["model"] != "m" || got["id"] != g.ID() {
		t.Errorf("%v", got)
	}
	if got := asJSON(t, ended.Payload).(map[string]any); got["output"] != asJSON(t, output) || got["total_tokens"] != 3.0 || got["id"] != g.ID() {
		t.Errorf("%v", got)
	}
}

// TestTheQueueHoldsNothingOfTheProgram: a short text out of a long one keeps the long one in memory only until a batch's worth
// waits, however long the server is away.
func TestTheQueueHoldsNothingOfTheProgram(t *testing.T) {
	t.Parallel()
	c, err := brokle.New(brokle.Config{APIKey: testKey, Host: "http://away.invalid", HTTPClient: &http.Client{Transport: stall{}}, BatchMaxSize: 10})
	if err != nil {
		t.Fatal(err)
	}
	defer giveUp(c)
	const n = 100 // 40 of them are under way
	gone := make(chan struct{}, n)
	for range n {
		document := new([1 << 20]byte)
		for i := range document {
			document[i] = 'a'
		}
		runtime.AddCleanup(document, func(struct{}) { gone <- struct{}{} }, struct{}{})
		if _, err := c.SubmitBatchEvent(brokle.EventCreate, map[string]any{"text": rawjson.Alias(document[:1000])}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for left := n; left >= 10; {
		runtime.GC()
		select {
		case <-gone:
			left--
		case <-ctx.Done():
			t.Fatalf("%d of %d documents are held", left, n)
		}
	}
}

// TestBoundsHoldWhateverTextsBecome: what is written later counts for what it may become where the queue is nearly full.
func TestBoundsHoldWhateverTextsBecome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bound = 1 << 20
		c, err := brokle.New(brokle.Config{APIKey: testKey, Host: "http://away.invalid", HTTPClient: &http.Client{Transport: stall{}}, QueueMaxBytes: bound})
		if err != nil {
			t.Fatal(err)
		}
		plain, worst := strings.Repeat("a", 2000), string(make([]byte, 2000)) // 2 KB and 12 KB of JSON
		taken := 0
		for i := range 2000 {
			text := plain
			if i%2 == 0 {
				text = worst
			}
			if _, err := c.SubmitBatchEvent(brokle.EventCreate, map[string]any{"text": text}); err == nil {
				taken++
			}
			if i%50 == 0 {
				synctest.Wait() // the worker writes what it has
			}
			if m := c.ProcessorMetrics(); m.MemoryBytes > bound {
				t.Fatalf("%d bytes held after %d events", m.MemoryBytes, taken)
			}
		}
		synctest.Wait()
		if m := c.ProcessorMetrics(); m.MemoryBytes > bound || m.MemoryBytes < bound*9/10 {
			t.Errorf("%d bytes held, %d events", m.MemoryBytes, taken)
		}
		giveUp(c)
	})
}

// TestWhatWaitsForItsTraceHoldsUpNothingElse: an event whose trace is under way waits, those of other traces go with the interval.
func TestWhatWaitsForItsTraceHoldsUpNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := brokletest.New()
		srv.Rule(func(_ int, req *brokle.BatchRequest) brokletest.Fault {
			if strings.Contains(string(req.Events[0].Payload), "slow") {
				return brokletest.Fault{Delay: 20 * time.Second}
			}
			return brokletest.Fault{}
		})
		c := open(t, srv, func(c *brokle.Config) { c.BatchFlushInterval = 2 * time.Second })
		of := func(trace string) {
			if _, err := c.SubmitBatchEvent(brokle.ObservationCreate, map[string]any{"id": brokle.NewID(), "name": "n", "trace_id": trace}); err != nil {
				t.Fatal(err)
			}
		}
		of("slow")
		time.Sleep(3 * time.Second) // it is under way
		of("slow")
		time.Sleep(3 * time.Second) // it waits
		for range 3 {
			of("quick")
			time.Sleep(3 * time.Second)
		}
		if n := len(srv.Events()); n != 3 {
			t.Errorf("%d events of another trace arrived, want 3", n)
		}
		time.Sleep(30 * time.Second)
		if n := len(srv.Events()); n != 5 {
			t.Errorf("%d events arrived, want 5", n)
		}
		closeClient(t, c)
	})
}
