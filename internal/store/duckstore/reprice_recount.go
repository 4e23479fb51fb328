package duckstore

import (
	"unsafe"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// recounting is observations of some traces as they come, with what decides which of their amounts count. There are many: they have no pointers, which
// the garbage collector would follow.
type recounting struct {
	rows  []recountedRow
	last  []int32 // of each trace: the place of its last row, -1 without one
	texts []byte
}

type recountedRow struct {
	row, start, tokens         int64
	cost                       float64
	id, parent                 keptText
	before                     int32 // the row of the same trace that came before it, or -1
	hasTokens, hasCost         bool
	countedTokens, countedCost bool
	call, duplicate            bool
}

// keptText is where a text is in texts.
type keptText struct{ at, length int }

func newRecounting(traces int) *recounting {
	k := &recounting{last: make([]int32, traces)}
	for i := range k.last {
		k.last[i] = -1
	}
	return k
}

// add takes in an observation of the trace at that place.
func (k *recounting) add(trace int32, row int64, o *observationRow) {
	r := recountedRow{
		row: row, start: o.StartTime.UnixMicro(), before: k.last[trace], call: o.IsCall(), duplicate: o.DuplicateOf != "",
		countedTokens: o.CountsTokens, countedCost: o.CountsCost,
	}
	if o.TotalTokens != nil {
		r.tokens, r.hasTokens = *o.TotalTokens, true
	}
	if o.TotalCost != nil {
		r.cost, r.hasCost = *o.TotalCost, true
	}
	r.id = k.keep(o.ID)
	if o.ParentObservationID != "" {
		r.parent = k.parent(r.before, o.ParentObservationID)
	}
	k.last[trace] = int32(len(k.rows))
	k.rows = append(k.rows, r)
}

// parent keeps the id of a parent, which often is what the row before it hangs below, or that row.
func (k *recounting) parent(before int32, id string) keptText {
	if before >= 0 {
		for _, t := range [...]keptText{k.rows[before].parent, k.rows[before].id} {
			if k.text(t) == id {
				return t
			}
		}
	}
	return k.keep(id)
}

func (k *recounting) keep(s string) keptText {
	t := keptText{len(k.texts), len(s)}
	k.texts = append(k.texts, s...)
	return t
}

// text is valid until keep.
func (k *recounting) text(t keptText) string {
	if t.length == 0 {
		return ""
	}
	return unsafe.String(&k.texts[t.at], t.length)
}

// each hands out the observations whose amounts count now where they did not, or the other way round, with their traces and rows, and whether their
// costs are known. Nothing is added behind it.
func (k *recounting) each(f func(trace int32, row int64, is entity.Counts, hasCost bool)) {
	var recount entity.Recount
	var o observationRow
	var rows []int64
	for trace, at := range k.last {
		recount.Begin()
		rows = rows[:0]
		for ; at >= 0; at = k.rows[at].before {
			r := &k.rows[at]
			o.ID, o.ParentObservationID, o.StartTime = k.text(r.id), k.text(r.parent), microTime(r.start)
			o.TotalTokens, o.TotalCost, o.CountsTokens, o.CountsCost = nil, nil, r.countedTokens, r.countedCost
			if r.hasTokens {
				o.TotalTokens = &r.tokens
			}
			if r.hasCost {
				o.TotalCost = &r.cost
			}
			o.Type, o.DuplicateOf = "", ""
			if r.call {
				o.Type = "llm"
			}
			if r.duplicate {
				o.DuplicateOf = "another"
			}
			recount.Add(&o)
			rows = append(rows, r.row)
		}
		recount.Changed(func(at int, is entity.Counts, hasCost bool) { f(int32(trace), rows[at], is, hasCost) })
	}
}
