package clickhouse

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// ahead remembers the places of the events that come next for those who page through all of them. The table is in the order of entities: to find which Seqs come next all of them are
// looked at, so that many are found at once.
type ahead struct {
	most  int        // places of one list; 0: placesAhead
	mu    sync.Mutex // guards lists
	lists []places   // the youngest last
}

const (
	placesAhead = 50_000 // of about 100 bytes each
	listsAhead  = 4
	aheadFor    = time.Minute
)

// places are the next ones behind a Seq, up to another.
type places struct {
	of          store.EventFilter
	after, upto entity.Seq
	found       time.Time
	next        []eventAt
	all         bool // nothing comes behind upto
}

type eventAt struct {
	seq entity.Seq
	at  eventKey
}

// take is what is known to come behind a Seq, if it is. Who took it puts back what is left.
func (a *ahead) take(of store.EventFilter, after entity.Seq) (p places, known bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lists = slices.DeleteFunc(a.lists, func(p places) bool { return time.Since(p.found) > aheadFor })
	i := slices.IndexFunc(a.lists, func(p places) bool { return p.after == after && p.of == of })
	if i < 0 {
		return places{}, false
	}
	p = a.lists[i]
	a.lists = slices.Delete(a.lists, i, i+1)
	return p, true
}

// put keeps what comes behind a Seq in the place of what somebody who began earlier found there: events may have come since.
func (a *ahead) put(p places) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lists = slices.DeleteFunc(a.lists, func(had places) bool { return had.after == p.after && had.of == p.of })
	if len(a.lists) == listsAhead {
		a.lists = slices.Delete(a.lists, 0, 1)
	}
	a.lists = append(a.lists, p)
}

// ReadOf reads events, each fact once, in the order of their Seqs: node by node, and in each in the order in which it took them.
func (w *Warehouse) ReadOf(ctx context.Context, of *store.EventFilter, after entity.Seq, most int) (recs []entity.Record, upto entity.Seq, err error) {
	err = w.question(ctx, of.Project, "page through events", func(ctx context.Context, v *view) error {
		p, known := w.ahead.take(*of, after)
		if !known {
			if p, err = v.placesBehind(ctx, of, after); err != nil {
				return err
			}
		}
		some := p.next[:min(most, len(p.next))]
		seqs := make([]entity.Seq, len(some))
		for i := range some {
			seqs[i] = some[i].seq
			w.whereabouts.note(some[i].at, some[i].seq)
		}
		if recs, err = w.Records(ctx, seqs); err != nil {
			return err
		}
		p.next = p.next[len(some):]
		switch {
		case len(p.next) > 0:
			upto = seqs[len(seqs)-1]
			p.after = upto
			w.ahead.put(p)
		case p.all:
			upto = w.Head()
		default:
			upto = p.upto
		}
		return nil
	})
	return recs, upto, err
}

// placesBehind finds the next events: first up to where the next rows reach, for which numbers alone are read, and of these then which are the first of their fact. (FINAL would
// compare all rows of the table: of ten million that took 5 s.)
func (v *view) placesBehind(ctx context.Context, of *store.EventFilter, after entity.Seq) (places, error) {
	p := places{of: *of, after: after, found: time.Now()}
	var rows, last proto.ColUInt64
	q := v.query()
	most := cmp.Or(v.w.ahead.most, placesAhead)
	text := fmt.Sprintf("SELECT count() AS rows, max(seq) AS last FROM (SELECT seq FROM events WHERE project = {p1:String} AND %s AND seq > %s ORDER BY seq LIMIT %d)",
		q.wanted(of), q.arg(uint64(after)), most)
	err := v.rows(ctx, q, text, proto.Results{{Name: "rows", Data: &rows}, {Name: "last", Data: &last}}, func(i int) {
		p.all, p.upto = rows.Row(i) < uint64(most), entity.Seq(last.Row(i))
	})
	if err != nil || p.upto <= after {
		return p, err
	}
	p.next, err = v.firstWithin(ctx, of, after, p.upto)
	return p, err
}

// firstWithin are the events in after < Seq ≤ upto that are the first of their facts.
func (v *view) firstWithin(ctx context.Context, of *store.EventFilter, after, upto entity.Seq) (next []eventAt, err error) {
	var seq proto.ColUInt64
	var kind proto.ColUInt8
	var id proto.ColStr
	q := v.query()
	from, to := q.arg(uint64(after)), q.arg(uint64(upto))
	within := fmt.Sprintf("seq > %s AND seq <= %s", from, to)
	if node, own := Own(upto); after >= Shared(node, 0) { // of one node: the table has an index of its numbers
		_, first := Own(after)
		within += fmt.Sprintf(" AND %s > %s AND %[1]s <= %[3]s", ownSeq, q.arg(uint64(first)), q.arg(uint64(own)))
	}
	text := fmt.Sprintf(`SELECT min(seq) AS first, kind, entity_id FROM events
		WHERE project = {p1:String} AND (kind, entity_id) IN (SELECT kind, entity_id FROM events WHERE project = {p1:String} AND %s)
		GROUP BY kind, entity_id, event_id, content HAVING first > %s AND first <= %s AND argMin(%s, seq) ORDER BY first`, within, from, to, q.wanted(of))
	result := proto.Results{{Name: "first", Data: &seq}, {Name: "kind", Data: &kind}, {Name: "entity_id", Data: &id}}
	err = v.rows(ctx, q, text, result, func(i int) {
		next = append(next, eventAt{entity.Seq(seq.Row(i)), eventKey{of.Project, entity.Kind(kind.Row(i)), id.Row(i)}})
	})
	return next, err
}

// wanted is the condition of a filter within its project, as far as the table knows it: of times it keeps microseconds.
func (q *builder) wanted(of *store.EventFilter) string {
	all := []string{"1"}
	if of.Environment != "" {
		all = append(all, "batch_environment = "+q.arg(of.Environment))
	}
	if of.KeyID != "" {
		all = append(all, "key_id = "+q.arg(of.KeyID))
	}
	if !of.From.IsZero() {
		all = append(all, "toUnixTimestamp64Micro(ts) >= "+q.arg(of.From.UnixMicro()))
	}
	if !of.To.IsZero() {
		all = append(all, "toUnixTimestamp64Micro(ts) <= "+q.arg(of.To.UnixMicro()))
	}
	return strings.Join(all, " AND ")
}
