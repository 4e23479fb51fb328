package duckstore

import (
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
)

// bucketed adds b to the scores that pass the conditions: what the buckets of
// their values are like, one row per score name, or one of all when the names are
// not told apart. A bucket is mant·10^e wide, with a mant of 1, 2 or 5, so that at
// most 11 cover all values. mant is NULL when the values are all alike: then the
// bucket is the value.
//
// The powers are kept apart from mant so that bounds come out as written: 3·1/10
// is 0.3, where 3·0.1 is not.
func bucketed(tables []string, from string, conditions []string, byName bool) ([]string, string) {
	name, on := "NULL", "true"
	if byName {
		name, on = "sc.name", "b.name IS NOT DISTINCT FROM sc.name"
	}
	// Subnormal distances have no logarithm worth having.
	body := fmt.Sprintf(`SELECT name, CASE WHEN m <= 1 THEN 1 WHEN m <= 2 THEN 2 WHEN m <= 5 THEN 5 WHEN m IS NOT NULL THEN 1 END AS mant,
		CASE WHEN m > 5 THEN e + 1 ELSE e END AS e
	FROM (SELECT *, raw / pow(10, e) - 1e-9 AS m FROM (SELECT *, CASE WHEN raw > 1e-290 THEN floor(log10(raw)) END AS e
	FROM (SELECT %s AS name, max(sc.value) / 10 - min(sc.value) / 10 AS raw %s%s GROUP BY 1)))`, name, from, sqltext.Where(conditions...))
	return append(tables, table("b", body)), from + " LEFT JOIN b ON " + on
}

// bucketIndex is how many widths a value is from 0. A value that is below a bound
// only by an error of floating point belongs above it.
const bucketIndex = "floor(CASE WHEN b.e < 0 THEN sc.value * pow(10, -b.e) ELSE sc.value / pow(10, b.e) END / b.mant + 1e-9)"

// bucketBound is the start of a value's bucket, or with " + 1" its end.
func bucketBound(plus string) string {
	n := "(" + bucketIndex + plus + ") * b.mant"
	return "CASE WHEN b.mant IS NULL THEN sc.value ELSE " +
		finite("CASE WHEN b.e < 0 THEN "+n+" / pow(10, -b.e) ELSE "+n+" * pow(10, b.e) END") + " END"
}

// bucketCase halves the stretches until one is left, so that a row is compared a few times only.
func bucketCase(column string, width int64, stretches []store.BucketStretch) string {
	if half := len(stretches) / 2; half > 0 {
		return fmt.Sprintf("CASE WHEN %s < %d THEN %s ELSE %s END", column, stretches[half].From,
			bucketCase(column, width, stretches[:half]), bucketCase(column, width, stretches[half:]))
	}
	at := stretches[0]
	if at.Fixed {
		return fmt.Sprintf("%d::BIGINT", at.Begin)
	}
	local := fmt.Sprintf("(%s + %d)", column, at.Offset) // a remainder is negative before 1970
	return fmt.Sprintf("greatest(%[1]s - (%[1]s %% %[2]d + %[2]d) %% %[2]d - %[3]d, %[4]d)::BIGINT", local, width, at.Offset, at.Begin)
}
