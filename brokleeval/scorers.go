package brokleeval

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// errNothingExpected is that of scorers that hold an output against what is expected.
var errNothingExpected = errors.New("the item says nothing that is expected")

// Exact is 1 where the output, as a text and without space around it, is what is expected, and else 0. It is called "exact".
func Exact() Scorer {
	return Func("exact", func(_ context.Context, c Case) (Score, error) {
		if c.Item.Expected == nil {
			return Score{}, errNothingExpected
		}
		got, want := strings.TrimSpace(c.Text()), strings.TrimSpace(c.Item.ExpectedText())
		return pass(got == want, "%s instead of %s", brief(got), brief(want)), nil
	})
}

// Regexp is 1 where the output, as a text, matches a regular expression (RE2), and else 0. It is called "regexp". It panics when the expression is none.
func Regexp(expr string) Scorer {
	re := regexp.MustCompile(expr)
	return Func("regexp", func(_ context.Context, c Case) (Score, error) {
		return pass(re.MatchString(c.Text()), "%s does not match", brief(c.Text())), nil
	})
}

// Captured is 1 where what the first group of a regular expression (RE2) last matches in the output is the same as in what is expected, without commas, spaces and a dot at
// its end, and else 0: for answers that end in "#### 42". An expected text that does not match stands for itself. It is called "captured". It panics when the expression is none, or has no group.
func Captured(expr string) Scorer {
	re := regexp.MustCompile(expr)
	if re.NumSubexp() < 1 {
		panic("brokleeval: Captured: the expression has no group")
	}
	last := func(text string) (string, bool) {
		all := re.FindAllStringSubmatch(text, -1)
		if len(all) == 0 {
			return "", false
		}
		said := strings.Join(strings.Fields(all[len(all)-1][1]), "")
		return strings.TrimSuffix(strings.ReplaceAll(said, ",", ""), "."), true
	}
	return Func("captured", func(_ context.Context, c Case) (Score, error) {
		if c.Item.Expected == nil {
			return Score{}, errNothingExpected
		}
		want, there := last(c.Item.ExpectedText())
		if !there {
			want = strings.TrimSpace(c.Item.ExpectedText())
		}
		got, there := last(c.Text())
		if !there {
			return Score{Reason: "nothing in the output matches"}, nil
		}
		return pass(got == want, "%s instead of %s", brief(got), brief(want)), nil
	})
}

// JSON is 1 where the output is the same JSON as what is expected, whatever the order of members and the form of numbers, and else 0; the reason says where they part. An
// output that is a text is read as JSON. It is called "json".
func JSON() Scorer {
	return Func("json", func(_ context.Context, c Case) (Score, error) {
		if c.Item.Expected == nil {
			return Score{}, errNothingExpected
		}
		want, err := decoded(c.Item.Expected)
		if err != nil {
			return Score{}, fmt.Errorf("what is expected is not JSON: %w", err)
		}
		got, err := decoded(c.JSON)
		if s, text := got.(string); err == nil && text {
			if _, also := want.(string); !also {
				got, err = decoded([]byte(s))
			}
		}
		if err != nil {
			return Score{Reason: "the output is not JSON"}, nil
		}
		where := apart("", got, want)
		return pass(where == "", "%s", where), nil
	})
}

func decoded(raw []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err = d.Decode(&v); err == nil && d.More() {
		err = errors.New("something follows")
	}
	return v, err
}

// apart says where two values part; "" when they do not. A place is a JSON Pointer (RFC 6901).
func apart(at string, got, want any) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		names := slices.Collect(maps.Keys(w))
		for name := range g {
			if _, both := w[name]; !both {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		for _, name := range names {
			place := at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
			gv, there := g[name]
			wv, expected := w[name]
			switch {
			case !there:
				return place + " is missing"
			case !expected:
				return place + " is not expected"
			}
			if where := apart(place, gv, wv); where != "" {
				return where
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok {
			break
		}
		for i := range min(len(g), len(w)) {
			if where := apart(at+"/"+strconv.Itoa(i), g[i], w[i]); where != "" {
				return where
			}
		}
		if len(g) != len(w) {
			return fmt.Sprintf("%s has %d elements instead of %d", place(at), len(g), len(w))
		}
		return ""
	case json.Number:
		g, ok := got.(json.Number)
		if !ok {
			break
		}
		a, errA := g.Float64()
		b, errB := w.Float64()
		if g == w || errA == nil && errB == nil && a == b {
			return ""
		}
	default:
		if got == want {
			return ""
		}
	}
	return fmt.Sprintf("%s is %s instead of %s", place(at), brief(written(got)), brief(written(want)))
}

func place(at string) string {
	if at == "" {
		return "it"
	}
	return at
}

func written(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return string(raw)
}

// Numeric is 1 where the output is a number that is not farther from the expected one than the tolerance, times the larger of 1 and the expected one's size; else 0. Texts are read as
// numbers, without commas and a currency sign before them. It is called "numeric". It panics on a tolerance below 0.
func Numeric(tolerance float64) Scorer {
	if !(tolerance >= 0) {
		panic("brokleeval: Numeric: the tolerance is below 0")
	}
	return Func("numeric", func(_ context.Context, c Case) (Score, error) {
		if c.Item.Expected == nil {
			return Score{}, errNothingExpected
		}
		want, ok := number(c.Item.ExpectedText())
		if !ok {
			return Score{}, fmt.Errorf("what is expected is no number: %s", brief(c.Item.ExpectedText()))
		}
		got, ok := number(c.Text())
		if !ok {
			return Score{Reason: brief(c.Text()) + " is no number"}, nil
		}
		return pass(math.Abs(got-want) <= tolerance*max(1, math.Abs(want)), "%v instead of %v", got, want), nil
	})
}

func number(text string) (float64, bool) {
	text = strings.TrimLeft(strings.ReplaceAll(strings.TrimSpace(text), ",", ""), "$€£¥ ")
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil && !math.IsInf(v, 0) && !math.IsNaN(v)
}

// brief is the first of a text, for a reason.
func brief(s string) string {
	const most = 120
	r := []rune(s)
	if len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}
