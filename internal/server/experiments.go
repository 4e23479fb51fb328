package server

import (
	"context"
	"net/http"

	"github.com/brokle-ai/brokle-go/internal/dataset"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

func experimentRoutes() []route {
	const read, write = keyring.ScopeRead, keyring.ScopeIngest
	const one = "/v1/experiments/{id}"
	return []route{
		{method: http.MethodGet, path: "/v1/experiments", scope: read, params: []string{"limit", "page", "offset", "dataset_id"}, light: true, handle: listExperiments},
		{method: http.MethodPost, path: "/v1/experiments", scope: write, handle: postExperiment},
		{method: http.MethodGet, path: "/v1/experiments/compare", scope: read, params: []string{"a", "b", "change", "limit", "page"}, handle: compareTwo},
		{method: http.MethodPost, path: "/v1/experiments/compare", scope: read, handle: compareSeveral},
		{method: http.MethodGet, path: one, scope: read, params: []string{"id"}, handle: getExperiment},
		{method: http.MethodPatch, path: one, scope: write, handle: patchExperiment},
		{method: http.MethodDelete, path: one, scope: keyring.ScopeAdmin, handle: deleteExperiment},
		{method: http.MethodPost, path: one + "/rerun", scope: write, handle: rerunExperiment},
		{method: http.MethodGet, path: one + "/rows", scope: read, params: []string{"limit", "cursor"}, handle: listResults},
		{method: http.MethodPost, path: one + "/items", scope: write, handle: postResults},
	}
}

// mostResults is how many traces of an experiment are counted and compared.
const mostResults = 20_000

// experimentView is an experiment and what came of it.
type experimentView struct {
	dataset.Experiment
	Results int               `json:"results"` // traces with its tag
	Errors  int               `json:"errors"`  // of these, those with the status error
	Summary []dataset.Summary `json:"summary"` // its scores by name
}

// experiment is the one that a request names.
func (s *Server) experiment(c *call) (*dataset.Datasets, dataset.Experiment, error) {
	id, err := pathID(c)
	if err != nil {
		return nil, dataset.Experiment{}, err
	}
	all, err := s.datasets(c)
	if err != nil {
		return nil, dataset.Experiment{}, err
	}
	x, err := all.Experiment(c.caller.Project, id)
	return all, x, s.datasetProblem(err)
}

func listExperiments(_ context.Context, s *Server, c *call) (*answer, error) {
	all, err := s.datasets(c)
	if err != nil {
		return nil, err
	}
	return pageCut(c, all.Experiments(c.caller.Project, c.params.Get("dataset_id")))
}

func postExperiment(_ context.Context, s *Server, c *call) (*answer, error) {
	if err := s.admitted(); err != nil {
		return nil, err
	}
	var r dataset.Recorded
	if err := s.readObject(c, "experiments", &r); err != nil {
		return nil, err
	}
	all, err := s.datasets(c)
	if err != nil {
		return nil, err
	}
	x, err := all.Begin(c.caller.Project, c.caller.KeyID, r)
	return enveloped(s, x, err)
}

func patchExperiment(_ context.Context, s *Server, c *call) (*answer, error) {
	if err := s.admitted(); err != nil {
		return nil, err
	}
	all, x, err := s.experiment(c)
	if err != nil {
		return nil, err
	}
	var r dataset.Recorded
	if err := s.readObject(c, "experiments", &r); err != nil {
		return nil, err
	}
	x, err = all.Record(c.caller.Project, x.ID, r)
	return enveloped(s, x, err)
}

func deleteExperiment(_ context.Context, s *Server, c *call) (*answer, error) {
	all, x, err := s.experiment(c)
	if err == nil {
		err = all.Forget(c.caller.Project, x.ID, c.caller.KeyID)
	}
	if err != nil {
		return nil, s.datasetProblem(err)
	}
	s.o.Logger.Info("removed", "what", "experiment", "id", x.ID, "project", c.caller.Project, "by", c.caller.KeyID)
	return &answer{status: http.StatusNoContent}, nil
}

// rerunExperiment is POST /v1/experiments/{id}/rerun: a record over the same items, that is to be run.
func rerunExperiment(_ context.Context, s *Server, c *call) (*answer, error) {
	if err := s.admitted(); err != nil {
		return nil, err
	}
	all, x, err := s.experiment(c)
	if err != nil {
		return nil, err
	}
	var r dataset.Recorded
	if err := s.readObject(c, "experiments", &r); err != nil {
		return nil, err
	}
	if r.Name == nil {
		name := x.Name + "-rerun-" + s.o.Now().UTC().Format("20060102-150405")
		r.Name = &name
	}
	pending := dataset.Pending
	r.Status, r.Source = &pending, &x.Source
	if x.DatasetID != "" {
		r.DatasetID, r.DatasetVersion = &x.DatasetID, &x.DatasetVersion
	}
	made, err := all.Begin(c.caller.Project, c.caller.KeyID, r)
	return enveloped(s, made, err)
}

// getExperiment is GET /v1/experiments/{id}.
func getExperiment(ctx context.Context, s *Server, c *call) (*answer, error) {
	_, x, err := s.experiment(c)
	if err != nil {
		return nil, err
	}
	all, err := s.results(ctx, c.caller.Project, x.ID)
	if err != nil {
		return nil, err
	}
	v := experimentView{Experiment: x, Results: len(all), Summary: dataset.Summarize(all)}
	for i := range all {
		if all[i].Status == "error" {
			v.Errors++
		}
	}
	return enveloped(s, v, nil)
}

// results are all results of an experiment, oldest first, without texts.
func (s *Server) results(ctx context.Context, project, experimentID string) ([]dataset.Result, error) {
	var all []dataset.Result
	q := store.Query{Filter: store.Filter{Tag: dataset.ExperimentTag + experimentID}, Order: store.Order{By: "start_time", Asc: true, Limit: query.MaxLimit}}
	for {
		page, err := query.ListTraces(ctx, s.o.Warehouse, project, q)
		if err != nil {
			return nil, err
		}
		for i := range page.Data {
			all = append(all, resultOf(&page.Data[i]))
		}
		if page.NextCursor == nil {
			return all, nil
		}
		if len(all) >= mostResults {
			return nil, problemf(http.StatusUnprocessableEntity, codeQueryTooLarge, "the experiment has more than %d traces, which is as many as are counted", mostResults)
		}
		q.Cursor = *page.NextCursor
	}
}

func resultOf(t *wire.TraceSummary) dataset.Result {
	r := dataset.Result{
		TraceID: t.ID, Input: t.InputPreview, Output: t.OutputPreview, Status: t.Status, LatencyMS: t.LatencyMS, TotalCost: t.TotalCost,
		Tokens: t.TotalTokens, Scores: map[string]float64{},
	}
	r.ItemID, r.Trial = dataset.Tagged(t.Tags)
	for name, v := range t.Scores {
		switch v := v.(type) {
		case float64:
			r.Scores[name] = v
		case *float64:
			if v != nil {
				r.Scores[name] = *v
			}
		case bool:
			if r.Scores[name] = 0; v {
				r.Scores[name] = 1
			}
		}
	}
	return r
}

// listResults is GET /v1/experiments/{id}/rows.
func listResults(ctx context.Context, s *Server, c *call) (*answer, error) {
	_, x, err := s.experiment(c)
	if err != nil {
		return nil, err
	}
	limit, err := numberParam(c, "limit", 50, 1, mostShown)
	if err != nil {
		return nil, err
	}
	page, err := query.ListTraces(ctx, s.o.Warehouse, c.caller.Project, store.Query{
		Filter: store.Filter{Tag: dataset.ExperimentTag + x.ID}, Order: store.Order{By: "start_time", Asc: true, Limit: limit, Cursor: c.params.Get("cursor")},
	})
	if err != nil {
		return nil, err
	}
	if err := s.previews(ctx, c.caller.Project, page.Data); err != nil {
		return nil, err
	}
	rows := make([]dataset.Result, len(page.Data))
	for i := range page.Data {
		rows[i] = resultOf(&page.Data[i])
	}
	return ok(&datasetPage[dataset.Result]{Success: true, Data: rows, NextCursor: page.NextCursor, Meta: datasetTop{datasetPaging{1, limit, len(rows)}}}, nil)
}
