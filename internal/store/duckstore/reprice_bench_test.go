//go:build linux

package duckstore

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// BenchmarkReprice inserts calls of models and then gives all of them other costs: once from one cost to another, once from none to one where they
// hang below an agent. The ratio is the time of Reprice by that of inserting the same calls and the checkpoint behind them.
func BenchmarkReprice(b *testing.B) {
	const n, batch = 2 * 122_880, 8192
	for _, below := range []bool{false, true} {
		b.Run(fmt.Sprintf("below=%t", below), func(b *testing.B) {
			var inserting, repricing time.Duration
			for b.Loop() {
				w, err := Open(filepath.Join(b.TempDir(), "w.db"), Options{Threads: 1, MemoryLimit: 128 << 20, Prices: tariffs{}})
				if err != nil {
					b.Fatal(err)
				}
				seq := entity.Seq(0)
				recs := generations(b, &seq, n)
				unsend(b, recs, below)
				begin := time.Now()
				for i := 0; i < n; i += batch {
					if err := w.Insert(b.Context(), recs[i:i+batch], recs[i+batch-1].Seq); err != nil {
						b.Fatal(err)
					}
				}
				if err := w.Checkpoint(b.Context()); err != nil {
					b.Fatal(err)
				}
				inserting += time.Since(begin)
				begin = time.Now()
				tally, err := w.Reprice(b.Context(), &store.Repricing{Project: "default", To: math.MaxInt64, By: tariffs{raised: true}, Done: func() error { return nil }})
				if err != nil {
					b.Fatal(err)
				}
				repricing += time.Since(begin)
				begin = time.Now()
				if _, all := tally.Models(); all.Changed < n/4 {
					b.Fatalf("%+v", all)
				}
				if err := w.Checkpoint(b.Context()); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(time.Since(begin).Seconds(), "checkpoint-s")
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(inserting.Seconds()/repricing.Seconds(), "times-faster")
			b.ReportMetric(repricing.Seconds()/float64(b.N), "reprice-s")
		})
	}
}

// unsend takes the costs out of the records; with below, the first step of each trace is an agent, and the others hang below it and had no price.
func unsend(b *testing.B, recs []entity.Record, below bool) {
	b.Helper()
	trace, agent := "", ""
	for i := range recs {
		fs := recs[i].Fields
		if fs.Kind != entity.ObservationKind {
			continue
		}
		kept, of := fs.Values[:0], ""
		for _, v := range fs.Values {
			switch v.Field {
			case entity.TotalCost:
				continue
			case entity.TraceID:
				of = v.Text
			case entity.Model:
				if v.Text = "changes"; below {
					v.Text = "gains"
				}
			}
			kept = append(kept, v)
		}
		fs.Values = kept
		switch {
		case !below || of == "":
		case of != trace:
			trace, agent = of, fs.EntityID
			fs.Values = slices.DeleteFunc(fs.Values, func(v entity.FieldValue) bool { return v.Field == entity.ObservationType })
		default:
			fs.Values = append(fs.Values, entity.FieldValue{Field: entity.ParentObservationID, Text: agent})
		}
		recs[i].Row = fs.AppendRow(nil)
	}
}
