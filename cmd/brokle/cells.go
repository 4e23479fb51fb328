package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/rivo/uniseg"

	"github.com/brokle-ai/brokle-go"
)

func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }

func latency(ms *float64) string {
	if ms == nil {
		return "-"
	}
	d := time.Duration(*ms * float64(time.Millisecond))
	if d >= time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(100 * time.Microsecond).String()
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

func count(n *int64) string {
	if n == nil {
		return "-"
	}
	return number(*n)
}

// cost writes six decimals, and as many as two digits that matter take: what is not 0 is never shown as 0. The page has the same rule
// for what is less than a cent (cost in web/src/format.ts).
func cost(v *float64) string {
	if v == nil {
		return "-"
	}
	const decimals, mostDecimals = 6, 14
	size := math.Abs(*v)
	if size == 0 || size >= 1e-5 {
		return strconv.FormatFloat(*v, 'f', decimals, 64)
	}
	two := strconv.FormatFloat(*v, 'e', 1, 64)
	exponent, err := strconv.Atoi(two[strings.IndexByte(two, 'e')+1:])
	if err != nil || 1-exponent > mostDecimals {
		return two
	}
	text := strings.TrimRight(strconv.FormatFloat(*v, 'f', 1-exponent, 64), "0")
	return text + strings.Repeat("0", max(0, len("0.")+decimals-len(strings.TrimPrefix(text, "-"))))
}

// missing says how many calls a cost is without; "" of none.
func missing(n int64) string {
	switch n {
	case 0:
		return ""
	case 1:
		return " and 1 call without a price"
	}
	return fmt.Sprintf(" and %d calls without a price", n)
}

func scoreValue(s brokle.Score) string {
	if s.Value == nil {
		return s.StringValue
	}
	return strconv.FormatFloat(*s.Value, 'g', 6, 64)
}

func scoreMap(m map[string]any) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, name+"="+statCell(m[name]))
	}
	return strings.Join(parts, " ")
}

func statCell(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case float64:
		return rounded(v)
	case string:
		return v
	}
	return fmt.Sprint(v)
}

// rounded writes six digits that matter, and all before the point.
func rounded(v float64) string {
	if math.Abs(v) >= 1e5 {
		return strconv.FormatFloat(math.Round(v), 'f', -1, 64)
	}
	six, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	if err != nil {
		return fmt.Sprint(v)
	}
	return strconv.FormatFloat(six, 'f', -1, 64)
}

// preview is the beginning of a JSON value on one line.
func preview(raw json.RawMessage) string {
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return shorten(text, 100)
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return shorten(string(raw), 100)
	}
	return shorten(b.String(), 100)
}

// shorten shortens s to n columns of a terminal, the last of them an ellipsis. It
// never cuts within a character as people see it (a grapheme cluster, UAX #29).
func shorten(s string, n int) string {
	if uniseg.StringWidth(s) <= n {
		return s
	}
	var b strings.Builder
	used := 0
	for state := -1; s != ""; {
		var cluster string
		var w int
		cluster, s, w, state = uniseg.FirstGraphemeClusterInString(s, state)
		if used += w; used >= n {
			break
		}
		b.WriteString(cluster)
	}
	return b.String() + "…"
}

// oneLine replaces what would break a table, reach the terminal as a control
// sequence, or turn the direction of the text that follows.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}

// costSource is where a cost comes from, or why there is none.
func costSource(o *brokle.Observation) string {
	switch {
	case o.TotalCost != nil:
		return o.CostSource
	case o.CostReason != "":
		return o.CostReason
	}
	return "-"
}
