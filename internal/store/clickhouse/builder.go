package clickhouse

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ClickHouse/ch-go/proto"
)

// builder builds one statement over the rows of one project, which is its first parameter. Whatever a caller gave goes in
// through arg, never into the text.
type builder struct {
	params      []proto.Parameter
	whereabouts *whereabouts // of a question; or nil
}

// arg adds a parameter and returns its place holder, which has the type of v.
func (q *builder) arg(v any) string {
	name := "p" + strconv.Itoa(len(q.params)+1)
	typ, text := parameter(v)
	q.params = append(q.params, proto.Parameter{Key: name, Value: text})
	return "{" + name + ":" + typ + "}"
}

// parameter is the type of a value and the text that the server reads it from: as a field of tab-separated lines, in which a list is a list of SQL.
func parameter(v any) (typ, text string) {
	switch v := v.(type) {
	case string:
		return "String", escaped(v)
	case int64:
		return "Int64", strconv.FormatInt(v, 10)
	case uint64:
		return "UInt64", strconv.FormatUint(v, 10)
	case float64:
		return "Float64", strconv.FormatFloat(v, 'g', -1, 64)
	case []string:
		elements := make([]string, len(v))
		for i, s := range v {
			elements[i] = quoted(s)
		}
		return "Array(String)", "[" + strings.Join(elements, ",") + "]"
	case []uint64:
		elements := make([]string, len(v))
		for i, n := range v {
			elements[i] = strconv.FormatUint(n, 10)
		}
		return "Array(UInt64)", "[" + strings.Join(elements, ",") + "]"
	case []float64:
		elements := make([]string, len(v))
		for i, n := range v {
			elements[i] = strconv.FormatFloat(n, 'g', -1, 64)
		}
		return "Array(Float64)", "[" + strings.Join(elements, ",") + "]"
	}
	panic(fmt.Sprintf("clickhouse: no parameter can hold a %T", v))
}

var (
	fieldEscapes  = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)
	fieldMeanings = strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\n`, "\n", `\r`, "\r", `\0`, "\x00")
	quoteEscapes  = strings.NewReplacer(`\`, `\\`, `'`, `\'`)
)

// escaped is a text as a field of tab-separated lines.
func escaped(s string) string { return fieldEscapes.Replace(s) }

// unescaped is what a field of tab-separated lines says.
func unescaped(field string) string { return fieldMeanings.Replace(field) }

// quoted is a text as a literal of SQL.
func quoted(s string) string { return "'" + quoteEscapes.Replace(s) + "'" }

// with joins common table expressions and the statement that uses them.
func with(tables []string, statement string) string {
	if len(tables) == 0 {
		return statement
	}
	return "WITH " + strings.Join(tables, ",\n") + "\n" + statement
}

func table(name, body string) string { return name + " AS (" + body + ")" }
