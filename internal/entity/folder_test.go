package entity_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// byEntity are the events of each entity of a random history, in a random order.
func byEntity(rng *rand.Rand, recs []entity.Record) map[entity.Mention][]entity.Record {
	all := map[entity.Mention][]entity.Record{}
	rng.Shuffle(len(recs), func(i, j int) { recs[i], recs[j] = recs[j], recs[i] })
	for _, r := range filled(recs) {
		if r.Fields != nil {
			e := entity.Mention{Of: r.Fields.Kind, ID: r.Fields.EntityID}
			all[e] = append(all[e], r)
		}
	}
	return all
}

// bare is the record as far as a row says it.
func bare(r entity.Record) entity.Record {
	fields := *r.Fields
	fields.Values = slices.DeleteFunc(slices.Clone(fields.Values), func(v entity.FieldValue) bool { return v.Field.Type() == entity.JSON })
	r.Fields = &fields
	return r
}

// A Folder that goes from entity to entity makes of rows what a Fold of its own makes of the records.
func TestFolder(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	f := &entity.Folder{}
	for range 10 {
		for e, recs := range byEntity(rng, storetest.History(rng.Uint64(), 300)) {
			f.Reset()
			fold := &entity.Fold{}
			for i := range recs {
				if err := f.AddFact(factOf(&recs[i])); err != nil {
					t.Fatal(err)
				}
				r := bare(recs[i])
				fold.Add(&r, r.Fields)
			}
			var got, want string
			switch e.Of {
			case entity.ObservationKind:
				rows, again := fold.Observations(e.ID), f.Observations(e.ID)
				got, want = asJSON(t, again), asJSON(t, rows)
				for i := range rows {
					got, want = got+fmt.Sprint(again[i].Seqs), want+fmt.Sprint(rows[i].Seqs)
				}
			case entity.ScoreKind:
				got, want = asJSON(t, f.Score(e.ID)), asJSON(t, fold.Score(e.ID))
			case entity.TraceKind:
				got, want = asJSON(t, f.Trace(e.ID)), asJSON(t, fold.Trace(e.ID))
			}
			if got != want {
				t.Fatalf("%v of rows is\n%s\nnot\n%s", e, got, want)
			}
		}
	}
}

// What a Fold makes stays as it is when more is added, and asked again.
func TestFoldKeepsWhatItMade(t *testing.T) {
	t.Parallel()
	recs := filled([]entity.Record{
		rec(1, "a", "observation_create", 0, `{"id":"o","trace_id":"t","name":"n","tags":["a"],"prompt_tokens":1,"completion_tokens":2}`),
		rec(2, "b", "observation_complete", 1, `{"id":"o","name":"m","tags":["b"],"prompt_tokens":5}`),
	})
	f := &entity.Fold{}
	f.Add(&recs[0], recs[0].Fields)
	before := f.Observations("o")
	said := asJSON(t, before)
	f.Add(&recs[1], recs[1].Fields)
	if after := f.Observations("o"); after[0].Name != "m" || *after[0].TotalTokens != 7 || asJSON(t, before) != said || before[0].Seqs[0] != 1 {
		t.Errorf("%s became %s, and then %s", said, asJSON(t, before), asJSON(t, after))
	}
}

// Of the events of one fact the one with the lowest Seq counts, however many there are and in whatever order they come.
func TestFoldOfManyFacts(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	for _, n := range []int{2, 15, 16, 17, 40} {
		var recs []entity.Record
		for i := range n {
			for again := range 3 {
				recs = append(recs, rec(1+i+again*n, fmt.Sprint("e", i), "observation_update", float64(i), fmt.Sprintf(`{"id":"o","trace_id":"t","status_message":"%d"}`, i)))
			}
		}
		filled(recs)
		rng.Shuffle(len(recs), func(i, j int) { recs[i], recs[j] = recs[j], recs[i] })
		f, fold := &entity.Folder{}, &entity.Fold{}
		for i := range recs {
			if err := f.AddFact(factOf(&recs[i])); err != nil {
				t.Fatal(err)
			}
			fold.Add(&recs[i], recs[i].Fields)
			if i%7 == 0 {
				f.Observations("o")
				fold.Observations("o")
			}
		}
		for _, rows := range [][]entity.ObservationRow{f.Observations("o"), fold.Observations("o")} {
			o := rows[0]
			if len(o.Seqs) != n || o.Seqs[0] != 1 || o.Seqs[n-1] != entity.Seq(n) || !slices.IsSorted(o.Seqs) || o.StatusMessage != fmt.Sprint(n-1) {
				t.Errorf("%d facts: %v, %q", n, o.Seqs, o.StatusMessage)
			}
		}
	}
}

