package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// langfuseTrace is GET /api/public/traces/{id}.
func langfuseTrace(ctx context.Context, s *Server, c *call) (*answer, error) {
	t, err := s.foldedTrace(ctx, c, c.r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return ok(theirTrace(t, c.caller.Project), nil)
}

func (s *Server) foldedTrace(ctx context.Context, c *call, id string) (*wire.Trace, error) {
	if id == "" || !query.Clean(id) {
		return nil, store.ErrNotFound
	}
	recs, err := s.records(ctx, c, id)
	if err != nil {
		return nil, err
	}
	return entity.FoldTrace(recs, id)
}

// flat is the observations of a tree, each before what hangs below it.
func flat(tree []*wire.Observation) []*wire.Observation {
	var all []*wire.Observation
	for _, o := range tree {
		all = append(append(all, o), flat(o.Children)...)
	}
	return all
}

// theirParams are the parameters of a list of theirs, by our names; those that change only what is shown are "".
// One that is not there would not restrict what it should: it is refused.
type theirParams map[string]string

var observationParams = theirParams{
	"traceId": "trace_id", "name": "name", "userId": "user_id", "sessionId": "session_id", "type": "type", "level": "level",
	"environment": "environment", "fromStartTime": "from", "toStartTime": "to", "limit": "limit", "cursor": "cursor",
	"fields": "", "expandMetadata": "", "parseIoAsJson": "",
}

var scoreParams = theirParams{
	"traceId": "trace_id", "observationId": "observation_id", "name": "name", "source": "source", "dataType": "data_type",
	"environment": "environment", "fromTimestamp": "from", "toTimestamp": "to", "limit": "limit", "cursor": "cursor", "fields": "",
}

func (known theirParams) query(c *call, of query.List) (store.Query, error) {
	sent, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return store.Query{}, problemf(http.StatusBadRequest, codeInvalidParameter, "the query string cannot be read: percent-encode it, and separate with &")
	}
	ours := url.Values{}
	for name, values := range sent {
		to, taken := known[name]
		switch {
		case !taken:
			return store.Query{}, badParameter(name, "is not known here, so nothing would be restricted by it; see docs/api.md")
		case len(values) != 1:
			return store.Query{}, badParameter(name, "must be given once")
		case to != "" && values[0] != "":
			ours.Set(to, ourWord(to, values[0]))
		}
	}
	q, _, err := query.Parse(of, ours)
	return q, err
}

// ourWord is our word for a value of theirs.
func ourWord(param, value string) string {
	switch strings.ToUpper(param + "=" + value) {
	case "TYPE=RETRIEVER":
		return "retrieval"
	case "LEVEL=WARNING":
		return "WARN"
	case "SOURCE=ANNOTATION":
		return "HUMAN"
	}
	if param == "type" {
		return strings.ToLower(value)
	}
	return value
}

// theirPage is a list of theirs.
type theirPage[R any] struct {
	Data []R       `json:"data"`
	Meta theirMeta `json:"meta"`
}

type theirMeta struct {
	Cursor *string `json:"cursor,omitempty"` // absent on the last page
	Limit  int     `json:"limit"`
}

func pageOf[R, T any](page *wire.Page[R], limit int, each func(*R) T) *theirPage[T] {
	if limit == 0 {
		limit = query.DefaultLimit
	}
	out := &theirPage[T]{Data: make([]T, 0, len(page.Data)), Meta: theirMeta{page.NextCursor, limit}}
	for i := range page.Data {
		out.Data = append(out.Data, each(&page.Data[i]))
	}
	return out
}

// langfuseObservations is GET /api/public/v2/observations. Of one trace they have their payloads, too.
func langfuseObservations(ctx context.Context, s *Server, c *call) (*answer, error) {
	q, err := observationParams.query(c, query.Observations)
	if err != nil {
		return nil, err
	}
	page, err := query.ListObservations(ctx, s.o.Warehouse, c.caller.Project, q)
	if err != nil {
		return nil, err
	}
	whole := map[string]*wire.Observation{}
	if q.TraceID != "" && len(page.Data) > 0 {
		t, err := s.foldedTrace(ctx, c, q.TraceID)
		if err != nil {
			return nil, err
		}
		for _, o := range flat(t.Observations) {
			whole[o.ID] = o
		}
	}
	return ok(pageOf(page, q.Limit, func(o *wire.Observation) theirObservation {
		if full := whole[o.ID]; full != nil {
			o = full
		}
		return theirObservationOf(o, c.caller.Project)
	}), nil)
}

// langfuseScores is GET /api/public/v3/scores.
func langfuseScores(ctx context.Context, s *Server, c *call) (*answer, error) {
	q, err := scoreParams.query(c, query.Scores)
	if err != nil {
		return nil, err
	}
	page, err := query.ListScores(ctx, s.o.Warehouse, c.caller.Project, q)
	if err != nil {
		return nil, err
	}
	return ok(pageOf(page, q.Limit, func(sc *wire.Score) theirScore { return theirScoreOf(sc, c.caller.Project) }), nil)
}

// given is the value, or nil for one that was not sent.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// orEmpty is an object, also where there is none.
func orEmpty(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || raw[0] != '{' {
		return json.RawMessage("{}")
	}
	return raw
}

// theirLevel is one of DEBUG, DEFAULT, WARNING and ERROR.
func theirLevel(level string) string {
	switch level {
	case "WARN":
		return "WARNING"
	case "DEBUG", "ERROR":
		return level
	}
	return "DEFAULT"
}

// theirType is one of their types; what they have none for is a span.
func theirType(typ string) string {
	switch typ {
	case "retrieval":
		return "RETRIEVER"
	case "llm":
		return "GENERATION"
	}
	if !slices.Contains([]string{"generation", "event", "agent", "tool", "chain", "evaluator", "embedding", "guardrail"}, typ) {
		return "SPAN"
	}
	return strings.ToUpper(typ)
}
