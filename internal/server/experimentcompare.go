package server

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/dataset"
	"github.com/brokle-ai/brokle-go/internal/interval"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// comparedView is two experiments side by side, with a page of the items.
type comparedView struct {
	dataset.Compared
	Counts map[string]int `json:"counts"` // items by their change
	Total  int            `json:"total"`  // items in all pages
	Page   int            `json:"page"`
	Limit  int            `json:"limit"`
}

// compareTwo is GET /v1/experiments/compare.
func compareTwo(ctx context.Context, s *Server, c *call) (*answer, error) {
	page, before, limit, err := paging(c)
	if err == nil && limit > mostShown {
		err = badParameter("limit", "must be at most %d", mostShown)
	}
	if err != nil {
		return nil, err
	}
	change := c.params.Get("change")
	changes := []string{"better", "worse", "mixed", "same", "only_a", "only_b"}
	if change != "" && !slices.Contains(changes, change) {
		return nil, badParameter("change", "must be one of %s", strings.Join(changes, ", "))
	}
	all, err := s.datasets(c)
	if err != nil {
		return nil, err
	}
	var of [2]dataset.Experiment
	var in [2][]dataset.Result
	for i, name := range []string{"a", "b"} {
		id := c.params.Get(name)
		if id == "" {
			return nil, badParameter(name, "must say which experiment, by its id or its name")
		}
		if of[i], err = all.Experiment(c.caller.Project, id); err != nil {
			return nil, s.datasetProblem(err)
		}
		if in[i], err = s.results(ctx, c.caller.Project, of[i].ID); err != nil {
			return nil, err
		}
	}
	v := comparedView{Compared: dataset.Compare(of[0], of[1], in[0], in[1]), Counts: map[string]int{}, Page: page, Limit: limit}
	rows := v.Rows
	v.Rows = []dataset.ComparedItem{}
	for i := range rows {
		v.Counts[rows[i].Change]++
		if change == "" || rows[i].Change == change {
			v.Rows = append(v.Rows, rows[i])
		}
	}
	v.Total = len(v.Rows)
	from := min(before, v.Total)
	v.Rows = v.Rows[from:min(from+limit, v.Total)]
	if err := s.showCompared(ctx, c.caller.Project, v.Rows); err != nil {
		return nil, err
	}
	return enveloped(s, v, nil)
}

// showCompared fills in what went in and came out.
func (s *Server) showCompared(ctx context.Context, project string, rows []dataset.ComparedItem) error {
	var traces []wire.TraceSummary
	var of []*dataset.Result
	for i := range rows {
		for _, r := range []*dataset.Result{rows[i].A, rows[i].B} {
			if r != nil {
				traces, of = append(traces, wire.TraceSummary{ID: r.TraceID}), append(of, r)
			}
		}
	}
	if len(traces) == 0 {
		return nil
	}
	if err := s.previews(ctx, project, traces); err != nil {
		return err
	}
	for i, r := range of {
		r.Input, r.Output = traces[i].InputPreview, traces[i].OutputPreview
	}
	return nil
}

// comparison asks for several experiments, as Brokle's clients do.
type comparison struct {
	ExperimentIDs []string `json:"experiment_ids"`        // 2 to 10
	BaselineID    string   `json:"baseline_id,omitempty"` // the one that the others are held against. Default: the first
}

// comparisonTold is the answer.
type comparisonTold struct {
	Experiments map[string]comparedName             `json:"experiments"` // by id
	Scores      map[string]map[string]comparedScore `json:"scores"`      // by name of the score, by id of the experiment
	BaselineID  string                              `json:"baseline_id"`
	Diffs       map[string]map[string]comparedDiff  `json:"diffs"` // of each experiment to the baseline, over the items that both have
}

type comparedName struct {
	Name   string `json:"name"`
	Status string `json:"status"`
}

type comparedScore struct {
	Mean   float64 `json:"mean"`
	StdDev float64 `json:"std_dev"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Count  int     `json:"count"`
}

// comparedDiff is how a score changed from the baseline, in the words of those clients and in ours.
type comparedDiff struct {
	Type      string `json:"type"`      // always absolute
	Direction string `json:"direction"` // up, down or same
	interval.Difference
}

func diffOf(d interval.Difference) comparedDiff {
	direction := "same"
	switch {
	case d.Difference > 0:
		direction = "up"
	case d.Difference < 0:
		direction = "down"
	}
	return comparedDiff{"absolute", direction, d}
}

// compareSeveral is POST /v1/experiments/compare.
func compareSeveral(ctx context.Context, s *Server, c *call) (*answer, error) {
	var asked comparison
	if err := s.readObject(c, "comparisons", &asked); err != nil {
		return nil, err
	}
	if n := len(asked.ExperimentIDs); n < 2 || n > 10 {
		return nil, problemf(http.StatusBadRequest, codeInvalidBody, "experiment_ids: there are 2 to 10")
	}
	if asked.BaselineID == "" {
		asked.BaselineID = asked.ExperimentIDs[0]
	}
	rt := route{method: http.MethodGet, path: c.incoming.Path, scope: keyring.ScopeRead, handle: func(ctx context.Context, s *Server, c *call) (*answer, error) {
		return s.compareAll(ctx, c, asked)
	}}
	return s.answerQuery(ctx, rt, c)
}

func (s *Server) compareAll(ctx context.Context, c *call, asked comparison) (*answer, error) {
	all, err := s.datasets(c)
	if err != nil {
		return nil, err
	}
	told := comparisonTold{Experiments: map[string]comparedName{}, Scores: map[string]map[string]comparedScore{}, BaselineID: asked.BaselineID, Diffs: map[string]map[string]comparedDiff{}}
	results := map[string][]dataset.Result{}
	records := map[string]dataset.Experiment{}
	for _, id := range asked.ExperimentIDs {
		x, err := all.Experiment(c.caller.Project, id)
		if err != nil {
			return nil, s.datasetProblem(err)
		}
		if results[id], err = s.results(ctx, c.caller.Project, x.ID); err != nil {
			return nil, err
		}
		records[id] = x
		told.Experiments[id] = comparedName{x.Name, x.Status}
		for _, sum := range dataset.Summarize(results[id]) {
			if told.Scores[sum.Name] == nil {
				told.Scores[sum.Name] = map[string]comparedScore{}
			}
			told.Scores[sum.Name][id] = comparedScore{sum.Mean.Mean, sum.StdDev, sum.Min, sum.Max, sum.N}
		}
	}
	base, there := records[asked.BaselineID]
	if !there {
		return nil, problemf(http.StatusBadRequest, codeInvalidBody, "baseline_id: it is one of experiment_ids")
	}
	for id, x := range records {
		if id == asked.BaselineID {
			continue
		}
		for _, change := range dataset.Compare(base, x, results[asked.BaselineID], results[id]).Scores {
			if told.Diffs[change.Name] == nil {
				told.Diffs[change.Name] = map[string]comparedDiff{}
			}
			told.Diffs[change.Name][id] = diffOf(change.Difference)
		}
	}
	return enveloped(s, told, nil)
}
