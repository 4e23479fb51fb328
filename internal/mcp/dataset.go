package mcp

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
)

type itemsIn struct {
	DatasetID string `json:"dataset_id" jsonschema:"the id of the dataset"`
	pageIn
}

type newItemIn struct {
	DatasetID     string         `json:"dataset_id" jsonschema:"the id of the dataset"`
	Input         any            `json:"input" jsonschema:"what goes into the application: any JSON"`
	Expected      any            `json:"expected,omitempty" jsonschema:"what should come out"`
	Metadata      map[string]any `json:"metadata,omitempty" jsonschema:"whatever tells of it"`
	TraceID       string         `json:"source_trace_id,omitempty" jsonschema:"the trace that it was made of"`
	ObservationID string         `json:"source_span_id,omitempty" jsonschema:"the observation that it was made of"`
}

type experimentIn struct {
	ExperimentID string `json:"experiment_id" jsonschema:"the id of the experiment"`
	Cursor       string `json:"cursor,omitempty" jsonschema:"where the answer before ended, all else unchanged"`
	Budget
}

type experimentRowsIn struct {
	ExperimentID string `json:"experiment_id" jsonschema:"the id of the experiment"`
	pageIn
}

type compareIn struct {
	A      string `json:"a" jsonschema:"the id or the name of an experiment"`
	B      string `json:"b" jsonschema:"the one to compare it with"`
	Change string `json:"change,omitempty" jsonschema:"only cases that are better, worse, mixed, same, only_a or only_b; all when absent"`
	pageIn
}

func compareExperiments(ctx context.Context, a *asking, in compareIn) (string, error) {
	values := url.Values{"a": {in.A}, "b": {in.B}, "limit": {strconv.Itoa(in.limit())}}
	if in.Change != "" {
		values.Set("change", in.Change)
	}
	q := Request{Method: http.MethodGet, Path: "/v1/experiments/compare", Query: values}
	return document(ctx, a.backend, q, "Two experiments, compared.", in.tokens(), in.Cursor)
}

func datasetTools() []tool {
	reading := func(name, title, path, says string) tool {
		return tool{name: name, title: title, scope: "read", needs: []string{"GET " + path}, says: says}
	}
	return []tool{
		typed(reading("list_datasets", "List datasets", "/v1/datasets", "List the project's datasets: cases that an application is tried on."), limited(mostRows),
			func(ctx context.Context, a *asking, in pageIn) (string, error) {
				return in.pages(ctx, a.backend, "/v1/datasets", "datasets")
			}),
		typed(reading("list_dataset_items", "List the cases of a dataset", "/v1/datasets/{id}/items", "List the cases of a dataset: what goes in, and what is expected."), limited(mostRows),
			func(ctx context.Context, a *asking, in itemsIn) (string, error) {
				return in.pages(ctx, a.backend, "/v1/datasets/"+url.PathEscape(in.DatasetID)+"/items", "cases")
			}),
		typed(tool{
			name: "add_dataset_item", title: "Add a case to a dataset", scope: "ingest", write: true, needs: []string{"POST /v1/datasets/{id}/items"},
			says: "Add a case to a dataset, such as the input of a trace that went wrong with the answer that would have been right.",
		}, nil, addItem),
		typed(reading("list_experiments", "List experiments", "/v1/experiments", "List the experiments: runs of an application over the cases of a dataset."), limited(mostRows),
			func(ctx context.Context, a *asking, in pageIn) (string, error) {
				return in.pages(ctx, a.backend, "/v1/experiments", "experiments")
			}),
		typed(reading("get_experiment", "Read an experiment", "/v1/experiments/{id}", "Read one experiment: what it ran over and what came out."), nil,
			func(ctx context.Context, a *asking, in experimentIn) (string, error) {
				q := Request{Method: http.MethodGet, Path: "/v1/experiments/" + url.PathEscape(in.ExperimentID)}
				return document(ctx, a.backend, q, "An experiment.", in.tokens(), in.Cursor)
			}),
		typed(reading("compare_experiments", "Compare two experiments", "/v1/experiments/compare", "Compare two experiments over the same cases: score by score, and case by case what became better or worse."), limited(mostRows), compareExperiments),
		typed(reading("list_experiment_rows", "List the rows of an experiment", "/v1/experiments/{id}/rows", "List what came out of an experiment, case by case, with the scores."), limited(mostRows),
			func(ctx context.Context, a *asking, in experimentRowsIn) (string, error) {
				return in.cursored(ctx, a.backend, "/v1/experiments/"+url.PathEscape(in.ExperimentID)+"/rows", "rows")
			}),
	}
}

func addItem(ctx context.Context, a *asking, in newItemIn) (string, error) {
	item := map[string]any{"input": in.Input}
	if in.Expected != nil {
		item["expected"] = in.Expected
	}
	if in.Metadata != nil {
		item["metadata"] = in.Metadata
	}
	if in.TraceID != "" {
		item["source"], item["source_trace_id"] = "trace", in.TraceID
	}
	if in.ObservationID != "" {
		item["source"], item["source_span_id"] = "span", in.ObservationID
	}
	body, err := json.Marshal(map[string]any{"items": []any{item}})
	if err != nil {
		return "", err
	}
	q := Request{Method: http.MethodPost, Path: "/v1/datasets/" + url.PathEscape(in.DatasetID) + "/items", Body: body}
	if err := ask(ctx, a.backend, q, nil); err != nil {
		return "", err
	}
	return "Stored.", nil
}
