package duckstore

import (
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// DuckDB's limit of memory does not cover the values of an expression: a text that is put together with itself again and again, in each of
// several SELECTs within each other, is as large as it gets. So how many times as large as a column a value may become is bounded by what the statement says.

const (
	// mostGrowth is that number. Values are made for 2048 rows at a time.
	mostGrowth = 256
	// longestConstant is how long a text in a statement may be, in bytes.
	longestConstant = 4 << 10
)

// growing are the functions whose value may be larger than each of their arguments, with how much larger than all of them together.
var growing = map[string]int{
	"||": 1, "concat": 1, "concat_ws": 1, "list_value": 1, "list_pack": 1, "array_value": 1, "struct_pack": 1, "struct_insert": 1, "row": 1, "map": 1, "map_from_entries": 1,
	"list_concat": 1, "list_cat": 1, "array_concat": 1, "array_cat": 1, "list_append": 1, "array_append": 1, "list_prepend": 1, "array_prepend": 1, "list_zip": 1, "array_zip": 1,
	"hex": 2, "to_hex": 2, "base64": 2, "to_base64": 2, "url_encode": 3, "regexp_escape": 2, "json_quote": 2, "to_json": 2, "json_object": 2, "json_array": 2, "array_to_string": 2,
	"array_to_string_comma_default": 2, "list_string_agg": 2, "list_aggregate": 2, "list_aggr": 2, "array_aggregate": 2, "array_aggr": 2, "aggregate": 2, "json_structure": 2, "json_transform": 2, "from_json": 2,
	"bar": 64, "replace": 1, "regexp_replace": 1,
}

// grows notes a call of a function that makes larger values, unless it is within another one, which was noted with it.
func (t *sqlTree) grows(node map[string]any, name string) error {
	if t.within > 0 {
		return t.replaces(node, name)
	}
	if t.growth = min(t.growth*max(1, growth(node)), mostGrowth+1); t.growth > mostGrowth {
		return store.SQLErrorf("the statement puts values together so often that they may become too large: at most %d columns, multiplied over SELECTs within each other", mostGrowth)
	}
	if t.recursive > 0 && growth(node) > 1 {
		return store.SQLErrorf("WITH RECURSIVE takes no %s of more than one column: its value may become too large", name)
	}
	return t.replaces(node, name)
}

// replaces refuses a replacement that is not known beforehand.
func (t *sqlTree) replaces(node map[string]any, name string) error {
	if name != "replace" && name != "regexp_replace" {
		return nil
	}
	arguments, _ := node["children"].([]any)
	if len(arguments) < 3 || constantText(arguments[2]) < 0 {
		return store.SQLErrorf("what %s puts in the place of a text must be a text that stands in the statement", name)
	}
	return nil
}

// growth is how many times as large as a column the value of a part of the tree may be.
func growth(part any) int {
	switch part := part.(type) {
	case []any:
		sum := 0
		for _, p := range part {
			sum = min(sum+growth(p), mostGrowth+1)
		}
		return sum
	case map[string]any:
		class, _ := part["class"].(string)
		switch class {
		case "COLUMN_REF", "POSITIONAL_REFERENCE", "STAR":
			return 1
		case "CONSTANT":
			return 0
		}
		sum := 0
		for _, p := range part {
			sum = min(sum+growth(p), mostGrowth+1)
		}
		if name, _ := part["function_name"].(string); class == "FUNCTION" && growing[strings.ToLower(name)] > 0 {
			sum *= growing[strings.ToLower(name)]
			if arguments, _ := part["children"].([]any); strings.HasSuffix(strings.ToLower(name), "replace") && len(arguments) > 2 {
				sum *= max(1, constantText(arguments[2]))
			}
		}
		return min(sum, mostGrowth+1)
	}
	return 0
}

// constantText is how long a text is that is a node of the tree; -1 when it is none.
func constantText(node any) int {
	constant, _ := node.(map[string]any)
	value, _ := constant["value"].(map[string]any)
	text, ok := value["value"].(string)
	if constant["class"] != "CONSTANT" || !ok {
		return -1
	}
	return len(text)
}
