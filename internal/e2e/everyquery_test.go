package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// valuesOf are values of the parameters of lists and statistics, of what a storetest.History has. The ids of its observations and scores depend on its size.
func valuesOf(events int) map[string][]string {
	return map[string][]string{
		"from": {"2026-02-28", "2026-03-01", "2026-03-01T00:10:00Z"}, "to": {"2026-03-01", "2026-03-01T00:20:00Z", "2026-03-02"},
		"name": {"checkout", "chat", "Frage „ß“", "質問", "call", "lookup", "шаг", "renamed", "quality", "tone", "none"}, "user_id": {"u-1", "u-2", "użytkownik", "u-9"},
		"session_id": {"s-1", "s-2", "77"}, "environment": {"default", "production", "staging", "qa", "canary"}, "key_id": {"key_unknown"}, "tag": {"a", "b", "ü", "3", "k"},
		"model": {"m-small", "m-large"}, "type": {"generation", "LLM", "llm", "tool", "custom", "agent", "chain", "span"}, "level": {"error", "WARNING", "DEFAULT", "INFO"},
		"trace_id": {"trace-0", "trace-1", "trace-7"}, "observation_id": {"obs-0", "obs-1", "obs-9"}, "data_type": {"NUMERIC", "categorical", "BOOLEAN"}, "source": {"api", "HUMAN", "eval"},
		"min_latency_ms": {"0", "1.25", "1000"}, "max_latency_ms": {"0", "2.5", "3000"}, "min_cost": {"0", "0.5", "3"}, "has_error": {"true", "false"}, "duplicates": {"true", "false"},
		"score": {"quality>=5", "correct!=1", "tone<3.25", "quality=2.5"}, "q": {"done", "vier", "héllo", "What is", `"What is 2"`, "call 4", "время", "absent"},
		"filter": {"error:true", "-env:prod latency:>1s", "name:*a*,chat", "has:score -has:user", "cost:1..5", "score.quality:>=2", `start:>=2026-03-01`, "level:error"}, "previews": {"true"},
		"attributes.KEY": {"a=1"}, "resource.KEY": {"service.name=x"}, "id": {"trace-3", "obs-3", "s-1", "77", fmt.Sprintf("obs-%d", events/10)},
		"sort": {"start_time", "end_time", "timestamp", "latency_ms", "total_cost", "input_cost", "output_cost", "total_tokens", "prompt_tokens", "completion_tokens", "quality_score", "value",
			"observation_count", "error_count", "trace_count", "session_count", "first_seen", "last_seen"},
		"limit": {"1", "7", "50", "313", "1000"}, "cursor": nil, "of": {"observations", "traces", "scores", "events"},
		"metrics":  {"count", "error_rate", "tokens", "cost", "cost_input,cost_cached,cost_output", "unpriced_count", "latency_p50,latency_p95,latency_p99", "score_avg:quality,score_count:tone"},
		"group_by": {"model", "environment", "name", "user_id", "session_id", "level", "type", "provider", "version", "trace_id", "value_bucket", "data_type", "source", "event_type", "cost_source", "release"},
		"interval": {"1m", "1h", "1d"}, "tz": {"UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"},
	}
}

// listPaths are the paths whose parameters are tried one by one and in any mixture.
var listPaths = []string{"/v1/traces", "/v1/observations", "/v1/scores", "/v1/sessions", "/v1/users", "/v1/environments", "/v1/stats", "/v1/telemetry/events"}

