package entity

import "github.com/brokle-ai/brokle-go/internal/wire"

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
//   - key_id: the first Record.KeyID that is known: who adds to what another key brought does not make its cost
//     their own. It is that of the trace's first observation where the trace has no event of its own.
//   - start_time (observations): the last explicit one, else inferred: the least
//     timestamp of the events of rank create, without those of all events.
//   - status (observations): the last said, else error when the level is ERROR, else ok.
//   - token_source: the last said, else whether there are tokens. cost_source: whether there is a cost; see Pricer.
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
// to which that has happened, and of which a Pricer, where there is one, then said what they cost.
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
// Count lets count, exactly (see Money), an unknown number being left out: total_cost is not known when no cost among them is; models
// are the distinct ones that are not "", sorted. scores has for each name that
// is not "": the mean of the values when any score of that name has a value, else
// the string_value that is last by (timestamp, id).

// Fold collects the events of one entity, in any order; of observations, all events
// that name one observation id, whatever trace they name. What it makes is the caller's. It is
// not safe for concurrent use.
type Fold struct{ f Folder }

// Add takes in one event of the entity. Of two records of one fact that with the
// lower Seq stays. rec and fields must not change afterwards.
func (f *Fold) Add(rec *Record, fields *Fields) { f.f.add(rec, fields) }

// Observations folds the events that name the observation id into what they are
// observations of: one row for each trace, sorted by trace id.
func (f *Fold) Observations(id string) []ObservationRow {
	f.f.made = made{}
	return f.f.Observations(id)
}

// Trace folds the events that name the trace id: what the trace says of itself,
// without what its observations and scores add.
func (f *Fold) Trace(id string) *wire.Trace {
	f.f.made = made{}
	return f.f.Trace(id)
}

// Score folds the events that name the score id.
func (f *Fold) Score(id string) *wire.Score {
	f.f.made = made{}
	return f.f.Score(id)
}

// Facts returns the events that the fold reads, in the order in which it reads them.
// Of observations, they are those of all traces.
func (f *Fold) Facts() []*Record {
	items := f.f.sorted()
	recs := make([]*Record, len(items))
	for i := range items {
		recs[i] = items[i].rec
	}
	return recs
}
