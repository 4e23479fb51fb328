package storetest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// sortedList is one of the lists with every column that it can be sorted by.
type sortedList struct {
	name, id string // id is the key of a row's id
	sorts    string
	page     func(ctx context.Context, project string, o store.Order) (rows any, next *string, err error)
}

// on erases the type of a page.
func on[T any](page *wire.Page[T], err error) (any, *string, error) {
	if err != nil {
		return nil, nil, err
	}
	return page.Data, page.NextCursor, nil
}

func (w *warehouseTest) sortedLists() []sortedList {
	const totals = "last_seen first_seen trace_count observation_count error_count total_tokens total_cost"
	return []sortedList{
		{"traces", "id", "start_time end_time latency_ms observation_count error_count total_tokens total_cost",
			func(ctx context.Context, p string, o store.Order) (any, *string, error) {
				return on(query.ListTraces(ctx, w, p, store.Query{Order: o}))
			}},
		{"observations", "id", "start_time end_time latency_ms prompt_tokens completion_tokens total_tokens input_cost output_cost total_cost quality_score",
			func(ctx context.Context, p string, o store.Order) (any, *string, error) {
				return on(query.ListObservations(ctx, w, p, store.Query{Order: o}))
			}},
		{"scores", "id", "timestamp value", func(ctx context.Context, p string, o store.Order) (any, *string, error) {
			return on(query.ListScores(ctx, w, p, store.Query{Order: o}))
		}},
		{"sessions", "id", totals, func(ctx context.Context, p string, o store.Order) (any, *string, error) {
			return on(query.ListSessions(ctx, w, p, store.Query{Order: o}))
		}},
		{"users", "id", totals + " session_count", func(ctx context.Context, p string, o store.Order) (any, *string, error) {
			return on(query.ListUsers(ctx, w, p, store.Query{Order: o}))
		}},
		{"environments", "name", totals, func(ctx context.Context, p string, o store.Order) (any, *string, error) {
			return on(query.ListEnvironments(ctx, w, p, store.Query{Order: o}))
		}},
	}
}

// family is a trace, an observation and a score, with a session, a user and an
// environment of their own, whose numbers are few, so that ties are common, and
// sometimes absent.
func (w *warehouseTest) family(rng *rand.Rand, project string, i int) []entity.Record {
	at := noon.Add(time.Duration(rng.IntN(4)) * time.Second)
	id := fmt.Sprintf("%03d-%d", rng.IntN(1000), i) // in no order, and new
	fields := map[string]any{"id": "o" + id, "trace_id": "t" + id, "name": "n", "environment": "e" + id, "level": []string{"error", "info"}[rng.IntN(2)]}
	for name, value := range map[string]any{
		"end_time": at.Add(time.Duration(rng.IntN(3)) * time.Second).Format(time.RFC3339), "prompt_tokens": rng.IntN(3), "completion_tokens": rng.IntN(2),
		"input_cost": float64(rng.IntN(3)) / 10, "output_cost": 0.1, "quality_score": float64(rng.IntN(2)) / 3,
	} {
		if rng.IntN(4) > 0 {
			fields[name] = value
		}
	}
	b, err := json.Marshal(fields)
	if err != nil {
		w.Fatal(err)
	}
	value := fmt.Sprint(rng.IntN(3))
	if rng.IntN(4) == 0 {
		value = `"none"`
	}
	recs := []entity.Record{
		w.record("t"+id, wire.TraceCreate, at, `{"id":"t%s","name":"n","session_id":"s%[1]s","user_id":"u%[1]s","environment":"e%[1]s"}`, id),
		w.record("o"+id, wire.ObservationCreate, at, "%s", b),
		w.record("s"+id, wire.QualityScoreCreate, at, `{"id":"c%s","trace_id":"t%[1]s","name":"q","value":%s,"environment":"e%[1]s"}`, id, value),
	}
	for k := range recs {
		recs[k].Project = project
	}
	return recs
}

// testEverySort pages every list by every column, either way by the seed, while new
// rows come in. Rows that were there come exactly once, and all are in order: by the column,
// then the id, those without a value last.
func testEverySort(w *warehouseTest) {
	rng := chance.Of(w)
	for _, list := range w.sortedLists() {
		n := 0
		var recs []entity.Record
		for range 16 {
			recs = append(recs, w.family(rng, list.name, n)...)
			n++
		}
		w.insert(recs...)
		for by := range strings.FieldsSeq(list.sorts) {
			added := false
			w.checkSort(list, store.Order{By: by, Asc: rng.IntN(2) == 0, Limit: 9}, func() {
				if !added {
					w.insert(w.family(rng, list.name, n)...)
					n++
				}
				added = true
			})
		}
	}
}

// place is where a row stands: its value, if it has one, and its id.
type place struct {
	value any // float64, string or nil
	id    string
}

func (p place) compare(q place, asc bool) int {
	if (p.value == nil) != (q.value == nil) {
		if p.value == nil {
			return 1
		}
		return -1
	}
	order := 0
	switch v := p.value.(type) {
	case float64:
		order = cmp.Compare(v, q.value.(float64))
	case string: // times, all written alike
		order = strings.Compare(v, q.value.(string))
	}
	if order = cmp.Or(order, strings.Compare(p.id, q.id)); !asc {
		return -order
	}
	return order
}

func (w *warehouseTest) places(list sortedList, o store.Order) ([]place, *string) {
	w.Helper()
	rows, next, err := list.page(w.Context(), list.name, o)
	if err != nil {
		w.Fatalf("%s by %+v: %v", list.name, o, err)
	}
	var out []place
	for _, row := range w.decoded(rows) {
		value, known := row[o.By]
		if !known {
			w.Fatalf("%s: a row has no %s", list.name, o.By)
		}
		out = append(out, place{value, row[list.id].(string)})
	}
	return out, next
}

// decoded is the rows as a client sees them.
func (w *warehouseTest) decoded(rows any) (out []map[string]any) {
	w.Helper()
	b, err := json.Marshal(rows)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		w.Fatal(err)
	}
	return out
}

func (w *warehouseTest) checkSort(list sortedList, o store.Order, between func()) {
	w.Helper()
	whole := o
	whole.Limit = 1000
	there, _ := w.places(list, whole)
	var paged []place
	pages(w, between, func(cursor string) ([]string, *string, error) {
		o.Cursor = cursor
		rows, next := w.places(list, o)
		paged = append(paged, rows...)
		return nil, next, nil
	})
	times := map[string]int{}
	for i, p := range paged {
		if times[p.id]++; times[p.id] > 1 {
			w.Errorf("%s by %s, ascending %v: %s came twice", list.name, o.By, o.Asc, p.id)
		}
		if i > 0 && paged[i-1].compare(p, o.Asc) >= 0 {
			w.Errorf("%s by %s, ascending %v: %v before %v", list.name, o.By, o.Asc, paged[i-1], p)
		}
	}
	for _, p := range there {
		if times[p.id] != 1 {
			w.Errorf("%s by %s, ascending %v: %s was missed", list.name, o.By, o.Asc, p.id)
		}
	}
}
