package entity

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
)

func randomFields(rnd *rand.Rand) *Fields {
	text := func() string {
		b := make([]byte, rnd.IntN(40))
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		return string(b)
	}
	f := &Fields{Kind: Kind(1 + rnd.IntN(4)), Rank: Rank(rnd.IntN(4)), EntityID: text(), Content: rnd.Uint64(), Values: []FieldValue{}}
	for field := range NumFields {
		if rnd.IntN(3) > 0 {
			continue
		}
		v := FieldValue{Field: field}
		switch field.Type() {
		case Text:
			v.Text = text()
		case Float:
			v.Num = []float64{0, -1.5, math.MaxFloat64, rnd.Float64()}[rnd.IntN(4)]
		case List:
			v.List = make([]string, rnd.IntN(4))
			for i := range v.List {
				v.List[i] = text()
			}
		case Integer, Time:
			v.Int = []int64{0, math.MinInt64, math.MaxInt64, int64(rnd.Uint64())}[rnd.IntN(4)]
		default: // JSON stays in the payload
			continue
		}
		f.Values = append(f.Values, v)
	}
	return f
}

// What is packed comes back, out of memory that was used before.
func TestRowComesBack(t *testing.T) {
	t.Parallel()
	rnd := chance.From(chance.Seed(t), 0)
	var again Fields
	for range 2000 {
		f := randomFields(rnd)
		withJSON := *f
		withJSON.Values = append([]FieldValue{{Field: Input, Text: `{"a":1}`}}, f.Values...)
		row := Row(withJSON.AppendRow([]byte("before")))[len("before"):]
		if err := row.View(&again); err != nil || !reflect.DeepEqual(&again, f) || !reflect.DeepEqual(row.Fields(), f) {
			t.Fatalf("%v\npacked   %+v\nunpacked %+v", err, f, &again)
		}
		if row.Kind() != f.Kind || row.Rank() != f.Rank || row.Content() != f.Content || string(row.EntityID()) != f.EntityID {
			t.Fatalf("%d %d %d %q of %+v", row.Kind(), row.Rank(), row.Content(), row.EntityID(), f)
		}
		for field := range NumFields {
			if want, _ := f.Get(field); field.Type() == Text && string(row.Get(field)) != want.Text {
				t.Fatalf("%v: %q of %+v", field, row.Get(field), f)
			}
		}
	}
}

// Bytes that are no row are an error, and nothing else.
func FuzzRow(f *testing.F) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		f.Add(randomFields(rnd).AppendRow(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := Row(b)
		fields := r.Fields()
		r.Get(Name)
		r.EntityID()
		if fields == nil {
			return
		}
		if again := Row(fields.AppendRow(nil)).Fields(); !reflect.DeepEqual(again, fields) && !hasNaN(fields) {
			t.Fatalf("%+v, then %+v", fields, again)
		}
	})
}

func hasNaN(f *Fields) bool {
	for _, v := range f.Values {
		if math.IsNaN(v.Num) {
			return true
		}
	}
	return false
}
