package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(
		event("s1", "trace_create", `{"id":"t-1","name":"support chat","user_id":"u-1","input":"Where is order 4711?"}`),
		event("s2", "observation_create", `{"id":"o-1","trace_id":"t-1","name":"answer","input":[{"role":"user","content":"caf\u00e9 in T\u00fcbingen"}]}`),
		event("s3", "observation_complete", `{"id":"o-1","output":{"text":"It ships tomorrow, \"really\". 注文は明日"}}`),
		event("s4", "trace_create", `{"id":"t-2","name":"support mail","user_id":"u-2","input":"order 12"}`),
		event("s5", "observation_create", `{"id":"o-2","trace_id":"t-2","name":"order","metadata":{"note":"aside"}}`),
		event("s6", "quality_score_create", `{"trace_id":"t-2","name":"helpful","value":1}`),
		event("s7", "observation_update", `{"id":"o-3","trace_id":"t-3","input":"only an observation"}`),
	)
	h.settle()
	other := h.newKey("two", "ingest", "read")
	h.send("POST", "/v1/telemetry/batch", batch(event("x1", "trace_create", `{"id":"t-1","name":"foreign order"}`)), "X-API-Key", "", "X-API-Key", other)
	h.settle()
	for query, want := range map[string][2]string{ // traces, observations
		"order": {"t-1 t-2", "o-2"}, "ORDER 4711": {"t-1", ""}, `"4711 order"`: {"", ""}, "café": {"t-1", "o-1"}, "tübingen answer": {"t-1", "o-1"},
		"café tomorrow": {"", ""}, // in two events
		"ships":         {"t-1", "o-1"}, `"tomorrow really"`: {"t-1", "o-1"}, "明日": {"t-1", "o-1"}, "日明": {"", ""}, "ship": {"", ""},
		"aside": {"t-2", "o-2"}, "note": {"", ""}, "helpful": {"", ""}, "observation": {"t-3", "o-3"}, "foreign": {"", ""}, "content": {"", ""},
	} {
		q := "?q=" + url.QueryEscape(query)
		for i, list := range []string{"/v1/traces", "/v1/observations"} {
			got := ids(t, h.get(list+q))
			slices.Sort(got)
			if strings.Join(got, " ") != want[i] {
				t.Errorf("%s %q: %v, want %s", list, query, got, want[i])
			}
			count := fmt.Sprintf(`{"data":[{"count":%d}],"next_cursor":null}`, len(got))
			if rep := h.get("/v1/stats" + q + "&of=" + strings.TrimPrefix(list, "/v1/")); string(rep.body) != count {
				t.Errorf("%s %q: counted %s, want %s", list, query, rep.body, count)
			}
		}
	}
	for path, want := range map[string]string{
		"/v1/traces?q=order&user_id=u-2": "t-2", "/v1/traces?q=order&from=1700000001": "", "/v1/traces?q=order&name=support+chat": "t-1", "/v1/traces?q=": "t-1 t-2 t-3",
	} {
		got := ids(t, h.get(path))
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", path, got, want)
		}
	}
	if got := ids(t, h.get("/v1/traces?q=foreign", "X-API-Key", "", "X-API-Key", other)); strings.Join(got, " ") != "t-1" {
		t.Errorf("the other project finds %v", got)
	}
	if rep := h.get("/v1/stats?of=events&q=order"); string(rep.body) != `{"data":[{"count":3}],"next_cursor":null}` {
		t.Errorf("events: %s", rep.body)
	}
}

// common makes every word a common one, and crowded one of more events than statistics are made of.
type common struct {
	store.Searcher
	crowded bool
}

type commonSearch struct {
	store.TextSearch
	crowded bool
}

func (c common) Search(project string, q *textsearch.Query) (store.TextSearch, error) {
	s, err := c.Searcher.Search(project, q)
	return commonSearch{s, c.crowded}, err
}

func (commonSearch) Rare(context.Context, int) ([]entity.Seq, bool, error) { return nil, false, nil }

func (s commonSearch) All(ctx context.Context, most int) ([]entity.Seq, bool, error) {
	if s.crowded {
		return nil, false, nil
	}
	return s.TextSearch.All(ctx, most)
}

// A search is the list without what the words are not in: for rare words and
// common ones, with ties, on pages, while more comes in (property 25).
func TestSearchPaging(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"rare", "common"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			h := open(t, setup{options: func(o *Options) {
				if way == "common" {
					o.Search = common{Searcher: o.Search}
				}
			}})
			testSearchPaging(t, h, chance.Of(t))
			if rep := h.get("/v1/stats?of=traces&q=alpha"); rep.status != 200 {
				t.Errorf("stats: %d %s", rep.status, rep.body)
			}
		})
	}
}

// leaking counts searches that are open. The second one fails.
type leaking struct {
	store.Searcher
	open, all *atomic.Int32
}

type leakingSearch struct {
	store.TextSearch
	of    leaking
	fails bool
}

