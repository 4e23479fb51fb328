package detail_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/detail"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Log records that bring a call's messages one by one are its input together, in the order of their times, each once; what
// brings a list brings all.
func TestJoin(t *testing.T) {
	t.Parallel()
	hint := func(seq int, id string, field entity.Field, text string) entity.Record {
		return entity.Record{Seq: entity.Seq(seq), Event: wire.Event{ID: fmt.Sprint(text), Timestamp: wire.At(time.Unix(int64(seq%3), 0)), Payload: json.RawMessage("{}")},
			Fields: &entity.Fields{Kind: entity.ObservationKind, Rank: entity.RankHint, EntityID: id, Content: uint64(len(text)), Values: []entity.FieldValue{
				{Field: entity.TraceID, Text: "t"}, {Field: field, Text: text}}}}
	}
	shared := hint(5, "a", entity.Input, `{"m":3}`)
	recs := []entity.Record{
		hint(4, "a", entity.Input, `{"m":2}`), hint(3, "a", entity.Input, `{"m":1}`), shared, hint(14, "a", entity.Input, `{"m":2}`),
		hint(6, "a", entity.Output, `{"o":1}`), hint(7, "b", entity.Input, `{"x":1}`), hint(8, "b", entity.Input, `[1,2]`),
	}
	detail.Join(recs)
	for id, want := range map[string]string{"a": `[{"m":1},{"m":2},{"m":3}] [{"o":1}]`, "b": `[1,2] `} {
		o, err := entity.FoldObservation(recs, id, "t")
		if err != nil {
			t.Fatal(err)
		}
		if got := string(o.Input) + " " + string(o.Output); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	if v, _ := shared.Fields.Get(entity.Input); v.Text != `{"m":3}` {
		t.Error("fields that may be shared were changed")
	}
}
