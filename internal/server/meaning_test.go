package server

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// at is an event of that time as JSON; a time of 0 is not sent, an id of "" is a random one.
func at(id, typ string, seconds int, payload string) string {
	if id == "" {
		id = rand.Text()
	}
	time := ""
	if seconds > 0 {
		time = fmt.Sprintf(`,"timestamp":%d`, seconds)
	}
	return fmt.Sprintf(`{"event_id":%q,"event_type":%q,"payload":%s%s}`, id, typ, payload, time)
}

func (h *house) observation(id, query string) wire.Observation {
	h.tb.Helper()
	rep := h.get("/v1/observations/" + id + query)
	if rep.status != 200 {
		h.tb.Fatalf("%s%s: %d %s", id, query, rep.status, rep.body)
	}
	return decoded[wire.Observation](h.tb, rep)
}

func (h *house) trace(id string) wire.Trace {
	h.tb.Helper()
	rep := h.get("/v1/traces/" + id)
	if rep.status != 200 {
		h.tb.Fatalf("%s: %d %s", id, rep.status, rep.body)
	}
	return decoded[wire.Trace](h.tb, rep)
}

func (h *house) history(path string) (ids string) {
	h.tb.Helper()
	for _, e := range decoded[wire.Page[wire.ObservationEvent]](h.tb, h.get(path)).Data {
		ids += e.EventID + " "
	}
	return strings.TrimSpace(ids)
}

// Clients of the field send whole seconds, or no time, and random ids: the later update
// has the last word, in one request and over two.
func TestTheLastWordWins(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for _, second := range []int{1764000000, 0} {
		for _, split := range []bool{false, true} {
			for i := range 10 {
				id := fmt.Sprintf("o-%d-%v-%d", second, split, i)
				first := []string{at("", "observation_create", second, `{"id":"`+id+`","trace_id":"t","name":"n"}`),
					at("", "observation_update", second, `{"id":"`+id+`","output":"partial"}`)}
				last := at("", "observation_update", second, `{"id":"`+id+`","output":"final"}`)
				if split {
					h.post(first...)
					h.post(last)
				} else {
					h.post(append(first, last)...)
				}
				score := func(v string) string {
					return at("", "quality_score_create", second, `{"id":"s-`+id+`","trace_id":"scored","name":"q","value":`+v+`}`)
				}
				h.post(score("0.1"), score("0.9"))
			}
		}
	}
	h.settle()
	for _, o := range decoded[wire.Page[wire.Observation]](t, h.get("/v1/observations?limit=100")).Data {
		if got := h.observation(o.ID, ""); string(got.Output) != `"final"` || o.OutputPreview != "final" {
			t.Errorf("%s: %s, in the list %s", o.ID, got.Output, o.OutputPreview)
		}
	}
	scores := decoded[wire.Page[wire.Score]](t, h.get("/v1/scores?limit=100")).Data
	if len(scores) != 40 {
		t.Fatalf("%d scores", len(scores))
	}
	for _, s := range scores {
		if *s.Value != 0.9 {
			t.Errorf("%s is %v", s.ID, *s.Value)
		}
	}
}

// A create whose clock runs fast does not overrule its complete, and the latency that
// comes of two clocks is null with a reason.
func TestACreateNeverOverrules(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	const now = 1764000000
	h.post(at("make", "observation_create", now+3600, `{"id":"o","trace_id":"t","name":"job","level":"DEFAULT","status_message":"running"}`),
		at("done", "observation_complete", now, `{"id":"o","level":"ERROR","status_message":"timeout","output":"out"}`),
		at("t1", "trace_create", now+3600, `{"id":"t","name":"first"}`), at("t2", "trace_update", now, `{"id":"t","name":"last"}`))
	h.settle()
	o := h.observation("o", "")
	if o.Level != "ERROR" || o.StatusMessage != "timeout" || string(o.Output) != `"out"` || o.LatencyMS != nil || o.LatencyReason == "" {
		t.Errorf("the observation is %+v", o)
	}
	tr := h.trace("t")
	list := decoded[wire.Page[wire.TraceSummary]](t, h.get("/v1/traces?has_error=true")).Data
	if tr.Name != "last" || tr.LatencyMS != nil || tr.LatencyReason == "" || len(list) != 1 || list[0].LatencyMS != nil ||
		list[0].LatencyReason != tr.LatencyReason || list[0].Name != "last" {
		t.Errorf("the trace is %+v, in the list of failed ones %+v", tr.TraceSummary, list)
	}
	if got := h.history("/v1/observations/o/history"); got != "make done" {
		t.Errorf("the history is %s", got)
	}
}