// everyQuery makes the addresses that two nodes are to answer alike: each parameter of each list with each value, mixtures of them, and what is asked of one entity.
func everyQuery(t *testing.T, n *rig.Node, rng *rand.Rand, events, mixtures int) (paths []string) {
	t.Helper()
	var doc struct {
		Paths map[string]struct {
			Get struct {
				Parameters []struct {
					Name string
					Ref  string `json:"$ref"`
				}
			}
		}
		Components struct {
			Parameters map[string]struct{ Name string }
		}
	}
	n.GetJSON(t, "/openapi.json", &doc)
	values := valuesOf(events)
	for _, path := range listPaths {
		var names []string
		for _, p := range doc.Paths[path].Get.Parameters {
			name := p.Name
			if p.Ref != "" {
				name = doc.Components.Parameters[p.Ref[strings.LastIndexByte(p.Ref, '/')+1:]].Name
			}
			if _, known := values[name]; !known {
				t.Fatalf("%s has a parameter %q of which no value is tried", path, name)
			}
			if name != "cursor" {
				names = append(names, name)
			}
		}
		if len(names) == 0 {
			t.Fatalf("openapi.json has no parameters of %s", path)
		}
		paths = append(paths, path)
		for _, name := range names {
			for _, value := range values[name] {
				paths = append(paths, path+"?"+parameter(name, value, false))
				if name == "sort" {
					paths = append(paths, path+"?"+parameter(name, value, true))
				}
			}
		}
		for range mixtures {
			var query []string
			for range 1 + rng.IntN(4) {
				name := names[rng.IntN(len(names))]
				query = append(query, parameter(name, values[name][rng.IntN(len(values[name]))], rng.IntN(2) == 0))
			}
			slices.Sort(query)
			paths = append(paths, path+"?"+strings.Join(slices.Compact(query), "&"))
		}
	}
	return append(paths, ofOne(rng, events, mixtures)...)
}

func parameter(name, value string, down bool) string {
	switch {
	case strings.HasSuffix(name, ".KEY"):
		key, is, _ := strings.Cut(value, "=")
		return strings.TrimSuffix(name, "KEY") + url.QueryEscape(key) + "=" + url.QueryEscape(is)
	case name == "sort" && down:
		value = "-" + value
	}
	return name + "=" + url.QueryEscape(value)
}

// ofOne are addresses of one trace, observation, score, session and user.
func ofOne(rng *rand.Rand, events, each int) (paths []string) {
	for range each {
		trace, observation := fmt.Sprintf("trace-%d", rng.IntN(events/25+2)), fmt.Sprintf("obs-%d", rng.IntN(events/5+3))
		score := fmt.Sprintf("score-%d", rng.IntN(events/8+3))
		paths = append(paths, "/v1/traces/"+trace, "/v1/traces/"+trace+"?full=true", "/v1/traces/"+trace+"?format=otlp", "/v1/traces/"+trace+"/history",
			"/v1/observations/"+observation, "/v1/observations/"+observation+"?trace_id="+trace, "/v1/observations/"+observation+"/span", "/v1/observations/"+observation+"/explain",
			"/v1/observations/"+observation+"/cost", "/v1/observations/"+observation+"/history", "/v1/scores/"+score+"/history")
	}
	return append(paths, "/v1/sessions/s-1", "/v1/sessions/s-2", "/v1/sessions/77", "/v1/budgets", "/v1/alerts", "/v1/prices", "/v1/prices/reprice", "/v1/projects", "/v1/keys", "/api/public/v2/observations", "/api/public/v3/scores",
		"/api/public/traces/trace-1")
}

// pagesOf is how many pages of a list are followed.
const pagesOf = 4

// record is what a node answers, by the address; pages are behind each other.
func record(t *testing.T, n *rig.Node, paths []string) map[string]string {
	t.Helper()
	answers := make([]string, len(paths))
	var work sync.WaitGroup
	next := make(chan int)
	for range 2 {
		work.Go(func() {
			for i := range next {
				var err error
				if answers[i], err = pages(t, n, paths[i]); err != nil {
					t.Errorf("GET %s: %v", paths[i], err)
				}
			}
		})
	}
	for i := range paths {
		next <- i
	}
	close(next)
	work.Wait()
	if t.Failed() {
		t.FailNow()
	}
	all := map[string]string{}
	for i, path := range paths {
		all[path] = answers[i]
	}
	return all
}

