package query

import (
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/textsearch"
)

// FilterField is a field that a filter can name.
type FilterField struct {
	Names []string // the first is the API's
	Form  FilterForm
	Of    []string // subjects: what is listed or counted
	Says  string   // beside what the name says; a part of a sentence

	column string
	place  textsearch.Place
}

// FilterForm is what a field of a filter is compared as.
type FilterForm uint8

// The forms. Fields of PathText and ScoreNumber have a key behind a point.
const (
	PlainText    FilterForm = iota // a text, as it is
	UpperText                      // a text in upper case
	Truth                          // true or false
	PlainNumber                    // a number
	Milliseconds                   // a number of them, or a duration such as 2s
	Money                          // a number, also behind $
	Moment                         // a time, or a date
	ScoreNumber                    // the mean of the scores of a name
	PathText                       // a text or a number that only the events say
)

// FilterFields are all fields of filters, in the order in which documents name them.
func FilterFields() []FilterField {
	const t, o, s, e, sessions, users = "traces", "observations", "scores", "events", "sessions", "users"
	totals := []string{t, sessions, users}
	traces := func(more ...string) []string { return append(more, totals...) }
	all := traces(o, s, e)
	field := func(form FilterForm, of []string, names ...string) FilterField {
		return FilterField{Names: names, Form: form, Of: of, column: names[0]}
	}
	in := func(f FilterField, column string) FilterField { f.column = column; return f }
	says := func(f FilterField, text string) FilterField { f.Says = text; return f }
	return []FilterField{
		field(PlainText, all, "name"),
		field(PlainText, []string{t, o, s}, "id"),
		field(PlainText, all, "user_id", "user"),
		field(PlainText, all, "session_id", "session"),
		field(PlainText, all, "environment", "env"),
		field(PlainText, all, "key_id", "key"),
		says(in(field(PlainText, all, "tag", "tags"), "tag"), "one of the tags"),
		field(PlainText, all, "version"),
		field(PlainText, all, "release"),
		says(in(field(PlainText, all, "model", "models"), "model"), "that of any observation of a trace"),
		says(field(PlainText, all, "provider"), "the same"),
		says(field(PlainText, all, "type"), "the same"),
		says(field(UpperText, all, "level"), "the same, in any case"),
		field(PlainText, traces(o), "status"),
		says(field(PlainText, traces(o), "error_type"), "of any observation of a trace"),
		says(field(PlainText, traces(o), "status_message", "message"), "the same"),
		says(field(PlainText, traces(o), "finish_reason"), "the same"),
		says(field(PlainText, traces(o), "service_tier"), "the same"),
		says(field(PlainText, traces(o), "prompt_name", "prompt"), "the same"),
		says(field(PlainText, traces(o), "prompt_version"), "the same"),
		says(in(field(Truth, append(traces(o), e), "has_error", "error"), "has_error"), "whether it failed, as the parameter `has_error` says it"),
		field(PlainText, []string{o, s, e}, "trace_id", "trace"),
		field(PlainText, []string{o}, "parent_observation_id", "parent"),
		field(PlainText, []string{o}, "requested_model"),
		field(PlainText, []string{o}, "cost_source"),
		field(PlainText, []string{o}, "cost_reason"),
		field(PlainText, []string{o}, "door"),
		field(PlainText, []string{o}, "scope"),
		field(PlainText, []string{o}, "sdk"),
		field(Milliseconds, append(traces(o), e), "latency_ms", "latency"),
		field(Milliseconds, []string{o}, "time_to_first_token_ms", "ttft"),
		field(Money, append(traces(o), e), "total_cost", "cost"),
		field(Money, []string{o}, "input_cost"),
		field(Money, []string{o}, "output_cost"),
		field(PlainNumber, append(traces(o), e), "total_tokens", "tokens"),
		field(PlainNumber, []string{o}, "prompt_tokens"),
		field(PlainNumber, []string{o}, "completion_tokens"),
		field(PlainNumber, []string{o}, "cache_read_tokens"),
		field(PlainNumber, []string{o}, "cache_write_tokens"),
		field(PlainNumber, []string{o}, "reasoning_tokens"),
		field(PlainNumber, totals, "observation_count", "observations"),
		field(PlainNumber, totals, "error_count", "errors"),
		field(PlainNumber, totals, "inner_errors"),
		field(PlainNumber, totals, "unpriced_count"),
		says(in(field(Moment, all, "start_time", "start", "timestamp", "time"), "time"), "of a score or an event its timestamp"),
		field(Moment, traces(o), "end_time", "end"),
		field(PlainText, []string{s}, "observation_id", "observation"),
		field(PlainNumber, []string{s}, "value"),
		field(PlainText, []string{s}, "string_value"),
		field(UpperText, []string{s}, "data_type"),
		field(UpperText, []string{s}, "source"),
		field(PlainText, []string{s}, "evaluator_name", "evaluator"),
		field(PlainText, []string{s}, "comment"),
		field(PlainText, []string{s}, "author_user_id", "author"),
		says(in(field(ScoreNumber, traces(o), "score.NAME"), "score"), "the mean of its numeric scores of that name; yes and no are 1 and 0"),
		says(FilterField{Names: []string{"metadata.PATH"}, Form: PathText, Of: []string{t, o, e}, place: textsearch.InMetadata}, "of metadata, with points between the keys"),
		says(FilterField{Names: []string{"attributes.KEY"}, Form: PathText, Of: []string{t, o, e}, place: textsearch.InAttributes}, "an attribute of a span, or of the object `attributes` of an event"),
		says(FilterField{Names: []string{"resource.KEY"}, Form: PathText, Of: []string{t, o, e}, place: textsearch.InResource}, "an attribute of a span's resource"),
	}
}

// keyless is a name without the key that stands for any behind its point.
func keyless(name string) (plain string, keyed bool) {
	plain, _, keyed = strings.Cut(name, ".")
	return plain, keyed
}

// fieldOf finds the field of that name of a subject. near is a name to tell who meant another, "" for none.
func fieldOf(subject, name string) (f FilterField, found, here bool) {
	for _, f := range FilterFields() {
		for _, n := range f.Names {
			if plain, _ := keyless(n); plain == name {
				return f, true, slices.Contains(f.Of, subject)
			}
		}
	}
	return f, false, false
}

// namesFor are the names of the fields of a subject, shortest of each.
func namesFor(subject string) []string {
	var names []string
	for _, f := range FilterFields() {
		if slices.Contains(f.Of, subject) {
			name := f.Names[0]
			for _, other := range f.Names[1:] {
				if len(other) < len(name) {
					name = other
				}
			}
			names = append(names, name)
		}
	}
	return names
}

// nearest is the name that is at most two changes from what was written; "" when there is none.
func nearest(written string, names []string) string {
	best, least := "", 3
	for _, name := range names {
		if d := distance(written, name); d < least {
			best, least = name, d
		}
	}
	return best
}

// distance is how many characters must be put in, taken out or changed (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, before+1)
		}
	}
	return row[len(b)]
}
