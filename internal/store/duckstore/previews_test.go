package duckstore

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// A page's previews are what the fold says: of each trace of an id its own, the last word
// of several events, and nothing of what was cleared.
func TestPreviewsOfAPage(t *testing.T) {
	t.Parallel()
	w := openAt(t, filepath.Join(t.TempDir(), "w.db"))
	defer func() { _ = w.Close() }()
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	fold, recs := &store.Fold{}, []store.Record(nil)
	event := func(rank store.Rank, values ...store.FieldValue) {
		n := len(recs) + 1
		fields := &store.Fields{Kind: store.ObservationKind, Rank: rank, EntityID: "o", Content: uint64(n), Values: values}
		rec := store.Record{Seq: store.Seq(n), Project: "p", ReceivedAt: at, Fields: fields,
			Event: wire.Event{ID: string(rune('a' + n)), Type: wire.ObservationUpdate, Timestamp: wire.At(at.Add(time.Duration(n) * time.Second))}}
		recs = append(recs, rec)
		fold.Add(&rec, fields)
	}
	event(store.RankCreate, txt(store.TraceID, "one"), txt(store.Input, `"first \"in\""`), txt(store.Output, `"gone"`))
	event(store.RankCreate, txt(store.TraceID, "two"), txt(store.Input, `{"q":1}`))
	event(store.RankUpdate, txt(store.Output, `"of the newest\n"`))
	event(store.RankUpdate, txt(store.TraceID, "one"), store.FieldValue{Field: store.Clear, List: []string{"output"}})
	for i := range recs { // one transaction each: the rows are folded anew
		if err := w.Insert(t.Context(), recs[i:i+1], recs[i].Seq); err != nil {
			t.Fatal(err)
		}
	}
	page, err := w.Observations(t.Context(), "p", store.ObservationQuery{Order: store.Order{Asc: true}})
	want := fold.Observations("o")
	if err != nil || len(page.Data) != 2 || len(want) != 2 {
		t.Fatalf("%+v, want %+v, %v", page, want, err)
	}
	for i, o := range page.Data {
		if o.TraceID != want[i].TraceID || o.InputPreview != want[i].InputPreview || o.OutputPreview != want[i].OutputPreview || o.InputPreview == "" {
			t.Errorf("%s: %q and %q, want %s: %q and %q", o.TraceID, o.InputPreview, o.OutputPreview, want[i].TraceID, want[i].InputPreview, want[i].OutputPreview)
		}
	}
	if page.Data[0].OutputPreview != "" || page.Data[1].OutputPreview == "" {
		t.Errorf("output previews %q and %q", page.Data[0].OutputPreview, page.Data[1].OutputPreview)
	}
}
