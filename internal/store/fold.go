package store

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/brokle-ai/brokle-go"
)

// This file is the reference for how events become entities. A warehouse does
// the same in SQL, and a property test holds the two equal. The rules:
//
// An entity is a (project, Kind, EntityID). Of the records with one (project,
// event id) only that with the lowest Seq counts, whatever entities they name: a
// replayed or re-accepted event changes nothing. A record that Extract refuses
// does not count.
//
// The events of an entity are ordered by (timestamp, rank, event id, Seq). For
// each field the last value wins; Extract leaves out null, so a null never wins.
// Other than that:
//
//   - tags: all values united, distinct, sorted bytewise.
//   - metadata: see FoldMetadata.
//   - environment: the last environment in a payload, else the last
//     Record.Environment that is not "default", else "default".
//   - start_time (observations): the last explicit one, else inferred: the least
//     timestamp of the events of rank create, without those of all events.
//   - end_time (observations): the last explicit one, else the greatest timestamp
//     of the events of rank complete, else none.
//   - latency_ms (observations): with an end, max(0, end − start) in milliseconds
//     with microsecond precision; else the last explicit latency_ms, else none.
//   - total_tokens: the last explicit one, else prompt + completion where an
//     unknown one is 0, else (both unknown) none. total_cost: the same of
//     input_cost and output_cost.
//   - type is "span" and level "DEFAULT" when never sent; other texts are "".
//   - a score: data_type as folded; CATEGORICAL has string_value only, any other
//     value only. Its timestamp is the least of its events.
//
// A trace T consists of the events of the trace entity T, the observations whose
// folded trace_id is T, and the scores whose folded trace_id is T, or is "" while
// their folded observation_id is an observation of T. It exists when it has a
// trace event or an observation. Its start_time is the least of its own start
// (as an inferred start_time above; none without a trace event) and its
// observations' start_times; its end_time the greatest end_time of its
// observations, or none; its latency max(0, end − start) when there is an end. Its
// environment, without a trace event, is that of its first observation by
// (start_time, id). observation_count, error_count (level ERROR), total_tokens
// and total_cost are over its observations, an unknown number being 0; models
// are the distinct ones that are not "", sorted. scores has for each name that
// is not "": the mean of the values when any score of that name has a value, else
// the string_value that is last by (timestamp, id).

// Fold collects the events of one entity, in any order.
type Fold struct {
	items []foldItem
	byID  map[string]int // event id → place in items
}

type foldItem struct {
	rec    *Record
	fields *Fields
}

// Add takes in one event of the entity. Of two records with the same event id
// the one with the lower Seq stays. rec must not change afterwards.
func (f *Fold) Add(rec *Record, fields *Fields) {
	if i, known := f.byID[rec.Event.ID]; known {
		if rec.Seq < f.items[i].rec.Seq {
			f.items[i] = foldItem{rec, fields}
		}
		return
	}
	if f.byID == nil {
		f.byID = make(map[string]int)
	}
	f.byID[rec.Event.ID] = len(f.items)
	f.items = append(f.items, foldItem{rec, fields})
}

// before is the order of events.
func (a foldItem) before(b foldItem) int {
	return cmp.Or(
		cmp.Compare(micros(a.rec), micros(b.rec)),
		cmp.Compare(a.fields.Rank, b.fields.Rank),
		strings.Compare(a.rec.Event.ID, b.rec.Event.ID),
		cmp.Compare(a.rec.Seq, b.rec.Seq),
	)
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
	has      [NumFields]bool
	last     [NumFields]FieldValue
	tags     []string
	metadata []string // every value, in order
	batchEnv string   // the last that is not "default", or ""

	created, completed, any instant // least create, greatest complete, least of all
}

func (f *Fold) state() *folded {
	items := slices.Clone(f.items)
	slices.SortFunc(items, foldItem.before)
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
		for _, v := range item.fields.Values {
			s.has[v.Field], s.last[v.Field] = true, v
			switch v.Field {
			case Tags:
				s.tags = append(s.tags, v.List...)
			case Metadata:
				s.metadata = append(s.metadata, v.Text)
			}
		}
	}
	sort.Strings(s.tags)
	s.tags = slices.Compact(s.tags)
	return s
}

const defaultEnvironment = "default"

func (s *folded) text(f Field, otherwise string) string {
	if !s.has[f] {
		return otherwise
	}
	return s.last[f].Text
}

func (s *folded) environment() string {
	return cmp.Or(s.text(Environment, s.batchEnv), defaultEnvironment)
}

// inferredStart is the start of an entity that says none.
func (s *folded) inferredStart() instant {
	if s.created.known {
		return s.created
	}
	return s.any
}

