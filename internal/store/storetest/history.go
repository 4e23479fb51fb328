package storetest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// HistoryProject is the project of all records of a History.
const HistoryProject = "history"

// HistoryTrace names the i-th trace that a History may speak of; there are up to
// HistoryTraces(n).
func HistoryTrace(i int) string { return fmt.Sprintf("trace-%d", i) }

// HistoryTraces is how many traces the records of History(seed, n) are about.
func HistoryTraces(n int) int { return n/25 + 1 }

// History returns n valid records, Seq 1 to n, made from seed alone: creates,
// updates and completes of traces, observations and scores in any order, with
// creates that never come or are stamped by a clock that runs fast, equal timestamps,
// event ids in no order, days on both sides of midnight, event ids that return with
// the same content or another, parents that are unknown or form cycles, agents
// that carry the sums of what is below them, the same observation id in several
// traces, updates that name no trace, fields that are cleared, nulls, text beyond
// ASCII, and explicit, absent and inferred times. Every record passes store.Extract.
//
// Score values are multiples of 1/4 and small, so that their sums are exact in any
// order. Costs are such that sums of floats are not.
func History(seed uint64, n int) []entity.Record {
	h := history{rng: chance.From(seed, 0x9E3779B97F4A7C15), n: n}
	recs := make([]entity.Record, n)
	for i := range recs {
		recs[i] = h.record(i, recs[:i])
	}
	return recs
}

// SharedHistory is both a History and a CallHistory in one, of programs that number their steps: there are few ids of observations and many
// traces, and each id is in most of these. Of some of them all events name their trace, of some nearly all, of the others as many as in a History.
func SharedHistory(seed uint64, n int) []entity.Record {
	h := history{rng: chance.From(seed, 0x5A4ED), n: n, ids: 6}
	calls := h.calls()
	recs := make([]entity.Record, n)
	for i := range recs {
		if h.chance(3) {
			recs[i] = h.report(i, &calls[h.rng.IntN(len(calls))])
		} else {
			recs[i] = h.record(i, recs[:i])
		}
	}
	return recs
}

type history struct {
	rng *rand.Rand
	n   int
	ids int // how many ids observations have; 0: about a fifth of n
}

// traces is how many there are.
func (h *history) traces() int {
	if h.ids > 0 {
		return h.n/4 + 1
	}
	return HistoryTraces(h.n)
}

// observationIDs is how many there are.
func (h *history) observationIDs() int {
	if h.ids > 0 {
		return h.ids
	}
	return h.n/5 + 2
}

var midnight = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func (h *history) record(i int, before []entity.Record) entity.Record {
	rec := entity.Record{
		Seq: entity.Seq(i + 1), Project: HistoryProject, BatchID: fmt.Sprintf("batch-%03d", i/7), KeyID: historyKey(i / 7),
		Environment: pick(h, "default", "default", "production", "staging"),
		ReceivedAt:  midnight.Add(time.Duration(i) * time.Second),
	}
	// Few distinct instants, so that ties are common; a third is before midnight.
	at := midnight.Add(time.Duration(h.rng.IntN(3*h.n/4+2)-h.n/4) * 250 * time.Millisecond)
	rec.Event = wire.Event{ID: fmt.Sprintf("event-%05d", h.rng.IntN(1e5)*1000+i%1000), Timestamp: wire.At(at)}
	if len(before) > 0 && h.chance(15) {
		rec.Event.ID = before[h.rng.IntN(len(before))].Event.ID
	}
	payload := map[string]any{}
	switch h.rng.IntN(10) {
	case 0, 1:
		rec.Event.Type = h.trace(payload)
	case 2, 3:
		rec.Event.Type = h.score(payload)
	default:
		rec.Event.Type = h.observation(payload, at)
	}
	raw, err := json.Marshal(payload)
	if err != nil {
		panic(err) // only strings, numbers, lists and maps went in
	}
	rec.Event.Payload = raw
	if rec.Event.Type == wire.ObservationCreate && h.chance(6) { // its clock runs fast
		rec.Event.Timestamp = wire.At(at.Add(time.Hour))
	}
	if len(before) > 0 && h.chance(15) { // accepted again, as it was
		same := before[h.rng.IntN(len(before))].Event
		rec.Event.ID, rec.Event.Type, rec.Event.Payload = same.ID, same.Type, same.Payload
	}
	return rec
}

// historyKey is the key that brought a batch: of every third nobody knows it.
func historyKey(batch int) string {
	return [...]string{"", "key_00000000000000aa", "key_00000000000000bb"}[batch%3]
}

func (h *history) trace(p map[string]any) wire.EventType {
	p["id"] = HistoryTrace(h.rng.IntN(h.traces()))
	p["name"] = pick(h, "checkout", "chat", "Frage „ß“", "質問")
	h.maybe(p, "user_id", "u-1", "u-2", "użytkownik", nil)
	h.maybe(p, "session_id", "s-1", "s-2", 77)
	h.maybe(p, "environment", "qa", "canary", "default")
	h.maybe(p, "version", "1.0", "1.1", 2)
	h.maybe(p, "release", "r1", "r2")
	h.maybe(p, "input", "héllo", map[string]any{"q": []int{1, 2}}, nil)
	h.maybe(p, "output", "done", 7)
	h.common(p)
	if h.chance(3) {
		h.clear(p, "tags", "metadata", "user_id", "session_id", "environment", "input", "name")
		return wire.TraceUpdate
	}
	return wire.TraceCreate
}

