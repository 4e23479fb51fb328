//go:build linux

package duckstore

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// BenchmarkReprice inserts calls of models and then gives all of them other costs: once from one cost to another, once from none to one where they
// hang below an agent. The ratio is the time of Reprice by that of inserting the same calls and the checkpoint behind them.
func BenchmarkReprice(b *testing.B) {
	const n, batch = 2 * 122_880, 8192
	for _, below := range []bool{false, true} {
		b.Run(fmt.Sprintf("below=%t", below), func(b *testing.B) {
			var inserting, repricing time.Duration
			for b.Loop() {
				prices := storetest.NewRaised()
				w, err := Open(filepath.Join(b.TempDir(), "w.db"), Options{Threads: 1, MemoryLimit: 128 << 20, Prices: prices})
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
				tally, err := w.Reprice(b.Context(), &store.Repricing{Project: "default", To: math.MaxInt64, By: prices.To(1, math.MaxInt64), Done: func() error { return nil }})
				if err != nil {
					b.Fatal(err)
				}
				repricing += time.Since(begin)
				begin = time.Now()
				if _, all := tally.Models(); all.Changed < n/2 {
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

// unsend takes the costs out of the records; with below, the first of each ten is an agent and the others hang below it, and most had no cost.
func unsend(b *testing.B, recs []entity.Record, below bool) {
	b.Helper()
	agent := ""
	for i := range recs {
		fs := recs[i].Fields
		kept := fs.Values[:0]
		for _, v := range fs.Values {
			if v.Field != entity.TotalCost && (!below || i%10 != 0 || v.Field != entity.ObservationType) {
				kept = append(kept, v)
			}
		}
		fs.Values = kept
		if below && i%10 == 0 {
			agent = fs.EntityID
		} else if below {
			fs.Values = append(fs.Values, entity.FieldValue{Field: entity.ParentObservationID, Text: agent})
		}
		recs[i].Row = fs.AppendRow(nil)
	}
}
