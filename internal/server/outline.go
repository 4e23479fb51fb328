package server

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/outgoing"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// outlined is a trace whose observations are read one after another.
type outlined struct {
	*entity.Outline
	*reading
	of     outlining
	twins  entity.Twins // nil: nothing is marked
	tariff entity.Tariff
	briefs entity.Briefs
	order  []int32        // the places, each before what hangs below it
	plan   *outgoing.Plan // of all as OTLP, when that was asked for
}

// outlining is what is asked of a trace.
type outlining struct {
	id     string
	marked bool  // observations are marked and filled as all answers show them
	copies int64 // how often each byte of a payload is there while it is shown
	otlp   bool
}

// outline makes the outline of a trace, and takes the room that an answer with all of it needs.
func (s *Server) outline(ctx context.Context, c *call, of outlining) (*outlined, error) {
	seqs, twins, err := s.ofTrace(ctx, c, of)
	if err != nil {
		return nil, err
	}
	others, err := s.duplicates(ctx, c, twins, func(kept, twin entity.Ref) bool { return kept.TraceID == of.id && twin.TraceID != of.id })
	if err != nil {
		return nil, err
	}
	seqs = append(seqs, others...)
	slices.Sort(seqs)
	o := &outlined{of: of, twins: twins, tariff: s.tariff(c)}
	o.reading, err = s.sketched(ctx, c, slices.Compact(seqs), of.copies, o)
	return o, err
}

// ofTrace are the events of a trace, and the twins of its observations when these are marked: asked for side by side, since a warehouse may be far.
func (s *Server) ofTrace(ctx context.Context, c *call, of outlining) (seqs []entity.Seq, twins entity.Twins, err error) {
	var failed error
	var beside sync.WaitGroup
	if of.marked {
		beside.Go(func() { twins, failed = s.o.Warehouse.Twins(ctx, c.caller.Project, store.EventRef{TraceID: of.id}) })
	}
	seqs, err = store.TraceEvents(ctx, s.o.Warehouse, c.caller.Project, of.id)
	beside.Wait()
	return seqs, twins, cmp.Or(err, failed)
}

func (o *outlined) begin() {
	o.briefs = entity.Briefs{}
	if o.of.otlp {
		o.plan = outgoing.NewPlan()
	}
}

func (o *outlined) add(rec *entity.Record) int64 {
	o.briefs.Add(rec)
	held := 2 * o.briefs.Bytes() // the outline that is made of them is no larger
	if o.of.otlp {
		o.plan.Add(rec, o.of.id)
		held += o.plan.Bytes()
	}
	return held
}

func (o *outlined) end() (largest, bytes int64, err error) {
	defer func() { o.briefs = entity.Briefs{} }()
	if o.Outline, err = entity.OutlineOf(&o.briefs, o.of.id, o.twins, o.tariff); err != nil {
		return 0, 0, err
	}
	if o.of.otlp {
		o.plan.Fold(o.Outline)
		return o.plan.Largest(), o.Bytes() + o.plan.Bytes(), nil
	}
	return o.largest(), o.Bytes(), nil
}

// largest is how many bytes of payloads are in memory at once at most: of a row, or of what the trace itself shows. It sets order.
func (o *outlined) largest() int64 {
	rows, head := int64(0), o.OwnSize()
	o.order = make([]int32, 0, o.Len())
	o.Walk(func(place int) bool {
		o.order = append(o.order, int32(place))
		rows = max(rows, o.Size(place))
		return true
	})
	for _, place := range o.Sources() {
		head += o.Size(place)
	}
	return max(rows, head)
}

// duplicates are the events of those duplicates that fill the gaps of what is wanted.
func (s *Server) duplicates(ctx context.Context, c *call, twins entity.Twins, wanted func(kept, twin entity.Ref) bool) ([]entity.Seq, error) {
	ids := map[string]bool{}
	for twin, kept := range twins {
		if wanted(kept, twin) {
			ids[twin.ID] = true
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	seqs, err := store.EntityEvents(ctx, s.o.Warehouse, c.caller.Project, entity.ObservationKind, slices.Sorted(maps.Keys(ids)))
	if err != nil {
		return nil, err
	}
	all := slices.Concat(slices.Collect(maps.Values(seqs))...)
	slices.Sort(all)
	return all, nil
}

// rows gives the rows of places one after another, reading as many ahead as fit a window. own are the records that each was folded
// from, in the order of the fold.
type rows struct {
	*outlined
	at   int // in order: the next
	upto int // what was read
	recs map[entity.Seq]entity.Record
}

// next is the row of the place that comes next in the order, false behind the last.
func (r *rows) next(ctx context.Context) (row *entity.ObservationRow, own []*entity.Record, place int, err error) {
	place = int(r.order[r.at])
	if r.at == r.upto {
		if err := r.read(ctx); err != nil {
			return nil, nil, 0, err
		}
	}
	r.at++
	row, own, err = r.rowOf(place, r.recs)
	return row, own, place, err
}

// read reads the next window.
func (r *rows) read(ctx context.Context) error {
	r.recs = nil
	var seqs []entity.Seq
	bytes := int64(0)
	for r.upto = r.at; r.upto < len(r.order) && r.upto-r.at < windowRows; r.upto++ {
		place := int(r.order[r.upto])
		if bytes += r.Size(place); bytes > int64(r.s.window) && r.upto > r.at {
			break
		}
		seqs = append(seqs, r.Events(place)...)
	}
	var err error
	r.recs, err = r.bySeq(ctx, seqs)
	return err
}

// rowOf is the row of a place out of records that were read.
func (o *outlined) rowOf(place int, from map[entity.Seq]entity.Record) (*entity.ObservationRow, []*entity.Record, error) {
	events := o.Events(place)
	recs := make([]entity.Record, len(events))
	for i, seq := range events {
		recs[i] = from[seq]
	}
	row, err := o.Row(place, recs)
	if err != nil {
		return nil, nil, errChanged()
	}
	own := make([]*entity.Record, o.Own(place))
	for i := range own {
		own[i] = &recs[i]
	}
	return row, own, nil
}

// fillTrace reads input, output and metadata of the whole trace.
func (o *outlined) fillTrace(ctx context.Context) error {
	own, err := o.get(ctx, o.TraceEvents())
	if err != nil {
		return err
	}
	extract.Fill(own)
	found := map[int]*entity.ObservationRow{}
	for _, place := range o.Sources() {
		recs, err := o.bySeq(ctx, o.Events(place))
		if err != nil {
			return err
		}
		if found[place], _, err = o.rowOf(place, recs); err != nil {
			return err
		}
	}
	o.Fill(own, func(place int) *entity.ObservationRow { return found[place] })
	return nil
}
