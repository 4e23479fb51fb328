package entity

import (
	"cmp"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Tree hangs observations, which are all of one trace, below their parents as FoldTrace does, and returns the roots.
func Tree(rows []wire.Observation) []*wire.Observation {
	slices.SortFunc(rows, func(a, b wire.Observation) int {
		return cmp.Or(a.StartTime.Compare(b.StartTime), strings.Compare(a.ID, b.ID))
	})
	f := &Family{steps: make([]step, len(rows))}
	for i := range rows {
		o := &rows[i]
		f.steps[i] = step{id: o.ID, parent: o.ParentObservationID, up: noPlace, start: o.StartTime.UnixMicro()}
	}
	r := &Roller{}
	r.link(f)
	hung := hang(r.parents)
	at := func(places []int) []*wire.Observation {
		if len(places) == 0 {
			return nil
		}
		out := make([]*wire.Observation, len(places))
		for i, place := range places {
			out[i] = &rows[place]
		}
		return out
	}
	for i, children := range hung.children {
		rows[i].Children = at(children)
	}
	if roots := at(hung.roots); roots != nil {
		return roots
	}
	return []*wire.Observation{}
}

// Root is the observation that says what a trace is about, among the roots of its Tree: the first that names no parent, else the
// first. nil when there is none.
func Root(roots []*wire.Observation) *wire.Observation {
	if i := slices.IndexFunc(roots, func(o *wire.Observation) bool { return o.ParentObservationID == "" }); i >= 0 {
		return roots[i]
	}
	if len(roots) > 0 {
		return roots[0]
	}
	return nil
}

// Bare is the record without its payload and all else that is held as JSON, in memory of its own.
func Bare(rec *Record) *Record {
	fields := Row(rec.Fields.AppendRow(nil)).Fields()
	return &Record{
		Seq: rec.Seq, Project: rec.Project, Environment: strings.Clone(rec.Environment), KeyID: strings.Clone(rec.KeyID), Fields: fields,
		Event: wire.Event{ID: strings.Clone(rec.Event.ID), Timestamp: rec.Event.Timestamp},
	}
}
