package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

func scoreTools() []tool {
	scores := list{"/v1/scores", "scores", []string{
		"id", "name", "value", "string_value", "source", "comment", "trace_id", "observation_id", "timestamp", "evaluator_name", "author_user_id",
	}, columnsOf[wire.Score](), false}
	return []tool{
		finder("find_scores", "Find scores", "Find scores and their comments, the newest first; those of one trace with the filter trace_id:…", scores),
		typed(tool{
			name: "add_score", title: "Give a score", scope: "ingest", write: true, needs: []string{"POST /v1/scores"},
			says: "Give a trace, or an observation of it, a score, with a comment. It is stored for good and seen by everyone of the project.",
		}, func(p map[string]*jsonschema.Schema) {
			p["value"].Types = []string{"number", "string", "boolean"}
			p["name"].MinLength, p["name"].MaxLength = ptr(1), ptr(255)
		}, addScore),
		typed(tool{
			name: "add_comment", title: "Comment", scope: "ingest", write: true, needs: []string{"POST /v1/scores"},
			says: "Leave a comment at a trace, or at an observation of it: a score of the name note that judges nothing.",
		}, func(p map[string]*jsonschema.Schema) { p["comment"].MinLength = ptr(1) }, addComment),
	}
}

type scoreIn struct {
	TraceID       string `json:"trace_id" jsonschema:"the id of the trace"`
	ObservationID string `json:"observation_id,omitempty" jsonschema:"the observation in it that the score is about; the whole trace when absent"`
	Name          string `json:"name" jsonschema:"the name of the score, such as correctness"`
	Value         any    `json:"value" jsonschema:"a number, a text (a category), or true or false"`
	Comment       string `json:"comment,omitempty" jsonschema:"why"`
}

type commentIn struct {
	TraceID       string `json:"trace_id" jsonschema:"the id of the trace"`
	ObservationID string `json:"observation_id,omitempty" jsonschema:"the observation in it that the comment is about; the whole trace when absent"`
	Comment       string `json:"comment" jsonschema:"the comment"`
}

func addScore(ctx context.Context, a *asking, in scoreIn) (string, error) {
	score := scoreOf(in.TraceID, in.ObservationID, in.Name, in.Comment)
	switch v := in.Value.(type) {
	case float64:
		score["value"], score["type"] = v, "NUMERIC"
	case bool:
		score["value"], score["type"] = v, "BOOLEAN"
	case string:
		if v == "" {
			return "", errors.New("value: the text of a category is empty")
		}
		score["string_value"], score["type"] = v, "CATEGORICAL"
	default:
		return "", errors.New("value: it must be a number, a text, true or false")
	}
	return give(ctx, a, score)
}

func addComment(ctx context.Context, a *asking, in commentIn) (string, error) {
	score := scoreOf(in.TraceID, in.ObservationID, "note", in.Comment)
	score["string_value"], score["type"] = "comment", "CATEGORICAL"
	return give(ctx, a, score)
}

// scoreOf is a score as the API takes it: given by a model.
func scoreOf(traceID, observationID, name, comment string) map[string]any {
	score := map[string]any{"trace_id": traceID, "name": name, "source": "llm", "metadata": map[string]string{"by": "mcp"}}
	if observationID != "" {
		score["span_id"] = observationID
	}
	if comment != "" {
		score["reason"] = comment
	}
	return score
}

func give(ctx context.Context, a *asking, score map[string]any) (string, error) {
	var taken struct {
		Data struct {
			ID        string `json:"id"`
			Duplicate bool   `json:"duplicate"`
		} `json:"data"`
	}
	body, err := json.Marshal(score)
	if err != nil {
		return "", fmt.Errorf("value: %w", err)
	}
	if err := ask(ctx, a.backend, Request{Method: http.MethodPost, Path: "/v1/scores", Body: body}, &taken); err != nil {
		return "", err
	}
	if taken.Data.Duplicate {
		return "It was there already: " + taken.Data.ID, nil
	}
	return "Stored: " + taken.Data.ID, nil
}
