package dataset

import (
	"cmp"
	"maps"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/interval"
)

// Result is what an experiment made of an item: its trace.
type Result struct {
	TraceID   string             `json:"trace_id"`
	ItemID    string             `json:"item_id"` // "" when the trace names none
	Trial     int                `json:"trial"`   // which try it is, from 1
	Input     string             `json:"input_preview"`
	Output    string             `json:"output_preview"`
	Status    string             `json:"status"` // of the trace: ok, error or aborted
	LatencyMS *float64           `json:"latency_ms"`
	TotalCost *float64           `json:"total_cost"`
	Tokens    int64              `json:"total_tokens"`
	Scores    map[string]float64 `json:"scores"` // the mean of each name's
}

// Summary is what the scores of a name are in an experiment.
type Summary struct {
	Name string `json:"name"`
	interval.Mean
	StdDev float64 `json:"std_dev"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// Compared is an experiment beside another one.
type Compared struct {
	A      Experiment     `json:"a"`
	B      Experiment     `json:"b"`
	Scores []ScoreChange  `json:"scores"` // by name
	Rows   []ComparedItem `json:"rows"`   // of the items that either has, those that got worse first, then those that got better
	OnlyA  int            `json:"only_a"` // items that only A has
	OnlyB  int            `json:"only_b"`
}

// ScoreChange is how a score changed from A to B, over the items that have it in both.
type ScoreChange struct {
	Name string `json:"name"`
	interval.Difference
	Better int `json:"better"` // items whose value rose
	Worse  int `json:"worse"`  // items whose value fell
	Same   int `json:"same"`
}

// ComparedItem is an item in both.
type ComparedItem struct {
	ItemID string  `json:"item_id"`
	Change string  `json:"change"` // better, worse, mixed (some scores rose, some fell), same, or only_a, only_b
	A      *Result `json:"a"`      // null: A has none
	B      *Result `json:"b"`
}

// byItem is the results of each item, several tries as their mean.
func byItem(all []Result) map[string]*Result {
	of := map[string]*Result{}
	counts := map[string]map[string]int{}
	for i := range all {
		r := all[i]
		id := cmp.Or(r.ItemID, r.TraceID)
		first := of[id]
		if first == nil {
			r.Scores = maps.Clone(r.Scores)
			of[id], counts[id] = &r, map[string]int{}
			for name := range r.Scores {
				counts[id][name] = 1
			}
			continue
		}
		if first.Scores == nil {
			first.Scores = map[string]float64{}
		}
		for name, v := range r.Scores {
			n := float64(counts[id][name])
			first.Scores[name] = (first.Scores[name]*n + v) / (n + 1)
			counts[id][name]++
		}
	}
	return of
}

// Compare lays the results of two experiments side by side.
func Compare(a, b Experiment, as, bs []Result) Compared {
	out := Compared{A: a, B: b, Scores: []ScoreChange{}, Rows: []ComparedItem{}}
	of, in := byItem(as), byItem(bs)
	ids := slices.Sorted(maps.Keys(of))
	for id := range in {
		if of[id] == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	names := map[string]bool{}
	for _, id := range ids {
		row := ComparedItem{ItemID: id, A: of[id], B: in[id], Change: "same"}
		switch {
		case row.B == nil:
			row.Change = "only_a"
			out.OnlyA++
		case row.A == nil:
			row.Change = "only_b"
			out.OnlyB++
		default:
			row.Change = direction(row.A.Scores, row.B.Scores)
			for name := range row.A.Scores {
				if _, both := row.B.Scores[name]; both {
					names[name] = true
				}
			}
		}
		out.Rows = append(out.Rows, row)
	}
	order := []string{"worse", "mixed", "better", "same", "only_a", "only_b"}
	slices.SortStableFunc(out.Rows, func(x, y ComparedItem) int { return slices.Index(order, x.Change) - slices.Index(order, y.Change) })
	for _, name := range slices.Sorted(maps.Keys(names)) {
		out.Scores = append(out.Scores, changeOf(name, ids, of, in))
	}
	return out
}

func direction(a, b map[string]float64) string {
	up, down := false, false
	for name, v := range a {
		if w, both := b[name]; both {
			up, down = up || w > v, down || w < v
		}
	}
	switch {
	case up && down:
		return "mixed"
	case up:
		return "better"
	case down:
		return "worse"
	}
	return "same"
}

func changeOf(name string, ids []string, of, in map[string]*Result) ScoreChange {
	c := ScoreChange{Name: name}
	var as, bs []float64
	for _, id := range ids {
		if of[id] == nil || in[id] == nil {
			continue
		}
		a, hasA := of[id].Scores[name]
		b, hasB := in[id].Scores[name]
		if !hasA || !hasB {
			continue
		}
		as, bs = append(as, a), append(bs, b)
		switch {
		case b > a:
			c.Better++
		case b < a:
			c.Worse++
		default:
			c.Same++
		}
	}
	c.Difference = interval.Paired(as, bs)
	return c
}

// Summarize is the scores of results by name.
func Summarize(all []Result) []Summary {
	values := map[string][]float64{}
	for i := range all {
		for name, v := range all[i].Scores {
			values[name] = append(values[name], v)
		}
	}
	out := []Summary{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v := values[name]
		out = append(out, Summary{Name: name, Mean: interval.Of(v), StdDev: interval.Deviation(v), Min: slices.Min(v), Max: slices.Max(v)})
	}
	return out
}
