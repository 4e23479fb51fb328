package outgoing

import (
	"cmp"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// subject names a trace or an observation.
type subject struct {
	kind entity.Kind
	id   string
}

// folded adds the observations and traces of which records speak that did not come as spans.
func (b *builder) folded(recs []entity.Record, takes func(traceID string) bool, tariff entity.Tariff) {
	own := map[entity.Seq]bool{}
	folds := map[subject]*entity.Fold{}
	for i := range recs {
		if f := recs[i].Fields; f != nil && !otlp.Stored(recs[i].Event.Payload) && (f.Kind == entity.TraceKind || f.Kind == entity.ObservationKind) {
			own[recs[i].Seq] = true
			folds[subject{f.Kind, f.EntityID}] = &entity.Fold{}
		}
	}
	project := ""
	for i := range recs {
		rec := &recs[i]
		project = rec.Project
		if rec.Fields != nil {
			if f := folds[subject{rec.Fields.Kind, rec.Fields.EntityID}]; f != nil {
				f.Add(rec, rec.Fields)
			}
		}
	}
	traces := map[string]*wire.Trace{}
	var rows []entity.ObservationRow
	for s, f := range folds {
		if s.kind == entity.TraceKind {
			if takes(s.id) {
				traces[s.id] = f.Trace(s.id)
			}
			continue
		}
		for _, row := range f.Observations(s.id) {
			if takes(row.TraceID) && slices.ContainsFunc(row.Seqs, func(seq entity.Seq) bool { return own[seq] }) {
				tariff.Price(&row)
				rows = append(rows, row)
			}
		}
	}
	slices.SortFunc(rows, func(a, b entity.ObservationRow) int {
		return cmp.Or(cmp.Compare(a.TraceID, b.TraceID), a.StartTime.Compare(b.StartTime), cmp.Compare(a.ID, b.ID))
	})
	b.add(project, traces, rows)
}

// add adds the spans of traces and observations; an outermost one hangs below its trace, when that has a span.
func (b *builder) add(project string, traces map[string]*wire.Trace, rows []entity.ObservationRow) {
	for _, t := range sortedTraces(traces) {
		over := stretch{start: t.StartTime, end: t.EndTime}
		for i := range rows {
			if o := &rows[i]; o.TraceID == t.ID {
				over.with(o.StartTime, o.EndTime, o.ParentObservationID == "" && o.Status == entity.StatusError)
			}
		}
		b.spans.add(ofTrace(project, t, over))
	}
	for i := range rows {
		b.spans.add(ofObservation(project, &rows[i], traces[rows[i].TraceID] != nil))
	}
}

func sortedTraces(traces map[string]*wire.Trace) []*wire.Trace {
	var all []*wire.Trace
	for _, t := range traces {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *wire.Trace) int {
		return cmp.Or(a.StartTime.Compare(b.StartTime), cmp.Compare(a.ID, b.ID))
	})
	return all
}