// sameStep puts an observation of one id into two traces, A and then B, with an update
// and a score that name no trace.
func sameStep(h *house) {
	h.post(at("a1", "trace_create", 100, `{"id":"A","name":"first"}`),
		at("a2", "observation_create", 100, `{"id":"step-1","trace_id":"A","name":"a","total_tokens":5,"total_cost":0.5,"input":"in A"}`))
	h.post(at("b1", "trace_create", 200, `{"id":"B","name":"second"}`),
		at("b2", "observation_create", 200, `{"id":"step-1","trace_id":"B","name":"b","total_tokens":7,"total_cost":0.7,"input":"in B"}`),
		at("open", "observation_update", 300, `{"id":"step-1","status_message":"open"}`),
		at("about", "quality_score_create", 300, `{"id":"s","observation_id":"step-1","name":"q","value":1}`))
	h.settle()
}

// The same observation id in two traces is two observations, and what names no trace
// speaks of the newest, which its receipt says.
func TestOneIdInTwoTraces(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	sameStep(h)
	for id, want := range map[string]string{"A": "a 5 0.5 map[] ", "B": "b 7 0.7 map[q:1] open"} {
		tr := h.trace(id)
		if len(tr.Observations) != 1 {
			t.Fatalf("%s has %d observations", id, len(tr.Observations))
		}
		o := tr.Observations[0]
		if got := fmt.Sprintf("%s %d %v %v %s", o.Name, tr.TotalTokens, dollars(tr.TotalCost), tr.Scores, o.StatusMessage); got != want {
			t.Errorf("%s is %s, want %s", id, got, want)
		}
	}
	for query, want := range map[string]string{
		"": "b B open true", "?trace_id=A": "a A  false", "?trace_id=B": "b B open false",
	} {
		o := h.observation("step-1", query)
		if got := fmt.Sprint(o.Name, " ", o.TraceID, " ", o.StatusMessage, " ", o.Ambiguous); got != want {
			t.Errorf("%q is %s, want %s", query, got, want)
		}
	}
	for query, want := range map[string]string{"": "b2 open", "?trace_id=A": "a2", "?trace_id=B": "b2 open"} {
		if got := h.history("/v1/observations/step-1/history" + query); got != want {
			t.Errorf("the history%s is %s, want %s", query, got, want)
		}
	}
	if rep := h.get("/v1/observations/step-1/history"); !strings.Contains(string(rep.body), `"ambiguous":true`) {
		t.Errorf("the history says nothing of the others: %s", rep.body)
	}
	for _, path := range []string{"/v1/observations/step-1?trace_id=C", "/v1/observations/step-1/history?trace_id=C"} {
		if rep := h.get(path); rep.status != 404 {
			t.Errorf("%s: %d", path, rep.status)
		}
	}
	for id, noted := range map[string]bool{"open": true, "about": true, "a2": false, "b2": false, "a1": false} {
		receipt := decoded[wire.EventReceipt](t, h.get("/v1/telemetry/events/"+id))
		if (len(receipt.Notes) == 1) != noted || noted && !strings.Contains(receipt.Notes[0], `trace "B"`) {
			t.Errorf("the receipt of %s notes %q", id, receipt.Notes)
		}
	}
	if got := decoded[wire.Page[wire.Observation]](t, h.get("/v1/observations?sort=start_time")).Data; len(got) != 2 || got[0].TraceID != "A" {
		t.Errorf("the list has %+v", got)
	}
	if got := ids(t, h.get("/v1/observations?q=in+A")); len(got) != 1 {
		t.Errorf("a search finds %v", got)
	}
}

// A trace is erased without the step of another trace that has the same id.
func TestEraseLeavesTheStepOfAnotherTrace(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]struct {
		left, names string
		erased      erased
	}{
		"A": {"B", "b open ", erased{1, 1, 0, 2}},
		"B": {"A", "a  ", erased{1, 1, 1, 4}},
	} {
		h := open(t, setup{})
		sameStep(h)
		rep := h.send("DELETE", "/v1/traces/"+id, nil)
		if got := decoded[erasure](t, rep); rep.status != 200 || got.Erased != want.erased {
			t.Errorf("erasing %s: %d %s, want %+v", id, rep.status, rep.body, want.erased)
		}
		if rep := h.get("/v1/traces/" + id); rep.status != 404 {
			t.Errorf("%s is there: %d", id, rep.status)
		}
		o := h.observation("step-1", "")
		if got := o.Name + " " + o.StatusMessage + " "; o.TraceID != want.left || got != want.names || o.Ambiguous {
			t.Errorf("without %s the step is %+v", id, o)
		}
	}
}

