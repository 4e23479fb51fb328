package duckstore

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"
)

// sqlValue is a value of the driver in the form of store.SQLAnswer, and about how many bytes it takes. What JSON cannot say (NaN, infinity, also of times) is nil.
func sqlValue(v any, typ string) (value any, bytes int) {
	switch v := v.(type) {
	case nil, bool, int64, json.Number:
		return v, 8
	case int8:
		return int64(v), 8
	case int16:
		return int64(v), 8
	case int32:
		return int64(v), 8
	case uint8:
		return int64(v), 8
	case uint16:
		return int64(v), 8
	case uint32:
		return int64(v), 8
	case uint64:
		return sqlNumber(new(big.Int).SetUint64(v)), 20
	case *big.Int:
		return sqlNumber(v), 40
	case float32:
		return sqlFloat(float64(v)), 8
	case float64:
		return sqlFloat(v), 8
	case string:
		return v, len(v)
	case time.Time:
		return sqlTime(v, typ), 32
	case duckdb.Decimal:
		return json.Number(v.String()), 40
	case duckdb.Interval:
		return sqlInterval(v), 40
	case []byte:
		return sqlBytes(v, typ), 2 * len(v)
	}
	return sqlNested(v)
}

// sqlNested is a value that has others in it. Their types are not told beside them, so that a date among them is a time.
func sqlNested(v any) (value any, bytes int) {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i := range v {
			var n int
			list[i], n = sqlValue(v[i], "")
			bytes += n + 16
		}
		return list, bytes
	case map[string]any:
		members := make(map[string]any, len(v))
		for name := range v {
			var n int
			members[name], n = sqlValue(v[name], "")
			bytes += len(name) + n + 48
		}
		return members, bytes
	case duckdb.OrderedMap:
		members := make(map[string]any, v.Len())
		values := v.Values()
		for i, key := range v.Keys() {
			name, _ := sqlValue(key, "")
			var n int
			members[fmt.Sprint(name)], n = sqlValue(values[i], "")
			bytes += n + 64
		}
		return members, bytes
	case duckdb.Union:
		return sqlValue(v.Value, "")
	case duckdb.UUID:
		return v.String(), 36
	}
	text := fmt.Sprint(v)
	return text, len(text)
}

func sqlNumber(n *big.Int) any {
	if n.IsInt64() {
		return n.Int64()
	}
	return json.Number(n.String())
}

func sqlFloat(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return f
}

// sqlTime writes a time. Infinity, which DuckDB has as a year of six digits, and what else no four digits are the year of, is nil.
func sqlTime(t time.Time, typ string) any {
	switch {
	case t.Year() < 0 || t.Year() > 9999:
		return nil
	case typ == "DATE":
		return t.Format(time.DateOnly)
	case typ == "TIME":
		return t.Format("15:04:05.000000")
	}
	return t.UTC()
}

// sqlInterval writes an interval as DuckDB does: its months, days and microseconds are not each other's.
func sqlInterval(i duckdb.Interval) string {
	var parts []string
	if i.Months != 0 {
		parts = append(parts, fmt.Sprintf("%d months", i.Months))
	}
	if i.Days != 0 {
		parts = append(parts, fmt.Sprintf("%d days", i.Days))
	}
	if i.Micros != 0 || parts == nil {
		sign, us := "", i.Micros
		if us < 0 {
			sign, us = "-", -us
		}
		parts = append(parts, fmt.Sprintf("%s%02d:%02d:%02d.%06d", sign, us/3_600_000_000, us/60_000_000%60, us/1_000_000%60, us%1_000_000))
	}
	return strings.Join(parts, " ")
}

func sqlBytes(b []byte, typ string) string {
	if typ == "UUID" && len(b) == 16 {
		h := hex.EncodeToString(b)
		return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
	}
	return hex.EncodeToString(b)
}
