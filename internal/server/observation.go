package server

import (
	"context"
	stdjson "encoding/json"
	"errors"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/brokle-ai/brokle-go/internal/detail"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// getObservation answers with one observation and all that there is of it.
func getObservation(ctx context.Context, s *Server, c *call) (*answer, error) {
	id, traceID, err := observationOf(c)
	if err != nil {
		return nil, err
	}
	o, err := s.observe(ctx, c, id, traceID, detailCopies)
	if err != nil {
		return nil, err
	}
	if o.kept == nil && o.merges() {
		if err := o.merge(ctx, c); err != nil {
			return nil, err
		}
	}
	row, recs, err := o.fold(ctx)
	if err != nil {
		return nil, err
	}
	detail.Fill(&row.Observation, recs)
	c.question.copies, c.question.room, c.question.count = detailCopies, o.Size(), len(recs)
	if err := s.whole(ctx, c, row); err != nil {
		return nil, err
	}
	if err := s.count(ctx, c, row); err != nil {
		return nil, err
	}
	if o.merged == nil {
		return ok(&row.Observation, nil)
	}
	return ok(o.streamed(&row.Observation), nil)
}

// count says whether the observation of a row counts in its trace: that depends on what is below it, which only the trace knows.
func (s *Server) count(ctx context.Context, c *call, row *entity.ObservationRow) error {
	if row.TraceID == "" {
		return nil
	}
	page, err := query.ListObservations(ctx, s.o.Warehouse, c.caller.Project, store.Query{
		Filter: store.Filter{ID: row.ID, TraceID: row.TraceID}, Order: store.Order{Limit: 1}, Bare: true,
	})
	if err == nil && len(page.Data) > 0 {
		row.Counted = page.Data[0].Counted
	}
	return err
}

// oneObservation is an observation of which only what counts is read: see entity.Lean.
type oneObservation struct {
	*entity.Lean
	*reading
	id, traceID string
	window      int64
	merged      *merged // nil: the metadata are in the row
}

// observe finds what counts of an observation, and takes the room for so many copies of it.
func (s *Server) observe(ctx context.Context, c *call, id, traceID string, copies int64) (*oneObservation, error) {
	seqs, err := s.entityEvents(ctx, c, entity.ObservationKind, id)
	if err != nil {
		return nil, err
	}
	o := &oneObservation{id: id, traceID: traceID, window: int64(s.window)}
	o.reading, err = s.sketched(ctx, c, seqs, copies, o)
	return o, err
}

// merges says whether the metadata are written while they are read: they are large, and of several events.
func (o *oneObservation) merges() bool { return len(o.Metadata) > 1 && o.MetadataSize() > o.window }

func (o *oneObservation) begin() { o.Lean = &entity.Lean{} }

func (o *oneObservation) add(rec *entity.Record) int64 {
	o.Add(rec, detail.OfSpan(rec))
	return o.Bytes()
}

func (o *oneObservation) end() (largest, bytes int64, err error) {
	if err := o.Choose(o.id, o.traceID); err != nil {
		return 0, 0, err
	}
	if o.merges() {
		return o.Size(), o.Bytes() + 2*mergeWindows*o.window, nil
	}
	return o.Size() + o.MetadataSize(), o.Bytes(), nil
}

// fold is the row, and the records that it was folded from, in the order of the fold.
func (o *oneObservation) fold(ctx context.Context) (*entity.ObservationRow, []*entity.Record, error) {
	var recs []entity.Record
	err := o.each(ctx, o.Seqs, func(rec *entity.Record) {
		if !o.Whole(rec.Seq) {
			recs = append(recs, o.Of(rec, o.merged == nil))
			return
		}
		whole := owned(*rec)
		whole.Fields = nil // they are read again, out of the payload's own memory
		recs = append(recs, whole)
	})
	if err != nil {
		return nil, nil, err
	}
	extract.Fill(recs)
	detail.Join(recs)
	row, own, err := foldObservation(recs, o.id, o.traceID)
	if err != nil {
		return nil, nil, err
	}
	row.Ambiguous = o.Ambiguous
	return row, own, nil
}

// each reads the records of seqs, one after another in the order of the Log, for f, which keeps nothing of them. The
// error is a problem when one is no longer there.
func (r *reading) each(ctx context.Context, seqs []entity.Seq, f func(*entity.Record)) error {
	n := 0
	take := func(recs []entity.Record) bool {
		extract.Fill(recs)
		for i := range recs {
			f(&recs[i])
		}
		n += len(recs)
		return true
	}
	seqs = slices.Clone(seqs)
	slices.Sort(seqs)
	if r.kept != nil {
		recs, err := r.get(ctx, seqs)
		take(recs)
		return err
	}
	err := r.s.steps(ctx, seqs, take)
	if err == nil && n != len(seqs) {
		err = errChanged()
	}
	return err
}

// streamed is the observation with its metadata, which are read while they are written.
func (o *oneObservation) streamed(row *wire.Observation) *streamed {
	place := stdjson.RawMessage("{}")
	return &streamed{write: func(ctx context.Context, enc *jsontext.Encoder) error {
		row.Metadata = place
		metadata := func(enc *jsontext.Encoder, v stdjson.RawMessage) error {
			if len(v) == 0 || &v[0] != &place[0] {
				return errors.ErrUnsupported // another value: as it is
			}
			return o.merged.write(ctx, enc)
		}
		return json.MarshalEncode(enc, row, json.WithMarshalers(json.JoinMarshalers(json.MarshalToFunc(metadata), times())))
	}}
}
