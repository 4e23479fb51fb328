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
	is    memberType
}

// memberType is the Go type of a member.
type memberType uint8

const (
	aText memberType = iota
	aFlag
	anInt
	maybeInt
	aFloat
	maybeFloat
	aTime
	maybeTime
	aList
	aJSON
)

var memberTypes = map[reflect.Type]memberType{
	reflect.TypeFor[string](): aText, reflect.TypeFor[bool](): aFlag, reflect.TypeFor[int64](): anInt,
	reflect.TypeFor[*int64](): maybeInt, reflect.TypeFor[float64](): aFloat, reflect.TypeFor[*float64](): maybeFloat,
	reflect.TypeFor[time.Time](): aTime, reflect.TypeFor[*time.Time](): maybeTime, reflect.TypeFor[[]string](): aList,
	reflect.TypeFor[json.RawMessage](): aJSON,
}

// In is a pointer to the member in row: to a string, bool, int64, float64, time.Time, []string or
// json.RawMessage, or to a pointer to an int64, float64 or time.Time that is nil when it is not known.
func (m *Member[R]) In(row *R) any {
	p := unsafe.Add(unsafe.Pointer(row), m.at)
	switch m.is {
	case aText:
		return (*string)(p)
	case aFlag:
		return (*bool)(p)
	case anInt:
		return (*int64)(p)
	case maybeInt:
		return (**int64)(p)
	case aFloat:
		return (*float64)(p)
	case maybeFloat:
		return (**float64)(p)
	case aTime:
		return (*time.Time)(p)
	case maybeTime:
		return (**time.Time)(p)
	case aList:
		return (*[]string)(p)
	}
	return (*json.RawMessage)(p)
}

// The members of the rows of each kind, in the order of the fields.
var (
	TraceMembers       = membersOf[wire.Trace]()
	ObservationMembers = membersOf[ObservationRow]()
	ScoreMembers       = membersOf[wire.Score]()

	traceSaid       = saidBy(TraceKind, TraceMembers)
	observationSaid = saidBy(ObservationKind, ObservationMembers)
	scoreSaid       = saidBy(ScoreKind, ScoreMembers)
)

// membersOf finds the fields of the table among the members of R, by their JSON names.
func membersOf[R any]() []Member[R] {
	named := make(map[string]Member[R])
	for _, f := range reflect.VisibleFields(reflect.TypeFor[R]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		is, ok := memberTypes[f.Type]
		if !ok || name == "" {
			continue
		}
		named[name] = Member[R]{at: offset(reflect.TypeFor[R](), f.Index), is: is}
	}
	var members []Member[R]
	for f := range NumFields {
		if m, ok := named[f.String()]; ok {
			m.Field = f
			members = append(members, m)
		}
	}
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

// saidBy are those of the members whose values events of the kind say.
func saidBy[R any](kind Kind, members []Member[R]) []Member[R] {
	return slices.DeleteFunc(slices.Clone(members), func(m Member[R]) bool { return !table[m.Field].said.has(kind) || m.Field == Clear })
}
