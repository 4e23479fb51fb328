package server

import (
	"context"
	stdjson "encoding/json"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/brokle-ai/brokle-go/internal/detail"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// trace is a trace as its answer. Observations are read and written one after another; with full they have what the answer
// about each alone has.
func (o *outlined) trace(full bool) *streamed {
	return &streamed{light: o.kept != nil, write: func(ctx context.Context, enc *jsontext.Encoder) error {
		if err := o.fillTrace(ctx); err != nil {
			return err
		}
		t := *o.Trace
		o.Trace.Input, o.Trace.Output, o.Trace.Metadata = nil, nil, nil
		w := &traceWriter{rows: rows{outlined: o}, ctx: ctx, full: full, head: &t, stand: make([]*wire.Observation, o.widest())}
		for i := range w.stand {
			w.stand[i] = &wire.Observation{}
		}
		t.Observations = w.stand[:len(o.Roots())]
		return json.MarshalEncode(enc, &t, json.WithMarshalers(json.JoinMarshalers(json.MarshalToFunc(w.next), times())))
	}}
}

// widest is how many observations hang side by side at most.
func (o *outlined) widest() int {
	most := len(o.Roots())
	for place := range o.Len() {
		most = max(most, len(o.Children(place)))
	}
	return most
}

// traceWriter writes the observations of a trace in the places of others that stand for them: the encoder asks for each in
// the order of the answer.
type traceWriter struct {
	rows
	ctx   context.Context
	full  bool
	head  *wire.Trace
	last  *shown
	stand []*wire.Observation
}

// shown is an observation that is written as it is.
type shown wire.Observation

// drop lets go of what is large and stands before the children.
func (o *shown) drop() {
	for _, payload := range []*stdjson.RawMessage{
		&o.ModelParameters, &o.Usage, &o.Attributes, &o.Metadata, &o.Input, &o.Output, &o.MessagesIn, &o.MessagesOut, &o.Tools, &o.Resource, &o.Events, &o.Links,
	} {
		*payload = nil
	}
}

// next writes the next observation. All that the one before has before its children was written: it need not stay in memory while they are.
func (w *traceWriter) next(enc *jsontext.Encoder, _ *wire.Observation) error {
	w.head.Input, w.head.Output, w.head.Metadata = nil, nil, nil
	if w.last != nil {
		w.last.drop()
	}
	row, own, place, err := w.rows.next(w.ctx)
	if err != nil {
		return err
	}
	if w.full {
		detail.Fill(&row.Observation, own)
	}
	o := shown(row.Observation)
	o.Children = w.stand[:len(w.Children(place))]
	w.last = &o
	return json.MarshalEncode(enc, &o)
}
