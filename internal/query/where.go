package query

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
)

// whereOf checks what f asks of a list; subject is what statistics are of.
func whereOf(f *store.Filter, l List, subject string) (store.Where, error) {
	w := store.Where{Seqs: f.Seqs, Match: f.Match, Found: f.Found}
	unknown := ""
	for _, p := range Params() {
		value := p.given(f)
		switch {
		case value == nil:
		case !p.restricts(l, subject):
			unknown = p.Name
		case p.Form == Conditions:
			var err error
			if w.Scores, err = scoreRanges(f.Scores); err != nil {
				return w, err
			}
		case p.column != "":
			w.Conditions = append(w.Conditions, store.Condition{Column: p.column, Op: p.op, Value: value})
		}
	}
	w.Conditions = append(w.Conditions, f.Terms...)
	if once(f, l, subject) {
		w.Conditions = append(w.Conditions, store.Condition{Column: "is_duplicate", Value: false})
	}
	if unknown != "" {
		return w, &store.QueryError{Param: unknown, Message: "is not a filter of this list"}
	}
	return w, nil
}

// once says whether each call of a provider stands in the list once, however many observations report it.
func once(f *store.Filter, l List, subject string) bool {
	byID := f.ID != "" || slices.ContainsFunc(f.Terms, func(c store.Condition) bool { return c.Column == "id" && !c.Not })
	return subject == "observations" && (l == Observations || l == Stats) && !byID && (f.Duplicates == nil || !*f.Duplicates)
}

// given is the value of p in f as a condition has it; nil when there is none.
func (p *Param) given(f *store.Filter) any {
	switch {
	case p.field == nil:
		return nil
	case p.Name == "q": // its words are Seqs or Match by now
		if f.Seqs != nil || f.Match != nil {
			return f.Text
		}
		return nil
	}
	switch v := p.field(f).(type) {
	case *string:
		switch {
		case *v == "":
			return nil
		case p.op == store.In:
			return []string{*v}
		}
		return *v
	case *time.Time:
		switch {
		case v.IsZero():
			return nil
		case p.op == store.Below: // a fraction of a microsecond in it keeps the microsecond it is in
			return v.Add(time.Microsecond - 1).UnixMicro()
		}
		return v.UnixMicro()
	case **float64:
		if *v != nil {
			return **v
		}
	case **bool:
		if *v != nil {
			return **v
		}
	case *[]store.ScoreCondition:
		if len(*v) > 0 {
			return *v
		}
	case *[]textsearch.Attribute: // they are Seqs or Match by now, as words
		if len(*v) > 0 {
			return *v
		}
	}
	return nil
}

// scoreRanges joins the conditions of each name.
func scoreRanges(all []store.ScoreCondition) ([]store.ScoreRange, error) {
	var ranges []store.ScoreRange
	for _, s := range all {
		i := slices.IndexFunc(ranges, func(r store.ScoreRange) bool { return r.Name == s.Name })
		if i < 0 {
			i = len(ranges)
			ranges = append(ranges, store.ScoreRange{Name: s.Name, Least: math.Inf(-1), Most: math.Inf(1)})
		}
		r := &ranges[i]
		switch s.Op {
		case "=":
			r.Least, r.Most = max(r.Least, s.Value), min(r.Most, s.Value)
		case "!=":
			r.Not = append(r.Not, s.Value)
		case "<":
			r.Most = min(r.Most, math.Nextafter(s.Value, math.Inf(-1)))
		case "<=":
			r.Most = min(r.Most, s.Value)
		case ">":
			r.Least = max(r.Least, math.Nextafter(s.Value, math.Inf(1)))
		case ">=":
			r.Least = max(r.Least, s.Value)
		default:
			return nil, &store.QueryError{Param: "score", Message: fmt.Sprintf("unknown comparison %q", s.Op)}
		}
	}
	return ranges, nil
}
