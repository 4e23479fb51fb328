package entity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// subject names what an event is about, within one project.
type subject struct {
	kind Kind
	id   string
}

// folds sorts records, all of one project and read (extract.Fill), into their entities; the
// events with one observation id are together.
func folds(recs []Record) map[subject]*Fold {
	all := make(map[subject]*Fold)
	for i := range recs {
		rec := &recs[i]
		if rec.Fields == nil {
			continue // nothing that could be read
		}
		e := subject{rec.Fields.Kind, rec.Fields.EntityID}
		if all[e] == nil {
			all[e] = &Fold{}
		}
		all[e].Add(rec, rec.Fields)
	}
	return all
}

// FoldOf collects the events of one entity from records of its project, which are read
// (extract.Fill) and may hold events of others. The error is ErrNotFound.
func FoldOf(recs []Record, kind Kind, id string) (*Fold, error) {
	if f := folds(recs)[subject{kind, id}]; f != nil {
		return f, nil
	}
	return nil, ErrNotFound
}

// Observation returns the observation id of the trace, or, when traceID is "", the
// newest, marked as Ambiguous when several traces have one. The error is ErrNotFound.
func (f *Fold) Observation(id, traceID string) (*ObservationRow, error) {
	rows := f.Observations(id)
	for i := range rows {
		row := &rows[i]
		if traceID == "" && row.Newest || traceID != "" && row.TraceID == traceID {
			row.Ambiguous = traceID == "" && len(rows) > 1
			return row, nil
		}
	}
	return nil, ErrNotFound
}

// FoldObservation folds the observation id of the trace from records of its project,
// which may hold events of other entities. See Fold.Observation for a traceID that is
// "". Whether it is Counted depends on the others of its trace: here it is true. The
// error is ErrNotFound.
func FoldObservation(recs []Record, id, traceID string) (*wire.Observation, error) {
	f, err := FoldOf(recs, ObservationKind, id)
	if err != nil {
		return nil, fmt.Errorf("observation: %w", err)
	}
	row, err := f.Observation(id, traceID)
	if err != nil {
		return nil, fmt.Errorf("observation: %w", err)
	}
	return &row.Observation, nil
}

// FoldScore folds the score id in the same way.
func FoldScore(recs []Record, id string) (*wire.Score, error) {
	f, err := FoldOf(recs, ScoreKind, id)
	if err != nil {
		return nil, fmt.Errorf("score: %w", err)
	}
	return f.Score(id), nil
}

// FoldTrace folds the trace with everything that belongs to it from records of
// its project, which may hold more; of an observation that several traces have, all
// events or those of this trace. Observations hang below their parents,
// sorted by (start_time, id); one whose parent is not in the trace is a root. Of
// observations that are their own ancestors the first by (start_time, id)
// becomes a root, and so does one that would hang more than maxTreeDepth levels
// deep: nothing is lost. Scores are sorted by (timestamp, id). The error is ErrNotFound.
func FoldTrace(recs []Record, traceID string) (*wire.Trace, error) {
	return foldTrace(folds(recs), traceID, FindTwins, Tariff{})
}

// FoldTraceWith is FoldTrace for who knows the twins, and has not all records that decide it: of twins in other
// traces, records hold the events of the duplicates of the trace's observations. What was not said of costs is by the tariff.
func FoldTraceWith(recs []Record, traceID string, twins Twins, tariff Tariff) (*wire.Trace, error) {
	return foldTrace(folds(recs), traceID, func([]*ObservationRow) Twins { return twins }, tariff)
}

func foldTrace(all map[subject]*Fold, traceID string, find func([]*ObservationRow) Twins, tariff Tariff) (*wire.Trace, error) {
	var rows, every []*ObservationRow
	newest := make(map[string]bool) // of the observations: a score that names no trace is about this one
	for e, f := range all {
		if e.kind != ObservationKind {
			continue
		}
		parts := f.Observations(e.id)
		for i := range parts {
			row := &parts[i]
			every = append(every, row)
			if row.TraceID == traceID && traceID != "" {
				rows = append(rows, row)
				newest[e.id] = row.Newest
			}
		}
	}
	find(every).Mark(every)
	for _, row := range rows {
		tariff.Price(row)
	}
	own := all[subject{TraceKind, traceID}]
	if own == nil && len(rows) == 0 {
		return nil, fmt.Errorf("trace: %w", ErrNotFound)
	}
	scores := []wire.Score{}
	for e, f := range all {
		if e.kind == ScoreKind {
			if c := f.Score(e.id); c.TraceID == traceID || c.TraceID == "" && newest[c.ObservationID] {
				scores = append(scores, *c)
			}
		}
	}
	sortScores(scores)
	rolled := rollRows(own, rows, traceID)
	t := rolled.trace
	t.Scores, t.ScoreList = summarizeScores(scores), scores
	t.Observations = rolled.tree()
	return t, nil
}

// sortScores sorts by (timestamp, id).
func sortScores(scores []wire.Score) {
	slices.SortFunc(scores, func(a, b wire.Score) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), strings.Compare(a.ID, b.ID))
	})
}

// ownTrace is what the trace's own events say; own is nil when there are none,
// and then it has no environment and no start.
func ownTrace(own *Fold, id string) *wire.Trace {
	if own != nil {
		return own.Trace(id)
	}
	t := &wire.Trace{}
	t.ID, t.Tags = id, []string{}
	return t
}

// summarizeScores is the mean of each name's values, else its last text; scores are
// sorted by time.
func summarizeScores(sorted []wire.Score) map[string]any {
	numbers := make(map[string][]float64)
	out := make(map[string]any)
	for _, c := range sorted {
		switch {
		case c.Name == "":
		case c.Value != nil:
			numbers[c.Name] = append(numbers[c.Name], *c.Value)
		case c.DataType == Categorical:
			out[c.Name] = c.StringValue
		}
	}
	for name, values := range numbers {
		if mean, ok := Mean(values); ok {
			out[name] = mean
		} else {
			delete(out, name) // the texts beside numbers do not count
		}
	}
	return out
}
