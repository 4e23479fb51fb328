package entity

import (
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// An observation is of the key that brought its first event, in the order of the fold: who completes it, corrects it or clears
// fields does not make it theirs, in whatever order the events come. A trace without an event of its own is of the key of its first observation.
func TestFirstKeyStays(t *testing.T) {
	t.Parallel()
	at := func(s int) time.Time { return time.Unix(int64(s), 0).UTC() }
	event := func(seq Seq, rank Rank, second int, key string, more ...FieldValue) Record {
		f := &Fields{Kind: ObservationKind, Rank: rank, EntityID: "o", Content: uint64(seq), Values: append([]FieldValue{{Field: TraceID, Text: "t"}}, more...)}
		f.Brought(key)
		return Record{Seq: seq, KeyID: key, Event: wire.Event{ID: string(rune('a' + seq)), Timestamp: wire.At(at(second))}, Fields: f}
	}
	create, unknown := event(3, RankCreate, 5, "key_creates"), event(1, RankUpdate, 1, "")
	update, done := event(2, RankUpdate, 2, "key_updates", FieldValue{Field: Clear, List: []string{"key_id", "name"}}), event(4, RankComplete, 9, "key_completes")
	for want, recs := range map[string][]Record{
		"key_creates": {done, update, unknown, create}, "key_updates": {done, unknown, update}, "key_completes": {done, unknown}, "": {unknown},
	} {
		row, err := FoldObservation(recs, "o", "t")
		if err != nil || row.KeyID != want {
			t.Errorf("%d events: %q, %v, want %q", len(recs), row.KeyID, err, want)
		}
		trace, err := FoldTrace(recs, "t")
		if err != nil || trace.KeyID != want {
			t.Errorf("the trace: %q, %v, want %q", trace.KeyID, err, want)
		}
	}
	packed := create.Fields.AppendRow(nil)
	bare := *create.Fields
	bare.Values = bare.Values[:1]
	if got := AppendBrought(bare.AppendRow(nil), "key_creates"); string(got) != string(packed) || string(Row(got).Get(KeyID)) != "key_creates" {
		t.Errorf("%q, want %q", got, packed)
	}
	if got := AppendBrought(nil, ""); got != nil {
		t.Errorf("%q", got)
	}
}
