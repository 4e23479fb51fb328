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

// places are the next ones behind a Seq.
type places struct {
	of    store.EventFilter
	after entity.Seq
	found time.Time
	next  []eventAt
	all   bool // nothing comes behind these
}

type eventAt struct {
	seq entity.Seq
	at  eventKey
}

// take is what is known to come behind a Seq, if it is. Who took it puts back what is left.
func (a *ahead) take(of store.EventFilter, after entity.Seq) (p places, known bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lists = slices.DeleteFunc(a.lists, func(of places) bool { return time.Since(of.found) > aheadFor })
	i := slices.IndexFunc(a.lists, func(p places) bool { return p.after == after && p.of == of })
	if i < 0 {
		return places{}, false
	}
	p = a.lists[i]
	a.lists = slices.Delete(a.lists, i, i+1)
	return p, true
}

func (a *ahead) put(p places) {
	a.mu.Lock()
	defer a.mu.Unlock()
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
		if len(p.next) == 0 && p.all {
			upto = w.Head()
			return nil
		}
		upto = seqs[len(seqs)-1]
		if p.after = upto; len(p.next) > 0 {
			w.ahead.put(p)
		}
		return nil
	})
	return recs, upto, err
}

// placesBehind finds the next events.
func (v *view) placesBehind(ctx context.Context, of *store.EventFilter, after entity.Seq) (places, error) {
	p := places{of: *of, found: time.Now()}
	most := cmp.Or(v.w.ahead.most, placesAhead)
	var seq proto.ColUInt64
	var kind proto.ColUInt8
	var id proto.ColStr
	q := v.query()
	text := "SELECT seq, kind, entity_id FROM events FINAL WHERE " + strings.Join(q.wanted(of), " AND ") + " AND seq > " + q.arg(uint64(after)) + fmt.Sprintf(" ORDER BY seq LIMIT %d", most)
	result := proto.Results{{Name: "seq", Data: &seq}, {Name: "kind", Data: &kind}, {Name: "entity_id", Data: &id}}
	err := v.rows(ctx, q, text, result, func(i int) {
		p.next = append(p.next, eventAt{entity.Seq(seq.Row(i)), eventKey{of.Project, entity.Kind(kind.Row(i)), id.Row(i)}})
	})
	p.all = len(p.next) < most
	return p, err
}

// wanted are the conditions of a filter as far as the table knows them: of times it keeps microseconds.
func (q *builder) wanted(of *store.EventFilter) []string {
	all := []string{"project = {p1:String}"}
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
	return all
}
