package clickhouse

import (
	"fmt"
	"math"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// column is one of a table.
type column struct {
	name, typ, codec string
}

func (c column) ddl() string {
	text := "`" + c.name + "` " + c.typ
	if c.codec != "" {
		text += " CODEC(" + c.codec + ")"
	}
	return text
}

// Times are DateTime64(6, 'UTC'), which is microseconds since 1970 in 64 bits. Only these are sent and read: what makes a time.Time of
// them, in the client or in the server, is wrong behind the years 2262 and 2299.
const timeType = "DateTime64(6, 'UTC')"

// unlike are the texts of which there are many different ones, though statistics can be grouped by them.
var unlike = map[entity.Field]bool{entity.UserID: true, entity.SessionID: true, entity.TraceID: true, entity.StringValue: true}

// alike are further texts of which there are few.
var alike = map[string]bool{
	"requested_model": true, "finish_reason": true, "finish_reason_original": true, "scope_version": true, "cost_reason": true, "latency_reason": true,
}

// fieldColumn is the column of a field; optional says that it may be NULL. A text that nobody said is "".
func fieldColumn(c entity.Column, optional bool) column {
	typ, codec := "String", "ZSTD(1)"
	switch c.Type {
	case entity.Integer, entity.Order:
		typ = "Int64"
	case entity.Float:
		typ = "Float64"
	case entity.Time:
		typ, codec = timeType, "Delta, ZSTD(1)"
	case entity.Flag:
		return column{c.Name, "Bool", codec}
	case entity.List:
		return column{c.Name, "Array(LowCardinality(String))", codec}
	default:
		if c.Group && !unlike[c.Field] || alike[c.Name] {
			typ = "LowCardinality(String)"
		}
		return column{c.Name, typ, codec}
	}
	if optional {
		typ = "Nullable(" + typ + ")"
	}
	return column{c.Name, typ, codec}
}

// sent is a column on its way to the server.
type sent struct {
	data proto.ColInput
	// add appends what p points to, as entity.Member.In makes it. What is no number that JSON can say is NULL.
	add func(p any)
}

// sentAs is a column for what p points to, into a column of the type.
func sentAs(p any, typ string) sent {
	switch p.(type) {
	case *string:
		if typ == "LowCardinality(String)" {
			c := new(proto.ColStr).LowCardinality()
			return sent{c, func(p any) { c.Append(*p.(*string)) }}
		}
		c := new(proto.ColStr)
		return sent{c, func(p any) { c.Append(*p.(*string)) }}
	case *bool:
		c := new(proto.ColBool)
		return sent{c, func(p any) { c.Append(*p.(*bool)) }}
	case *int64:
		c := new(proto.ColInt64)
		return sent{c, func(p any) { c.Append(*p.(*int64)) }}
	case **int64:
		c := new(proto.ColInt64).Nullable()
		return sent{c, func(p any) { c.Append(optional(*p.(**int64))) }}
	case *float64:
		c := new(proto.ColFloat64)
		return sent{c, func(p any) {
			f := *p.(*float64)
			if !finite(f) {
				f = 0
			}
			c.Append(f)
		}}
	case **float64:
		c := new(proto.ColFloat64).Nullable()
		return sent{c, func(p any) {
			f := *p.(**float64)
			if f != nil && !finite(*f) {
				f = nil
			}
			c.Append(optional(f))
		}}
	case *time.Time:
		c := micros()
		return sent{c, func(p any) { c.Append(proto.DateTime64((*p.(*time.Time)).UnixMicro())) }}
	case **time.Time:
		c := proto.NewColNullable[proto.DateTime64](micros())
		return sent{c, func(p any) {
			if at := *p.(**time.Time); at != nil {
				c.Append(proto.NewNullable(proto.DateTime64(at.UnixMicro())))
				return
			}
			c.Append(proto.Null[proto.DateTime64]())
		}}
	case *[]string:
		c := proto.NewArray[string](new(proto.ColStr).LowCardinality())
		return sent{c, func(p any) { c.Append(*p.(*[]string)) }}
	}
	panic(fmt.Sprintf("clickhouse: no column can hold a %T", p))
}

func micros() *proto.ColDateTime64Raw {
	return new(proto.ColDateTime64).WithPrecision(proto.PrecisionMicro).WithLocation(time.UTC).Raw()
}

func optional[T any](p *T) proto.Nullable[T] {
	if p == nil {
		return proto.Null[T]()
	}
	return proto.NewNullable(*p)
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// read is a column of an answer.
type read struct {
	data proto.ColResult
	// get sets what p points to to the value of a row.
	get func(row int, p any)
}

// readAs is a column for what p points to; expression selects it.
func readAs(p any) read {
	switch p.(type) {
	case *string:
		c := new(proto.ColStr)
		return read{c, func(row int, p any) { *p.(*string) = c.Row(row) }}
	case *bool:
		c := new(proto.ColBool)
		return read{c, func(row int, p any) { *p.(*bool) = c.Row(row) }}
	case *int64:
		c := new(proto.ColInt64)
		return read{c, func(row int, p any) { *p.(*int64) = c.Row(row) }}
	case **int64:
		c := new(proto.ColInt64).Nullable()
		return read{c, func(row int, p any) { *p.(**int64) = pointed(c.Row(row)) }}
	case *float64:
		c := new(proto.ColFloat64)
		return read{c, func(row int, p any) { *p.(*float64) = c.Row(row) }}
	case **float64:
		c := new(proto.ColFloat64).Nullable()
		return read{c, func(row int, p any) { *p.(**float64) = pointed(c.Row(row)) }}
	case *time.Time:
		c := new(proto.ColInt64)
		return read{c, func(row int, p any) { *p.(*time.Time) = microTime(c.Row(row)) }}
	case **time.Time:
		c := new(proto.ColInt64).Nullable()
		return read{c, func(row int, p any) {
			at := p.(**time.Time)
			*at = nil
			if us := c.Row(row); us.Set {
				t := microTime(us.Value)
				*at = &t
			}
		}}
	case *[]string:
		c := proto.NewArray[string](new(proto.ColStr))
		return read{c, func(row int, p any) { *p.(*[]string) = append([]string{}, c.Row(row)...) }}
	}
	panic(fmt.Sprintf("clickhouse: no answer can be a %T", p))
}

// readable is a column as readAs reads it.
func readable(c column, of string) string {
	name := of + "`" + c.name + "`"
	switch c.typ {
	case "LowCardinality(String)":
		return "CAST(" + name + ", 'String')"
	case "Array(LowCardinality(String))":
		return "CAST(" + name + ", 'Array(String)')"
	case timeType, "Nullable(" + timeType + ")":
		return "toUnixTimestamp64Micro(" + name + ")"
	}
	return name
}

func pointed[T any](n proto.Nullable[T]) *T {
	if !n.Set {
		return nil
	}
	v := n.Value
	return &v
}

func microTime(us int64) time.Time { return time.UnixMicro(us).UTC() }
