package duckstore

import (
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// BenchmarkPut writes rows of observations, of scores and of traces into a chunk.
func BenchmarkPut(b *testing.B) {
	folds := map[entity.Mention]*entity.Fold{}
	recs := newGenerator(1).next(2000)
	for i := range recs {
		e := entity.Mention{Of: recs[i].Fields.Kind, ID: recs[i].Fields.EntityID}
		if folds[e] == nil {
			folds[e] = &entity.Fold{}
		}
		folds[e].Add(&recs[i], recs[i].Fields)
	}
	var puts [entity.GenericKind + 1][]func(c *chunk)
	for e, f := range folds {
		switch e.Of {
		case entity.ObservationKind:
			row := &f.Observations(e.ID)[0]
			puts[e.Of] = append(puts[e.Of], func(c *chunk) { observationTable.put(c, "default", 1, span{1, 2}, nil, row) })
		case entity.ScoreKind:
			row := f.Score(e.ID)
			puts[e.Of] = append(puts[e.Of], func(c *chunk) { scoreTable.put(c, "default", 1, span{1, 2}, nil, row) })
		case entity.TraceKind:
			row := f.Trace(e.ID)
			puts[e.Of] = append(puts[e.Of], func(c *chunk) { traceTable.put(c, "default", 1, span{1, 2}, nil, row) })
		}
	}
	for _, kind := range entityKinds {
		b.Run(tableOf(kind), func(b *testing.B) {
			c := newChunk(columnsOf(kind))
			defer c.close()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				puts[kind][i%len(puts[kind])](c)
				i++
				if c.next() {
					c.reset()
				}
			}
			b.ReportMetric(float64(len(columnsOf(kind))), "columns")
		})
	}
}
