package server

import (
	"context"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// What GET /v1/traces/{id} can be asked for with fields. Without them it has all.
const (
	fieldsTree  = "tree"
	fieldsTrace = "trace"
)

// treeRow is about what an observation without payloads weighs: its row, and its place in the answer.
const treeRow = 2 << 10

// tree is a trace with all its observations and scores, and nothing of what was sent as input, output, metadata or attributes. It is made of the
// warehouse's rows and of the trace's own events, so that it reads no payloads of observations; but those of the root, where the trace names no release.
func (s *Server) tree(ctx context.Context, c *call, id string) (*wire.Trace, error) {
	project, w := c.caller.Project, s.o.Warehouse
	page, err := query.ListTraces(ctx, w, project, store.Query{Filter: store.Filter{Terms: []store.Condition{among("id", []string{id})}}})
	if err != nil {
		return nil, err
	}
	if len(page.Data) == 0 {
		return nil, store.ErrNotFound
	}
	t := &wire.Trace{TraceSummary: page.Data[0]}
	both := true
	of := store.Query{Filter: store.Filter{TraceID: id, Duplicates: &both}, Order: store.Order{By: entity.StartTime.String(), Asc: true, Limit: query.MaxBare}, Bare: true}
	rows, err := everyPage(ctx, c, of, func(q store.Query) (*wire.Page[wire.Observation], error) {
		return query.ListObservations(ctx, w, project, q)
	})
	if err != nil {
		return nil, err
	}
	t.Observations = entity.Tree(rows)
	of = store.Query{Filter: store.Filter{TraceID: id}, Order: store.Order{Asc: true, Limit: query.MaxLimit}}
	t.ScoreList, err = everyPage(ctx, c, of, func(q store.Query) (*wire.Page[wire.Score], error) { return query.ListScores(ctx, w, project, q) })
	if err != nil {
		return nil, err
	}
	return t, s.ownFields(ctx, project, t)
}

// everyPage is all rows of a list, for which it takes the room.
func everyPage[R any](ctx context.Context, c *call, q store.Query, page func(store.Query) (*wire.Page[R], error)) ([]R, error) {
	rows := []R{}
	for {
		if err := c.question.need(ctx, smallAnswer+treeRow*int64(len(rows)+q.Limit)); err != nil {
			return nil, err
		}
		found, err := page(q)
		if err != nil {
			return nil, err
		}
		rows = append(rows, found.Data...)
		if found.NextCursor == nil {
			return rows, nil
		}
		q.Cursor = *found.NextCursor
	}
}

// ownFields fills what only the trace's own events say. Its release may be that of its root.
func (s *Server) ownFields(ctx context.Context, project string, t *wire.Trace) error {
	own, err := s.bare(ctx, project, entity.TraceKind, t.ID)
	if err != nil {
		return err
	}
	if own != nil {
		said := own.Trace(t.ID)
		t.Version, t.Release, t.ParentTraceID, t.StatusMessage, t.ErrorType = said.Version, said.Release, said.ParentTraceID, said.StatusMessage, said.ErrorType
	}
	root := entity.Root(t.Observations)
	if t.Release != "" || root == nil {
		return nil
	}
	of, err := s.bare(ctx, project, entity.ObservationKind, root.ID)
	if err != nil || of == nil {
		return err
	}
	if row, err := of.Observation(root.ID, t.ID); err == nil { // it may have gone meanwhile
		t.Release = row.Release
	}
	return nil
}

// bare is the fold of an entity's own events without their payloads; nil of none.
func (s *Server) bare(ctx context.Context, project string, kind entity.Kind, id string) (*entity.Fold, error) {
	seqs, err := store.EntityEvents(ctx, s.o.Warehouse, project, kind, []string{id})
	if err != nil || len(seqs[id]) == 0 {
		return nil, err
	}
	of := make(map[entity.Seq]bool, len(seqs[id]))
	for _, seq := range seqs[id] {
		of[seq] = true
	}
	f := &entity.Fold{}
	err = readOf(ctx, s, project, of, func(rec *entity.Record) {
		bare := entity.Bare(rec)
		f.Add(bare, bare.Fields)
	})
	return f, err
}

// alone is the trace itself as its answer: without its observations and scores.
func (o *outlined) alone() *streamed {
	return &streamed{light: o.kept != nil, write: func(ctx context.Context, enc *jsontext.Encoder) error {
		if err := o.fillTrace(ctx); err != nil {
			return err
		}
		t := *o.Trace
		t.Observations, t.ScoreList = []*wire.Observation{}, []wire.Score{}
		return json.MarshalEncode(enc, &t, json.WithMarshalers(times()))
	}}
}
