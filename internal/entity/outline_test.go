package entity_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// unfolded is the trace as its outline gives it: every row from its own records alone.
func unfolded(t *testing.T, recs []entity.Record, id string, twins entity.Twins) *wire.Trace {
	t.Helper()
	var briefs entity.Briefs
	at := map[entity.Seq]entity.Record{}
	for i := range recs {
		briefs.Add(&recs[i])
		at[recs[i].Seq] = recs[i]
	}
	o, err := entity.OutlineOf(&briefs, id, twins, storetest.Tariff())
	if errors.Is(err, entity.ErrNotFound) {
		return nil
	} else if err != nil {
		t.Fatal(err)
	}
	read := func(seqs []entity.Seq) (recs []entity.Record) {
		for _, seq := range seqs {
			recs = append(recs, at[seq])
		}
		return recs
	}
	row := func(place int) *entity.ObservationRow {
		row, err := o.Row(place, read(o.Events(place)))
		if err != nil {
			t.Fatal(err)
		}
		var size int64
		for _, rec := range read(o.Events(place)) {
			size += int64(len(rec.Event.Payload))
		}
		if size != o.Size(place) {
			t.Errorf("the payloads of %s have %d bytes, not %d", row.ID, size, o.Size(place))
		}
		return row
	}
	o.Fill(read(o.TraceEvents()), func(place int) *entity.ObservationRow {
		if !slices.Contains(o.Sources(), place) {
			t.Errorf("place %d is none of the sources", place)
		}
		return row(place)
	})
	var hang func(places []int) []*wire.Observation
	hang = func(places []int) (list []*wire.Observation) {
		for _, place := range places {
			r := row(place)
			r.Children = hang(o.Children(place))
			list = append(list, &r.Observation)
		}
		return list
	}
	trace := *o.Trace
	if trace.Observations = hang(o.Roots()); trace.Observations == nil {
		trace.Observations = []*wire.Observation{}
	}
	var walked, flat []string
	o.Walk(func(place int) bool { walked = append(walked, row(place).ID); return true })
	var walk func([]*wire.Observation)
	walk = func(list []*wire.Observation) {
		for _, o := range list {
			flat = append(flat, o.ID)
			walk(o.Children)
		}
	}
	walk(trace.Observations)
	if !slices.Equal(walked, flat) {
		t.Errorf("Walk goes %v, the tree is %v", walked, flat)
	}
	return &trace
}

// What an outline gives, observation by observation, is what the fold of all makes at once.
func TestOutlineIsTheFold(t *testing.T) {
	t.Parallel()
	seed := chance.Seed(t)
	rng := chance.From(seed, 0)
	for round := range chance.Rounds(10) {
		n := 20 + rng.IntN(200)
		var events []string
		for i := range storetest.HistoryTraces(n) {
			events = append(events, storetest.HistoryTrace(i))
		}
		outlined(t, rng, storetest.History(seed+uint64(round), n), events)
		var calls []string
		for i := range n/8 + 1 {
			calls = append(calls, storetest.CallTrace(i))
		}
		outlined(t, rng, storetest.CallHistory(seed+uint64(round), n), calls)
	}
}

// outlined compares all traces of a history, of which some records were accepted once more.
func outlined(t *testing.T, rng *rand.Rand, recs []entity.Record, traces []string) {
	t.Helper()
	filled(recs)
	for i := range recs {
		if rng.IntN(4) == 0 {
			dup := recs[i]
			dup.Seq += entity.Seq(1 << 20)
			recs = append(recs, dup)
		}
	}
	rng.Shuffle(len(recs), func(i, j int) { recs[i], recs[j] = recs[j], recs[i] })
	twins := twinsOf(t, recs)
	rng.Shuffle(len(traces), func(i, j int) { traces[i], traces[j] = traces[j], traces[i] })
	for _, id := range traces[:min(8, len(traces))] {
		want, err := entity.FoldTraceWith(recs, id, twins, storetest.Tariff())
		if err != nil && !errors.Is(err, entity.ErrNotFound) {
			t.Fatal(err)
		}
		got := unfolded(t, recs, id, twins)
		if a, b := pretty(t, got), pretty(t, want); a != b {
			t.Fatalf("the outline gives\n%s\nthe fold\n%s", a, b)
		}
	}
}

func pretty(t *testing.T, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// twinsOf finds the twins among all records.
func twinsOf(t *testing.T, recs []entity.Record) entity.Twins {
	t.Helper()
	ids := map[string]bool{}
	for i := range recs {
		if f := recs[i].Fields; f != nil && f.Kind == entity.ObservationKind {
			ids[f.EntityID] = true
		}
	}
	var rows []*entity.ObservationRow
	for id := range ids {
		f, err := entity.FoldOf(recs, entity.ObservationKind, id)
		if err != nil {
			t.Fatal(err)
		}
		parts := f.Observations(id)
		for i := range parts {
			rows = append(rows, &parts[i])
		}
	}
	return entity.FindTwins(rows)
}

// What an outline is made of does not grow with what was sent; and a trace that is not there is not found.
func TestOutlineIsSmall(t *testing.T) {
	t.Parallel()
	recs := storetest.History(1, 1000)
	for i := range recs {
		if p := recs[i].Event.Payload; recs[i].Event.Type == wire.ObservationCreate {
			recs[i].Event.Payload = slices.Concat(p[:len(p)-1], []byte(`,"output":"`+strings.Repeat("x", 10_000)+`"}`))
		}
	}
	var briefs entity.Briefs
	for i := range filled(recs) {
		briefs.Add(&recs[i])
	}
	if each := briefs.Bytes() / int64(len(recs)); each > 600 {
		t.Errorf("a brief takes %d bytes", each)
	}
	if _, err := entity.OutlineOf(&briefs, "absent", nil, entity.Tariff{}); !errors.Is(err, entity.ErrNotFound) {
		t.Error(err)
	}
}
