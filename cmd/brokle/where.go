package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go"
)

func whereFlag() cli.Flag {
	return &cli.GenericFlag{Name: "where", Value: &texts{}, HideDefault: true,
		Usage: "a filter such as 'level:error latency:>2s', or a condition such as 'latency_ms>500', 'model=gpt-4o' or 'score:quality>=0.8', whose value may be a JSON string; repeat it for more"}
}

// texts is the value of a flag that may be repeated, and may hold commas.
type texts []string

func (t *texts) Set(v string) error { *t = append(*t, v); return nil }
func (t *texts) String() string     { return strings.Join(*t, " ") }
func (t *texts) Get() any           { return []string(*t) }

// conditions are those of --where, as they were typed.
func conditions(c *cli.Command) []string {
	typed, _ := c.Value("where").([]string) // nil for a command without the flag
	return typed
}

// possible are the conditions of each list: what the API can filter by.
var possible = map[string][]string{
	"traces":       {"name", "user_id", "session_id", "environment", "key_id", "tag", "model", "level", "latency_ms", "cost", "has_error", "start_time", "text", "score:NAME", "attributes.KEY", "resource.KEY"},
	"observations": {"name", "user_id", "session_id", "environment", "key_id", "tag", "model", "type", "level", "trace_id", "latency_ms", "cost", "has_error", "start_time", "text", "score:NAME", "attributes.KEY", "resource.KEY"},
	"scores":       {"name", "user_id", "session_id", "environment", "key_id", "tag", "model", "trace_id", "observation_id", "data_type", "source", "start_time"},
	"sessions":     {"name", "user_id", "session_id", "environment", "key_id", "tag", "model", "has_error", "start_time"},
	"users":        {"name", "user_id", "session_id", "environment", "key_id", "tag", "model", "has_error", "start_time"},
	"environments": {"start_time"},
	"events":       {"environment", "key_id", "trace_id", "start_time"},
	"stats":        {"name", "user_id", "session_id", "environment", "key_id", "tag", "model", "type", "level", "trace_id", "latency_ms", "cost", "has_error", "start_time", "text", "score:NAME", "attributes.KEY", "resource.KEY"},
}

// operators of each field that has others than =.
var operators = map[string]string{
	"latency_ms": "= < <= > >=", "cost": "> >=", "start_time": "< <= > >=", "score:NAME": "= != < <= > >=",
}

// condition is one --where: field, operator, value.
type condition struct{ text, field, op, value string }

func parseCondition(text string) (condition, error) {
	at, end := operator(text)
	if at < 1 {
		return condition{}, fmt.Errorf("--where is %q: must be a field, one of = != < <= > >=, and a value", text)
	}
	c := condition{text: text, field: strings.TrimSpace(text[:at]), op: text[at:end], value: strings.TrimSpace(text[end:])}
	if c.op == "==" {
		c.op = "="
	}
	c.value = unquoted(c.value)
	if c.op == "!" || c.field == "" || c.value == "" {
		return c, fmt.Errorf("--where is %q: must be a field, one of = != < <= > >=, and a value", text)
	}
	return c, nil
}

// operator is where the operator of a condition stands: the first one, but behind score:NAME,
// whose name may have some, the last.
func operator(text string) (at, end int) {
	if !strings.HasPrefix(strings.TrimSpace(text), "score:") {
		at = strings.IndexAny(text, "<>=!")
		if end = at + 1; end > 0 && end < len(text) && text[end] == '=' {
			end++
		}
		return at, end
	}
	at = strings.LastIndexAny(text, "<>=")
	if end = at + 1; at > 0 && text[at] == '=' && strings.ContainsRune("<>!=", rune(text[at-1])) {
		at--
	}
	return at, end
}

// unquoted is a value as it was typed: a JSON string is what it says, with blanks and quotes.
func unquoted(value string) string {
	var text string
	if strings.HasPrefix(value, `"`) && json.Unmarshal([]byte(value), &text) == nil {
		return text
	}
	return strings.Trim(value, `"`)
}

// isFilter says whether a --where is a filter as docs/api.md has it, which the server reads. What begins with a field and an operator is a condition,
// and so is what has neither that nor a colon.
func isFilter(text string) bool {
	if !strings.Contains(text, ":") || strings.HasPrefix(strings.TrimSpace(text), "score:") {
		return false
	}
	at, _ := operator(text)
	if at < 1 {
		return true
	}
	kind := kindOf(strings.TrimSpace(text[:at]))
	for _, kinds := range possible {
		if slices.Contains(kinds, kind) {
			return false
		}
	}
	return true
}

// kindOf is what a field is called in possible.
func kindOf(field string) string {
	if strings.HasPrefix(field, "score:") {
		return "score:NAME"
	}
	if prefix, _, keyed := strings.Cut(field, "."); keyed && (prefix == "attributes" || prefix == "resource") {
		return prefix + ".KEY"
	}
	return field
}

