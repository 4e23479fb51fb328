package duckstore

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// The facts are on disk: they stay what they are.
func TestFactKey(t *testing.T) {
	t.Parallel()
	least, most := factRange("event-1")
	for content, want := range map[uint64]uint64{0: least, 1: least + 1, 1 << 24: least, 0xffff_ffff_ffff_ffff: most} {
		if got := factKey("event-1", content); got != want {
			t.Errorf("content %x: %x, want %x", content, got, want)
		}
	}
	if least != 0xda097baf3c000000 || most-least != 0xff_ffff {
		t.Errorf("%#x to %#x", least, most)
	}
	if got := traceHash("event-1"); got != 0xda097baf {
		t.Errorf("trace hash %#x", got)
	}
	if other, _ := factRange("event-2"); other == least {
		t.Error("two ids have one range")
	}
}

// collidingIDs are two event ids with one hash.
func collidingIDs(t *testing.T) (a, b string) {
	t.Helper()
	seen := map[uint64]string{}
	for i := range 1 << 24 {
		id := fmt.Sprint("e", i)
		least, _ := factRange(id)
		if other := seen[least]; other != "" {
			return other, id
		}
		seen[least] = id
	}
	t.Fatal("no two ids have one hash")
	return "", ""
}

// Events whose hashes are equal are told apart by the Log: each is stored, found by its own id, and erased alone.
func TestFactsOfOneHash(t *testing.T) {
	t.Parallel()
	one, other := collidingIDs(t)
	var log storetest.Ledger
	w := openAt(t, filepath.Join(t.TempDir(), "w.db"), &log)
	defer func() { _ = w.Close() }()
	for i, id := range []string{one, other} {
		rec := entity.Record{
			Seq: entity.Seq(i + 1), Project: "p", ReceivedAt: spanTime, Event: wire.Event{ID: id, Type: wire.TraceCreate, Timestamp: wire.At(spanTime.Add(time.Second))},
			Fields: &entity.Fields{Kind: entity.TraceKind, Rank: entity.RankCreate, EntityID: "t" + id, Content: 5, Values: []entity.FieldValue{txt(entity.Name, id)}},
		}
		rec.Row = rec.Fields.AppendRow(nil)
		log.Add(rec)
		if err := w.Insert(t.Context(), []entity.Record{rec}, rec.Seq); err != nil {
			t.Fatal(err)
		}
	}
	find := func(id string, want ...entity.Seq) {
		t.Helper()
		got, err := w.Events(t.Context(), "p", store.EventRef{EventID: id})
		if err != nil || !slices.Equal(got[id], want) {
			t.Errorf("event %s is at %v, want %v; %v", id, got, want, err)
		}
	}
	find(one, 1)
	find(other, 2)
	log.Erase("p", 1)
	if err := w.Erase(t.Context(), "p", []entity.Seq{1}); err != nil {
		t.Fatal(err)
	}
	find(one)
	find(other, 2)
	traces, err := query.ListTraces(t.Context(), w, "p", store.Query{})
	if err != nil || len(traces.Data) != 1 || traces.Data[0].Name != other {
		t.Errorf("traces %+v, %v", traces, err)
	}
}
