package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
)

// To tell which of all rows are in force (FINAL) takes several times what it takes to read them. So a page of traces looks at the rows as they lie, old ones among them, and then
// asks only of those that come first which are in force. What comes before the last of these in force is among them; where that is not enough for a page, all rows are asked.

// looked is how many rows are looked at for each of a page.
const looked = 4

// fronts remembers how far back the first pages of projects looked lately, of traces by time: the next one will hardly look farther, and the server knows in which pieces of the table
// there are such times. What is remembered need not be right.
type fronts struct {
	mu sync.Mutex // guards of
	of map[front]int64
}

type front struct {
	project string
	limit   int
}

// mostFronts is how many of them are remembered.
const mostFronts = 10_000

func (f *fronts) get(of front) (from int64, known bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	from, known = f.of[of]
	return from, known
}

func (f *fronts) put(of front, from int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil || len(f.of) >= mostFronts {
		f.of = map[front]int64{}
	}
	f.of[of] = from
}

// firstTraces finds a page of traces, and one more, with their rows, in this way: in one statement. ok is false where it does not do.
func (v *view) firstTraces(ctx context.Context, p *store.Plan) (keys []key, rows map[string]*traceRow, ok bool, err error) {
	if p.Asks() || !ofTracesAlone(&p.Where) {
		return nil, nil, false, nil
	}
	near := *p
	newest := p.By == "start_time" && !p.Asc && p.After == nil && len(p.Conditions) == 0
	from, known := v.w.fronts.get(front{v.project, p.Limit})
	if known && newest {
		near.Conditions = []store.Condition{{Column: "time", Op: store.AtLeast, Value: from}}
	}
	first, err := v.first(ctx, &near)
	if err == nil && known && newest && (len(first.keys) <= p.Limit || !first.does(p)) {
		first, err = v.first(ctx, p)
	}
	if err != nil {
		return nil, nil, false, err
	}
	if len(first.keys) == 0 {
		lie, err := v.traceKeys(ctx, p)
		return nil, nil, err == nil && len(lie) == 0, err
	}
	if from, is := first.last.(int64); newest && is && !first.all {
		v.w.fronts.put(front{v.project, p.Limit}, from)
	}
	if !first.does(p) {
		return nil, nil, false, nil
	}
	return first.keys, first.rows, true, nil
}

// firstPage is what comes first among the rows that were looked at.
type firstPage struct {
	keys []key
	rows map[string]*traceRow
	all  bool // there are no other rows
	last any  // the value of the last of them, in force or not
}

// does says that no other row comes before the end of the page.
func (f *firstPage) does(p *store.Plan) bool {
	return f.all || len(f.keys) > p.Limit && before(f.keys[p.Limit].value, f.last, p.Asc)
}

func (v *view) first(ctx context.Context, p *store.Plan) (*firstPage, error) {
	var n, none proto.ColUInt64
	var id proto.ColStr
	value, least, most := newNumbers(p.Number), newNumbers(p.Number), newNumbers(p.Number)
	selected, result, get := traceTable.selected("tr.")
	var names []string
	for i := range result {
		names = append(names, result[i].Name)
	}
	result = append(result, proto.Results{
		{Name: "lying", Data: &n}, {Name: "without", Data: &none}, {Name: "least", Data: least.data()}, {Name: "most", Data: most.data()}, {Name: "id", Data: &id}, {Name: "value", Data: value.data()},
	}...)
	q := v.query()
	looking := looked * (p.Limit + 1)
	conditions := append([]string{"tr.project = {p1:String}", "tr.id IN l.5"}, q.conditions(&p.Where, &traceColumns)...)
	text := "WITH (" + q.lying(p, looking) + ") AS l SELECT " + strings.Join(names, ", ") + ", l.1 AS lying, l.2 AS without, l.3 AS least, l.4 AS most, id, value FROM (SELECT tr.id AS id, '' AS tie, " +
		traceValue(p) + " AS value, " + selected + " FROM traces AS tr FINAL" + sqltext.Where(conditions...) + ")" + sqltext.Where(behind(q, p)) + order(p)
	page := &firstPage{rows: map[string]*traceRow{}}
	err := v.few(ctx, q, text, result, func(i int) {
		page.keys = append(page.keys, key{id: id.Row(i), value: value.row(i)})
		page.rows[id.Row(i)] = get(i)
		page.all = n.Row(i) < uint64(looking)
		if page.last = least.row(i); p.Asc {
			page.last = most.row(i)
		}
		if none.Row(i) > 0 {
			page.last = nil
		}
	})
	return page, err
}

// lying selects of the traces that come first on a page, as they lie: how many they are, how many of them have no value, their least and greatest value, and their ids.
func (q *builder) lying(p *store.Plan, most int) string {
	direction := "DESC"
	if p.Asc {
		direction = "ASC"
	}
	return "SELECT count(), countIf(value IS NULL), min(value), max(value), groupArray(id) FROM (SELECT id, value FROM (" + q.lie(p) + ")" + sqltext.Where(behind(q, p)) +
		fmt.Sprintf(" ORDER BY value %s NULLS LAST LIMIT %d)", direction, most)
}

// lie selects the traces of a page as they lie.
func (q *builder) lie(p *store.Plan) string {
	conditions := append([]string{"tr.project = {p1:String}", "tr.row_deleted = 0"}, q.conditions(&p.Where, &traceColumns)...)
	return "SELECT tr.id AS id, '' AS tie, " + traceValue(p) + " AS value FROM traces AS tr" + sqltext.Where(conditions...)
}

// traceKeys finds a page of traces as they lie.
func (v *view) traceKeys(ctx context.Context, p *store.Plan) ([]key, error) {
	q := v.query()
	return v.keys(ctx, q, p, nil, q.lie(p))
}

// traceRelation is what keys asks of traces.
func traceRelation(p *store.Plan, conditions []string) string {
	return "SELECT tr.id AS id, '' AS tie, " + traceValue(p) + " AS value, tr.seqs AS own_seqs FROM tr" + sqltext.Where(conditions...)
}

func traceValue(p *store.Plan) string { return number(traceColumns.expression(p.By), p.Number) }

// ofTracesAlone says that no other table decides which traces are meant.
func ofTracesAlone(w *store.Where) bool {
	if w.Seqs != nil || len(w.Found) > 0 || w.Scored() {
		return false
	}
	return !slices.ContainsFunc(w.Conditions, func(c store.Condition) bool { return slices.Contains(store.OfObservations(), c.Column) })
}

// before says whether a value comes before another, and is not like it. nil comes last.
func before(a, b any, asc bool) bool {
	switch a := a.(type) {
	case int64:
		b, is := b.(int64)
		return !is || a != b && (a < b) == asc
	case float64:
		b, is := b.(float64)
		return !is || a != b && (a < b) == asc
	}
	return false
}
