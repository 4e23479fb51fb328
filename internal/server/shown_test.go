package server

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Lists that are asked for previews say what rows begin with and end with, and mark the words of a search.
func TestPreviews(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"rare", "common"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			h := open(t, setup{options: func(o *Options) {
				if way == "common" {
					o.Search = common{Searcher: o.Search}
				}
			}})
			testPreviews(t, h)
		})
	}
}

func testPreviews(t *testing.T, h *house) {
	h.post(
		event("p1", "trace_create", `{"id":"t-1","name":"asked","input":{"q":"Where is <b>ORDER</b> 4711?"}}`),
		event("p2", "trace_update", `{"id":"t-1","output":"on its way"}`),
		event("p3", "observation_create", `{"id":"o-1","trace_id":"t-1","name":"call","input":"hidden","output":[{"role":"assistant","content":"the parcel left"}]}`),
		event("p4", "observation_create", `{"id":"o-2","trace_id":"t-2","name":"root","input":"of the root","output":"its end"}`),
		event("p5", "observation_create", `{"id":"o-3","trace_id":"t-2","parent_observation_id":"o-2","name":"leaf","input":"of the leaf","status_message":"parcel lost"}`),
		event("p6", "trace_create", `{"id":"t-3","name":"silent"}`),
		event("p7", "trace_create", `{"id":"t-4","name":"chat","input":{"message":"Is it <i>late</i>?","locale":"en"},"output":{"role":"assistant","content":"It is."}}`),
		event("p8", "observation_create", `{"id":"o-4","trace_id":"t-4","name":"call","input":{"messages":[{"role":"user","content":"Is it?"}]}}`),
	)
	h.settle()
	other := h.newKey("two", "ingest", "read")
	h.send("POST", "/v1/telemetry/batch", batch(event("x1", "trace_create", `{"id":"t-1","input":"foreign"}`)), "X-API-Key", "", "X-API-Key", other)
	h.settle()
	traces := func(query string) map[string]string {
		all := map[string]string{}
		for _, r := range decoded[wire.Page[wire.TraceSummary]](t, h.get("/v1/traces?"+query)).Data {
			all[r.ID] = r.InputPreview + "|" + r.OutputPreview + marked(r.Highlights)
		}
		return all
	}
	for query, want := range map[string]map[string]string{
		"":                      {"t-1": "|", "t-2": "|", "t-3": "|", "t-4": "|"},
		"q=order":               {"t-1": "|"},
		"previews=true":         {"t-1": `{"q":"Where is <b>ORDER</b> 4711?"}|on its way`, "t-2": "of the root|its end", "t-3": "|", "t-4": "Is it <i>late</i>?|It is."},
		"previews=true&q=order": {"t-1": `{"q":"Where is <b>ORDER</b> 4711?"}|on its way; input: Where is <b>[ORDER]</b> 4711?`},
		"previews=true&filter=" + url.QueryEscape("parcel -lost"): {"t-1": `{"q":"Where is <b>ORDER</b> 4711?"}|on its way; output: the [parcel] left`},
		"previews=true&q=parcel":                                  {"t-1": `{"q":"Where is <b>ORDER</b> 4711?"}|on its way; output: the [parcel] left`, "t-2": "of the root|its end; status_message: [parcel] lost"},
	} {
		if got := traces(query); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s:\n got %v\nwant %v", query, got, want)
		}
	}
	var steps []string
	for _, o := range decoded[wire.Page[wire.Observation]](t, h.get("/v1/observations?previews=true&sort=start_time&q=parcel")).Data {
		steps = append(steps, o.ID+marked(o.Highlights))
	}
	if got := strings.Join(steps, " "); got != "o-1; output: the [parcel] left o-3; status_message: [parcel] lost" {
		t.Errorf("observations: %s", got)
	}
	if o := decoded[wire.Page[wire.Observation]](t, h.get("/v1/observations?name=call&trace_id=t-4")).Data; len(o) != 1 || o[0].InputPreview != "Is it?" {
		t.Errorf("the preview of messages: %+v", o)
	}
	if rep := h.get("/v1/traces?previews=true&limit=201"); rep.status != 400 || !strings.Contains(string(rep.body), `"parameter":"limit"`) {
		t.Errorf("too many: %d %s", rep.status, rep.body)
	}
	if rep := h.get("/v1/scores?previews=true"); rep.status != 400 {
		t.Errorf("scores: %d", rep.status)
	}
}

// marked are highlights, with the words in brackets.
func marked(all []wire.Highlight) string {
	var b strings.Builder
	for _, h := range all {
		b.WriteString("; " + h.Field + ": ")
		for _, s := range h.Segments {
			if s.Match {
				b.WriteString("[" + s.Text + "]")
			} else {
				b.WriteString(s.Text)
			}
		}
	}
	return b.String()
}
