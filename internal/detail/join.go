package detail

import (
	"cmp"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Join makes one list of the messages that log records brought of a call, each record one: the last of them then says the
// list as the input, or the output, of its observation. It must see the records before they are folded.
func Join(recs []entity.Record) {
	type call struct{ trace, id string }
	calls := map[call][]*entity.Record{}
	known := map[entity.FactID]bool{}
	for i := range recs {
		f := recs[i].Fields
		if f == nil || f.Rank != entity.RankHint {
			continue
		}
		if known[recs[i].FactID()] {
			continue
		}
		known[recs[i].FactID()] = true
		trace, _ := f.Get(entity.TraceID)
		of := call{trace.Text, f.EntityID}
		calls[of] = append(calls[of], &recs[i])
	}
	for _, hints := range calls {
		slices.SortFunc(hints, func(a, b *entity.Record) int {
			return cmp.Or(a.Event.Timestamp.Compare(b.Event.Timestamp.Time), cmp.Compare(a.Seq, b.Seq))
		})
		join(hints, entity.Input)
		join(hints, entity.Output)
	}
}

// join makes the last that says the field say what all say. A record that brought a list brought all.
func join(hints []*entity.Record, field entity.Field) {
	var messages []string
	var last *entity.Record
	for _, rec := range hints {
		v, ok := rec.Fields.Get(field)
		if !ok {
			continue
		}
		last = rec
		if !strings.HasPrefix(v.Text, "{") {
			messages = nil
			continue
		}
		messages = append(messages, v.Text)
	}
	if len(messages) == 0 {
		return
	}
	fields := *last.Fields // it may be shared
	fields.Values = slices.Clone(fields.Values)
	for i := range fields.Values {
		if fields.Values[i].Field == field {
			fields.Values[i].Text = "[" + strings.Join(messages, ",") + "]"
		}
	}
	last.Fields = &fields
}
