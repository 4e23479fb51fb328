package server

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/brokle-ai/brokle-go/internal/dataset"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// mostSources is how many traces or observations one request makes items of.
const mostSources = 1000

// fromTraces is the body of POST /v1/datasets/{id}/items/from-traces.
type fromTraces struct {
	TraceIDs    []string     `json:"trace_ids"` // 1 to 1000
	Mapping     *keysMapping `json:"keys_mapping,omitempty"`
	Deduplicate *bool        `json:"deduplicate,omitempty"` // default true
}

// fromSpans is the body of POST /v1/datasets/{id}/items/from-spans.
type fromSpans struct {
	SpanIDs     []string     `json:"span_ids"`           // 1 to 1000
	TraceID     string       `json:"trace_id,omitempty"` // the trace that has them; without it the newest of each id
	Mapping     *keysMapping `json:"keys_mapping,omitempty"`
	Deduplicate *bool        `json:"deduplicate,omitempty"` // default true
}

// exchange is what went in and came out of a trace or an observation.
type exchange struct {
	ID      string          `json:"id"`
	TraceID string          `json:"trace_id"`
	Input   json.RawMessage `json:"input"`
	Output  json.RawMessage `json:"output"`
}

func (e *exchange) empty() bool { return nothing(e.Input) && nothing(e.Output) }

func nothing(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// itemsFromTraces makes items of traces: what went in is the input, what came out is what is expected.
func itemsFromTraces(ctx context.Context, s *Server, c *call) (*answer, error) {
	var body fromTraces
	set, done, err := s.itemsBody(c, &body)
	if err != nil {
		return nil, err
	}
	defer done()
	return s.itemsOf(ctx, c, set, body.TraceIDs, "trace", body.Mapping, body.Deduplicate, func(id string) (dataset.Item, error) {
		e, err := s.traceExchange(ctx, c, id)
		return dataset.Item{Input: e.Input, Expected: e.Output, Source: dataset.SourceTrace, SourceTraceID: id}, err
	})
}

func itemsFromSpans(ctx context.Context, s *Server, c *call) (*answer, error) {
	var body fromSpans
	set, done, err := s.itemsBody(c, &body)
	if err != nil {
		return nil, err
	}
	defer done()
	return s.itemsOf(ctx, c, set, body.SpanIDs, "span", body.Mapping, body.Deduplicate, func(id string) (dataset.Item, error) {
		e, err := s.observationExchange(ctx, c, id, body.TraceID)
		return dataset.Item{Input: e.Input, Expected: e.Output, Source: dataset.SourceSpan, SourceTraceID: e.TraceID, SourceSpanID: id}, err
	})
}

// itemsOf makes an item of each id. One that is not there, or has no input, is named, and the others are taken.
func (s *Server) itemsOf(ctx context.Context, c *call, set *dataset.Dataset, ids []string, what string, m *keysMapping, deduplicate *bool, read func(id string) (dataset.Item, error)) (*answer, error) {
	switch {
	case !c.caller.Has(keyring.ScopeRead):
		return nil, problemf(http.StatusForbidden, codeForbidden, "the key lacks the scope %q: what is in a dataset can be read", keyring.ScopeRead)
	case len(ids) == 0 || len(ids) > mostSources:
		return nil, problemf(http.StatusBadRequest, codeInvalidBody, "%s_ids: there are 1 to %d", what, mostSources)
	}
	var rows dataset.Rows
	for _, id := range ids {
		where := what + " " + id
		it, err := read(id)
		if errors.Is(err, store.ErrNotFound) {
			rows.Fault(where, errors.New("there is none of this id in the project of this key"))
			continue
		}
		if err != nil {
			return nil, err
		}
		raw, err := m.source(it)
		if err == nil {
			rows.Add(where, raw, dataset.Fields{})
			continue
		}
		rows.Fault(where, err)
	}
	return s.put(c, set, rows, dataset.Putting{Deduplicate: deduplicate == nil || *deduplicate})
}

// source is an item as it is put, with what the mapping picks of its input and of what is expected.
func (m *keysMapping) source(it dataset.Item) ([]byte, error) {
	if nothing(it.Input) {
		return nil, errors.New("it has no input")
	}
	if m != nil {
		metadata := pickMembers(it.Input, m.Metadata)
		if len(m.Input) > 0 {
			it.Input = pickMembers(it.Input, m.Input)
		}
		if len(m.Expected) > 0 {
			it.Expected = pickMembers(it.Expected, m.Expected)
		}
		it.Metadata = metadata
		if nothing(it.Input) {
			return nil, fmt.Errorf("its input has none of %v", m.Input)
		}
	}
	out := map[string]any{"input": it.Input, "source": it.Source, "source_trace_id": it.SourceTraceID, "source_span_id": it.SourceSpanID}
	if !nothing(it.Expected) {
		out["expected"] = it.Expected
	}
	if !nothing(it.Metadata) {
		out["metadata"] = it.Metadata
	}
	return json.Marshal(out)
}

// pickMembers is an object of some members of another; nil when it has none of them.
func pickMembers(raw json.RawMessage, names []string) json.RawMessage {
	var of map[string]json.RawMessage
	if len(names) == 0 || json.Unmarshal(raw, &of) != nil {
		return nil
	}
	out := map[string]json.RawMessage{}
	for _, n := range names {
		if v, there := of[n]; there {
			out[n] = v
		}
	}
	if len(out) == 0 {
		return nil
	}
	picked, err := json.Marshal(out)
	if err != nil {
		return nil
	}
	return picked
}

// traceExchange is what went in and came out of a trace: what it says itself, else that of its outermost observation.
func (s *Server) traceExchange(ctx context.Context, c *call, id string) (e exchange, err error) {
	if err := s.answered(ctx, c, getTrace, id, url.Values{"fields": {fieldsTrace}}, &e); err != nil || !e.empty() {
		return e, err
	}
	page, err := query.ListObservations(ctx, s.o.Warehouse, c.caller.Project, store.Query{
		Filter: store.Filter{TraceID: id, Terms: []store.Condition{{Column: "parent_observation_id", Op: store.Present, Not: true}}},
		Order:  store.Order{By: "start_time", Asc: true, Limit: 1}, Bare: true,
	})
	if err != nil || len(page.Data) == 0 {
		return e, err
	}
	return s.observationExchange(ctx, c, page.Data[0].ID, id)
}

func (s *Server) observationExchange(ctx context.Context, c *call, id, traceID string) (e exchange, err error) {
	values := url.Values{}
	if traceID != "" {
		values.Set("trace_id", traceID)
	}
	err = s.answered(ctx, c, getObservation, id, values, &e)
	e.TraceID = cmp.Or(e.TraceID, traceID)
	return e, err
}

// answered asks a question of this server for the caller of a request, in its turn, and reads the answer into v.
func (s *Server) answered(ctx context.Context, c *call, handle handler, id string, values url.Values, v any) error {
	r := c.r.Clone(ctx)
	r.SetPathValue("id", id)
	inner := &call{w: c.w, r: r, params: values, caller: c.caller}
	defer inner.end()
	rt := route{method: http.MethodGet, path: c.incoming.Path, scope: keyring.ScopeRead, handle: handle}
	ans, err := s.answerQuery(ctx, rt, inner)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := (&answerWriter{s: s, c: inner, rt: rt, ans: ans}).encode(&b); err != nil {
		return err
	}
	return json.Unmarshal(b.Bytes(), v)
}
