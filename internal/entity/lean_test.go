package entity_test

import (
	"slices"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// What counts of an observation folds into the same row as all of it, and is no more than that: in the order of the fold the metadata
// that count are those that it shows.
func TestLeanFoldsTheSame(t *testing.T) {
	t.Parallel()
	recs := storetest.History(chance.Seed(t), 3000)
	extract.Fill(recs)
	byID := map[string][]*entity.Record{}
	for i := range recs {
		if f := recs[i].Fields; f != nil && f.Kind == entity.ObservationKind {
			byID[f.EntityID] = append(byID[f.EntityID], &recs[i])
		}
	}
	rows, left := 0, 0
	for id, of := range byID {
		whole := &entity.Fold{}
		for _, rec := range of {
			whole.Add(rec, rec.Fields)
		}
		traces := []string{""}
		for _, row := range whole.Observations(id) {
			traces = append(traces, row.TraceID)
		}
		for _, trace := range traces {
			want, err := whole.Observation(id, trace)
			if err != nil {
				t.Fatal(err)
			}
			lean := &entity.Lean{}
			for _, rec := range of {
				lean.Add(rec, false)
			}
			if err := lean.Choose(id, trace); err != nil || !slices.Equal(lean.Seqs, want.Seqs) || lean.Ambiguous != want.Ambiguous {
				t.Fatalf("%s of %q: %v, %v, want %v", id, trace, err, lean.Seqs, want.Seqs)
			}
			got, metadata := leanFold(t, lean, of, id, trace)
			want.Newest, got.Newest, got.Ambiguous = false, false, lean.Ambiguous
			if a, b := asJSON(t, got), asJSON(t, want); a != b {
				t.Errorf("%s of %q:\n%s\nwant\n%s", id, trace, a, b)
			}
			if merged := entity.FoldMetadata(metadata); string(merged) != string(want.Metadata) {
				t.Errorf("%s of %q: metadata %s, want %s", id, trace, merged, want.Metadata)
			}
			rows++
			for _, rec := range of {
				left += len(rec.Event.Payload)
			}
			left -= int(lean.Size() + lean.MetadataSize())
		}
	}
	if rows < 100 || left <= 0 {
		t.Errorf("%d rows, %d bytes did not count", rows, left)
	}
}

// leanFold is the row of what counts, and the metadata that do.
func leanFold(t *testing.T, lean *entity.Lean, of []*entity.Record, id, trace string) (row *entity.ObservationRow, metadata []string) {
	t.Helper()
	f, at := &entity.Fold{}, map[entity.Seq]entity.Record{}
	for _, rec := range of {
		if slices.Contains(lean.Seqs, rec.Seq) {
			at[rec.Seq] = lean.Of(rec, true)
			counted := at[rec.Seq]
			f.Add(&counted, counted.Fields)
		}
	}
	for _, seq := range lean.Metadata {
		v, _ := at[seq].Fields.Get(entity.Metadata)
		metadata = append(metadata, v.Text)
	}
	row, err := f.Observation(id, trace)
	if err != nil {
		t.Fatal(err)
	}
	return row, metadata
}
