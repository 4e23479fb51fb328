package clickhouse

import (
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
)

// bucketed adds b to the scores that pass the conditions: what the buckets of their values are like, one row per score name, or one of all
// when the names are not told apart. A bucket is mant·10^e wide, with a mant of 1, 2 or 5, so that at most 11 cover all
// values. mant is NULL when the values are all alike: then the bucket is the value.
//
// The powers are kept apart from mant so that bounds come out as written: 3·1/10 is 0.3, where 3·0.1 is not.
func bucketed(tables []string, from string, conditions []string, byName bool) ([]string, string) {
	name, grouped, join := "''", "", " CROSS JOIN b"
	if byName {
		name, grouped, join = "sc.name", " GROUP BY sc.name", " LEFT JOIN b ON b.name = sc.name"
	}
	// Subnormal distances have no logarithm worth having.
	body := fmt.Sprintf(`SELECT name, multiIf(m <= 1, 1, m <= 2, 2, m <= 5, 5, m IS NOT NULL, 1, NULL) AS mant, if(m > 5, e + 1, e) AS e
	FROM (SELECT name, e, raw / pow(10, e) - 1e-9 AS m FROM (SELECT name, raw, if(raw > 1e-290, floor(log10(raw)), NULL) AS e
	FROM (SELECT %s AS name, max(sc.value) / 10 - min(sc.value) / 10 AS raw %s%s%s)))`, name, from, sqltext.Where(conditions...), grouped)
	return append(tables, table("b", body)), from + join
}

// bucketIndex is how many widths a value is from 0. A value that is below a bound only by an error of floating point belongs above it.
const bucketIndex = "floor(if(b.e < 0, sc.value * pow(10, -b.e), sc.value / pow(10, b.e)) / b.mant + 1e-9)"

// bucketBound is the start of a value's bucket, or with " + 1" its end.
func bucketBound(plus string) string {
	n := "(" + bucketIndex + plus + ") * b.mant"
	bound := "if(b.e < 0, " + n + " / pow(10, -b.e), " + n + " * pow(10, b.e))"
	return "if(b.mant IS NULL, sc.value, if(isFinite(" + bound + "), " + bound + ", NULL))"
}

// bucketCase halves the stretches until one is left, so that a row is compared a few times only.
func bucketCase(column string, width int64, stretches []store.BucketStretch) string {
	if half := len(stretches) / 2; half > 0 {
		return fmt.Sprintf("if(%s < %d, %s, %s)", column, stretches[half].From, bucketCase(column, width, stretches[:half]), bucketCase(column, width, stretches[half:]))
	}
	at := stretches[0]
	if at.Fixed {
		return fmt.Sprintf("toInt64(%d)", at.Begin)
	}
	local := fmt.Sprintf("(%s + %d)", column, at.Offset) // a remainder is negative before 1970
	return fmt.Sprintf("greatest(toInt64(%[1]s - (%[1]s %% %[2]d + %[2]d) %% %[2]d - %[3]d), toInt64(%[4]d))", local, width, at.Offset, at.Begin)
}
