//go:build linux

package daemon

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// pricedFold folds calls of models from their rows, as the warehouse does with what comes in, and prices them.
type pricedFold struct {
	folder entity.Folder
	calls  []entity.Fact // each is one
	names  []string
	tariff entity.Tariff
}

// newPricedFold has the calls of the vendors' table, one of them without a price, in a project that has own prices.
func newPricedFold(tb testing.TB, calls []vendorsCall) *pricedFold {
	tb.Helper()
	head := entity.Seq(0)
	prices, err := pricing.Open(pricing.Options{
		Dir: filepath.Join(tb.TempDir(), "prices"), Now: time.Now, Head: func() entity.Seq { return head }, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		tb.Fatal(err)
	}
	if err := prices.SetOwn("p", []byte(`[{"model":"gpt-4o","provider":"openai","input":2,"output":9},{"model":"^claude","input":1,"output":2,"tier":"scale"}]`), time.Unix(0, 0)); err != nil {
		tb.Fatal(err)
	}
	f := &pricedFold{tariff: entity.Tariff{Prices: prices, Project: "p"}}
	calls = append(calls, vendorsCall{provider: "openai", model: "nobody's", tokens: map[string]int{"in": 1, "out": 1}, start: time.Now()})
	for i := range calls {
		c, id := &calls[i], fmt.Sprint("o", i)
		payload := fmt.Sprintf(`{"id":%q,"trace_id":"t","name":"call","type":"generation","provider":%q,"model":%q,"service_tier":%q,"prompt_tokens":%d,"completion_tokens":%d,"start_time":%q}`,
			id, c.provider, c.model, c.tier, c.tokens["in"], c.tokens["out"], c.start.Format(time.RFC3339))
		fields, failure := extract.Extract(&wire.Event{ID: id, Type: wire.ObservationCreate, Payload: []byte(payload)})
		if failure != nil {
			tb.Fatal(failure)
		}
		f.calls, f.names = append(f.calls, entity.Fact{Seq: entity.Seq(i + 1), At: c.start.UnixMicro(), Row: fields.AppendRow(nil)}), append(f.names, id)
	}
	return f
}

// fold folds the i-th call, and prices it when it is told to.
func (f *pricedFold) fold(tb testing.TB, i int, price bool) *entity.ObservationRow {
	f.folder.Reset()
	if err := f.folder.AddFact(f.calls[i]); err != nil {
		tb.Fatal(err)
	}
	row := &f.folder.Observations(f.names[i])[0]
	if price {
		f.tariff.Price(row)
	}
	return row
}

// Pricing an event that comes in takes no memory: a call by the book, by own prices, by a service tier, and one without a price.
func TestPricingAnEventAllocatesNothing(t *testing.T) { // not parallel: it counts allocations
	f := newPricedFold(t, vendorsCalls(t))
	known := 0
	for i := range f.calls {
		row := f.fold(t, i, true) // the names are met
		if row.TotalCost != nil {
			known++
		} else if row.CostReason == "" {
			t.Errorf("call %d has neither a cost nor a reason", i)
		}
		with := testing.AllocsPerRun(20, func() { f.fold(t, i, true) })
		if without := testing.AllocsPerRun(20, func() { f.fold(t, i, false) }); with != without {
			t.Errorf("call %d: %v allocations with its price, %v without", i, with, without)
		}
	}
	if known < 80 {
		t.Errorf("%d calls have a cost", known)
	}
}

// BenchmarkPricing is what pricing adds to an event that comes in: the processor time of folding a call of a model from its row, as the warehouse does
// first of all with it, with pricing and without, in turns. It is the median of many short turns, which what else the machine does at that time hardly
// moves. The calls are those of the vendors' table, some eighty names in turn, by the book and by own prices before it; the names were met before. It is
// to be at most 300 ns. An event that is no call costs a look at its type.
func BenchmarkPricing(b *testing.B) {
	f := newPricedFold(b, vendorsCalls(b))
	for i := range f.calls {
		f.fold(b, i, true)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const turn = 10
	b.ReportAllocs()
	var took [2][]time.Duration // without, with
	for b.Loop() {
		for with, price := range []bool{false, true} {
			before := processorTime(b)
			for range turn {
				for i := range f.calls {
					f.fold(b, i, price)
				}
			}
			took[with] = append(took[with], processorTime(b)-before)
		}
	}
	median := func(turns []time.Duration) float64 {
		slices.Sort(turns)
		return float64(turns[len(turns)/2].Nanoseconds()) / float64(turn*len(f.calls))
	}
	fold := median(took[0])
	b.ReportMetric(fold, "cpu-ns/fold")
	b.ReportMetric(median(took[1])-fold, "cpu-ns/price")
}

// processorTime is what the thread has used, which is the caller's own.
func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(t.Nano())
}
