package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

type explainIn struct {
	ObservationID string `json:"observation_id" jsonschema:"the id of the observation"`
	TraceID       string `json:"trace_id,omitempty" jsonschema:"its trace; of several observations with this id the newest when absent"`
	Budget
}

type explainFieldIn struct {
	explainIn
	Field string `json:"field,omitempty" jsonschema:"the field, such as model or prompt_tokens; all when absent"`
}

func (in explainIn) values() url.Values {
	return url.Values{"id": {in.ObservationID}, "trace_id": {in.TraceID}}
}

func explainCostTool() tool {
	return typed(tool{
		name: "explain_cost", title: "Explain a cost", scope: "read", needs: []string{"GET /v1/observations/{id}/cost"},
		says: "How the cost of a call of a model came about: tokens of each kind, the price by which they were computed and where that is from, what was reported, or why there is no cost.",
	}, nil, func(ctx context.Context, a *asking, in explainIn) (string, error) {
		var cost json.RawMessage
		if err := get(ctx, a.backend, "/v1/observations/-/cost", in.values(), &cost); err != nil {
			return "", err
		}
		own := "How the cost came about."
		return fenced(own, cut(compact(cost), in.tokens()-overhead()-Tokens(own))), nil
	})
}

func explainFieldTool() tool {
	return typed(tool{
		name: "explain_field", title: "Explain a field", scope: "read", needs: []string{"GET /v1/observations/{id}/explain"},
		says: "Why a field of an observation has its value: where it stood in what was sent, or by which rule it was made.",
	}, nil, func(ctx context.Context, a *asking, in explainFieldIn) (string, error) {
		var why struct {
			Why []map[string]json.RawMessage `json:"why"`
		}
		if err := get(ctx, a.backend, "/v1/observations/-/explain", in.values(), &why); err != nil {
			return "", err
		}
		return in.answer(why.Why), nil
	})
}

// answer has the rules of the field, or of as many as have room.
func (in explainFieldIn) answer(all []map[string]json.RawMessage) string {
	var rows []map[string]json.RawMessage
	for _, row := range all {
		if in.Field == "" || string(row["field"]) == quote(in.Field) {
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		var names []string
		for _, row := range all {
			names = append(names, strings.Trim(string(row["field"]), `"`))
		}
		return fmt.Sprintf("Nothing is said of such a field of this observation. There are rules for %s.", cut(strings.Join(names, " "), 300))
	}
	l := listing{columns: []string{"field", "value", "rule", "event_id"}, long: 400}
	text, fit := l.rows(rows, in.tokens()-overhead()-ownTokens)
	own := fmt.Sprintf("%d rules.", fit)
	if fit < len(rows) {
		own = fmt.Sprintf("%d of %d rules: name a field, or ask for more tokens.", fit, len(rows))
	}
	return fenced(own, text)
}