// where adds a filter or a condition to the query's filter. The error says what is possible.
func (q *query) where(list, text string) error {
	if isFilter(text) {
		if !slices.Contains(possible[list], "name") { // the lists of whole entities take a filter
			return fmt.Errorf("--where is %q: %s can be filtered by %s", text, list, strings.Join(possible[list], ", "))
		}
		q.filter.Where = strings.TrimSpace(q.filter.Where + " " + strings.TrimSpace(text))
		return nil
	}
	c, err := parseCondition(text)
	if err != nil {
		return err
	}
	kind := kindOf(c.field)
	if !slices.Contains(possible[list], kind) {
		return fmt.Errorf("--where is %q: %s can be filtered by %s", text, list, strings.Join(possible[list], ", "))
	}
	allowed := operators[kind]
	if allowed == "" {
		allowed = "="
	}
	if !slices.Contains(strings.Fields(allowed), c.op) {
		return fmt.Errorf("--where is %q: %s can be compared by %s", text, kind, strings.ReplaceAll(allowed, " ", ", "))
	}
	return q.apply(c)
}

func (q *query) apply(c condition) error {
	f := &q.filter
	texts := map[string]*string{
		"name": &f.Name, "user_id": &f.UserID, "session_id": &f.SessionID, "environment": &f.Environment, "key_id": &f.KeyID, "tag": &f.Tag,
		"model": &f.Model, "type": &f.Type, "level": &f.Level, "trace_id": &f.TraceID, "text": &f.Text,
		"observation_id": &q.observationID, "data_type": &q.dataType, "source": &q.source,
	}
	switch {
	case texts[c.field] != nil:
		if *texts[c.field] != "" {
			return fmt.Errorf("--where is %q: %s is given more than once", c.text, c.field)
		}
		*texts[c.field] = c.value
		return nil
	case strings.HasPrefix(c.field, "score:"):
		if _, err := strconv.ParseFloat(c.value, 64); err != nil {
			return fmt.Errorf("--where is %q: a score is compared with a number", c.text)
		}
		f.Scores = append(f.Scores, strings.TrimPrefix(c.field, "score:")+c.op+c.value)
		return nil
	case strings.HasPrefix(c.field, "attributes."):
		return c.attribute(&f.Attributes)
	case strings.HasPrefix(c.field, "resource."):
		return c.attribute(&f.Resource)
	case c.field == "has_error":
		yes, err := strconv.ParseBool(c.value)
		if err != nil || f.HasError != nil {
			return fmt.Errorf("--where is %q: has_error is true or false, once", c.text)
		}
		f.HasError = &yes
		return nil
	case c.field == "start_time":
		return c.times(f)
	}
	return c.numbers(f)
}

// attribute adds an attribute and its value.
func (c condition) attribute(to *map[string]string) error {
	_, key, _ := strings.Cut(c.field, ".")
	if _, given := (*to)[key]; given || key == "" {
		return fmt.Errorf("--where is %q: behind the point stands the key of an attribute, each once", c.text)
	}
	if *to == nil {
		*to = map[string]string{}
	}
	(*to)[key] = c.value
	return nil
}

// numbers is for fields of which the API takes inclusive bounds: behind a bound
// comes the next number.
func (c condition) numbers(f *brokle.Filter) error {
	n, err := strconv.ParseFloat(c.value, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return fmt.Errorf("--where is %q: %s is compared with a number", c.text, c.field)
	}
	least, most := &f.MinLatencyMS, &f.MaxLatencyMS
	if c.field == "cost" {
		least = &f.MinCost
	}
	set := func(bound **float64, n float64) error {
		if *bound != nil {
			return fmt.Errorf("--where is %q: %s has this bound already", c.text, c.field)
		}
		*bound = &n
		return nil
	}
	switch c.op {
	case ">":
		return set(least, math.Nextafter(n, math.Inf(1)))
	case ">=":
		return set(least, n)
	case "<":
		return set(most, math.Nextafter(n, math.Inf(-1)))
	case "<=":
		return set(most, n)
	}
	if err := set(least, n); err != nil {
		return err
	}
	return set(most, n)
}

// times sets from (inclusive) and to (exclusive); the precision is the microsecond.
func (c condition) times(f *brokle.Filter) error {
	at, err := timeOf(c.value, time.Now())
	if err != nil {
		return fmt.Errorf("--where is %q: %w", c.text, err)
	}
	if c.op == ">" || c.op == "<=" {
		at = at.Add(time.Microsecond)
	}
	bound := &f.From
	if strings.HasPrefix(c.op, "<") {
		bound = &f.To
	}
	if !bound.IsZero() {
		return fmt.Errorf("--where is %q: start_time has this bound already", c.text)
	}
	*bound = at
	return nil
}
