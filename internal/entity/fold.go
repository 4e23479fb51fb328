package entity

import (
	"cmp"
	"slices"
)

// This file is the reference for how events become entities. Every view of the
// Log folds with it; a property test holds what a warehouse answers against it.
//
// An entity is a trace (project, id), a score (project, id) or an observation
// (project, trace id, id): ids of observations are unique only within a trace.
//
// A fact is an event with its content: of the records of one project that have the
// same event id and the same Fields.Content only that with the lowest Seq counts, so
// that a replayed or re-accepted event changes nothing. The same event id with other
// content is a fact of its own. A record that Extract refuses does not count.
//
// The facts of an entity are ordered so: the hints first, then the creates, whatever their time, each by
// (timestamp, Seq), for a create never overrules what follows it; then the others by
// (timestamp, rank, Seq). Seq is the order of acceptance, which is the order of the
// request within one: at equal time and rank the later accepted has the last word.
// The event id decides nothing. The order in which records come to the fold does not
// matter. For each field the last value wins; Extract leaves out null, so a null
// changes nothing. A field named in an event's clear is emptied before the event's
// own values apply, as if nothing before had spoken of it; tags and metadata too.
// Other than that:
//
//   - a field with another rule than Last in the table: tags are all values united, distinct,
//     sorted bytewise; metadata, usage and attributes merge: see FoldMetadata.
//   - environment: the last environment in a payload, else the last
//     Record.Environment that is not "default", else "default".
//   - start_time (observations): the last explicit one, else inferred: the least
//     timestamp of the events of rank create, without those of all events.
//   - status (observations): the last said, else error when the level is ERROR, else ok.
//   - token_source and cost_source: the last said, else whether there are tokens, and a cost.
//   - end_time (observations): the last explicit one, else the greatest timestamp
//     of the events of rank complete, else none.
//   - latency_ms (observations): with an end, end − start in milliseconds with
//     microsecond precision, or none, with a latency_reason, when the end is before
//     the start: a time from two clocks that disagree is no duration. Without an end
//     the last explicit latency_ms, else none.
//   - time_to_first_token_ms: the last said, else the last completion_start_time − an explicit start_time,
//     unless it is before that.
//   - total_tokens: prompt + completion when both are known, else the last explicit
//     one, else the one part that is known, else none. total_cost: the last explicit
//     one, else the sum of those of input_cost and output_cost that are known, else none.
//   - a text that was never sent is that of the table: type is "span", level "DEFAULT", others are "".
//   - a score: data_type as folded; CATEGORICAL has string_value only, any other
//     value only. Its timestamp is the least of its events.
//
// The facts that name one observation id are divided among the traces that they name:
// a trace_id says of which trace's observation its event speaks. What names no trace
// goes to the newest of them, which is the one whose first create has the greatest
// timestamp, then the one with the greatest trace id; traces with a create come before
// those without, and of the latter that whose first event is the latest. When no event
// names a trace the observation is in none: its trace_id is "".
//
// Of the observations of a project that report one call of a provider, in whatever traces, one is kept, and what it
// does not know is filled in from the others, which are duplicates: see twins.go. What follows is of observations
// to which that has happened.
//
// A trace T consists of the events of the trace entity T, the observations of T, and
// the scores whose folded trace_id is T, or is "" while the newest observation with
// their folded observation_id is one of T. It exists when it has a
// trace event or an observation. Its start_time is the least of its own start
// (as an inferred start_time above; none without a trace event) and its
// observations' start_times; its end_time the greatest end_time of its
// observations, or none; its latency end − start when there is an end, or none with a
// reason, as that of an observation. Its environment, without a trace event, is that of
// its first observation by (start_time, id). Its name, user_id, session_id, release and tags, where its own
// events have none, are those of its root: the first by (start_time, id) of the
// observations that name no parent, else of those whose parent it has not; a trace_name that one of
// them says beats the root's name, and a user or session that the root does not say is the first that a span of OpenTelemetry says.
// Input and output are the first trace_input and trace_output of its observations, else, with the metadata, the root's when it
// has no name of its own; its status is the root's always. observation_count, error_count (level
// ERROR), inner_errors (without the root's) and unpriced_count (calls without a cost, but for those that failed without a token) over those that are no duplicates; total_tokens and total_cost over those of them that
// Count lets count, exactly (see Money), an unknown number being 0; models
// are the distinct ones that are not "", sorted. scores has for each name that
// is not "": the mean of the values when any score of that name has a value, else
// the string_value that is last by (timestamp, id).

