package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// reading is one trace that is read: its tree, and what its observations hold as far as somebody asked.
type reading struct {
	backend Backend
	trace   *wire.Trace
	order   []*wire.Observation // the tree, each before what hangs below it
	depth   []int               // of each
	calls   []*wire.Observation
	details map[string]*wire.Observation
}

// readTree asks for a trace without what was sent.
func readTree(ctx context.Context, b Backend, id string) (*reading, error) {
	r := &reading{backend: b, trace: &wire.Trace{}, details: map[string]*wire.Observation{}}
	err := get(ctx, b, "/v1/traces/-", url.Values{"id": {id}, "fields": {"tree"}}, r.trace)
	if errors.Is(err, ErrTooLarge) {
		return nil, errors.New("the trace has too many observations to be read as a tree: find_observations with the filter trace_id:… lists them")
	}
	if err != nil {
		return nil, err
	}
	r.walk(r.trace.Observations, 0)
	r.calls = callsOf(r.order)
	return r, nil
}

func (r *reading) walk(all []*wire.Observation, depth int) {
	for _, o := range all {
		r.order, r.depth = append(r.order, o), append(r.depth, depth)
		r.walk(o.Children, depth+1)
	}
}

// detail is all of an observation. One that is gone meanwhile, or is too large, has what the tree has.
func (r *reading) detail(ctx context.Context, o *wire.Observation) (*wire.Observation, error) {
	if d := r.details[o.ID]; d != nil {
		return d, nil
	}
	d, err := readObservation(ctx, r.backend, o.ID, o.TraceID)
	var said *apiError
	if errors.Is(err, ErrTooLarge) || errors.As(err, &said) && (said.status == http.StatusNotFound || said.status == http.StatusUnprocessableEntity) {
		d, err = o, nil
	}
	if err == nil {
		r.details[o.ID] = d
	}
	return d, err
}

func readObservation(ctx context.Context, b Backend, id, traceID string) (*wire.Observation, error) {
	o := &wire.Observation{}
	return o, get(ctx, b, "/v1/observations/-", url.Values{"id": {id}, "trace_id": {traceID}}, o)
}

// before gives the calls that may have had what went into one, the likeliest first. failed is set when one cannot be read.
func (r *reading) before(ctx context.Context, o *wire.Observation, failed *error) iter.Seq[*wire.Observation] {
	return func(yield func(*wire.Observation) bool) {
		for _, b := range callsBefore(o, r.calls) {
			d, err := r.detail(ctx, b)
			if err != nil {
				*failed = err
				return
			}
			if !yield(d) {
				return
			}
		}
	}
}

// earlier is how many of the messages that went into a call are no news.
func (r *reading) earlier(ctx context.Context, o *wire.Observation, in []message) (int, error) {
	var failed error
	n := 0
	if isCall(o) {
		n = folded(in, r.before(ctx, o, &failed))
	}
	return n, failed
}

// place finds an observation of the tree.
func (r *reading) place(id string) (int, error) {
	at := slices.IndexFunc(r.order, func(o *wire.Observation) bool { return o.ID == id })
	if at < 0 {
		return 0, fmt.Errorf("the trace has no observation %s", quote(shorten(id, 100)))
	}
	return at, nil
}

// plain is a payload as text: a JSON string is what it says.
func plain(raw json.RawMessage) string {
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	var text string
	if raw[0] == '"' && json.Unmarshal(raw, &text) == nil {
		return text
	}
	return compact(raw)
}