func (c leaking) Search(project string, q *textsearch.Query) (store.TextSearch, error) {
	s, err := c.Searcher.Search(project, q)
	c.open.Add(1)
	return leakingSearch{s, c, c.all.Add(1) == 2}, err
}

func (s leakingSearch) Rare(context.Context, int) ([]entity.Seq, bool, error) {
	if s.fails {
		return nil, false, errors.New("broken")
	}
	return nil, false, nil
}

func (s leakingSearch) Close() {
	s.of.open.Add(-1)
	s.TextSearch.Close()
}

// A search that fails leaves none open of those before it.
func TestSearchThatFails(t *testing.T) {
	t.Parallel()
	var left, all atomic.Int32
	h := open(t, setup{options: func(o *Options) { o.Search = leaking{o.Search, &left, &all} }})
	if rep := h.get("/v1/traces?q=alpha&filter=beta"); rep.status != 500 || all.Load() != 2 {
		t.Errorf("%d %s after %d searches", rep.status, rep.body, all.Load())
	}
	if n := left.Load(); n != 0 {
		t.Errorf("%d searches are open", n)
	}
}

// Statistics of what too many events have say so, by the parameter that asks for it.
func TestStatsOfTooManyEvents(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) { o.Search = common{Searcher: o.Search, crowded: true} }})
	for param, query := range map[string]string{"q": "q=alpha", "filter": "filter=alpha"} {
		rep := h.get("/v1/stats?of=traces&" + query)
		if rep.status != 400 || !strings.Contains(string(rep.body), param+": what it asks for") || !strings.Contains(string(rep.body), "in more than 200000 events") {
			t.Errorf("%s: %d %s", query, rep.status, rep.body)
		}
	}
}

func testSearchPaging(t *testing.T, h *house, rng *rand.Rand) {
	words := []string{"alpha", "beta", "gamma", "delta"}
	texts := map[string][]string{} // trace → the texts of its events
	sent := 0
	post := func(n int, prefix string, traces int) {
		var events []string
		for range n {
			sent++
			trace := fmt.Sprint(prefix, rng.IntN(traces))
			text := words[rng.IntN(4)] + " " + words[rng.IntN(4)]
			payload, err := json.Marshal(map[string]string{"id": fmt.Sprint("o-", sent), "trace_id": trace, "name": "call", "input": text})
			if err != nil {
				t.Fatal(err)
			}
			texts[trace] = append(texts[trace], text)
			// Few instants: ties.
			events = append(events, fmt.Sprintf(`{"event_id":"e-%d","event_type":"observation_create","timestamp":%d,"payload":%s}`, sent, 1700000000+rng.IntN(5), payload))
		}
		h.post(events...)
		h.settle()
	}
	matches := func(id string, q ...string) bool {
		return slices.ContainsFunc(texts[id], func(text string) bool {
			return !slices.ContainsFunc(q, func(w string) bool { return !slices.Contains(strings.Fields(text), w) })
		})
	}
	post(60, "t-", 40)
	for _, sort := range []string{"", "-observation_count", "total_cost"} {
		for _, q := range [][]string{{"alpha"}, {"beta", "gamma"}, {"absent"}} {
			path := fmt.Sprintf("/v1/traces?sort=%s&q=%s&limit=", sort, url.QueryEscape(strings.Join(q, " ")))
			want := slices.DeleteFunc(ids(t, h.get("/v1/traces?limit=1000&sort="+sort)), func(id string) bool { return !matches(id, q...) })
			if got := searchPages(t, h, path+"3", func() {}); !slices.Equal(got, want) {
				t.Fatalf("%s: %v, want %v", path, got, want)
			}
			if sort != "" {
				continue // an insert moves what is sorted by a sum
			}
			// What was there stays where it was; new traces may come among it.
			got := searchPages(t, h, path+"3", func() { post(1, fmt.Sprintf("new-%d-", sent), 1) })
			old := slices.DeleteFunc(slices.Clone(got), func(id string) bool { return strings.HasPrefix(id, "new-") && !slices.Contains(want, id) })
			if !slices.Equal(old, want) {
				t.Fatalf("%s, with inserts: %v, want %v among it", path, got, want)
			}
			for i, id := range got {
				if !matches(id, q...) || slices.Contains(got[:i], id) {
					t.Fatalf("%s: %v: %s does not match, or comes twice", path, got, id)
				}
			}
		}
	}
}

func searchPages(t *testing.T, h *house, path string, between func()) []string {
	t.Helper()
	all := []string{}
	cursor := ""
	for range 100 {
		rep := h.get(path + "&cursor=" + cursor)
		all = append(all, ids(t, rep)...)
		next := decoded[wire.Page[struct{}]](t, rep).NextCursor
		if next == nil {
			return all
		}
		cursor = url.QueryEscape(*next)
		between()
	}
	t.Fatal("the pages do not end")
	return nil
}
