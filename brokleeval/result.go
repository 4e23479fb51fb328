package brokleeval

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/interval"
)

// Result is what came of an experiment.
type Result struct {
	Name           string
	ExperimentID   string // on the server; "" when nothing was recorded
	DatasetID      string // of a dataset of the server; else ""
	DatasetVersion int
	Rows           []Row         // each try of each item, in the order of the dataset
	Took           time.Duration // of all together
	Called         time.Duration // in tasks and scorers, of all rows added

	scorers []Scorer
}

// Row is one try of an item.
type Row struct {
	Item        Item
	Trial       int             // from 1
	Output      any             // what the task returned; of one from the cache, what its JSON decodes to
	JSON        json.RawMessage // the same as JSON
	Error       error           // of the task; each score is then 0
	Cached      bool            // the task was not called
	Took        time.Duration   // of the task
	TraceID     string          // "" when nothing was recorded
	Scores      map[string]Score
	ScoreErrors map[string]error // of scorers that failed: these rows do not count for them
}

// called is how messages name the row.
func (r *Row) called() string {
	if r.Trial > 1 {
		return fmt.Sprintf("%s (try %d)", r.Item.ID, r.Trial)
	}
	return r.Item.ID
}

// Mean is a mean of scores, with the interval in which it is with 95 % confidence.
type Mean struct {
	N               int // how many scores it is of
	Mean, Low, High float64
}

// Mean is that of the scores of a name.
func (r *Result) Mean(scorer string) Mean {
	m := interval.Of(r.values(scorer))
	return Mean{m.N, m.Mean, m.Low, m.High}
}

func (r *Result) values(scorer string) []float64 {
	var values []float64
	for i := range r.Rows {
		if s, there := r.Rows[i].Scores[scorer]; there {
			values = append(values, s.Value)
		}
	}
	return values
}

// Worst are the rows with the lowest scores of a name, at most n, the lowest first.
func (r *Result) Worst(scorer string, n int) []*Row {
	var rows []*Row
	for i := range r.Rows {
		if _, there := r.Rows[i].Scores[scorer]; there {
			rows = append(rows, &r.Rows[i])
		}
	}
	slices.SortStableFunc(rows, func(a, b *Row) int { return cmp.Compare(a.Scores[scorer].Value, b.Scores[scorer].Value) })
	return rows[:min(n, len(rows))]
}

// named is how many rows a fault names.
const named = 10

// Faults says what fails a test: thresholds that were missed, with the items that were worst, and scorers that failed.
func (r *Result) Faults() []string {
	var faults []string
	for _, s := range r.scorers {
		name := s.Name()
		if least, ok := s.(threshold); ok {
			if m := r.Mean(name); m.N == 0 || m.Mean < least.least {
				faults = append(faults, r.missed(name, least.least, m))
			}
		}
		var ids []string
		var first error
		for i := range r.Rows {
			if err := r.Rows[i].ScoreErrors[name]; err != nil {
				ids, first = append(ids, r.Rows[i].called()), cmp.Or(first, err)
			}
		}
		if len(ids) > 0 {
			faults = append(faults, fmt.Sprintf("%s: %d of %d have no score, because: %v (%s)", name, len(ids), len(r.Rows), first, listed(ids)))
		}
	}
	return faults
}

func (r *Result) missed(name string, least float64, m Mean) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: the mean is %s, which is below %.4g", name, m, least)
	for _, row := range r.Worst(name, named) {
		s := row.Scores[name]
		if m.N > 0 && s.Value >= least {
			break
		}
		fmt.Fprintf(&b, "\n  %.4g  item %s", s.Value, row.called())
		if s.Reason != "" {
			b.WriteString(": " + s.Reason)
		}
	}
	return b.String()
}

func listed(ids []string) string {
	if len(ids) > named {
		return fmt.Sprintf("items %s and %d more", strings.Join(ids[:named], ", "), len(ids)-named)
	}
	return "items " + strings.Join(ids, ", ")
}

// String is the mean with its interval.
func (m Mean) String() string {
	return fmt.Sprintf("%.4f (95 %%: %.4f to %.4f, of %d)", m.Mean, m.Low, m.High, m.N)
}

// String says what came out, a line for each scorer.
func (r *Result) String() string {
	var b strings.Builder
	failed, cached := 0, 0
	for i := range r.Rows {
		if r.Rows[i].Error != nil {
			failed++
		}
		if r.Rows[i].Cached {
			cached++
		}
	}
	fmt.Fprintf(&b, "%s: %d runs in %s, %d from the cache, %d failed", r.Name, len(r.Rows), r.Took.Round(time.Millisecond), cached, failed)
	if r.ExperimentID != "" {
		fmt.Fprintf(&b, ", experiment %s", r.ExperimentID)
	}
	for _, s := range r.scorers {
		fmt.Fprintf(&b, "\n  %-12s %s", s.Name(), r.Mean(s.Name()))
	}
	return b.String()
}

// Change is how a score changed from one result to another, over the items that have it in both.
type Change struct {
	Scorer        string
	N             int // items that have it in both
	MeanA, MeanB  float64
	Difference    float64 // MeanB - MeanA
	Low, High     float64 // of the difference, with 95 % confidence
	P             float64 // how often chance alone gives a difference as large
	Significant   bool    // more than noise: the interval is on one side of zero, and P is below 0.05
	Better, Worse []string
}

// Compare says how each score that both have changed from a to b: by pairs of the same item (paired bootstrap, from a fixed seed). Of several tries of an item the mean counts. Better and
// Worse are the ids of items whose score rose or fell.
func Compare(a, b *Result) []Change {
	var all []Change
	for _, s := range a.scorers {
		name := s.Name()
		as, bs := a.byItem(name), b.byItem(name)
		var ids []string
		for id := range as {
			if _, both := bs[id]; both {
				ids = append(ids, id)
			}
		}
		if len(ids) == 0 {
			continue
		}
		slices.Sort(ids)
		c := Change{Scorer: name}
		var left, right []float64
		for _, id := range ids {
			left, right = append(left, as[id]), append(right, bs[id])
			switch {
			case bs[id] > as[id]:
				c.Better = append(c.Better, id)
			case bs[id] < as[id]:
				c.Worse = append(c.Worse, id)
			}
		}
		d := interval.Paired(left, right)
		c.N, c.MeanA, c.MeanB, c.Difference, c.Low, c.High, c.P, c.Significant = d.N, d.MeanA, d.MeanB, d.Difference, d.Low, d.High, d.P, d.Significant
		all = append(all, c)
	}
	return all
}

// byItem is the mean of each item's scores of a name.
func (r *Result) byItem(name string) map[string]float64 {
	sums, counts := map[string]float64{}, map[string]float64{}
	for i := range r.Rows {
		if s, there := r.Rows[i].Scores[name]; there {
			sums[r.Rows[i].Item.ID] += s.Value
			counts[r.Rows[i].Item.ID]++
		}
	}
	for id := range sums {
		sums[id] /= counts[id]
	}
	return sums
}
