// Package sqltext writes the parts of SELECTs that are the same whatever the engine.
package sqltext

import (
	"fmt"
	"strings"
)

// Where joins conditions, leaving out empty ones.
func Where(conditions ...string) string {
	var kept []string
	for _, c := range conditions {
		if c != "" {
			kept = append(kept, c)
		}
	}
	if len(kept) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(kept, " AND ")
}

// Beyond is the condition of groups behind the last page, which ended at the values after of the columns g0, g1 and so on; "" when there is
// none. nil is NULL, which comes first. arg makes a value a parameter.
func Beyond(after []any, arg func(any) string) string {
	var parts []string
	same := ""
	for i, value := range after {
		column := fmt.Sprintf("g%d", i)
		if value == nil {
			parts = append(parts, same+column+" IS NOT NULL")
			same += column + " IS NULL AND "
			continue
		}
		v := arg(value)
		parts = append(parts, fmt.Sprintf("%s%s > %s", same, column, v))
		same += column + " = " + v + " AND "
	}
	if parts == nil {
		return ""
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// GroupKey names a group by its values; nil is NULL, and another group than "".
func GroupKey(values []any) string {
	var key strings.Builder
	for _, v := range values {
		if v != nil {
			fmt.Fprintf(&key, "=%v", v)
		}
		key.WriteByte(0)
	}
	return key.String()
}