func TestFolderRefusesWhatIsNoRow(t *testing.T) {
	t.Parallel()
	f := &entity.Folder{}
	r := filled([]entity.Record{rec(1, "a", "observation_create", 0, `{"id":"o","trace_id":"t","name":"n"}`)})[0]
	good := factOf(&r)
	for cut := range len(good.Row) {
		bad := good
		bad.Row = good.Row[:cut]
		if err := f.AddFact(bad); err != nil && len(f.Observations("o")) > 0 && cut < 12 {
			t.Errorf("%d bytes: %v, and a row", cut, err)
		}
		f.Reset()
	}
	if f.AddFact(entity.Fact{Row: entity.Row("short")}) == nil {
		t.Error("five bytes are a row")
	}
	if err := f.AddFact(good); err != nil || len(f.Observations("o")) != 1 {
		t.Error(err)
	}
}

// A family to which observations come, change and go says the same as one that is made of those that are there, and
// as the fold of the whole trace.
func TestFamily(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	r := &entity.Roller{}
	for range 20 {
		recs := storetest.History(rng.Uint64(), 400)
		families, counted := map[string]*entity.Family{}, map[string]map[string]bool{}
		var rows []entity.ObservationRow
		own := map[string]*entity.Fold{}
		for e, recs := range byEntity(rng, recs) {
			fold := &entity.Fold{}
			for i := range recs {
				r := bare(recs[i])
				fold.Add(&r, r.Fields)
			}
			switch e.Of {
			case entity.TraceKind:
				own[e.ID] = fold
			case entity.ObservationKind:
				rows = append(rows, fold.Observations(e.ID)...)
			}
		}
		rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		in := map[string][]*entity.ObservationRow{}
		for i := range rows {
			row := &rows[i]
			id := row.TraceID
			if id == "" {
				continue
			}
			if families[id] == nil {
				families[id], counted[id] = &entity.Family{}, map[string]bool{}
			}
			family := families[id]
			other := *row // what it was before
			other.ParentObservationID, other.TotalTokens, other.Model, other.Level = rows[rng.IntN(len(rows))].ID, nil, "another", "ERROR"
			other.StartTime = rows[rng.IntN(len(rows))].StartTime
			for range rng.IntN(3) {
				family.Put(&other, 1, 1)
				r.RollUp(nil, family, id)
				if rng.IntN(2) == 0 {
					family.Drop(row.ID)
				}
			}
			family.Put(row, 1, 1)
			counted[id][row.ID] = true
			in[id] = append(in[id], row)
			_, changed := r.RollUp(nil, family, id)
			for _, c := range changed {
				counted[id][c.ID] = c.Counted
			}
		}
		for id, family := range families {
			var said *wire.Trace
			if own[id] != nil {
				said = own[id].Trace(id)
			}
			t1, _ := r.RollUp(said, family, id)
			got := asJSON(t, t1)
			if want := asJSON(t, entity.RollUp(own[id], in[id], id)); got != want || family.Len() != len(in[id]) {
				t.Fatalf("trace %s of %d is\n%s\nnot\n%s", id, family.Len(), got, want)
			}
			for _, row := range in[id] {
				c, _ := family.Counts(row.ID)
				if c.Tokens != row.CountsTokens || c.Cost != row.CountsCost || c.Counted != row.Counted || counted[id][row.ID] != row.Counted {
					t.Fatalf("trace %s: observation %s counts %+v, noted %v, not %v", id, row.ID, c, counted[id][row.ID], row.Counted)
				}
			}
			whole, err := entity.FoldTraceWith(recs, id, entity.Twins{}, entity.Tariff{})
			if err != nil {
				t.Fatal(err)
			}
			whole.Observations, whole.ScoreList, whole.Scores, whole.Input, whole.Output, whole.Metadata = nil, nil, nil, nil, nil, nil
			if want := asJSON(t, whole); got != want {
				t.Fatalf("trace %s is\n%s\nnot\n%s", id, got, want)
			}
		}
	}
}

