package removal

import (
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// bundle is the events that name one observation id. They may be those of several
// traces, and a trace goes without the steps of others that have the same number. It
// keeps of the events only what says whose they are.
type bundle struct {
	fold   entity.Fold
	first  map[content]entity.Seq      // of each fact
	copies map[entity.Seq][]entity.Seq // of a fact, by its first: it may have been accepted again
	named  map[entity.Seq]bool         // facts that name the user who goes
}

// content is what makes two events one fact.
type content struct {
	eventID string
	hash    uint64
}

func newBundle() *bundle {
	return &bundle{first: map[content]entity.Seq{}, copies: map[entity.Seq][]entity.Seq{}, named: map[entity.Seq]bool{}}
}

// add takes in an event. They come in the order of the Log.
func (b *bundle) add(rec *entity.Record, fields *entity.Fields, trace string, named bool) {
	is := content{strings.Clone(rec.Event.ID), fields.Content}
	first, known := b.first[is]
	if !known {
		first = rec.Seq
		b.first[is] = first
		small := &entity.Fields{Kind: fields.Kind, Rank: fields.Rank, Content: fields.Content}
		if trace != "" {
			small.Values = []entity.FieldValue{{Field: entity.TraceID, Text: strings.Clone(trace)}}
		}
		bare := &entity.Record{Seq: rec.Seq}
		bare.Event.ID, bare.Event.Timestamp = is.eventID, rec.Event.Timestamp
		b.fold.Add(bare, small)
	}
	b.copies[first] = append(b.copies[first], rec.Seq)
	if named {
		b.named[first] = true
	}
}

// collect takes an event of an observation in when something that goes has its id. When
// that is seen for the first time, events before this one were passed over: the bundle
// is whole after another look.
func (f *finder) collect(rec *entity.Record, fields *entity.Fields, trace string, named bool) {
	b := f.bundles[fields.EntityID]
	if b == nil {
		if !named && !f.traces[trace] {
			return
		}
		b = newBundle()
		f.bundles[strings.Clone(fields.EntityID)] = b
		f.grew, f.partial = true, true
	}
	b.add(rec, fields, trace, named)
}

// divide says which of the observations go: those of the traces that go, and those with
// an event that names the user, whose traces go then too.
func (f *finder) divide() {
	for id, b := range f.bundles {
		for _, row := range b.fold.Observations(id) {
			goes := row.TraceID != "" && f.traces[row.TraceID]
			for _, seq := range row.Seqs {
				if b.named[seq] {
					goes = true
					f.add(f.traces, row.TraceID)
				}
			}
			if !goes {
				continue
			}
			f.observations[observationOf{row.TraceID, id}] = true
			if row.Newest {
				f.add(f.newest, id)
			}
			for _, seq := range row.Seqs {
				for _, again := range b.copies[seq] {
					f.seqs[again] = true
				}
			}
		}
	}
}