func (s *folded) start() (at instant, inferred bool) {
	if s.has[StartTime] {
		return instant{s.last[StartTime].Int, true}, false
	}
	return s.inferredStart(), true
}

func (s *folded) end() instant {
	if s.has[EndTime] {
		return instant{s.last[EndTime].Int, true}
	}
	return s.completed
}

func (s *folded) integer(f Field) *int64 {
	if !s.has[f] {
		return nil
	}
	n := s.last[f].Int
	return &n
}

func (s *folded) number(f Field) *float64 {
	if !s.has[f] {
		return nil
	}
	n := s.last[f].Num
	return &n
}

// total is the explicit sum, else that of the known parts, else nil.
func total[T int64 | float64](explicit, a, b *T) *T {
	if explicit != nil || a == nil && b == nil {
		return explicit
	}
	var sum T
	for _, part := range [...]*T{a, b} {
		if part != nil {
			sum += *part
		}
	}
	return &sum
}

// latency is end − start in milliseconds, never negative; nil without an end.
func latency(start, end instant) *float64 {
	if !end.known {
		return nil
	}
	ms := float64(max(0, end.us-start.us)) / 1000
	return &ms
}

// list returns tags as an answer gives them: never nil.
func (s *folded) list() []string {
	if s.tags == nil {
		return []string{}
	}
	return s.tags
}

// ObservationRow is a folded observation as a Warehouse keeps it: what answers
// show of it, and what only filters ask for.
type ObservationRow struct {
	brokle.Observation
	UserID, SessionID, Release string
}

// Observations folds the events that name the observation id into what they are
// observations of: one row for each trace, sorted by trace id.
func (f *Fold) Observations(id string) []ObservationRow {
	s := f.state()
	return []ObservationRow{{
		Observation: *f.observation(id), UserID: s.text(UserID, ""), SessionID: s.text(SessionID, ""), Release: s.text(Release, ""),
	}}
}

// Trace folds the events that name the trace id: what the trace says of itself,
// without what its observations and scores add.
func (f *Fold) Trace(id string) *brokle.Trace { return ownTrace(f, nil, id) }

// Score folds the events that name the score id.
func (f *Fold) Score(id string) *brokle.Score { return f.score(id) }

// observation is the folded observation id, without children.
func (f *Fold) observation(id string) *brokle.Observation {
	s := f.state()
	start, inferred := s.start()
	end := s.end()
	o := &brokle.Observation{
		ID: id, TraceID: s.text(TraceID, ""), ParentObservationID: s.text(ParentObservationID, ""),
		Type: s.text(ObservationType, "span"), Name: s.text(Name, ""), Environment: s.environment(),
		StartTime: start.time(), StartTimeInferred: inferred, LatencyMS: latency(start, end),
		Level: s.text(Level, "DEFAULT"), StatusMessage: s.text(StatusMessage, ""), Version: s.text(Version, ""),
		Model: s.text(Model, ""), Provider: s.text(Provider, ""),
		PromptTokens: s.integer(PromptTokens), CompletionTokens: s.integer(CompletionTokens),
		InputCost: s.number(InputCost), OutputCost: s.number(OutputCost), QualityScore: s.number(QualityScore),
		Tags: s.list(), InputPreview: Preview(s.text(Input, ""), PreviewLength),
		OutputPreview: Preview(s.text(Output, ""), PreviewLength), ModelParameters: s.json(ModelParameters),
		Metadata: FoldMetadata(s.metadata), Input: s.json(Input), Output: s.json(Output),
	}
	o.TotalTokens = total(s.integer(TotalTokens), o.PromptTokens, o.CompletionTokens)
	o.TotalCost = total(s.number(TotalCost), o.InputCost, o.OutputCost)
	if end.known {
		at := end.time()
		o.EndTime = &at
	} else {
		o.LatencyMS = s.number(LatencyMS)
	}
	return o
}

// score is the folded score id.
func (f *Fold) score(id string) *brokle.Score {
	s := f.state()
	c := &brokle.Score{
		ID: id, TraceID: s.text(TraceID, ""), ObservationID: s.text(ObservationID, ""), Name: s.text(Name, ""),
		DataType: s.text(DataType, ""), Source: s.text(Source, ""), EvaluatorName: s.text(EvaluatorName, ""),
		EvaluatorVersion: s.text(EvaluatorVersion, ""), Comment: s.text(Comment, ""),
		AuthorUserID: s.text(AuthorUserID, ""), Environment: s.environment(), Timestamp: s.any.time(),
		Metadata: FoldMetadata(s.metadata),
	}
	if c.DataType == Categorical {
		c.StringValue = s.text(StringValue, "")
	} else {
		c.Value = s.number(Value)
	}
	return c
}
