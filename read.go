package brokle

import (
	"context"
	"iter"
	"maps"
	"net/url"
	"strings"
)

const (
	pathTraces       = "/v1/traces"
	pathObservations = "/v1/observations"
	pathScores       = "/v1/scores"
	pathSessions     = "/v1/sessions"
	pathUsers        = "/v1/users"
	pathEnvironments = "/v1/environments"
	pathStats        = "/v1/stats"
)

// Traces reads traces. It is a Client's field.
type Traces struct{ c *Client }

// List iterates over all traces that q asks for, page by page. It ends after
// the first error, which comes with a zero row.
func (t *Traces) List(ctx context.Context, q TraceQuery) iter.Seq2[TraceSummary, error] {
	return rows(func(cursor string) (*Page[TraceSummary], error) {
		q.Cursor = cursor
		return t.Page(ctx, q)
	}, q.Cursor)
}

// Page returns one page of what List iterates over.
func (t *Traces) Page(ctx context.Context, q TraceQuery) (*Page[TraceSummary], error) {
	return get[Page[TraceSummary]](ctx, t.c, pathTraces, params(q))
}

// Get returns one folded trace with its observations as a tree and its scores.
func (t *Traces) Get(ctx context.Context, id string) (*Trace, error) {
	return getOne[Trace](ctx, t.c, pathTraces, id, nil)
}

// History returns the events that the trace itself was folded from, in the order of the fold:
// of each field the last present value wins.
func (t *Traces) History(ctx context.Context, id string) ([]ObservationEvent, error) {
	return history(ctx, t.c, pathTraces, id, nil)
}

// Observations reads observations. It is a Client's field.
type Observations struct{ c *Client }

// List iterates over all observations that q asks for, page by page.
func (o *Observations) List(ctx context.Context, q ObservationQuery) iter.Seq2[Observation, error] {
	return rows(func(cursor string) (*Page[Observation], error) {
		q.Cursor = cursor
		return o.Page(ctx, q)
	}, q.Cursor)
}

// Page returns one page of what List iterates over.
func (o *Observations) Page(ctx context.Context, q ObservationQuery) (*Page[Observation], error) {
	return get[Page[Observation]](ctx, o.c, pathObservations, params(q))
}

// Get returns one folded observation with its payload. When several traces have one of
// this id it is the newest, and Ambiguous: GetIn names the trace.
func (o *Observations) Get(ctx context.Context, id string) (*Observation, error) {
	return o.GetIn(ctx, "", id)
}

// GetIn returns the observation of that id in that trace, with its payload.
func (o *Observations) GetIn(ctx context.Context, traceID, id string) (*Observation, error) {
	return getOne[Observation](ctx, o.c, pathObservations, id, inTrace(traceID))
}

// History returns the events that the observation was folded from, in the order of the fold:
// of each field the last present value wins, but for what a clear took back. When several
// traces have one of this id it is that of the newest.
func (o *Observations) History(ctx context.Context, id string) ([]ObservationEvent, error) {
	return o.HistoryIn(ctx, "", id)
}

// HistoryIn returns the history of the observation of that id in that trace.
func (o *Observations) HistoryIn(ctx context.Context, traceID, id string) ([]ObservationEvent, error) {
	return history(ctx, o.c, pathObservations, id, inTrace(traceID))
}

// inTrace is the parameter that names a trace, when there is one.
func inTrace(traceID string) url.Values {
	return params(struct{ TraceID string }{traceID})
}

// Scores reads quality scores. It is a Client's field.
type Scores struct{ c *Client }

// List iterates over all scores that q asks for, page by page.
func (s *Scores) List(ctx context.Context, q ScoreQuery) iter.Seq2[Score, error] {
	return rows(func(cursor string) (*Page[Score], error) {
		q.Cursor = cursor
		return s.Page(ctx, q)
	}, q.Cursor)
}

// Page returns one page of what List iterates over.
func (s *Scores) Page(ctx context.Context, q ScoreQuery) (*Page[Score], error) {
	return get[Page[Score]](ctx, s.c, pathScores, params(q))
}

// History returns the events that the score was folded from, in the order of the fold:
// of each field the last present value wins.
func (s *Scores) History(ctx context.Context, id string) ([]ObservationEvent, error) {
	return history(ctx, s.c, pathScores, id, nil)
}

// Stats returns one page of aggregates.
func (c *Client) Stats(ctx context.Context, q StatsQuery) (*Page[StatRow], error) {
	return get[Page[StatRow]](ctx, c, pathStats, params(q))
}

// get reads one object. http.StatusNotFound is a *RequestError like any other.
func get[T any](ctx context.Context, c *Client, path string, query url.Values) (*T, error) {
	if !c.enabled() {
		return nil, ErrDisabled
	}
	out := new(T)
	if err := c.transport.Get(ctx, path, query, out); err != nil {
		return nil, err
	}
	return out, nil
}

// getOne reads what has the id: by its path, or by ?id= when a path would lose it.
func getOne[T any](ctx context.Context, c *Client, path, id string, p url.Values) (*T, error) {
	if lostInPath(id) {
		return get[T](ctx, c, path, withID(p, id))
	}
	return get[T](ctx, c, path+"/"+url.PathEscape(id), p)
}

// lostInPath says whether clients and proxies on the way change a path that ends in the id,
// however it is escaped.
func lostInPath(id string) bool { return id == "." || id == ".." || strings.Contains(id, "/") }

func withID(p url.Values, id string) url.Values {
	with := url.Values{"id": {id}}
	maps.Copy(with, p)
	return with
}

func history(ctx context.Context, c *Client, path, id string, p url.Values) ([]ObservationEvent, error) {
	segment := url.PathEscape(id)
	if lostInPath(id) {
		segment, p = "-", withID(p, id)
	}
	page, err := get[Page[ObservationEvent]](ctx, c, path+"/"+segment+"/history", p)
	if err != nil {
		return nil, err
	}
	return page.Data, nil
}

// rows follows the cursors of a list.
func rows[T any](page func(cursor string) (*Page[T], error), cursor string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for cursor := cursor; ; {
			p, err := page(cursor)
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			for _, row := range p.Data {
				if !yield(row, nil) {
					return
				}
			}
			if p.NextCursor == nil || *p.NextCursor == "" || *p.NextCursor == cursor {
				return
			}
			cursor = *p.NextCursor
		}
	}
}
