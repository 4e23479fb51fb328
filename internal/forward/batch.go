package forward

import (
	"context"
	"fmt"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// batch is what was read of the Log: where the records are, not what they say. That is read again for
// each request, so that nothing is sent of what is erased while a target is down.
type batch struct {
	places []place
	upto   entity.Seq
}

// place is where a record is.
type place struct {
	seq     entity.Seq
	project string
	bytes   int
	own     bool // it is no span and no log record
}

// gather waits for records behind at, and collects those that follow for a moment.
func (f *Forwarder) gather(ctx context.Context, at entity.Seq) (batch, error) {
	b := batch{upto: at}
	bytes := 0
	for within := ctx; ; {
		recs, upto, err := f.o.Log.Read(within, b.upto, f.o.MaxRecords)
		if err != nil && within != ctx && ctx.Err() == nil && within.Err() != nil {
			return b, nil // the moment is over
		}
		if err != nil {
			return b, fmt.Errorf("read the log after %d: %w", b.upto, err)
		}
		if err := f.count(b.upto, upto, len(recs)); err != nil {
			return b, err
		}
		for i := range recs {
			b.add(&recs[i])
			bytes += len(recs[i].Event.Payload)
		}
		if b.upto = upto; len(b.places) >= f.o.MaxRecords || bytes >= f.o.MaxBytes {
			return b, nil
		}
		if within == ctx {
			moment, cancel := context.WithTimeout(ctx, f.o.Gather)
			defer cancel()
			within = moment
		}
	}
}

// add takes in where a record is that is to be sent: not one that was forwarded here, nor a score.
func (b *batch) add(rec *entity.Record) {
	p := place{seq: rec.Seq, project: rec.Project, bytes: len(rec.Event.Payload)}
	if otlp.Stored(rec.Event.Payload) {
		if otlp.Forwarded(rec.Event.Payload) {
			return
		}
	} else {
		if kind, _, ok := entity.Shape(rec.Event.Type); !ok || kind == entity.ScoreKind {
			return
		}
		p.own = true
	}
	b.places = append(b.places, p)
}

// count counts what is missing between two places of the Log, where fewer records are than there is room for.
func (f *Forwarder) count(after, upto entity.Seq, records int) error {
	if f.o.Gone == nil || after < f.before || upto-after == entity.Seq(records) {
		return nil
	}
	n, err := f.o.Gone(after, upto)
	if err != nil {
		return fmt.Errorf("count what is gone of the log after %d: %w", after, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stats.Gone += n
	return nil
}

// piece is what is delivered before the cursor moves.
type piece struct {
	projects [][]entity.Seq // of one project each
	upto     entity.Seq
	own      bool
}

// pieces cuts the batch into pieces of at most so many records and bytes of payload, in order.
func (b *batch) pieces(records, bytes int) (all []piece) {
	for rest := b.places; len(rest) > 0; {
		n, size := 0, 0
		for n < len(rest) && n < records && (n == 0 || size+rest[n].bytes <= bytes) {
			size += rest[n].bytes
			n++
		}
		p := piece{upto: rest[n-1].seq}
		at := map[string]int{}
		for _, one := range rest[:n] {
			i, known := at[one.project]
			if !known {
				i = len(p.projects)
				at[one.project] = i
				p.projects = append(p.projects, nil)
			}
			p.projects[i] = append(p.projects[i], one.seq)
			p.own = p.own || one.own
		}
		all, rest = append(all, p), rest[n:]
	}
	if len(all) == 0 {
		return []piece{{upto: b.upto}}
	}
	all[len(all)-1].upto = b.upto
	return all
}

// request is made of the records at seqs that are still there, with all else that is stored of
// the observations and traces of other doors among them.
func (f *Forwarder) request(ctx context.Context, seqs []entity.Seq) (Request, error) {
	recs, err := f.o.Log.Get(ctx, seqs)
	if err != nil {
		return Request{}, err
	}
	if len(recs) == 0 {
		return Request{}, nil
	}
	recs = slices.Clone(recs) // Fields are set below
	extract.Fill(recs)
	of := map[entity.Kind][]string{}
	for i := range recs {
		if fields := recs[i].Fields; fields != nil && !otlp.Stored(recs[i].Event.Payload) && (fields.Kind == entity.TraceKind || fields.Kind == entity.ObservationKind) {
			of[fields.Kind] = append(of[fields.Kind], fields.EntityID)
		}
	}
	more, err := f.others(ctx, recs, of)
	if err != nil {
		return Request{}, err
	}
	return f.o.Make(append(recs, more...)), nil
}

// others are the records that the Warehouse knows of entities of other doors, without those that are in recs.
func (f *Forwarder) others(ctx context.Context, recs []entity.Record, of map[entity.Kind][]string) ([]entity.Record, error) {
	have := map[entity.Seq]bool{}
	for i := range recs {
		have[recs[i].Seq] = true
	}
	var missing []entity.Seq
	for kind, ids := range of {
		slices.Sort(ids)
		found, err := store.EntityEvents(ctx, f.o.Warehouse, recs[0].Project, kind, slices.Compact(ids))
		if err != nil {
			return nil, err
		}
		for _, seqs := range found {
			for _, seq := range seqs {
				if !have[seq] {
					have[seq] = true
					missing = append(missing, seq)
				}
			}
		}
	}
	slices.Sort(missing)
	more, err := f.o.Log.Get(ctx, missing)
	more = slices.Clone(more)
	extract.Fill(more)
	// Of one observation there may be spans too, from another door: they have been sent, as they came.
	return slices.DeleteFunc(more, func(r entity.Record) bool { return otlp.Stored(r.Event.Payload) }), err
}
