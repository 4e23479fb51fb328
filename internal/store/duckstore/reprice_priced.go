package duckstore

import (
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// pricedPiece is what became of the calls of a piece. Its memory is used again.
type pricedPiece struct {
	at      span
	slabs   []*[chunkRows]change // of changed calls
	changed int
	texts   fewTexts
	columns costColumns // that differ
	sums    *traceSums  // what the changed calls change in the sums of their traces
	gained  gains
	lost    []int64 // the hashes of traces where a call that hangs below something carries no cost any more
}

// change is a row and the costs that it has now. There are many: they have no pointers, which the garbage collector would follow.
type change struct {
	row            int64
	costs          [5]float64 // of input_cost to total_cost
	source, reason uint32     // in texts
	known          uint8      // a bit for each cost
}

func (d *pricedPiece) begin(at span) {
	if d.sums == nil {
		d.sums = newTraceSums()
	}
	d.at, d.changed, d.columns, d.lost = at, 0, 0, d.lost[:0]
}

// add takes in a row and its costs.
func (d *pricedPiece) add(row int64, now *entity.Costed) {
	if d.changed == len(d.slabs)*chunkRows {
		d.slabs = append(d.slabs, new([chunkRows]change))
	}
	c := d.change(d.changed)
	d.changed++
	*c = change{row: row, source: d.texts.place(now.Source), reason: d.texts.place(now.Reason)}
	for at, cost := range [...]*float64{now.Input, now.CacheRead, now.CacheWrite, now.Output, now.Total} {
		if cost != nil {
			c.costs[at] = *cost
			c.known |= 1 << at
		}
	}
}

func (d *pricedPiece) change(i int) *change { return &d.slabs[i/chunkRows][i%chunkRows] }

// fewTexts are kept once each: what many say in few words.
type fewTexts struct {
	list []string
	at   map[string]uint32
}

// place is where a text is in the list.
func (t *fewTexts) place(s string) uint32 {
	for i := range min(len(t.list), 4) {
		if t.list[i] == s {
			return uint32(i)
		}
	}
	i, known := t.at[s]
	if !known {
		if t.at == nil {
			t.at = map[string]uint32{}
		}
		i, s = uint32(len(t.list)), strings.Clone(s)
		t.list, t.at[s] = append(t.list, s), i
	}
	return i
}
