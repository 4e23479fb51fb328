package columnar

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Kind is what the values of a column are.
type Kind uint8

// The kinds, and what of a row goes into each: nil goes into all of them.
const (
	Text    Kind = iota // string; what else there is as JSON
	Integer             // int64
	Number              // float64, int64
	Flag                // bool
	Time                // time.Time, or a text of RFC 3339: microseconds in UTC
	Texts               // []any or []string: a list of texts
)

// Column is a column of a file.
type Column struct {
	Name string
	Kind Kind
}

// Of finds the columns for rows whose values are those of store.SQLAnswer. A name that was there before gets a number behind it.
func Of(names []string, rows [][]any) []Column {
	columns := make([]Column, len(names))
	taken := map[string]bool{}
	for i, name := range names {
		columns[i] = Column{name, kindOf(rows, i)}
		for n := 2; taken[columns[i].Name]; n++ {
			columns[i].Name = name + "_" + strconv.Itoa(n)
		}
		taken[columns[i].Name] = true
	}
	return columns
}

// kindOf is the kind that all values of a column go into.
func kindOf(rows [][]any, column int) Kind {
	kind, known := Text, false
	for _, row := range rows {
		of := Text
		switch v := row[column].(type) {
		case nil:
			continue
		case int64:
			of = Integer
		case float64, json.Number:
			of = Number
		case bool:
			of = Flag
		case time.Time:
			of = Time
		case []any:
			if textsOnly(v) {
				of = Texts
			}
		}
		switch {
		case !known || of == kind:
			kind, known = of, true
		case of == Integer && kind == Number || of == Number && kind == Integer:
			kind = Number
		default:
			return Text
		}
	}
	return kind
}

func textsOnly(list []any) bool {
	for _, v := range list {
		if _, ok := v.(string); !ok && v != nil {
			return false
		}
	}
	return true
}

// JSON is a value as JSON, times with microseconds.
func JSON(v any) string {
	b, err := json.Marshal(plain(v))
	if err != nil { // no value of an answer has one
		return fmt.Sprint(v)
	}
	return string(b)
}

// plain has texts in the place of times.
func plain(v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Format("2006-01-02T15:04:05.000000Z")
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plain(v[i])
		}
		return list
	case map[string]any:
		members := make(map[string]any, len(v))
		for name := range v {
			members[name] = plain(v[name])
		}
		return members
	}
	return v
}
