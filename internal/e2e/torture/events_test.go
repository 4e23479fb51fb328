package torture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go"
)

// newFacts makes n events of one trace: its create, observations, scores and
// generic events, now and then a large one.
func newFacts(rng *rand.Rand, env string, n int) []*fact {
	trace := fmt.Sprintf("trace_%016x", rng.Uint64())
	facts := make([]*fact, 0, n)
	ttl := time.Hour
	for i := range n {
		f := &fact{id: newID(rng), env: env, trace: trace, ttl: ttl}
		text := fmt.Sprintf("prompt %x é 世界 <b>&\u2028", rng.Uint64())
		if rng.IntN(150) == 0 {
			text += strings.Repeat(fmt.Sprintf(" %x", rng.Uint64()), 1000+rng.IntN(8000))
		}
		var p map[string]any
		switch k := rng.IntN(10); {
		case i == 0:
			f.typ, p = brokle.TraceCreate, map[string]any{"id": trace, "name": "run", "input": text, "user_id": "u1"}
		case k == 0:
			f.typ, p = brokle.QualityScoreCreate, map[string]any{"id": f.id + "-s", "trace_id": trace, "name": "quality", "value": rng.Float64(), "comment": text}
		case k == 1:
			f.typ, p = brokle.EventCreate, map[string]any{"name": "note", "trace_id": trace, "text": text}
		default:
			f.entity = f.id + "-o"
			f.typ, p = brokle.ObservationCreate, map[string]any{
				"id": f.entity, "trace_id": trace, "name": "step", "type": "generation", "input": text, "model": "m", "prompt_tokens": rng.IntN(1000),
			}
		}
		f.payload = encode(p)
		facts = append(facts, f)
	}
	return facts
}

// newID is an id as clients in the field make them: opaque.
func newID(rng *rand.Rand) string {
	switch rng.IntN(4) {
	case 0:
		return fmt.Sprintf("%026X", rng.Uint64())
	case 1:
		return fmt.Sprintf("evt-%016x", rng.Uint64())
	}
	return brokle.NewID()
}

// newDead is an event that must fail.
func newDead(rng *rand.Rand, env string) *fact {
	f := &fact{id: newID(rng), env: env, dead: true, typ: brokle.ObservationCreate, payload: `{"trace_id":"no name"}`}
	if rng.IntN(2) == 0 {
		f.typ, f.payload = "nonsense", `{}`
	}
	return f
}

// newBulk is a request of the bulk endpoint.
func newBulk(rng *rand.Rand, env string, n int) (facts []*fact, body []byte) {
	list := make([]json.RawMessage, n)
	for i := range n {
		payload := encode(map[string]any{"kind": "bulk", "n": fmt.Sprintf("%x-%d", rng.Uint64(), i)})
		facts = append(facts, &fact{env: env, typ: brokle.EventCreate, payload: payload, ttl: time.Hour})
		list[i] = json.RawMessage(payload)
	}
	return facts, []byte(encode(map[string]any{"telemetry": list, "batch_size": n, "timestamp": float64(time.Now().Unix())}))
}

// events is what goes on the wire for facts.
func events(facts []*fact) []brokle.Event {
	list := make([]brokle.Event, len(facts))
	for i, f := range facts {
		list[i] = brokle.Event{ID: f.id, Type: f.typ, Payload: json.RawMessage(f.payload), Timestamp: brokle.At(time.Now())}
	}
	return list
}

// encode is JSON as it is sent, byte for byte.
func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // what is encoded here is made here
	}
	return strings.TrimSuffix(b.String(), "\n")
}
