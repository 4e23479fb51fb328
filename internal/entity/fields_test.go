package entity

import (
	"slices"
	"testing"
)

// The table is one list: no name twice, what events say has a name, and what a kind's rows keep
// is a member of its struct.
func TestTable(t *testing.T) {
	t.Parallel()
	for f := range NumFields {
		if named, ok := FieldNamed(f.String()); f.String() == "" || !ok || named != f {
			t.Errorf("field %d is named %q, which is field %d", f, f, named)
		}
	}
	keeps(t, TraceKind, TraceMembers)
	keeps(t, ObservationKind, ObservationMembers)
	keeps(t, ScoreKind, ScoreMembers)
}

func keeps[R any](t *testing.T, kind Kind, members []Member[R]) {
	t.Helper()
	for _, c := range Columns(kind) {
		at := slices.IndexFunc(members, func(m Member[R]) bool { return m.Field == c.Field })
		if at < 0 {
			t.Errorf("kind %d has no member %s", kind, c.Name)
			continue
		}
		if got := members[at].typ(); got != c.Type && (got != Integer || c.Type != Order) {
			t.Errorf("kind %d holds %s as %d, the table as %d", kind, c.Name, got, c.Type)
		}
	}
}

// typ is what the table should say of the member.
func (m *Member[R]) typ() FieldType {
	switch m.In(new(R)).(type) {
	case *string:
		return Text
	case *bool:
		return Flag
	case *int64, **int64:
		return Integer
	case *float64, **float64:
		return Float
	case *[]string:
		return List
	}
	return Time
}

// A list that appends keeps what is equal, in the order of the fold.
func TestAppend(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []string
		want   string
	}{
		{[]string{`[ 1,{"a": [2]} ]`}, `[ 1,{"a": [2]} ]`},
		{[]string{`[1,2]`, `[]`, `[ 2 , "x"]`}, `[1,2,2,"x"]`},
		{[]string{`{"name":"e"}`}, `[{"name":"e"}]`},
		{[]string{`[null]`, `3`}, `[null,3]`},
	} {
		if got := appendLists(c.values); string(got) != c.want {
			t.Errorf("%q became %s, want %s", c.values, got, c.want)
		}
	}
}

// Usage and attributes are merged key by key, over all events, and can be cleared.
func TestOpenMaps(t *testing.T) {
	t.Parallel()
	say := func(f Field, text string) *Fields {
		return &Fields{Kind: ObservationKind, Rank: RankUpdate, EntityID: "o", Values: []FieldValue{{Field: f, Text: text}}}
	}
	fold := &Fold{}
	for i, fields := range []*Fields{
		say(Usage, `{"pages":1,"searches":2}`), say(Attributes, `{"a":1,"b":{"c":1}}`), say(Usage, `{"pages":3}`), say(Attributes, `{"b":2}`),
	} {
		fields.Content = uint64(i)
		fold.Add(&Record{Seq: Seq(i + 1)}, fields)
	}
	row := fold.Observations("o")[0]
	if string(row.Usage) != `{"pages":3,"searches":2}` || string(row.Attributes) != `{"a":1,"b":2}` {
		t.Errorf("usage %s, attributes %s", row.Usage, row.Attributes)
	}
	fold.Add(&Record{Seq: 9}, &Fields{Kind: ObservationKind, Rank: RankUpdate, EntityID: "o", Content: 9,
		Values: []FieldValue{{Field: Clear, List: []string{"usage"}}, {Field: Usage, Text: `{"tools":1}`}}})
	if row = fold.Observations("o")[0]; string(row.Usage) != `{"tools":1}` || row.Attributes == nil || row.Clear != nil {
		t.Errorf("after clear: usage %s, attributes %s, clear %q", row.Usage, row.Attributes, row.Clear)
	}
}
