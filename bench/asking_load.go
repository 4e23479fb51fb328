package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/brokle-ai/brokle-go"
)

// askLoad holds ready requests of whole traces, spread over days. A request that is sent has fresh ids,
// users, times and, now and then, a rare word written over its own.
type askLoad struct {
	bodies []askBody
	begin  time.Time // of the first request's events
	every  time.Duration
	mean   int // bytes of an event
}

type askBody struct {
	body   []byte
	events []int   // where the events' ids stand
	owners [][]int // by trace, observation and score: where its id stands
	traces []int   // which of the owners are traces
	users  []int
	times  []int
	word   int
}

const (
	askTraces  = 10 // a request
	askBatch   = askTraces * 10
	askUsers   = 5000
	askPerDay  = 333_000 // events
	needleIn   = 2000    // requests: one event of 200 000 holds the word
	wordCommon = "gnomon"
	wordRare   = "needle"
	wordNone   = "unheardof"
)

// newAskLoad spreads events over as many days as they take, up to now.
func newAskLoad(events int) (*askLoad, error) {
	l := &askLoad{every: 24 * time.Hour * askBatch / askPerDay}
	l.begin = time.Now().Add(-time.Duration(events/askBatch) * l.every)
	rng := rand.New(rand.NewPCG(7, 8))
	size := 0
	for range bodiesMade {
		b, err := newAskBody(rng)
		if err != nil {
			return nil, err
		}
		size += len(b.body)
		l.bodies = append(l.bodies, b)
	}
	l.mean = size / (bodiesMade * askBatch)
	return l, nil
}

// newAskBody is ten traces: each has a user, four calls of a model with their completions, of which one in
// fifty failed, and a score.
func newAskBody(rng *rand.Rand) (b askBody, err error) {
	var events []brokle.Event
	var owners []string
	add := func(typ brokle.EventType, payload map[string]any) {
		raw, merr := json.Marshal(payload)
		if merr != nil {
			err = merr
		}
		events = append(events, brokle.Event{ID: brokle.NewID(), Type: typ, Payload: raw, Timestamp: brokle.At(time.Now().Truncate(time.Second))})
	}
	owner := func() string {
		owners = append(owners, brokle.NewID())
		return owners[len(owners)-1]
	}
	models := []string{"gpt-4o-mini", "claude-sonnet-4", "llama-3.3-70b", "mistral-large"}
	for t := range askTraces {
		b.traces = append(b.traces, len(owners))
		trace := owner()
		add(brokle.TraceCreate, map[string]any{"id": trace, "name": "support-chat", "user_id": "user_0000", "session_id": "session_" + trace[18:], "tags": []string{"web", "beta"}})
		for o := range 4 {
			call, said := owner(), prose(rng, 450)
			if t+o == 0 {
				said = wordCommon + " " + said
			}
			add(brokle.ObservationCreate, map[string]any{"id": call, "trace_id": trace, "type": "generation", "name": "answer", "model": models[rng.IntN(4)],
				"provider": "openai", "input": []map[string]string{{"role": "user", "content": said}}})
			done := map[string]any{"id": call, "trace_id": trace, "output": map[string]string{"role": "assistant", "content": prose(rng, 450)},
				"prompt_tokens": 50 + rng.IntN(900), "completion_tokens": 20 + rng.IntN(400), "total_cost": rng.Float64() / 100, "latency_ms": 200 + rng.IntN(4000)}
			if rng.IntN(50) == 0 {
				done["level"], done["status_message"] = "ERROR", "the model did not answer"
			}
			add(brokle.ObservationComplete, done)
		}
		add(brokle.QualityScoreCreate, map[string]any{"id": owner(), "trace_id": trace, "name": "helpful", "value": rng.IntN(2), "data_type": "NUMERIC", "source": "EVAL"})
	}
	if err != nil {
		return b, err
	}
	if b.body, err = brokleWire().encode(events); err != nil {
		return b, err
	}
	for i := range events {
		b.events = append(b.events, bytes.Index(b.body, []byte(events[i].ID)))
	}
	for _, id := range owners {
		b.owners = append(b.owners, places(b.body, []byte(id)))
	}
	b.users, b.times = offsets(b.body, `"user_id":"user_`), offsets(b.body, `"timestamp":`)
	if b.word = bytes.Index(b.body, []byte(wordCommon)); b.word < 0 {
		return b, fmt.Errorf("the word %q is not in the request", wordCommon)
	}
	return b, nil
}

// request is the nth body with fresh ids, in buf; trace is one in it.
func (l *askLoad) request(n int, buf []byte) (body []byte, trace string) {
	b := &l.bodies[n%len(l.bodies)]
	buf = append(buf[:0], b.body...)
	for _, at := range b.events {
		copy(buf[at:], brokle.NewID())
	}
	for i, at := range b.owners {
		id := brokle.NewID()
		for _, at := range at {
			copy(buf[at:], id)
		}
		if i == b.traces[0] {
			trace = id
		}
	}
	at := l.begin.Add(time.Duration(n) * l.every).Unix()
	for i, to := range b.times {
		strconv.AppendInt(buf[to:to], at+int64(i/10), 10) // ten events a trace, a second apart
	}
	for _, at := range b.users {
		copy(buf[at:], fmt.Sprintf("%04d", rand.IntN(askUsers)))
	}
	if n%needleIn == needleIn/2 {
		copy(buf[b.word:], wordRare)
	}
	return buf, trace
}
