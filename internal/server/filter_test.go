package server

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// A filter in our grammar leaves the same in a list as in a count, words and metadata with what columns say.
func TestFilters(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"rare", "common"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			h := open(t, setup{options: func(o *Options) {
				if way == "common" {
					o.Search = common{Searcher: o.Search}
				}
			}})
			testFilters(t, h)
		})
	}
}

func testFilters(t *testing.T, h *house) {
	h.post(
		event("f1", "trace_create", `{"id":"t-1","name":"Checkout","user_id":"u-1","input":"Where is order 4711?","metadata":{"tier":"gold","n":7,"user":{"plan":"pro"}}}`),
		event("f2", "observation_create", `{"id":"o-1","trace_id":"t-1","name":"charge","type":"tool","level":"ERROR","latency_ms":2500,"output":"a refund was made"}`),
		event("f3", "trace_create", `{"id":"t-2","name":"support mail","environment":"dev","input":"order 12","metadata":{"tier":"gold plated"}}`),
		event("f4", "observation_create", `{"id":"o-2","trace_id":"t-2","name":"answer","type":"generation","model":"m-1","latency_ms":90,"total_cost":0.02,"metadata":{"tier":"silver"},"attributes":{"lane":"a"}}`),
		event("f5", "quality_score_create", `{"trace_id":"t-2","observation_id":"o-2","name":"clear, short","value":0.5}`),
		event("f6", "trace_create", `{"id":"t-3","name":"spam"}`),
	)
	h.settle()
	for filter, want := range map[string][2]string{ // traces, observations
		"level:error type:tool latency:>2s name:*CH*": {"", "o-1"}, "name:*check*": {"t-1", ""}, "type:tool,agent": {"t-1", "o-1"}, "-env:dev": {"t-1 t-3", "o-1 o-2"},
		"metadata.tier:gold": {"t-1", ""}, "metadata.tier:gold*": {"t-1 t-2", ""}, "metadata.tier:silver": {"t-2", "o-2"}, "-metadata.tier:gold": {"t-2 t-3", "o-1 o-2"}, "-has:metadata.tier": {"t-3", "o-1"},
		"metadata.user.plan:pro metadata.n:>5": {"t-1", ""}, "metadata.n:..6.9": {"", ""}, "attributes.lane:a": {"t-2", "o-2"}, "-attributes.lane:a has:cost": {"", ""},
		"cost:>0.01 has:score": {"t-2", "o-2"}, `score."clear, short":>=0.5`: {"t-2", "o-2"}, "-has:score": {"t-1 t-3", "o-1"},
		"order": {"t-1 t-2", ""}, "refund metadata.tier:gold": {"t-1", ""}, "order -refund": {"t-2", ""}, "-order -spam": {"", "o-1 o-2"}, `"order 12" -error:true`: {"t-2", ""}, "": {"t-1 t-2 t-3", "o-1 o-2"},
	} {
		q := "?filter=" + url.QueryEscape(filter)
		for i, list := range []string{"/v1/traces", "/v1/observations"} {
			got := ids(t, h.get(list+q))
			slices.Sort(got)
			if strings.Join(got, " ") != want[i] {
				t.Errorf("%s %s: %v, want %s", list, filter, got, want[i])
			}
			rep := h.get("/v1/stats" + q + "&of=" + strings.TrimPrefix(list, "/v1/"))
			wanted := `{"data":[{"count":` + string(rune('0'+len(got))) + `}],"next_cursor":null}`
			if string(rep.body) != wanted {
				t.Errorf("%s %s: counted %s, want %s", list, filter, rep.body, wanted)
			}
		}
	}
}

// Every list that takes a filter refuses one that cannot be read, with its place; and a cursor is of its filter.
func TestFilterRefusals(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	tenTraces(h)
	for _, list := range []string{"/v1/traces", "/v1/observations", "/v1/scores", "/v1/sessions", "/v1/users", "/v1/stats"} {
		rep := h.get(list + "?filter=" + url.QueryEscape(`name:"é" levle:error`))
		if want := `"details":{"expected":"level","length":5,"parameter":"filter","position":9}`; rep.status != 400 || !strings.Contains(string(rep.body), want) {
			t.Errorf("%s: %d %s", list, rep.status, rep.body)
		}
		if rep := h.get(list + "?filter=env:default&filter=name:x"); rep.status != 400 || !strings.Contains(string(rep.body), "invalid_parameter") {
			t.Errorf("%s twice: %d %s", list, rep.status, rep.body)
		}
	}
	for _, list := range []string{"/v1/environments", "/v1/telemetry/events"} {
		if rep := h.get(list + "?filter=env:default"); rep.status != 400 || !strings.Contains(string(rep.body), "unknown_parameter") {
			t.Errorf("%s: %d %s", list, rep.status, rep.body)
		}
	}
	page := decoded[struct {
		NextCursor string `json:"next_cursor"`
	}](t, h.get("/v1/traces?limit=2&filter=env:default"))
	for filter, status := range map[string]int{"env:default": 200, "env:other": 400, "": 400} {
		if rep := h.get("/v1/traces?limit=2&filter=" + filter + "&cursor=" + page.NextCursor); rep.status != status {
			t.Errorf("a cursor of env:default with %q: %d %s", filter, rep.status, rep.body)
		}
	}
}
