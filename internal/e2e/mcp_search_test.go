package e2e

import (
	"cmp"
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// agentSearch is an agent without a model: it decides by what it reads in the answers, and knows nothing of the application.
type agentSearch struct {
	t       *testing.T
	session *sdk.ClientSession
	stats   string // the resource brokle://stats
	calls   int
	tokens  int
}

// finding is what it says at the end.
type finding struct{ symptom, change, value string }

// count adds an answer. Three bytes are two tokens: more than models make of such text, numbers too.
func (a *agentSearch) count(text string) string {
	a.calls++
	a.tokens += (2*len(text) + 2) / 3
	return text
}

// call calls a tool and returns the lines of recorded data.
func (a *agentSearch) call(tool string, args map[string]any) []string {
	a.t.Helper()
	res, err := a.session.CallTool(a.t.Context(), &sdk.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		a.t.Fatal(err)
	}
	text := a.count(res.Content[0].(*sdk.TextContent).Text)
	if res.IsError {
		a.t.Fatalf("%s %v: %s", tool, args, text)
	}
	m := regexp.MustCompile(`(?s)<(recorded-\w+)>\n(.*)\n</recorded-\w+>`).FindStringSubmatch(text)
	if m == nil {
		a.t.Fatalf("%s %v found nothing: %s", tool, args, text)
	}
	return strings.Split(m[2], "\n")
}

// table is the answer of stats: a row for each, by column.
func (a *agentSearch) table(args map[string]any) []map[string]any {
	a.t.Helper()
	lines := a.call("stats", args)
	var columns []string
	if err := json.Unmarshal([]byte(lines[0]), &columns); err != nil {
		a.t.Fatalf("%v: %s", err, lines[0])
	}
	var rows []map[string]any
	for _, line := range lines[1:] {
		var cells []any
		if err := json.Unmarshal([]byte(line), &cells); err != nil {
			a.t.Fatalf("%v: %s", err, line)
		}
		row := map[string]any{}
		for i, c := range columns {
			row[c] = cells[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// dimensions are what may have changed, of what statistics can be grouped by: the resource says that.
func (a *agentSearch) dimensions() []string {
	a.t.Helper()
	if a.stats == "" {
		res, err := a.session.ReadResource(a.t.Context(), &sdk.ReadResourceParams{URI: "brokle://stats"})
		if err != nil {
			a.t.Fatal(err)
		}
		a.stats = a.count(res.Contents[0].Text)
	}
	_, of, _ := strings.Cut(a.stats, "## of=observations\n")
	_, groups, _ := strings.Cut(of, "group_by: ")
	groups, _, _ = strings.Cut(groups, "\n")
	var found []string
	for _, d := range []string{"release", "model", "version", "prompt_version"} {
		if slices.Contains(strings.Fields(groups), d) {
			found = append(found, d)
		}
	}
	return found
}

// search asks what became worse, then by what, and looks at a run of it.
func (a *agentSearch) search() finding {
	a.t.Helper()
	metrics := []string{"count", "error_rate", "latency_p50", "cost"}
	for _, row := range a.table(map[string]any{"of": "scores", "group_by": []string{"name"}}) {
		metrics = append(metrics, "score_avg:"+row["name"].(string))
	}
	days := a.table(map[string]any{"of": "observations", "filter": "type:generation", "interval": "1d", "metrics": metrics, "max_tokens": 6000})
	worst, most := "", 0.0
	for _, m := range metrics[1:] {
		if by := worsening(m, days[:4], days[len(days)-4:]); by > most {
			worst, most = m, by
		}
	}
	if worst == "" {
		a.t.Fatalf("nothing became worse: %v", days)
	}
	dims := a.dimensions()
	all := a.table(map[string]any{"of": "observations", "filter": "type:generation", "group_by": dims, "metrics": metrics, "max_tokens": 8000})
	found := finding{symptom: map[string]string{"error_rate": "error_rate", "latency_p50": "latency", "cost": "cost"}[worst]}
	found.symptom = cmp.Or(found.symptom, strings.TrimPrefix(worst, "score_avg:"))
	strongest := 0.0
	for _, d := range dims {
		if value, by := effect(all, dims, d, worst); by > strongest {
			found.change, found.value, strongest = d, value, by
		}
	}
	a.confirm(found, days)
	return found
}

// confirm looks whether the value is new, and at the last run that has it.
func (a *agentSearch) confirm(found finding, days []map[string]any) {
	a.t.Helper()
	since := a.table(map[string]any{"of": "observations", "filter": found.change + ":" + found.value, "interval": "1d"})
	if len(since) == 0 || since[0]["time"] == days[0]["time"] {
		a.t.Errorf("%s %s is there from the beginning", found.change, found.value)
	}
	rows := a.call("find_observations", map[string]any{"filter": found.change + ":" + found.value, "limit": 1, "fields": []string{"trace_id"}})
	var row map[string]any
	if err := json.Unmarshal([]byte(rows[0]), &row); err != nil {
		a.t.Fatal(err)
	}
	if trace := strings.Join(a.call("get_trace", map[string]any{"trace_id": row["trace_id"]}), "\n"); !strings.Contains(trace, "Where is my order?") {
		a.t.Errorf("a trace that says nothing: %s", trace)
	}
}

func numberOf(row map[string]any, metric string) float64 {
	v, ok := row[metric].(float64)
	if !ok {
		return math.NaN()
	}
	if count := row["count"].(float64); metric == "cost" && count > 0 {
		return v / count
	}
	return v
}

// mean is that of rows, each as heavy as it has runs.
func mean(rows []map[string]any, metric string) float64 {
	sum, n := 0.0, 0.0
	for _, row := range rows {
		if v := numberOf(row, metric); !math.IsNaN(v) {
			sum, n = sum+v*row["count"].(float64), n+row["count"].(float64)
		}
	}
	return sum / n
}

// worsening is by how much, of 1, a metric is worse in the later rows. Of errors a tenth more is as bad as anything doubled by a half.
func worsening(metric string, before, after []map[string]any) float64 {
	b, a := mean(before, metric), mean(after, metric)
	switch {
	case strings.HasPrefix(metric, "score_avg:"):
		return (b - a) / b
	case metric == "error_rate":
		return 2 * (a - b)
	}
	return a/b - 1
}

// effect is the value of a dimension that is worse than the other, and by how much, when all else is the same: runs that differ in nothing
// but in it are compared with each other.
func effect(rows []map[string]any, dims []string, dim, metric string) (value string, by float64) {
	type pair map[string]map[string]any
	strata := map[string]pair{}
	for _, row := range rows {
		var key []string
		for _, d := range dims {
			if d != dim {
				key = append(key, row[d].(string))
			}
		}
		k := strings.Join(key, "\x00")
		if strata[k] == nil {
			strata[k] = pair{}
		}
		strata[k][row[dim].(string)] = row
	}
	sums, weight := map[string]float64{}, 0.0
	for _, p := range strata {
		if len(p) != 2 {
			continue
		}
		var values []string
		for v := range p {
			values = append(values, v)
		}
		slices.Sort(values)
		x, y := p[values[0]], p[values[1]]
		w := min(x["count"].(float64), y["count"].(float64))
		sums[values[1]] += w * worsening(metric, []map[string]any{x}, []map[string]any{y})
		sums[values[0]] += w * worsening(metric, []map[string]any{y}, []map[string]any{x})
		weight += w
	}
	for v, sum := range sums {
		if sum/weight > by {
			value, by = v, sum/weight
		}
	}
	return value, by
}
