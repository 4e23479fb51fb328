package storetest_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// A history is worth its name when it depends on the seed alone, every record is
// valid, and the awkward things it promises do occur.
func TestHistory(t *testing.T) {
	t.Parallel()
	a, b := storetest.History(7, 2000), storetest.History(7, 2000)
	if !reflect.DeepEqual(a, b) {
		t.Fatal("the same seed gave two histories")
	}
	ids, times, kinds, facts := map[string]int{}, map[int64]int{}, map[entity.Kind]int{}, map[string]int{}
	traces, cleared := map[string]map[string]bool{}, 0
	before := 0
	for i := range a {
		fields, failure := extract.Extract(&a[i].Event)
		if failure != nil {
			t.Fatalf("record %d: %+v\n%s", i, failure, a[i].Event.Payload)
		}
		kinds[fields.Kind]++
		ids[a[i].Event.ID]++
		facts[fmt.Sprint(a[i].Event.ID, fields.Content)]++
		if v, ok := fields.Get(entity.TraceID); ok && fields.Kind == entity.ObservationKind {
			if traces[fields.EntityID] == nil {
				traces[fields.EntityID] = map[string]bool{}
			}
			traces[fields.EntityID][v.Text] = true
		}
		if _, ok := fields.Get(entity.Clear); ok {
			cleared++
		}
		times[a[i].Event.Timestamp.UnixMicro()]++
		if a[i].Event.Timestamp.Year() == 2026 && a[i].Event.Timestamp.Month() == 2 {
			before++
		}
	}
	several := 0
	for _, of := range traces {
		if len(of) > 1 {
			several++
		}
	}
	if several == 0 || several == len(traces) || cleared == 0 || len(ids) >= len(facts) || len(facts) >= len(a) {
		t.Errorf("of %d observations %d are in several traces; %d events clear; %d ids, %d facts", len(traces), several, cleared, len(ids), len(facts))
	}
	if len(ids) == len(a) || len(times) == len(a) || before == 0 || before == len(a) || len(kinds) != 3 {
		t.Errorf("of %d records: %d ids, %d instants, %d before midnight, %d kinds", len(a), len(ids), len(times), before, len(kinds))
	}
}

// A history of calls is worth its name when the same seed gives the same, and twins of every kind occur: in the
// same trace and in another, in twos and threes, by id and without, and reports that have none.
func TestCallHistory(t *testing.T) {
	t.Parallel()
	a, b := storetest.CallHistory(7, 1500), storetest.CallHistory(7, 1500)
	if !reflect.DeepEqual(a, b) {
		t.Fatal("the same seed gave two histories")
	}
	folds := map[string]*entity.Fold{}
	for i := range a {
		fields, failure := extract.Extract(&a[i].Event)
		if failure != nil {
			t.Fatalf("record %d: %+v\n%s", i, failure, a[i].Event.Payload)
		}
		if folds[fields.EntityID] == nil {
			folds[fields.EntityID] = &entity.Fold{}
		}
		folds[fields.EntityID].Add(&a[i], fields)
	}
	var rows []*entity.ObservationRow
	for id, f := range folds {
		for _, row := range f.Observations(id) {
			rows = append(rows, &row)
		}
	}
	twins := entity.FindTwins(rows)
	twins.Mark(rows)
	here, there, alone := 0, 0, 0
	of := map[entity.Ref]int{}
	kinds := map[string]int{}
	for _, row := range rows {
		kept, is := twins[entity.Ref{TraceID: row.TraceID, ID: row.ID}]
		switch {
		case !is:
			alone++
			continue
		case kept.TraceID == row.TraceID:
			here++
		default:
			there++
		}
		of[kept]++
		kinds[row.Scope]++
		if row.ResponseID == "" {
			kinds["without an id"]++
		}
		if row.PromptKey == "" {
			kinds["without a prompt"]++
		}
	}
	three := 0
	for _, n := range of {
		if n > 1 {
			three++
		}
	}
	t.Log(here, there, alone, three, kinds)
	if here < 20 || there < 20 || alone < 20 || three < 10 || len(kinds) < 7 {
		t.Errorf("%d twins in the same trace, %d in another, %d reports kept, %d of three or more, %v", here, there, alone, three, kinds)
	}
}