func (h *history) observation(p map[string]any, at time.Time) wire.EventType {
	number := h.rng.IntN(h.observationIDs())
	p["id"] = fmt.Sprintf("obs-%d", number)
	h.maybe(p, "parent_observation_id", fmt.Sprintf("obs-%d", h.rng.IntN(h.observationIDs())), "obs-unknown", nil)
	h.maybe(p, "type", "generation", "LLM", "tool", "custom", "agent", "chain")
	h.maybe(p, "level", "error", "WARNING", "INFO", "DEFAULT", nil)
	h.maybe(p, "status_message", "ok", "время вышло")
	h.maybe(p, "version", "1", "2")
	h.maybe(p, "model", "m-small", "m-large", nil)
	h.maybe(p, "provider", "acme")
	h.maybe(p, "prompt_tokens", h.rng.IntN(100), "12", 3.0)
	h.maybe(p, "completion_tokens", h.rng.IntN(100))
	h.maybe(p, "input_cost", h.cost(), "0.25")
	h.maybe(p, "output_cost", h.cost())
	h.maybe(p, "quality_score", h.quarter())
	h.maybe(p, "input", "What is 2+2?", []any{map[string]any{"role": "user", "content": "hi"}})
	h.maybe(p, "output", "4", map[string]any{"text": "vier"})
	h.common(p)
	if h.chance(5) {
		p["total_tokens"], p["total_cost"] = h.rng.IntN(500), h.cost()
	}
	if h.chance(5) {
		p["start_time"] = at.Add(-time.Duration(h.rng.IntN(3)) * time.Second).Format(time.RFC3339Nano)
	}
	if h.chance(5) {
		p["end_time"] = at.Add(time.Duration(h.rng.IntN(90000)-2) * time.Second).Format(time.RFC3339Nano)
	}
	if h.chance(6) {
		p["latency_ms"] = h.quarter()
	}
	trace := HistoryTrace(number % h.traces())
	if h.ids > 0 || h.chance(8) { // the same step in another trace
		trace = HistoryTrace(h.rng.IntN(h.traces()))
	}
	if h.ids > 0 && !h.floats(number) {
		p["trace_id"] = trace
	}
	switch h.rng.IntN(4) {
	case 0:
		h.maybe(p, "name", "renamed")
		h.maybe(p, "trace_id", trace)
		h.clear(p, "tags", "metadata", "level", "status_message", "model", "prompt_tokens", "total_cost", "end_time", "parent_observation_id")
		return wire.ObservationUpdate
	case 1:
		h.clear(p, "level", "latency_ms", "type")
		return wire.ObservationComplete
	}
	p["trace_id"], p["name"] = trace, pick(h, "call", "lookup", "шаг")
	return wire.ObservationCreate
}

// floats says whether an event of the observations with one of few ids names no trace, unless it does all the same.
func (h *history) floats(number int) bool {
	switch number % 3 {
	case 0:
		return false
	case 1:
		return h.chance(max(2, h.n/8))
	}
	return true
}

func (h *history) score(p map[string]any) wire.EventType {
	p["id"] = fmt.Sprintf("score-%d", h.rng.IntN(h.n/8+2))
	h.maybe(p, "comment", "gut", "bad", nil)
	h.maybe(p, "source", "api", "HUMAN", "eval")
	h.maybe(p, "evaluator_name", "judge")
	h.maybe(p, "author_user_id", "u-9")
	value := pick(h, any(h.quarter()), any(h.quarter()), any(true), any("good"), any("плохо"))
	if h.chance(4) {
		h.maybe(p, "value", value)
		h.clear(p, "comment", "author_user_id", "metadata")
		return wire.QualityScoreUpdate
	}
	p["name"], p["value"] = pick(h, "quality", "correct", "tone"), value
	if h.chance(2) {
		p["trace_id"] = HistoryTrace(h.rng.IntN(h.traces()))
	} else {
		p["observation_id"] = fmt.Sprintf("obs-%d", h.rng.IntN(h.observationIDs()))
	}
	return wire.QualityScoreCreate
}

func (h *history) common(p map[string]any) {
	h.maybe(p, "tags", []any{"b", "a"}, []any{"ü", 3, nil}, map[string]any{"k": "v"}, nil)
	h.maybe(p, "metadata", map[string]any{"a": 1, "b": nil}, map[string]any{"a": 2, "č": "d"}, map[string]any{}, nil)
}

// maybe sets a key to one of the values, half of the time.
func (h *history) maybe(p map[string]any, key string, values ...any) {
	if h.chance(2) {
		p[key] = pick(h, values...)
	}
}

// clear names one or two fields to be emptied, sometimes.
func (h *history) clear(p map[string]any, names ...string) {
	if h.chance(4) {
		p["clear"] = []string{pick(h, names...), pick(h, names...)}
	}
}

func (h *history) chance(oneIn int) bool { return h.rng.IntN(oneIn) == 0 }

func (h *history) quarter() float64 { return float64(h.rng.IntN(40)) / 4 }

func (h *history) cost() float64 { return float64(h.rng.IntN(4000)) / 1000 }

func pick[T any](h *history, values ...T) T { return values[h.rng.IntN(len(values))] }
