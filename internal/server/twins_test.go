package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// span posts a span over OTLP as a request of its own; said are keys and values of attributes.
func (h *house) span(scope, trace, id string, from, to int, said ...string) {
	h.tb.Helper()
	attributes := []string{`{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}}`}
	for i := 0; i < len(said); i += 2 {
		attributes = append(attributes, fmt.Sprintf(`{"key":%q,"value":{"stringValue":%q}}`, said[i], said[i+1]))
	}
	body := fmt.Sprintf(`{"resourceSpans":[{"scopeSpans":[{"scope":{"name":%q},"spans":[{"traceId":%q,"spanId":%q,"name":"call","kind":3,
		"startTimeUnixNano":"%d000000","endTimeUnixNano":"%d000000","attributes":[%s]}]}]}]}`,
		scope, trace, id, 1772366400000+from, 1772366400000+to, strings.Join(attributes, ","))
	if rep := h.send(http.MethodPost, "/v1/traces", []byte(body), "Content-Type", "application/json"); rep.status != http.StatusOK {
		h.tb.Fatalf("%d %s", rep.status, rep.body)
	}
}

// One call that two libraries report in two traces counts once in every answer, whichever comes first; each report
// is still to be had, says which stands for it, and outlives the other.
func TestOneCallOneGeneration(t *testing.T) {
	t.Parallel()
	one, two := strings.Repeat("a", 32), strings.Repeat("b", 32)
	library := func(h *house) {
		h.span("openinference.instrumentation.anthropic", one, "1111111111111111", 0, 100, "gen_ai.response.id", "msg_1",
			"gen_ai.input.messages", `[{"role":"user","parts":[{"type":"text","content":"hello"}]}]`, "gen_ai.usage.input_tokens", "20", "gen_ai.usage.output_tokens", "51")
	}
	sdk := func(h *house) {
		h.span("com.anthropic.sdk.python", two, "2222222222222222", 10, 90, "gen_ai.response.id", "msg_1", "gen_ai.usage.input_tokens", "110",
			"gen_ai.usage.output_tokens", "50", "gen_ai.usage.cost", "0.5", "gen_ai.response.model", "claude-x", "session.id", "s", "error.type", "x.Y")
	}
	for name, order := range map[string][]func(*house){"library first": {library, sdk}, "SDK first": {sdk, library}} {
		h := open(t, setup{})
		order[0](h)
		h.settle()
		order[1](h)
		h.settle()
		if got := ids(t, h.get("/v1/observations")); len(got) != 1 || got[0] != "1111111111111111" {
			t.Fatalf("%s: calls %v", name, got)
		}
		both := decoded[wire.Page[wire.Observation]](t, h.get("/v1/observations?duplicates=true")).Data
		if len(both) != 2 {
			t.Fatalf("%s: %d reports", name, len(both))
		}
		for _, o := range both {
			h.answersAgree(o)
		}
		if kept := h.observation("1111111111111111", ""); *kept.PromptTokens != 110 || *kept.CompletionTokens != 50 || kept.Model != "claude-x" || *kept.TotalCost != 0.5 {
			t.Errorf("%s: kept is %+v", name, kept)
		}
		if twin := h.observation("2222222222222222", ""); twin.DuplicateOf != "1111111111111111" || twin.DuplicateOfTrace != one || twin.Counted {
			t.Errorf("%s: the twin is %+v", name, twin)
		}
		type row struct {
			Count, Tokens int64
			Cost          float64
		}
		for query, want := range map[string]row{"": {1, 160, 0.5}, "&duplicates=true": {2, 160, 0.5}, "&of=traces": {2, 160, 0.5}, "&session_id=s": {1, 160, 0.5}} {
			if got := decoded[wire.Page[row]](t, h.get("/v1/stats?metrics=count,tokens,cost"+query)).Data[0]; got != want {
				t.Errorf("%s: statistics%s are %+v, want %+v", name, query, got, want)
			}
		}
		session := decoded[wire.Page[wire.SessionSummary]](t, h.get("/v1/sessions")).Data[0]
		if session.TotalTokens != 160 || dollars(session.TotalCost) != 0.5 || session.ObservationCount != 1 {
			t.Errorf("%s: the session is %+v", name, session)
		}
		if rep := h.get("/v1/traces?duplicates=true"); rep.status != http.StatusBadRequest {
			t.Errorf("%s: traces have no duplicates: %d", name, rep.status)
		}
		if rep := h.send(http.MethodDelete, "/v1/traces/"+one, nil); rep.status != http.StatusOK {
			t.Fatalf("%s: %d %s", name, rep.status, rep.body)
		}
		if left := h.observation("2222222222222222", ""); left.DuplicateOf != "" || !left.Counted || *left.TotalTokens != 160 {
			t.Errorf("%s: without the other the twin is %+v", name, left)
		}
		if got := ids(t, h.get("/v1/observations")); len(got) != 1 || got[0] != "2222222222222222" {
			t.Errorf("%s: without the other calls are %v", name, got)
		}
		h.close()
	}
}

