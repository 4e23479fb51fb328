package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// page is an answer of a list.
type page struct {
	Data       []map[string]json.RawMessage `json:"data"`
	NextCursor *string                      `json:"next_cursor"`
}

// listing is a list as a tool answers with it: as many rows as have room, and where to go on.
type listing struct {
	path    string
	values  url.Values
	limit   int
	tokens  int
	what    string   // of the rows, in the plural
	columns []string // nil: all that a row has
	long    int      // characters of a text that are shown
	span    span
	before  string // what the server says before how many there are
}

// ownTokens is room for what the server says of a list itself, with its cursor.
const ownTokens = 60

// leastRoom is room for a row. Ids are in a cursor, and some are long.
const leastRoom = 50

// answer asks for rows until as many are there as have room. A page is asked for again when not all of its rows have: only so is its cursor behind
// the last one that is shown, whatever comes in meanwhile.
func (l *listing) answer(ctx context.Context, b Backend) (string, error) {
	for limit := l.limit; ; {
		l.values.Set("limit", strconv.Itoa(limit))
		var p page
		if err := get(ctx, b, l.path, l.values, &p); err != nil {
			return "", err
		}
		own := l.before + l.told(len(p.Data), p.NextCursor)
		room := l.tokens - overhead() - max(Tokens(own), ownTokens)
		if room < leastRoom {
			return "", fmt.Errorf("the place where this answer ends takes %d tokens alone: ask for more, by max_tokens", Tokens(own))
		}
		rows, fit := l.rows(p.Data, room)
		if fit == len(p.Data) {
			return fenced(own, rows), nil
		}
		limit = max(1, min(fit, limit-1))
	}
}

func (l *listing) told(n int, cursor *string) string {
	if n == 0 {
		return "There are no " + l.what + " like that."
	}
	if cursor == nil || *cursor == "" {
		return fmt.Sprintf("%d %s; there are no more.", n, l.what)
	}
	return fmt.Sprintf("%d %s. There are more: ask the same with cursor=%s", n, l.what, l.span.next(*cursor))
}

// rows writes rows, one a line, and says how many have room. A row that has none for itself alone is shortened until it has.
func (l *listing) rows(all []map[string]json.RawMessage, room int) (text string, fit int) {
	var out strings.Builder
	for _, row := range all {
		columns := l.columns
		if columns == nil {
			columns = inOrder(row)
		}
		line := object(row, columns, l.long)
		for long := l.long; fit == 0 && Tokens(line) > room && long > 8; long /= 2 {
			line = object(row, columns, long/2)
		}
		if fit == 0 && Tokens(line) > room {
			line = cut(line, room)
		}
		if Tokens(line) > room {
			return out.String(), fit
		}
		room -= Tokens(line) + 1
		if fit++; fit > 1 {
			out.WriteByte('\n')
		}
		out.WriteString(line)
	}
	return out.String(), fit
}

// object writes the columns of a row that have a value, in this order, texts shortened to so many characters.
func object(row map[string]json.RawMessage, columns []string, long int) string {
	var out strings.Builder
	out.WriteByte('{')
	for _, name := range columns {
		value := shown(name, row[name], long)
		if value == "" {
			continue
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		out.WriteString(quote(name))
		out.WriteByte(':')
		out.WriteString(value)
	}
	out.WriteByte('}')
	return out.String()
}

// shown is a value in few characters; "" for one that says nothing.
func shown(name string, value json.RawMessage, long int) string {
	value = bytes.TrimSpace(value)
	if len(value) == 0 || slices.Contains([]string{"null", `""`, "[]", "{}", "false"}, string(value)) {
		return ""
	}
	switch value[0] {
	case '"':
		var text string
		if json.Unmarshal(value, &text) != nil {
			return quote(string(value))
		}
		return quote(shorten(moment(name, text), long))
	case '{', '[':
		if name == "highlights" {
			value = highlights(value)
		}
		if value = json.RawMessage(compact(value)); len(value) > long && name != "output" && name != "new" { // which are short already
			return quote(shorten(string(value), long))
		}
		return string(value)
	}
	return number(string(value))
}

// moment is a time without what nobody reads of it.
func moment(name, text string) string {
	if !strings.HasSuffix(name, "time") && name != "timestamp" && !strings.HasSuffix(name, "_seen") && !strings.HasSuffix(name, "_at") {
		return text
	}
	if whole, micros, ok := strings.Cut(text, "."); ok && len(micros) == 7 && micros[6] == 'Z' {
		if ms := micros[:3]; ms != "000" {
			return whole + "." + ms + "Z"
		}
		return whole + "Z"
	}
	return text
}

// number writes six digits of a number that has many.
func number(text string) string {
	if len(text) <= 8 || !strings.ContainsAny(text, ".eE") {
		return text
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	short := strconv.FormatFloat(f, 'g', 6, 64)
	if len(short) < len(text) {
		return short
	}
	return text
}

// highlights are the places of words as one text for each field.
func highlights(value json.RawMessage) json.RawMessage {
	var all []struct {
		Field    string `json:"field"`
		Segments []struct {
			Text string `json:"text"`
		} `json:"segments"`
	}
	if json.Unmarshal(value, &all) != nil {
		return value
	}
	found := make(map[string]string, len(all))
	for _, h := range all {
		for _, s := range h.Segments {
			found[h.Field] += s.Text
		}
	}
	return json.RawMessage(encode(found))
}

// shorten is the beginning of a text, with how much is left out.
func shorten(text string, long int) string {
	at := 0
	for i := range text {
		if at == long {
			return fmt.Sprintf("%s…(+%d)", text[:i], len(text)-i)
		}
		at++
	}
	return text
}

func quote(text string) string { return encode(text) }

// encode is JSON without escapes of HTML; v always encodes.
func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "null"
	}
	return strings.TrimRight(b.String(), "\n")
}

func compact(value json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, value) != nil {
		return quote(string(value))
	}
	return b.String()
}
