package duckstore

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// A page's previews are what the fold says: of each trace of an id its own, the last word
// of several events, and nothing of what was cleared.
func TestPreviewsOfAPage(t *testing.T) {
	t.Parallel()
	var log storetest.Ledger
	w := openAt(t, filepath.Join(t.TempDir(), "w.db"), &log)
	defer func() { _ = w.Close() }()
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	fold, recs := &entity.Fold{}, []entity.Record(nil)
	event := func(rank entity.Rank, values ...entity.FieldValue) {
		n := len(recs) + 1
		fields := &entity.Fields{Kind: entity.ObservationKind, Rank: rank, EntityID: "o", Content: uint64(n), Values: values}
		rec := entity.Record{Seq: entity.Seq(n), Project: "p", ReceivedAt: at, Fields: fields, Row: fields.AppendRow(nil),
			Event: wire.Event{ID: string(rune('a' + n)), Type: wire.ObservationUpdate, Timestamp: wire.At(at.Add(time.Duration(n) * time.Second))}}
		log.Add(rec)
		recs = append(recs, rec)
		fold.Add(&rec, fields)
	}
	event(entity.RankCreate, txt(entity.TraceID, "one"), txt(entity.Input, `"first \"in\""`), txt(entity.Output, `"gone"`))
	event(entity.RankCreate, txt(entity.TraceID, "two"), txt(entity.Input, `{"q":1}`))
	event(entity.RankUpdate, txt(entity.Output, `"of the newest\n"`))
	event(entity.RankUpdate, txt(entity.TraceID, "one"), entity.FieldValue{Field: entity.Clear, List: []string{"output"}})
	for i := range recs { // one transaction each: the rows are folded anew
		if err := insertNow(t.Context(), w, recs[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	page, err := query.ListObservations(t.Context(), w, "p", store.Query{Order: store.Order{Asc: true}})
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
	log.Erase("p", 2) // its row is still there
	page, err = query.ListObservations(t.Context(), w, "p", store.Query{Order: store.Order{Asc: true}})
	if err != nil || len(page.Data) != 2 || page.Data[1].TraceID != "two" || page.Data[1].InputPreview != "" {
		t.Errorf("of a payload that the log has no longer: %+v, %v", page, err)
	}
}
