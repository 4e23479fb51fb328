package duckstore

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// A check finds rows that were folded from other events than the Log has; what is on its way in or
// out is none of that.
func TestCheckAgainstTheLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "w.db")
	g := newGenerator(1)
	w := openAt(t, path, g)
	recs := g.next(1000)
	gone, passed := recs[501], recs[700]
	if err := w.Insert(t.Context(), slices.Concat(recs[:700], recs[701:]), recs[999].Seq); err != nil { // without passed
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	check := func(l Leeway, log ...entity.Record) []WrongFold {
		t.Helper()
		k, err := OpenReadOnly(t.Context(), path, t.TempDir(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = k.Close() }()
		for i := range log {
			if err := k.Add(&log[i]); err != nil {
				t.Fatal(err)
			}
		}
		_, wrong, err := k.Folds(t.Context(), l, 10)
		if err != nil {
			t.Fatal(err)
		}
		return wrong
	}
	have := slices.Concat(recs[:700], recs[701:])
	if wrong := check(Leeway{}, have...); len(wrong) != 0 {
		t.Errorf("a whole file: %+v", wrong)
	}
	if wrong := check(Leeway{}, recs...); len(wrong) != 1 || wrong[0].ID != passed.Fields.EntityID {
		t.Errorf("with an event that is in no row: %+v", wrong)
	}
	if wrong := check(Leeway{Passed: func(e Event) bool { return e.Seq == passed.Seq }}, recs...); len(wrong) != 0 {
		t.Errorf("with an event that need not be in a row: %+v", wrong)
	}
	lost := slices.DeleteFunc(slices.Clone(have), func(r entity.Record) bool { return r.Seq == gone.Seq })
	wrong := check(Leeway{}, lost...)
	if len(wrong) != 1 || wrong[0].ID != gone.Fields.EntityID || !strings.Contains(wrong[0].What, "event") {
		t.Errorf("without an event of a row: %+v", wrong)
	}
	if wrong := check(Leeway{Gone: func(r Row) bool { return r.Seq == gone.Seq && r.At == gone.ReceivedAt.UnixMicro() }}, lost...); len(wrong) != 0 {
		t.Errorf("without an event that is going: %+v", wrong)
	}
}

var _ records = (*storetest.Ledger)(nil)
