package server

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// marking is the search for words whose places a page shows.
type marking struct {
	s       *Server
	project string
	marker  *textsearch.Marker
	found   []store.Found // by the searches for words that must be there
}

// marks begins to mark what the searches found; nil when none of them looked for words. found are what each search found.
func (s *Server) marks(project string, searches []query.Search, found []store.Found) *marking {
	m := &marking{s: s, project: project}
	var queries []*textsearch.Query
	for i := range searches {
		if searches[i].Words && !searches[i].Not {
			queries, m.found = append(queries, searches[i].Query), append(m.found, found[i])
		}
	}
	if queries == nil {
		return nil
	}
	m.marker = textsearch.NewMarker(queries...)
	return m
}

// traces marks a page of traces: by their own events, else by those of their observations.
func (m *marking) traces(ctx context.Context, rows []wire.TraceSummary) error {
	at := make(map[string]int, len(rows))
	ids := make([]string, len(rows))
	for i := range rows {
		at[rows[i].ID], ids[i] = i, rows[i].ID
	}
	of := map[entity.Seq]int{}
	own, err := store.EntityEvents(ctx, m.s.o.Warehouse, m.project, entity.TraceKind, ids)
	if err != nil {
		return err
	}
	for id, seqs := range own {
		m.add(of, at[id], seqs)
	}
	page, err := query.ListObservations(ctx, m.s.o.Warehouse, m.project, store.Query{
		Filter: store.Filter{Terms: []store.Condition{among("trace_id", ids)}, Found: m.found},
		Order:  store.Order{Limit: min(stepsMarked*len(ids), query.MaxLimit)},
	})
	if err != nil {
		return err
	}
	if err := m.observationEvents(ctx, page.Data, func(i int) int { return at[page.Data[i].TraceID] }, of); err != nil {
		return err
	}
	return m.mark(ctx, of, func(row int) *[]wire.Highlight { return &rows[row].Highlights })
}

// observations marks a page of observations.
func (m *marking) observations(ctx context.Context, rows []wire.Observation) error {
	of := map[entity.Seq]int{}
	if err := m.observationEvents(ctx, rows, func(i int) int { return i }, of); err != nil {
		return err
	}
	return m.mark(ctx, of, func(row int) *[]wire.Highlight { return &rows[row].Highlights })
}

// observationEvents adds the events of observations to those that are asked. What several traces have is of the first row.
func (m *marking) observationEvents(ctx context.Context, rows []wire.Observation, at func(int) int, of map[entity.Seq]int) error {
	ids := make([]string, 0, len(rows))
	row := map[string]int{}
	for i := range rows {
		if _, known := row[rows[i].ID]; !known {
			row[rows[i].ID] = at(i)
			ids = append(ids, rows[i].ID)
		}
	}
	events, err := store.EntityEvents(ctx, m.s.o.Warehouse, m.project, entity.ObservationKind, ids)
	for id, seqs := range events {
		m.add(of, row[id], seqs)
	}
	return err
}

// add takes some of the events of a row along.
func (m *marking) add(of map[entity.Seq]int, row int, seqs []entity.Seq) {
	for _, seq := range few(seqs, mostMarked) {
		if _, known := of[seq]; !known {
			of[seq] = row
		}
	}
}

// marksOfRow is how many texts of a row are shown.
const marksOfRow = 2

// mark reads those events that match, and gives each row its first texts with the words.
func (m *marking) mark(ctx context.Context, of map[entity.Seq]int, highlights func(row int) *[]wire.Highlight) error {
	seqs := slices.Sorted(maps.Keys(of))
	matching, err := m.matching(ctx, seqs)
	if err != nil {
		return err
	}
	return readOf(ctx, m.s, m.project, matching, func(rec *entity.Record) {
		all := highlights(of[rec.Seq])
		for i := range rec.Fields.Values {
			v := &rec.Fields.Values[i]
			if len(*all) == marksOfRow {
				return
			}
			if pieces := m.pieces(v); pieces != nil {
				*all = append(*all, highlight(v.Field.String(), pieces))
			}
		}
		if len(*all) == 0 { // of a span some words are in what no field has
			if pieces := m.marker.JSON(string(rec.Event.Payload)); pieces != nil {
				*all = append(*all, highlight(entity.Attributes.String(), pieces))
			}
		}
	})
}

// matching are those of the events, which rise, that one of the searches finds.
func (m *marking) matching(ctx context.Context, seqs []entity.Seq) (map[entity.Seq]bool, error) {
	matching := map[entity.Seq]bool{}
	for _, f := range m.found {
		matches := make([]bool, len(seqs))
		if f.Seqs != nil {
			for i, seq := range seqs {
				_, matches[i] = slices.BinarySearch(f.Seqs, seq)
			}
		} else {
			var err error
			if matches, err = f.Match(ctx, seqs); err != nil {
				return nil, err
			}
		}
		for i, yes := range matches {
			if yes {
				matching[seqs[i]] = true
			}
		}
	}
	return matching, nil
}

// pieces are those of a field that is searched.
func (m *marking) pieces(v *entity.FieldValue) []textsearch.Piece {
	switch v.Field {
	case entity.Name, entity.StatusMessage:
		return m.marker.Text(v.Text)
	case entity.Input, entity.Output, entity.Metadata, entity.TraceInput, entity.TraceOutput:
		return m.marker.JSON(v.Text)
	case entity.Tags:
		return m.marker.Text(strings.Join(v.List, " "))
	}
	return nil
}

func highlight(field string, pieces []textsearch.Piece) wire.Highlight {
	h := wire.Highlight{Field: strings.TrimPrefix(field, "trace_")}
	for _, p := range pieces {
		h.Segments = append(h.Segments, wire.Segment{Text: strings.ToValidUTF8(p.Text, "\ufffd"), Match: p.Match})
	}
	return h
}