// answersAgree compares the row of a list with the observation and with its place in the trace.
func (h *house) answersAgree(row wire.Observation) {
	h.tb.Helper()
	flat := func(o wire.Observation) string {
		o.Children, o.Metadata, o.Input, o.Output, o.ModelParameters, o.Usage, o.Attributes = nil, nil, nil, nil, nil, nil, nil
		o.MessagesIn, o.MessagesOut, o.Tools, o.Resource, o.Events, o.Links = nil, nil, nil, nil, nil, nil
		b, err := json.Marshal(o)
		if err != nil {
			h.tb.Fatal(err)
		}
		return string(b)
	}
	if one := h.observation(row.ID, "?trace_id="+row.TraceID); flat(one) != flat(row) {
		h.tb.Errorf("the list has\n%s\nthe observation is\n%s", flat(row), flat(one))
	}
	var find func([]*wire.Observation) *wire.Observation
	find = func(list []*wire.Observation) *wire.Observation {
		for _, o := range list {
			if o.ID == row.ID {
				return o
			}
			if below := find(o.Children); below != nil {
				return below
			}
		}
		return nil
	}
	trace := h.trace(row.TraceID)
	if o := find(trace.Observations); o == nil || flat(*o) != flat(row) {
		h.tb.Errorf("the list has\n%s\nthe trace\n%v", flat(row), o)
	}
	for _, t := range decoded[wire.Page[wire.TraceSummary]](h.tb, h.get("/v1/traces?limit=1000")).Data {
		if a, b := fmt.Sprintf("%+v", t), fmt.Sprintf("%+v", trace.TraceSummary); t.ID == trace.ID && (t.TotalTokens != trace.TotalTokens || dollars(t.TotalCost) != dollars(trace.TotalCost) ||
			t.ObservationCount != trace.ObservationCount || t.ErrorCount != trace.ErrorCount || t.SessionID != trace.SessionID) {
			h.tb.Errorf("the list has the trace\n%s\nit is\n%s", a, b)
		}
	}
}

// Over histories of calls whose twins come in any order: what is answered about one observation or trace, from the
// events in the Log, is what lists say.
func TestAnswersAboutTwinsAgree(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for i, rec := range storetest.CallHistory(chance.Seed(t), 80) {
		h.accept(at(fmt.Sprint("e", i), string(rec.Event.Type), int(rec.Event.Timestamp.Unix()), string(rec.Event.Payload)))
		if i%20 == 19 {
			h.settle()
		}
	}
	rows := decoded[wire.Page[wire.Observation]](t, h.get("/v1/observations?duplicates=true&limit=1000")).Data
	twins := 0
	for _, row := range rows {
		h.answersAgree(row)
		if row.DuplicateOf != "" {
			twins++
		}
	}
	if twins == 0 || twins == len(rows) {
		t.Errorf("%d of %d are duplicates", twins, len(rows))
	}
}