// An agent that carries the sum of its calls counts once, exactly, and alike in the
// trace, the lists and the statistics; it keeps what it said, and says that it is not counted.
func TestRolledUpNumbersCountOnce(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	events := []string{event("r", "observation_create", `{"id":"r","trace_id":"t","type":"agent","name":"agent","usage":{"prompt_tokens":300,"completion_tokens":60},"total_cost":0.036}`)}
	for _, id := range []string{"1", "2", "3"} {
		events = append(events, event(id, "observation_create", `{"id":"c`+id+`","trace_id":"t","parent_observation_id":"r","type":"generation","name":"call","model":"m","usage":{"prompt_tokens":100,"completion_tokens":20},"total_cost":0.012}`))
	}
	for _, id := range []string{"x", "y", "z"} { // their float sum is 0.6000000000000001
		events = append(events, event(id, "observation_create", `{"id":"`+id+`","trace_id":"u","type":"llm","name":"call","input_cost":0.1,"output_cost":0.1}`))
	}
	h.post(events...)
	h.settle()
	if tr := h.trace("t"); tr.TotalTokens != 360 || dollars(tr.TotalCost) != 0.036 {
		t.Errorf("the trace has %d tokens and costs %v", tr.TotalTokens, dollars(tr.TotalCost))
	}
	if tr := h.trace("u"); dollars(tr.TotalCost) != 0.6 {
		t.Errorf("the other trace costs %v", dollars(tr.TotalCost))
	}
	for _, tr := range decoded[wire.Page[wire.TraceSummary]](t, h.get("/v1/traces")).Data {
		if detail := h.trace(tr.ID); dollars(tr.TotalCost) != dollars(detail.TotalCost) || tr.TotalTokens != detail.TotalTokens {
			t.Errorf("%s costs %v in the list and %v by itself", tr.ID, dollars(tr.TotalCost), dollars(detail.TotalCost))
		}
	}
	for _, of := range []string{"traces", "observations"} {
		if rep := h.get("/v1/stats?metrics=tokens,cost&of=" + of); !strings.Contains(string(rep.body), `{"cost":0.636,"tokens":360}`) {
			t.Errorf("statistics of %s: %s", of, rep.body)
		}
	}
	if r := h.observation("r", ""); r.Counted || *r.TotalTokens != 360 || *r.TotalCost != 0.036 {
		t.Errorf("the agent is %+v", r)
	}
	if c := h.observation("c1", ""); !c.Counted {
		t.Error("a call is not counted")
	}
	for _, o := range h.trace("t").Observations {
		if o.Counted || len(o.Children) != 3 || !o.Children[0].Counted {
			t.Errorf("the tree has %+v", o)
		}
	}
}

// An update takes back what was said before of the fields that it clears; null changes
// nothing; the history shows what was cleared.
func TestClear(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(at("1", "trace_create", 100, `{"id":"t","name":"n","user_id":"u","session_id":"s","tags":["wrong"],"metadata":{"a":1}}`),
		at("2", "trace_update", 101, `{"id":"t","clear":["tags","user_id"],"session_id":null,"tags":["right"]}`),
		at("3", "observation_create", 100, `{"id":"o","trace_id":"t","name":"n","status_message":"wrong","level":"ERROR","prompt_tokens":3}`),
		at("4", "observation_update", 101, `{"id":"o","clear":["status_message","level","prompt_tokens"]}`),
		at("5", "quality_score_create", 100, `{"id":"s","trace_id":"t","name":"q","value":1,"comment":"wrong"}`),
		at("6", "quality_score_update", 101, `{"id":"s","clear":["comment"]}`))
	h.settle()
	tr := h.trace("t")
	list := decoded[wire.Page[wire.TraceSummary]](t, h.get("/v1/traces")).Data[0]
	for where, s := range map[string]wire.TraceSummary{"the trace": tr.TraceSummary, "the list": list} {
		if s.UserID != "" || s.SessionID != "s" || !slices.Equal(s.Tags, []string{"right"}) || s.ErrorCount != 0 || s.TotalTokens != 0 {
			t.Errorf("%s has %+v", where, s)
		}
	}
	if o := h.observation("o", ""); o.StatusMessage != "" || o.Level != "DEFAULT" || o.PromptTokens != nil || o.Name != "n" {
		t.Errorf("the observation is %+v", o)
	}
	if s := tr.ScoreList[0]; s.Comment != "" || *s.Value != 1 {
		t.Errorf("the score is %+v", s)
	}
	if got := ids(t, h.get("/v1/traces?user_id=u")); len(got) != 0 {
		t.Errorf("the user that was taken back finds %v", got)
	}
	if rep := h.get("/v1/traces/t/history"); !strings.Contains(string(rep.body), `"clear":["tags","user_id"]`) {
		t.Errorf("the history does not say what was cleared: %s", rep.body)
	}
}

