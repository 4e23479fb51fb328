package entity

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Briefs are records without their payloads: what an Outline is made of, at about 300 bytes a record. What scores say is kept whole.
// The zero value is empty.
type Briefs struct {
	// Whole has scores noted like all others: for History.
	Whole bool

	all    []brief
	ids    map[subject]int32 // of what an event is about: its place in about
	about  []subject
	texts  map[string]string // environments and ids that many records name
	scores []Record
	bytes  int64
}

// brief is one record.
type brief struct {
	seq     Seq
	at      int64  // µs since 1970
	id, env string // the event's id and the batch's environment
	row     Row
	about   int32 // in Briefs.about
	size    int32 // bytes of the payload
	// What the row does not have: whether the payload says an input, an output of the whole trace.
	traceIn, traceOut bool
}

// briefBytes is what a brief takes beside its texts, with its part of the tables.
const briefBytes = 200

// Add takes note of a record that was read (extract.Fill); one that cannot be read is passed over.
func (b *Briefs) Add(rec *Record) {
	f := rec.Fields
	if f == nil {
		return
	}
	if b.ids == nil {
		b.ids, b.texts = map[subject]int32{}, map[string]string{}
	}
	if f.Kind == ScoreKind && !b.Whole {
		score := Record{Seq: rec.Seq, Environment: b.text(rec.Environment), Event: rec.Event, Fields: f}
		score.Event.Payload = nil
		b.scores = append(b.scores, score)
		b.bytes += briefBytes + 1024 + int64(len(rec.Event.Payload))
		return
	}
	is := brief{seq: rec.Seq, at: rec.Event.Timestamp.UnixMicro(), id: strings.Clone(rec.Event.ID), env: b.text(rec.Environment), size: int32(len(rec.Event.Payload))}
	_, is.traceIn = f.Get(TraceInput)
	_, is.traceOut = f.Get(TraceOutput)
	is.row = f.AppendRow(make([]byte, 0, 256))
	is.row = slices.Clone(is.row)
	s := subject{f.Kind, f.EntityID}
	about, known := b.ids[s]
	if !known {
		s.id = strings.Clone(s.id) // it may be a piece of something large
		about = int32(len(b.about))
		b.ids[s] = about
		b.about = append(b.about, s)
		b.bytes += int64(len(s.id))
	}
	is.about = about
	b.all = append(b.all, is)
	b.bytes += briefBytes + int64(len(is.row)+len(is.id))
}

// Bytes is about how much memory they take.
func (b *Briefs) Bytes() int64 { return b.bytes }

// text is s, once for all who say it.
func (b *Briefs) text(s string) string {
	if known, is := b.texts[s]; is {
		return known
	}
	s = strings.Clone(s)
	b.texts[s] = s
	b.bytes += 2 * int64(len(s))
	return s
}

// sort puts together what is about the same.
func (b *Briefs) sort() {
	slices.SortFunc(b.all, func(x, y brief) int { return cmp.Or(cmp.Compare(x.about, y.about), cmp.Compare(x.seq, y.seq)) })
}

// of are the briefs about one thing, after sort.
func (b *Briefs) of(about int32) []brief {
	from, _ := slices.BinarySearchFunc(b.all, about, func(x brief, about int32) int { return cmp.Compare(x.about, about) })
	upto := from
	for upto < len(b.all) && b.all[upto].about == about {
		upto++
	}
	return b.all[from:upto]
}

// foldOf is the fold of briefs: payloads and all else that is held as JSON are missing. nil of none.
func foldOf(briefs []brief) *Fold {
	if len(briefs) == 0 {
		return nil
	}
	f := &Fold{}
	for i := range briefs {
		is := &briefs[i]
		fields := is.row.Fields()
		if is.traceIn {
			fields.Values = append(fields.Values, FieldValue{Field: TraceInput, Text: somePayload})
		}
		if is.traceOut {
			fields.Values = append(fields.Values, FieldValue{Field: TraceOutput, Text: somePayload})
		}
		f.Add(is.record(), fields)
	}
	return f
}

// record is what the brief has of its record, without Fields.
func (is *brief) record() *Record {
	return &Record{Seq: is.seq, Environment: is.env, Event: wire.Event{ID: is.id, Timestamp: wire.At(time.UnixMicro(is.at))}}
}

// somePayload stands for what was sent.
const somePayload = "0"

// History is the facts of an entity in the order in which the fold reads them; of an observation, of the trace, or of the newest when traceID
// is "": then ambiguous says that several traces have one. The error is ErrNotFound.
func (b *Briefs) History(kind Kind, id, traceID string) (seqs []Seq, ambiguous bool, err error) {
	b.sort()
	about, known := b.ids[subject{kind, id}]
	if !known {
		return nil, false, ErrNotFound
	}
	briefs := b.of(about)
	f := &Fold{}
	for i := range briefs {
		is := &briefs[i]
		fields := &Fields{Kind: kind, Rank: is.row.Rank(), Content: is.row.Content()}
		if trace := is.row.Get(TraceID); trace != nil {
			fields.Values = []FieldValue{{Field: TraceID, Text: b.text(string(trace))}}
		}
		f.Add(is.record(), fields)
	}
	if kind == ObservationKind {
		row, err := f.Observation(id, traceID)
		if err != nil {
			return nil, false, err
		}
		return row.Seqs, row.Ambiguous, nil
	}
	for _, rec := range f.Facts() {
		seqs = append(seqs, rec.Seq)
	}
	return seqs, false, nil
}

// Sizes are how many bytes the payloads have, by Seq.
func (b *Briefs) Sizes() map[Seq]int32 {
	sizes := make(map[Seq]int32, len(b.all))
	for i := range b.all {
		sizes[b.all[i].seq] = b.all[i].size
	}
	return sizes
}
