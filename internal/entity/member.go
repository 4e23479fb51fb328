package entity

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Member is a field as a member of R, the Go struct that holds the rows of a kind.
type Member[R any] struct {
	Field Field
	at    uintptr // in R
	typed func(unsafe.Pointer) any
}

// In is a pointer to the member in row: to a string, bool, int64, float64, time.Time, []string or
// json.RawMessage, or to a pointer to an int64, float64 or time.Time that is nil when it is not known.
func (m *Member[R]) In(row *R) any { return m.typed(unsafe.Add(unsafe.Pointer(row), m.at)) }

// Offset is where the member stands in R, in bytes.
func (m *Member[R]) Offset() uintptr { return m.at }

func typed[T any](p unsafe.Pointer) any { return (*T)(p) }

var memberTypes = map[reflect.Type]func(unsafe.Pointer) any{
	reflect.TypeFor[string](): typed[string], reflect.TypeFor[bool](): typed[bool], reflect.TypeFor[[]string](): typed[[]string],
	reflect.TypeFor[int64](): typed[int64], reflect.TypeFor[*int64](): typed[*int64],
	reflect.TypeFor[float64](): typed[float64], reflect.TypeFor[*float64](): typed[*float64],
	reflect.TypeFor[time.Time](): typed[time.Time], reflect.TypeFor[*time.Time](): typed[*time.Time],
	reflect.TypeFor[json.RawMessage](): typed[json.RawMessage],
}

// The members of the rows of each kind, in the order of the fields.
var (
	TraceMembers       = membersOf[wire.Trace]()
	ObservationMembers = membersOf[ObservationRow]()
	ScoreMembers       = membersOf[wire.Score]()
)

// membersOf finds the fields of the table among the members of R, by their JSON names.
func membersOf[R any]() []Member[R] {
	var members []Member[R]
	for _, m := range reflect.VisibleFields(reflect.TypeFor[R]()) {
		name, _, _ := strings.Cut(m.Tag.Get("json"), ",")
		f, known := FieldNamed(name)
		if as := memberTypes[m.Type]; known && as != nil {
			members = append(members, Member[R]{f, offset(reflect.TypeFor[R](), m.Index), as})
		}
	}
	slices.SortFunc(members, func(a, b Member[R]) int { return int(a.Field) - int(b.Field) })
	return members
}

// offset is where a member stands that may be one of an embedded struct.
func offset(t reflect.Type, index []int) (at uintptr) {
	for _, i := range index {
		f := t.Field(i)
		at, t = at+f.Offset, f.Type
	}
	return at
}
