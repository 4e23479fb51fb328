package duckstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// The previews of input and output stand in events only: they are the widest columns, and
// only a page of observations shows them. It folds them from the events of its rows.

// previews fills in the previews of the observations, which are the rows of keys.
func (v *view) previews(ctx context.Context, keys []key, rows []observationRow) error {
	folds, err := v.previewFolds(ctx, keys)
	if err != nil {
		return err
	}
	of := make(map[[2]string]*observationRow, len(rows))
	for id, fold := range folds {
		folded := fold.Observations(id)
		for i := range folded {
			of[[2]string{id, folded[i].TraceID}] = &folded[i]
		}
	}
	for i := range rows {
		if folded := of[[2]string{rows[i].ID, rows[i].TraceID}]; folded != nil {
			rows[i].InputPreview, rows[i].OutputPreview = folded.InputPreview, folded.OutputPreview
		}
	}
	return nil
}

// previewFolds are the events of the observations, as far as their previews need them: by id.
func (v *view) previewFolds(ctx context.Context, keys []key) (map[string]*entity.Fold, error) {
	spans := make([]span, len(keys))
	for i, k := range keys {
		spans[i] = k.span
	}
	q := v.query()
	statement := fmt.Sprintf(`SELECT entity_id, seq, event_id, content, rank, ts, trace_id, clear, input_preview, output_preview
		FROM events WHERE project = $1 AND kind = %d AND %s AND entity_id IN (%s)`,
		entity.ObservationKind, within("seq", joinSpans(spans, fewSpans)), q.ids(keys))
	folds := make(map[string]*entity.Fold, len(keys))
	err := v.rows(ctx, statement, q.args, func(r *sql.Rows) error {
		rec, err := scanPreviews(r)
		if err != nil {
			return err
		}
		fold := folds[rec.Fields.EntityID]
		if fold == nil {
			fold = &entity.Fold{}
			folds[rec.Fields.EntityID] = fold
		}
		fold.Add(rec, rec.Fields)
		return nil
	})
	return folds, err
}

// scanPreviews reads a row of previewFolds.
func scanPreviews(r *sql.Rows) (*entity.Record, error) {
	rec := &entity.Record{Fields: &entity.Fields{Kind: entity.ObservationKind}}
	var seq, ts int64
	var trace, input, output sql.NullString
	var clear any
	err := r.Scan(&rec.Fields.EntityID, &seq, &rec.Event.ID, &rec.Fields.Content, &rec.Fields.Rank, &ts, &trace, &clear, &input, &output)
	if err != nil {
		return nil, err
	}
	rec.Seq, rec.Event.Timestamp = entity.Seq(seq), wire.At(microTime(ts))
	values := &rec.Fields.Values
	if trace.Valid {
		*values = append(*values, entity.FieldValue{Field: entity.TraceID, Text: trace.String})
	}
	if clear != nil {
		*values = append(*values, entity.FieldValue{Field: entity.Clear, List: texts(clear)})
	}
	if input.Valid {
		*values = append(*values, entity.FieldValue{Field: entity.Input, Text: previewed(input.String)})
	}
	if output.Valid {
		*values = append(*values, entity.FieldValue{Field: entity.Output, Text: previewed(output.String)})
	}
	return rec, nil
}

// previewed is a JSON value with the preview.
func previewed(preview string) string {
	if plainText(preview) {
		return `"` + preview + `"`
	}
	b, err := json.Marshal(preview)
	if err != nil {
		return `""` // a string always is JSON
	}
	return string(b)
}

// plainText says whether nothing in s needs an escape.
func plainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
