package store

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go"
)

// entity names what an event is about, within one project.
type entity struct {
	kind Kind
	id   string
}

// folds sorts records, all of one project, into their entities.
func folds(recs []Record) map[entity]*Fold {
	first := make(map[string]*Record, len(recs))
	for i := range recs {
		rec := &recs[i]
		if known := first[rec.Event.ID]; known == nil || rec.Seq < known.Seq {
			first[rec.Event.ID] = rec
		}
	}
	all := make(map[entity]*Fold)
	for _, rec := range first {
		fields := rec.Fields
		if fields == nil {
			var failure *brokle.BatchEventError
			if fields, failure = Extract(&rec.Event); failure != nil {
				continue
			}
		}
		e := entity{fields.Kind, fields.EntityID}
		if all[e] == nil {
			all[e] = &Fold{}
		}
		all[e].Add(rec, fields)
	}
	return all
}

// FoldObservation folds the observation id from records of its project, which
// may hold events of other entities. The error is ErrNotFound.
func FoldObservation(recs []Record, id string) (*brokle.Observation, error) {
	f := folds(recs)[entity{ObservationKind, id}]
	if f == nil {
		return nil, fmt.Errorf("observation: %w", ErrNotFound)
	}
	return f.observation(id), nil
}

// FoldScore folds the score id in the same way.
func FoldScore(recs []Record, id string) (*brokle.Score, error) {
	f := folds(recs)[entity{ScoreKind, id}]
	if f == nil {
		return nil, fmt.Errorf("score: %w", ErrNotFound)
	}
	return f.score(id), nil
}

// FoldTrace folds the trace with everything that belongs to it from records of
// its project, which may hold more. Observations hang below their parents,
// sorted by (start_time, id); one whose parent is not in the trace is a root. Of
// observations that are their own ancestors the first by (start_time, id)
// becomes a root, and so does one that would hang more than maxTreeDepth levels
// deep: nothing is lost. Scores are sorted by (timestamp, id). The error is ErrNotFound.
func FoldTrace(recs []Record, traceID string) (*brokle.Trace, error) {
	all := folds(recs)
	var observations []*brokle.Observation
	inTrace := make(map[string]bool)
	for e, f := range all {
		if e.kind == ObservationKind {
			if o := f.observation(e.id); o.TraceID == traceID {
				observations = append(observations, o)
				inTrace[o.ID] = true
			}
		}
	}
	own := all[entity{TraceKind, traceID}]
	if own == nil && len(observations) == 0 {
		return nil, fmt.Errorf("trace: %w", ErrNotFound)
	}
	scores := []brokle.Score{}
	for e, f := range all {
		if e.kind == ScoreKind {
			if c := f.score(e.id); c.TraceID == traceID || c.TraceID == "" && inTrace[c.ObservationID] {
				scores = append(scores, *c)
			}
		}
	}
	slices.SortFunc(observations, byStart)
	slices.SortFunc(scores, func(a, b brokle.Score) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), strings.Compare(a.ID, b.ID))
	})
	t := ownTrace(own, observations, traceID)
	summarize(t, observations)
	t.Scores, t.ScoreList = summarizeScores(scores), scores
	t.Observations = tree(observations)
	return t, nil
}

func byStart(a, b *brokle.Observation) int {
	return cmp.Or(a.StartTime.Compare(b.StartTime), strings.Compare(a.ID, b.ID))
}

// ownTrace is what the trace's own events say; own is nil when there are none,
// and then there are observations.
func ownTrace(own *Fold, sorted []*brokle.Observation, id string) *brokle.Trace {
	if own == nil {
		t := &brokle.Trace{}
		t.ID, t.Tags = id, []string{}
		t.Environment, t.StartTime = sorted[0].Environment, sorted[0].StartTime
		return t
	}
	s := own.state()
	t := &brokle.Trace{
		Version: s.text(Version, ""), Release: s.text(Release, ""), ParentTraceID: s.text(ParentTraceID, ""),
		Metadata: FoldMetadata(s.metadata), Input: s.json(Input), Output: s.json(Output),
	}
	t.ID, t.Name, t.UserID, t.SessionID = id, s.text(Name, ""), s.text(UserID, ""), s.text(SessionID, "")
	t.Environment, t.Tags, t.StartTime = s.environment(), s.list(), s.inferredStart().time()
	return t
}

// summarize adds the numbers over the trace's observations.
func summarize(t *brokle.Trace, sorted []*brokle.Observation) {
	models := make(map[string]bool)
	for _, o := range sorted {
		t.ObservationCount++
		if o.Level == "ERROR" {
			t.ErrorCount++
		}
		if o.TotalTokens != nil {
			t.TotalTokens = addTokens(t.TotalTokens, *o.TotalTokens)
		}
		if o.TotalCost != nil {
			t.TotalCost += *o.TotalCost
		}
		if o.Model != "" {
			models[o.Model] = true
		}
		if o.StartTime.Before(t.StartTime) {
			t.StartTime = o.StartTime
		}
		if o.EndTime != nil && (t.EndTime == nil || o.EndTime.After(*t.EndTime)) {
			t.EndTime = o.EndTime
		}
	}
	t.Models = slices.Sorted(maps.Keys(models))
	if t.Models == nil {
		t.Models = []string{}
	}
	if t.EndTime != nil {
		t.LatencyMS = latency(instant{t.StartTime.UnixMicro(), true}, instant{t.EndTime.UnixMicro(), true})
	}
}

// addTokens stops at the largest number instead of wrapping around.
func addTokens(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

func summarizeScores(sorted []brokle.Score) map[string]any {
	type mean struct {
		sum float64
		n   int
	}
	means := make(map[string]mean)
	out := make(map[string]any)
	for _, c := range sorted {
		if c.Name == "" {
			continue
		}
		m := means[c.Name]
		switch {
		case c.Value != nil:
			m = mean{m.sum + *c.Value, m.n + 1}
			means[c.Name] = m
			out[c.Name] = m.sum / float64(m.n)
		case m.n == 0 && c.DataType == Categorical:
			out[c.Name] = c.StringValue
		}
	}
	return out
}
