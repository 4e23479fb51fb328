package duckstore

import (
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// repeated finds the records whose event is already in the table or earlier in
// recs, by index. The filter rules out nearly all; the rest is looked up.
func (w *Warehouse) repeated(recs []store.Record) (map[int]bool, error) {
	var suspects map[string]bool // project, NUL, event id
	for i := range recs {
		r := &recs[i]
		if w.seen.add(w.seen.eventKey(r.Project, r.Event.ID)) {
			if suspects == nil {
				suspects = make(map[string]bool)
			}
			suspects[r.Project+"\x00"+r.Event.ID] = true
		}
	}
	if suspects == nil {
		return nil, nil
	}
	present, err := w.present(suspects)
	if err != nil {
		return nil, err
	}
	skip := make(map[int]bool)
	for i := range recs {
		key := recs[i].Project + "\x00" + recs[i].Event.ID
		switch {
		case !suspects[key]:
		case present[key]:
			skip[i] = true
		default:
			present[key] = true // the first one goes in
		}
	}
	return skip, nil
}

// present returns those of the keys that are in the table.
func (w *Warehouse) present(keys map[string]bool) (map[string]bool, error) {
	ids := make([]string, 0, len(keys))
	for k := range keys {
		_, id, _ := strings.Cut(k, "\x00")
		ids = append(ids, id)
	}
	rows, err := w.read.Load().Query("SELECT project, event_id FROM events WHERE event_id IN (SELECT unnest($1::VARCHAR[]))", ids)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	present := make(map[string]bool)
	for rows.Next() {
		var project, id string
		if err := rows.Scan(&project, &id); err != nil {
			return nil, err
		}
		if key := project + "\x00" + id; keys[key] {
			present[key] = true
		}
	}
	return present, rows.Err()
}

// place is an event's place in the order of its entity, but for the event id.
type place struct {
	project, entity string
	kind            store.Kind
	ord             int64
}

func placeOf(r *store.Record) place {
	return place{r.Project, r.Fields.EntityID, r.Fields.Kind, ord(r.Event.Timestamp.UnixMicro(), r.Fields.Rank)}
}

// checkTies is up to how many suspected ties of one transaction are looked up.
// More of them are hardly all mistakes of the filter, and a tie that is none
// costs questions time, nothing else.
const checkTies = 100

// ties finds the records, of those not skipped, whose place is taken already by
// another event, by index.
func (w *Warehouse) ties(recs []store.Record, skip map[int]bool) (map[int]bool, error) {
	var suspects map[int]bool
	for i := range recs {
		if skip[i] {
			continue
		}
		p := placeOf(&recs[i])
		if w.seen.add(w.seen.placeKey(p.project, p.entity, uint8(p.kind), p.ord)) {
			if suspects == nil {
				suspects = make(map[int]bool)
			}
			suspects[i] = true
		}
	}
	if len(suspects) == 0 || len(suspects) > checkTies && !w.failed {
		return suspects, nil
	}
	taken, err := w.taken(recs, suspects)
	if err != nil {
		return nil, err
	}
	ties := make(map[int]bool)
	for i := range recs {
		if skip[i] {
			continue
		}
		p := placeOf(&recs[i])
		if among, suspected := taken[p]; suspected {
			if among {
				ties[i] = true
			}
			taken[p] = true
		}
	}
	return ties, nil
}

// taken says for the place of each suspect whether a row of the table has it.
func (w *Warehouse) taken(recs []store.Record, suspects map[int]bool) (map[place]bool, error) {
	taken := make(map[place]bool, len(suspects))
	entities := make([]string, 0, len(suspects))
	for i := range suspects {
		p := placeOf(&recs[i])
		taken[p] = false
		entities = append(entities, p.entity)
	}
	rows, err := w.read.Load().Query("SELECT project, entity_id, kind, "+ordSQL+" FROM events WHERE entity_id IN (SELECT unnest($1::VARCHAR[]))", entities)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p place
		if err := rows.Scan(&p.project, &p.entity, &p.kind, &p.ord); err != nil {
			return nil, err
		}
		if _, suspected := taken[p]; suspected {
			taken[p] = true
		}
	}
	return taken, rows.Err()
}