var (
	// cursors are sealed by a key of the node's, or of the nodes that share a warehouse.
	cursorsOf = regexp.MustCompile(`"next_cursor":"[^"]*"`)
	// latencies are numbers between two values, of which the engines round the last digit otherwise.
	latenciesOf = regexp.MustCompile(`"latency_p[0-9]+":[0-9.e+-]+`)
	// looksOf are when a node has looked at a budget last.
	looksOf = regexp.MustCompile(`"at":"[^"]*","fault"`)
)

func pages(t *testing.T, n *rig.Node, path string) (string, error) {
	if strings.HasPrefix(path, eventsPath) {
		return eventPages(t, n, path)
	}
	var all strings.Builder
	at := path
	for range pagesOf {
		status, body, err := n.Do(t.Context(), http.DefaultClient, http.MethodGet, at, nil)
		if err != nil {
			return "", err
		}
		var page struct {
			Next string `json:"next_cursor"`
		}
		_ = json.Unmarshal(body, &page) // not every answer is a list, or JSON
		text := cursorsOf.ReplaceAllString(string(body), `"next_cursor":"…"`)
		text = looksOf.ReplaceAllString(text, `"at":"…","fault"`)
		text = latenciesOf.ReplaceAllStringFunc(text, func(is string) string {
			name, digits, _ := strings.Cut(is, ":")
			f, err := strconv.ParseFloat(digits, 64)
			if err != nil {
				return is
			}
			return fmt.Sprintf("%s:%.12g", name, f)
		})
		fmt.Fprintf(&all, "%d %s\n", status, text)
		if page.Next == "" || status != http.StatusOK {
			break
		}
		at = behind(path, page.Next)
	}
	return all.String(), nil
}

// behind is the address of the page at a cursor.
func behind(path, cursor string) string {
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	return path + separator + "cursor=" + url.QueryEscape(cursor)
}

const (
	eventsPath = "/v1/telemetry/events"
	eventRows  = 400 // that are followed, over as many pages as they take
)

// eventPages is the rows of a list of events, and its end, without where a page ended: that depends on how long the node looked (docs/api.md).
func eventPages(t *testing.T, n *rig.Node, path string) (string, error) {
	var all strings.Builder
	at := path
	for rows := 0; ; {
		status, body, err := n.Do(t.Context(), http.DefaultClient, http.MethodGet, at, nil)
		if err != nil {
			return "", err
		}
		var page struct {
			Data []json.RawMessage
			Next string `json:"next_cursor"`
		}
		if err := json.Unmarshal(body, &page); err != nil || status != http.StatusOK {
			fmt.Fprintf(&all, "%d %s\n", status, body)
			return all.String(), nil
		}
		for _, row := range page.Data {
			if rows++; rows <= eventRows {
				fmt.Fprintf(&all, "%s\n", row)
			}
		}
		if rows > eventRows {
			return all.String(), nil
		}
		if page.Next == "" {
			all.WriteString("the end\n")
			return all.String(), nil
		}
		at = behind(path, page.Next)
	}
}

// sameAnswers compares what was recorded. It names each answer that differs, and shows where the first ones do.
func sameAnswers(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	differ := 0
	for _, path := range slices.Sorted(maps.Keys(want)) {
		is := want[path]
		if got[path] == is {
			continue
		}
		at := 0
		for at < min(len(is), len(got[path])) && is[at] == got[path][at] {
			at++
		}
		before, shown := 300, 900
		if differ++; differ > 10 {
			before, shown = 40, 160
		}
		from := max(0, at-before)
		t.Errorf("%s: GET %s differs from byte %d on:\n got …%.*s\nwant …%.*s", what, path, at, shown, got[path][from:], shown, is[from:])
	}
	if differ > 0 {
		t.Errorf("%s: %d of %d answers differ", what, differ, len(want))
	}
}

// exported is what `brokle export` writes of a node.
func exported(t *testing.T, n *rig.Node, args ...string) string {
	t.Helper()
	cmd := exec.Command(bin.Path, append([]string{"export", "--host", n.URL, "--api-key", rig.Key}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("export: %v\n%s", err, errs.String())
	}
	return out.String()
}
