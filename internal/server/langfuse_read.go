package server

import (
	"context"
	stdjson "encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// langfuseTrace is GET /api/public/traces/{id}.
func langfuseTrace(ctx context.Context, s *Server, c *call) (*answer, error) {
	o, err := s.theirOutline(ctx, c, c.r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return ok(&streamed{light: o.kept != nil, write: func(ctx context.Context, enc *jsontext.Encoder) error {
		if err := o.fillTrace(ctx); err != nil {
			return err
		}
		t := theirTrace(o.Trace, c.caller.Project)
		o.Trace.Input, o.Trace.Output, o.Trace.Metadata = nil, nil, nil
		each := theirRows{rows: rows{outlined: o}, ctx: ctx, project: c.caller.Project}
		t.Observations = make([]*theirObservation, o.Len())
		for i := range t.Observations {
			t.Observations[i] = &each.stand
		}
		return json.MarshalEncode(enc, t, each.marshalers())
	}}, nil)
}

// theirOutline is the outline of a trace that one of their clients asks for.
func (s *Server) theirOutline(ctx context.Context, c *call, id string) (*outlined, error) {
	if id == "" || !query.Clean(id) {
		return nil, store.ErrNotFound
	}
	return s.outline(ctx, c, outlining{id: id, marked: true, copies: payloadCopies})
}

// theirRows writes the observations of a trace in the places of others that stand for them.
type theirRows struct {
	rows
	ctx     context.Context
	project string
	stand   theirObservation
}

// theirShown is an observation that is written as it is.
type theirShown theirObservation

func (r *theirRows) marshalers() json.Options {
	return json.WithMarshalers(json.JoinMarshalers(json.MarshalToFunc(r.next), times()))
}

func (r *theirRows) next(enc *jsontext.Encoder, o *theirObservation) error {
	if o != &r.stand {
		return json.MarshalEncode(enc, theirShown(*o))
	}
	row, _, _, err := r.rows.next(r.ctx)
	if err != nil {
		return err
	}
	return json.MarshalEncode(enc, theirShown(theirObservationOf(&row.Observation, r.project)))
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
	theirs := func(o *wire.Observation) *theirObservation {
		row := theirObservationOf(o, c.caller.Project)
		return &row
	}
	if q.TraceID == "" || len(page.Data) == 0 {
		return ok(pageOf(page, q.Limit, theirs), nil)
	}
	o, err := s.theirOutline(ctx, c, q.TraceID)
	if err != nil {
		return nil, err
	}
	o.order = nil
	wholes := make([]bool, len(page.Data))
	for i := range page.Data {
		if place, known := o.Place(page.Data[i].ID); known {
			o.order, wholes[i] = append(o.order, int32(place)), true
		}
	}
	return ok(&streamed{light: o.kept != nil, write: func(ctx context.Context, enc *jsontext.Encoder) error {
		each := theirRows{rows: rows{outlined: o}, ctx: ctx, project: c.caller.Project}
		rows := pageOf(page, q.Limit, theirs)
		for i := range rows.Data {
			if wholes[i] {
				rows.Data[i] = &each.stand
			}
		}
		return json.MarshalEncode(enc, rows, each.marshalers())
	}}, nil)
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
func orEmpty(raw stdjson.RawMessage) stdjson.RawMessage {
	if len(raw) == 0 || raw[0] != '{' {
		return stdjson.RawMessage("{}")
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