// Property 1: what was answered as processed is readable, also when its id had been
// accepted before with other content; the same content again changes nothing.
func TestAnIdThatComesAgain(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	send := func(events ...string) wire.BatchResponse {
		body := `{"events":[` + strings.Join(events, ",") + `],"deduplication":{"enabled":false}}`
		return checked(t, h.send("POST", "/v1/telemetry/batch", []byte(body)))
	}
	one, two := `{"id":"one","name":"first"}`, `{"id":"two","name":"second"}`
	h.post(at("job-1", "trace_create", 100, one))
	second := send(at("job-1", "trace_create", 100, two))
	third := send(at("job-1", "trace_update", 100, `{"id":"two","user_id":"u"}`), at("job-1", "trace_create", 500, one))
	if second.ProcessedEvents != 1 || third.ProcessedEvents != 2 {
		t.Fatalf("%+v %+v", second, third)
	}
	h.settle()
	if tr := h.trace("two"); tr.Name != "second" || tr.UserID != "u" {
		t.Errorf("trace two is %+v", tr.TraceSummary)
	}
	if tr := h.trace("one"); tr.Name != "first" || tr.StartTime.Unix() != 100 {
		t.Errorf("trace one is %+v", tr.TraceSummary)
	}
	for path, want := range map[string]string{"/v1/traces/two/history": "job-1 job-1", "/v1/traces/one/history": "job-1",
		"/v1/telemetry/events?trace_id=two": "job-1 job-1"} {
		if got := h.history(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	receipt := decoded[wire.EventReceipt](t, h.get("/v1/telemetry/events/job-1"))
	var facts []string
	for _, f := range receipt.Facts {
		facts = append(facts, string(f.EventType)+" "+f.EntityID)
		if f.BatchID == "" || f.At.IsZero() {
			t.Errorf("%+v", f)
		}
	}
	if want := "trace_create one, trace_create two, trace_update two"; receipt.Status != "stored" || strings.Join(facts, ", ") != want {
		t.Errorf("the receipt is %+v", receipt)
	}
	if got := h.stored(); got != 3 {
		t.Errorf("%d events are counted", got)
	}
}

// The same once the deduplication of an id has ended.
func TestAnIdThatComesAgainLater(t *testing.T) {
	t.Parallel()
	var later atomic.Int64 // minutes
	h := open(t, setup{now: func() time.Time { return time.Now().Add(time.Duration(later.Load()) * time.Minute) }})
	send := func(id, name string) {
		body := `{"deduplication":{"enabled":true,"ttl":60},"events":[` + at("job-1", "trace_create", 100, `{"id":"`+id+`","name":"`+name+`"}`) + `]}`
		if got := checked(t, h.send("POST", "/v1/telemetry/batch", []byte(body))); got.ProcessedEvents != 1 {
			t.Fatalf("%+v", got)
		}
		later.Add(2)
	}
	send("one", "first")
	send("two", "second")
	send("one", "first") // is new to the Log, and no news
	h.settle()
	if one, two := h.trace("one"), h.trace("two"); one.Name != "first" || two.Name != "second" {
		t.Errorf("the traces are %q and %q", one.Name, two.Name)
	}
	receipt := decoded[wire.EventReceipt](t, h.get("/v1/telemetry/events/job-1"))
	if len(receipt.Facts) != 2 || h.history("/v1/traces/one/history") != "job-1" {
		t.Errorf("the receipt is %+v", receipt)
	}
}

// What is new of an observation is in every answer, and null while nobody said it.
func TestNewFieldsOfAnObservation(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	fields := map[string]any{"cache_read_tokens": 80.0, "cache_write_tokens": 10.0, "reasoning_tokens": 30.0,
		"audio_input_tokens": 1.0, "audio_output_tokens": 2.0, "requested_model": "m", "finish_reason": "stop"}
	full := map[string]any{"id": "full", "trace_id": "t", "name": "n", "type": "generation",
		"prompt_tokens": 110.0, "completion_tokens": 50.0, "total_tokens": 80.0}
	maps.Copy(full, fields)
	payload, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	h.post(event("1", "observation_create", string(payload)), event("2", "observation_create", `{"id":"empty","trace_id":"t","name":"n"}`))
	h.settle()
	fields["total_tokens"] = 160.0 // nobody's total is believed
	list := decoded[wire.Page[map[string]any]](t, h.get("/v1/observations?sort=prompt_tokens")).Data
	for where, rows := range map[string][2]map[string]any{
		"the list":   {list[0], list[1]},
		"themselves": {decoded[map[string]any](t, h.get("/v1/observations/full")), decoded[map[string]any](t, h.get("/v1/observations/empty"))},
	} {
		for name, want := range fields {
			if got := rows[0][name]; got != want {
				t.Errorf("%s of %s is %v, want %v", name, where, got, want)
			}
			empty, there := rows[1][name]
			if !there || empty != nil && empty != "" {
				t.Errorf("%s of %s that nobody said is %v, %v", name, where, empty, there)
			}
		}
	}
}
