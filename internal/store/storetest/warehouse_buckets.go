package storetest

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// bucket is a row of a distribution.
type bucket struct{ start, end, count any }

func (w *warehouseTest) buckets(q store.StatsQuery) []bucket {
	w.Helper()
	q.Of, q.GroupBy = "scores", append(q.GroupBy, "value_bucket")
	var out []bucket
	for _, row := range w.stats(q) {
		out = append(out, bucket{row["value_bucket"], row["value_bucket_end"], row["count"]})
	}
	return out
}

// testValueBuckets distributes scores over buckets whose bounds are round numbers.
func testValueBuckets(w *warehouseTest) {
	n := 0
	insert := func(name string, values ...any) {
		for _, v := range values {
			n++
			w.insert(w.record(fmt.Sprint("e", n), wire.QualityScoreCreate, noon, `{"trace_id":"t","name":%q,"value":%s}`, name, mustJSON(w, v)))
		}
	}
	insert("quality", 0, 0.05, 0.1, 0.29, 0.3, 0.7, 0.999, 1.0)
	insert("rating", 1, 2, 2, 5)
	insert("passed", true, false, true)
	insert("same", 7.5, 7.5)
	insert("tone", "good", "bad", "good")
	insert("mixed", 10, -10, "n/a")
	insert("huge", 1e100, -1e100)
	insert("tiny", 5e-324, 0)
	insert("zero")
	for name, want := range map[string][]bucket{
		"quality": {{0.0, 0.1, 2}, {0.1, 0.2, 1}, {0.2, 0.3, 1}, {0.3, 0.4, 1}, {0.7, 0.8, 1}, {0.9, 1.0, 1}, {1.0, 1.1, 1}},
		"rating":  {{1.0, 1.5, 1}, {2.0, 2.5, 2}, {5.0, 5.5, 1}},
		"passed":  {{0.0, 0.1, 1}, {1.0, 1.1, 2}},
		"same":    {{7.5, 7.5, 2}},
		"tone":    {{nil, nil, 3}},
		"mixed":   {{nil, nil, 1}, {-10.0, -8.0, 1}, {10.0, 12.0, 1}},
		"tiny":    {{0.0, 0.0, 1}, {5e-324, 5e-324, 1}},
		"zero":    nil,
	} {
		got := w.buckets(store.StatsQuery{Filter: store.Filter{Name: name}})
		if fmt.Sprint(got) != fmt.Sprint(want) { // to the last digit
			w.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if got := w.buckets(store.StatsQuery{Filter: store.Filter{Name: "huge"}}); len(got) != 2 {
		w.Errorf("huge: %v", got)
	}
	// Names beside each other have buckets of their own, on all pages.
	q := store.StatsQuery{Of: "scores", GroupBy: []string{"name", "value_bucket"}}
	all := w.stats(q)
	var paged []wire.StatRow
	q.Limit = 2
	pages(w, func() {}, func(cursor string) ([]string, *string, error) {
		q.Cursor = cursor
		page, err := query.ListStats(w.Context(), w.Warehouse, w.project, q)
		if err != nil {
			return nil, nil, err
		}
		paged = append(paged, page.Data...)
		return nil, page.NextCursor, nil
	})
	w.equal("pages", paged, all)
	rating := 0
	for _, row := range all {
		if row["name"] == "rating" {
			rating++
		}
	}
	if rating != 3 {
		w.Errorf("%d buckets of rating in %v", rating, all)
	}
}

// testRandomBuckets checks buckets of values of any size: few, disjoint, and each
// counts what is in it.
func testRandomBuckets(w *warehouseTest) {
	rng := chance.Of(w)
	for i := range 20 {
		name := fmt.Sprint("score", i)
		scale, offset := math.Pow(10, float64(rng.IntN(30)-15)), float64(rng.IntN(3)-1)
		var recs []entity.Record
		var values []float64
		for k := range 50 {
			v := (rng.Float64() + offset) * scale
			if rng.IntN(2) == 0 {
				v = math.Round(v/scale*20) / 20 * scale // many on a bound
			}
			values = append(values, v)
			recs = append(recs, w.record(fmt.Sprint(name, "-", k), wire.QualityScoreCreate, noon, `{"trace_id":"t","name":%q,"value":%s}`, name, mustJSON(w, v)))
		}
		w.insert(recs...)
		got := w.buckets(store.StatsQuery{Filter: store.Filter{Name: name}})
		if len(got) < 4 || len(got) > 11 {
			w.Errorf("%s: %d buckets of %v", name, len(got), values)
		}
		total := int64(0)
		last := math.Inf(-1)
		for _, b := range got {
			start, end, count := b.start.(float64), b.end.(float64), b.count.(int64)
			in, slack := int64(0), (end-start)*1e-6 // a bound is only as exact as its value
			for _, v := range values {
				if v >= start-slack && v < end-slack {
					in++
				}
			}
			if start < last-slack || end <= start || in != count {
				w.Errorf("%s: bucket %v has %d of %v", name, b, in, values)
			}
			last, total = end, total+count
		}
		if total != int64(len(values)) {
			w.Errorf("%s: %d in buckets", name, total)
		}
	}
}

func mustJSON(w *warehouseTest, v any) []byte {
	w.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		w.Fatal(err)
	}
	return b
}