// Fold collects the events of one entity, in any order; of observations, all events
// that name one observation id, whatever trace they name.
type Fold struct {
	items []foldItem
	facts map[fact]int // place in items
}

// fact is what makes two records of one entity one.
type fact struct {
	eventID string
	content uint64
}

type foldItem struct {
	rec    *Record
	fields *Fields
}

// Add takes in one event of the entity. Of two records of one fact that with the
// lower Seq stays. rec and fields must not change afterwards.
func (f *Fold) Add(rec *Record, fields *Fields) {
	is := fact{rec.Event.ID, fields.Content}
	if i, known := f.facts[is]; known {
		if rec.Seq < f.items[i].rec.Seq {
			f.items[i] = foldItem{rec, fields}
		}
		return
	}
	if f.facts == nil {
		f.facts = make(map[fact]int)
	}
	f.facts[is] = len(f.items)
	f.items = append(f.items, foldItem{rec, fields})
}

// sorted is the facts in the order of the fold.
func (f *Fold) sorted() []foldItem {
	items := slices.Clone(f.items)
	slices.SortFunc(items, foldItem.before)
	return items
}

// before is the order of events.
func (a foldItem) before(b foldItem) int {
	if c := cmp.Compare(a.fields.Rank.phase(), b.fields.Rank.phase()); c != 0 {
		return c
	}
	return cmp.Or(
		cmp.Compare(micros(a.rec), micros(b.rec)),
		cmp.Compare(a.fields.Rank, b.fields.Rank),
		cmp.Compare(a.rec.Seq, b.rec.Seq),
	)
}

// phase is what ranks come before others, whatever the time: hints, creates, and all others.
func (r Rank) phase() int {
	switch r {
	case RankHint:
		return 0
	case RankCreate:
		return 1
	}
	return 2
}

// micros is a record's timestamp in microseconds since 1970.
func micros(rec *Record) int64 { return rec.Event.Timestamp.UnixMicro() }

// instant is microseconds since 1970, or nothing.
type instant struct {
	us    int64
	known bool
}

func (i *instant) least(us int64) {
	if !i.known || us < i.us {
		*i = instant{us, true}
	}
}

func (i *instant) greatest(us int64) {
	if !i.known || us > i.us {
		*i = instant{us, true}
	}
}

// folded is an entity's state after all its events.
type folded struct {
	last     [NumFields]*FieldValue // in an event; nil: none
	grown    []*FieldValue          // of the fields whose rule is not Last: all, in order
	batchEnv string                 // the last that is not "default", or ""

	created, completed, any instant // least create, greatest complete, least of all
}

// fold is the state after items, which stand in their order.
func fold(items []foldItem) *folded {
	s := &folded{}
	for _, item := range items {
		at := micros(item.rec)
		s.any.least(at)
		switch item.fields.Rank {
		case RankCreate:
			s.created.least(at)
		case RankComplete:
			s.completed.greatest(at)
		}
		if env := item.rec.Environment; env != "" && env != defaultEnvironment {
			s.batchEnv = env
		}
		if v, ok := item.fields.Get(Clear); ok {
			s.clear(v.List)
		}
		for i := range item.fields.Values {
			v := &item.fields.Values[i]
			s.last[v.Field] = v
			if table[v.Field].rule != Last {
				s.grown = append(s.grown, v)
			}
		}
	}
	return s
}

// clear empties the fields of these names; those that are no fields are passed over.
func (s *folded) clear(names []string) {
	for _, name := range names {
		if f, ok := FieldNamed(name); ok {
			s.last[f] = nil
			s.grown = slices.DeleteFunc(s.grown, func(v *FieldValue) bool { return v.Field == f })
		}
	}
}

const defaultEnvironment = "default"

func (s *folded) environment() string {
	return cmp.Or(s.text(Environment), s.batchEnv, defaultEnvironment)
}

// inferredStart is the start of an entity that says none.
func (s *folded) inferredStart() instant {
	if s.created.known {
		return s.created
	}
	return s.any
}

func (s *folded) start() (at instant, inferred bool) {
	if s.last[StartTime] != nil {
		return instant{s.last[StartTime].Int, true}, false
	}
	return s.inferredStart(), true
}

func (s *folded) end() instant {
	if s.last[EndTime] != nil {
		return instant{s.last[EndTime].Int, true}
	}
	return s.completed
}