// A call that two libraries report, each with a cost, costs once, and every answer about the duplicate says why its own does not count.
func TestOneCallCostsOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		library, sdk string // the costs that they send; "" is none
		want         float64
	}{"both send one": {"0.5", "0.75", 0.5}, "the one that is kept": {"0.5", "", 0.5}, "the other one": {"", "0.75", 0.75}} {
		h := open(t, setup{cost: pricing.PreferReported})
		trace, other := strings.Repeat("a", 32), strings.Repeat("b", 32)
		call := []string{"gen_ai.response.id", "msg_1", "gen_ai.provider.name", "anthropic", "gen_ai.response.model", "claude-sonnet-4-5", "gen_ai.usage.input_tokens", "20",
			"gen_ai.usage.output_tokens", "50", "session.id", "s", "user.id", "u"}
		h.span("openinference.instrumentation.anthropic", trace, "1111111111111111", 0, 100, append(slices.Clone(call), "gen_ai.usage.cost", c.library,
			"gen_ai.input.messages", `[{"role":"user","parts":[{"type":"text","content":"hello"}]}]`)...)
		h.span("com.anthropic.sdk.python", other, "2222222222222222", 10, 90, append(slices.Clone(call), "gen_ai.usage.cost", c.sdk)...)
		h.settle()
		session := decoded[wire.Page[wire.SessionSummary]](t, h.get("/v1/sessions")).Data[0]
		user := decoded[wire.Page[wire.UserSummary]](t, h.get("/v1/users")).Data[0]
		environment := decoded[wire.Page[wire.EnvironmentSummary]](t, h.get("/v1/environments")).Data[0]
		for what, got := range map[string]*float64{"trace": h.trace(trace).TotalCost, "session": session.TotalCost, "user": user.TotalCost, "environment": environment.TotalCost} {
			if dollars(got) != c.want {
				t.Errorf("%s: the %s costs %v, want %v", name, what, dollars(got), c.want)
			}
		}
		for _, of := range []string{"of=traces", "of=observations", "of=observations&duplicates=true", "group_by=model&duplicates=true", "group_by=cost_reason&duplicates=true"} {
			sum := 0.0
			for _, row := range decoded[wire.Page[struct{ Cost float64 }]](t, h.get("/v1/stats?metrics=cost&"+of)).Data {
				sum += row.Cost
			}
			if sum != c.want {
				t.Errorf("%s: statistics %s cost %v, want %v", name, of, sum, c.want)
			}
		}
		twins := decoded[wire.Page[wire.Observation]](t, h.get("/v1/observations?duplicates=true&trace_id="+other)).Data
		cost := decoded[costAnswer](t, h.get("/v1/observations/2222222222222222/cost"))
		answers := map[string]wire.Observation{"list": twins[0], "detail": h.observation("2222222222222222", ""), "trace": *h.trace(other).Observations[0],
			"cost": {TotalCost: cost.TotalCost, CostSource: cost.CostSource, CostReason: cost.CostReason, DuplicateOf: cost.DuplicateOf}}
		for what, o := range answers {
			if (o.TotalCost == nil) != (c.sdk == "") || o.TotalCost != nil && fmt.Sprint(*o.TotalCost) != c.sdk || o.CostReason != entity.CostOfTheKept || o.DuplicateOf == "" || o.Counted && o.TotalCost != nil {
				t.Errorf("%s, %s: costs %v, %s, %q", name, what, dollars(o.TotalCost), o.CostSource, o.CostReason)
			}
		}
		if cost.Total != nil || len(cost.Parts) != 0 || cost.Reason != entity.CostOfTheKept || (cost.Reported == nil) != (c.sdk == "") {
			t.Errorf("%s: how the duplicate's cost came about: %+v", name, cost)
		}
		if r := reason(h.explain("2222222222222222", ""), "cost_source"); !strings.Contains(r.Rule, entity.CostOfTheKept) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