// A family's texts are its own: the rows that they came from may be written over.
func TestFamilyOwnsItsTexts(t *testing.T) {
	t.Parallel()
	var recs []entity.Record
	for i := range 12 {
		recs = append(recs, rec(i+1, fmt.Sprint("e", i), "observation_create", float64(i),
			fmt.Sprintf(`{"id":"o%d","trace_id":"t","parent_observation_id":"o%d","name":"n%d","model":"m%d","user_id":"u","tags":["x%d"],"release":"r%d"}`, i, max(i-1, 0), i%2, i%3, i, i)))
	}
	filled(recs)
	family, r := &entity.Family{}, &entity.Roller{}
	var before string
	for range 2 {
		for i := range recs {
			f := &entity.Folder{}
			fact := factOf(&recs[i])
			if err := f.AddFact(fact); err != nil {
				t.Fatal(err)
			}
			family.Put(&f.Observations(recs[i].Fields.EntityID)[0], 1, 1)
			clear(fact.Row)
		}
		trace, _ := r.RollUp(nil, family, "t")
		if said := asJSON(t, trace); before == "" {
			before = said
		} else if said != before {
			t.Errorf("%s became %s", before, said)
		}
	}
	if family.Len() != len(recs) || family.Weight() < 1000 {
		t.Errorf("%d observations of %d bytes", family.Len(), family.Weight())
	}
}

// A family of many, among them some that are their own ancestors: whatever came, changed and went before, it says what one says
// that was made of what is there.
func TestFamilyOfMany(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	r := &entity.Roller{}
	one := func(words ...string) string { return words[rng.IntN(len(words))] }
	for range 30 {
		n := 2 + rng.IntN(40)
		family, here := &entity.Family{}, map[string]*entity.ObservationRow{}
		for range 4 * n {
			id := fmt.Sprint("o", rng.IntN(n))
			if rng.IntN(4) == 0 {
				family.Drop(id)
				delete(here, id)
			} else {
				row := &entity.ObservationRow{Door: one("brokle", "otlp"), UserID: one("", "", "u", "v"), TraceName: one("", "", "a", "b"), CountsTokens: true, CountsCost: true}
				row.ID, row.Type, row.Level, row.Status, row.Model, row.Environment = id, one("llm", "span", "agent"), one("ERROR", "DEFAULT"), one("ok", "error"), one("", "m", "n", "o"), one("qa", "default")
				row.ParentObservationID, row.DuplicateOf = one("", fmt.Sprint("o", rng.IntN(n)), fmt.Sprint("o", rng.IntN(n)), "away"), one("", "", "", "x")
				row.StartTime, row.Tags = at.Add(time.Duration(rng.IntN(5))*time.Second), []string{}
				if end, tokens, cost := row.StartTime.Add(time.Second), rng.Int64N(3), float64(rng.IntN(3)); rng.IntN(3) > 0 {
					row.EndTime, row.TotalTokens, row.TotalCost = &end, &tokens, &cost
				}
				family.Put(row, 1, 1)
				here[id] = row
			}
			var rows []*entity.ObservationRow
			for _, row := range here {
				rows = append(rows, row)
			}
			trace, _ := r.RollUp(nil, family, "t")
			got := asJSON(t, trace)
			if want := asJSON(t, entity.RollUp(nil, rows, "t")); got != want || family.Len() != len(rows) {
				t.Fatalf("of %d observations:\n%s\nnot\n%s", len(rows), got, want)
			}
			for _, row := range rows {
				if c, known := family.Counts(row.ID); !known || c.Tokens != row.CountsTokens || c.Cost != row.CountsCost {
					t.Fatalf("%s counts %+v, not %v, %v", row.ID, c, row.CountsTokens, row.CountsCost)
				}
			}
		}
	}
}
