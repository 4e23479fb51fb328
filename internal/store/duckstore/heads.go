package duckstore

import (
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Many observations may have one id, each in its own trace: programs that number their steps have as many as traces. So an event that
// names its trace touches only its own. What names none floats: it is among the events of the newest, and moves on when another one
// becomes that. Who writes must therefore know which is the newest, and whether anything floats: the head of the id.

// head is what is known of the rows with one observation id. It is none when there are no rows.
type head struct {
	trace    string // of the newest
	newness  int64  // of the newest
	at       int64  // written of the newest
	written  span   // of all
	floating bool   // events of it name no trace
	alone    bool   // there is no other
}

// headWeight is an estimate of what is in memory, in bytes.
const headWeight = 150

func (h head) weigh() int { return headWeight }

func (h *head) none() bool { return h.written.last == 0 }

// yields says whether an observation of that trace and newness is newer.
func (h *head) yields(trace string, newness int64) bool {
	return h.none() || newness > h.newness || newness == h.newness && trace > h.trace
}

// headsOf finds the heads of ids, whose keys are those of all.
func (w *Warehouse) headsOf(ids []entityKey) (map[entityKey]head, error) {
	heads := make(map[entityKey]head, len(ids))
	var absent []entityKey
	for _, id := range ids {
		if h, cached := w.heads.get(id); cached {
			heads[id] = h
		} else {
			absent = append(absent, id)
		}
	}
	if len(absent) == 0 {
		return heads, nil
	}
	statement := `SELECT project, id, coalesce(any_value(trace_id) FILTER (newest), ''), coalesce(any_value(newness) FILTER (newest), 0),
		coalesce(any_value(written) FILTER (newest), 0), min(written), max(written), bool_or(floating), count(*) FROM observations WHERE ` + among("id") + " GROUP BY project, id"
	err := w.write.scan(statement, params(absent), func(b block) {
		for i := range b.rows {
			heads[entityKey{b.text(0, i), entity.ObservationKind, "", b.text(1, i)}] = head{
				trace: b.text(2, i), newness: b.number(3, i), at: b.number(4, i), written: span{b.number(5, i), b.number(6, i)}, floating: b.bytes(7)[i] != 0, alone: b.number(8, i) == 1,
			}
		}
	})
	return heads, err
}

// flagged are rows of which it changes whether they are the newest.
type flagged struct {
	keys    []entityKey
	written []span
}

func (f *flagged) add(k entityKey, written int64) {
	f.keys, f.written = append(f.keys, k), append(f.written, span{written, written})
}

// setNewest says of rows that they are the newest with their ids, or no longer.
func (w *Warehouse) setNewest(rows *flagged, newest bool) error {
	if len(rows.keys) == 0 {
		return nil
	}
	condition, args := ofRows(entity.ObservationKind, rows.keys)
	return w.write.exec(fmt.Sprintf("UPDATE observations SET newest = %t WHERE %s AND %s", newest, within("written", joinSpans(rows.written, fewSpans)), condition), args...)
}
