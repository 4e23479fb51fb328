package entity

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Previewed is the record as far as its previews need it, in memory of its own: the rest of its payload, which may be
// large, is not kept until the page is complete.
func Previewed(rec *Record) *Record {
	fields := &Fields{Kind: rec.Fields.Kind, Rank: rec.Fields.Rank, Content: rec.Fields.Content}
	for _, v := range rec.Fields.Values {
		switch v.Field {
		case Input, Output:
			v.Text = quotedPreview(v.Text)
		case TraceID:
			v.Text = strings.Clone(v.Text)
		case Clear:
			v.List = slices.Clone(v.List)
			for i := range v.List {
				v.List[i] = strings.Clone(v.List[i])
			}
		default:
			continue
		}
		fields.Values = append(fields.Values, v)
	}
	return &Record{Seq: rec.Seq, Fields: fields, Event: wire.Event{ID: strings.Clone(rec.Event.ID), Timestamp: rec.Event.Timestamp}}
}

// quotedPreview is the preview of a JSON value as a JSON value.
func quotedPreview(raw string) string {
	b, err := json.Marshal(Preview(raw, PreviewLength))
	if err != nil {
		return `""` // a string always is JSON
	}
	return string(b)
}
