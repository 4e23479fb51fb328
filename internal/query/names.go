package query

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// Names of scores are free text. Where one stands in a list or before an operator it may be
// written as a JSON string, which takes it as it is: commas, operators, blanks at its ends.

// metrics reads a comma list and repetitions of the parameter, at most as many. An element
// may be a JSON string. What follows the comma of a score's metric and cannot be another is
// the rest of the score's name: score_avg:clear, short.
func (r *Reader) metrics(name string, most int) []string {
	var out []string
	n := 0
	for _, v := range r.Values[name] {
		if !Clean(v) {
			r.Fail(name, "must be UTF-8 without NUL")
		}
		for v != "" {
			var one string
			var ok bool
			if one, v, ok = nextMetric(v); !ok {
				r.Fail(name, `has a " without its end; a name with quotes is written as a JSON string`)
				return nil
			}
			if n++; n > most {
				r.Fail(name, "names more than %d", most)
				return nil
			}
			if one != "" && !slices.Contains(out, one) {
				out = append(out, one)
			}
		}
	}
	return out
}

// nextMetric cuts the first element off a list.
func nextMetric(list string) (one, rest string, ok bool) {
	if list = strings.TrimLeft(list, " "); strings.HasPrefix(list, `"`) {
		one, rest, ok = quoted(list)
		rest = strings.TrimLeft(rest, " ")
		if !ok || rest != "" && rest[0] != ',' {
			return "", "", false
		}
		return one, strings.TrimPrefix(rest, ","), true
	}
	one, rest, _ = strings.Cut(list, ",")
	for isScoreMetric(one) && rest != "" {
		part, more, _ := strings.Cut(rest, ",")
		if !goesOn(part) {
			break
		}
		one, rest = one+","+part, more
	}
	return strings.TrimSpace(one), rest, true
}

func isScoreMetric(s string) bool {
	return strings.HasPrefix(s, store.MeanOfScores+":") || strings.HasPrefix(s, store.NumberOfScores+":")
}

// goesOn says whether a part of a list cannot be a metric: it is no known one, and
// begins with a blank or has more than a metric's name can have.
func goesOn(part string) bool {
	word := strings.TrimSpace(part)
	if slices.Contains(subjects()[0].metrics, word) || isScoreMetric(word) || strings.HasPrefix(word, `"`) || word == "" {
		return false
	}
	return part[0] == ' ' || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789_") != ""
}

// quoted reads the JSON string that s begins with.
func quoted(s string) (text, rest string, ok bool) {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			err := json.Unmarshal([]byte(s[:i+1]), &text)
			return text, s[i+1:], err == nil
		}
	}
	return "", "", false
}

// scoreName is the name before an operator: as it is without the blanks around it, or a JSON string.
func scoreName(s string) (name string, ok bool) {
	s = strings.TrimSpace(s)
	if !strings.HasPrefix(s, `"`) {
		return s, s != ""
	}
	name, rest, ok := quoted(s)
	if !ok || rest != "" { // a name that begins with a quote and is no JSON string
		return s, true
	}
	return name, name != ""
}
