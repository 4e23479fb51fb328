package entity

import (
	"slices"
	"strings"
)

// Lean is what an observation is folded from without what does not count in it: payloads of which others have the last word. It takes
// about 300 bytes for an event before its records are read again. First all events are added, then Choose says which count.
// The zero value is empty.
type Lean struct {
	// Seqs are the events of the observation, in the order of the fold; TraceID and Ambiguous are those of its row. Choose sets them.
	Seqs      []Seq
	TraceID   string
	Ambiguous bool
	// Metadata are those of Seqs whose metadata count.
	Metadata []Seq

	briefs Briefs
	events map[Seq]*leanEvent
	bytes  int64
}

// leanEvent is what is known of an event.
type leanEvent struct {
	values []leanValue
	size   int32 // of the payload
	span   bool
	whole  bool // its payload is needed
}

// leanValue is a value that is held as JSON.
type leanValue struct {
	field  Field
	size   int32
	object bool
	counts bool
}

// Add takes note of a record that was read (extract.Fill). A span is one whose payload itself is shown, when it is the last.
func (l *Lean) Add(rec *Record, span bool) {
	if rec.Fields == nil {
		return
	}
	l.briefs.Add(rec)
	if l.events == nil {
		l.events = map[Seq]*leanEvent{}
	}
	e := &leanEvent{size: int32(len(rec.Event.Payload)), span: span, whole: rec.Fields.Rank == RankHint}
	for i := range rec.Fields.Values {
		if v := &rec.Fields.Values[i]; v.Field.Type() == JSON {
			e.values = append(e.values, leanValue{field: v.Field, size: int32(len(v.Text)), object: isObject(v.Text)})
		}
	}
	l.events[rec.Seq] = e
	l.bytes += 64 + 8*int64(len(e.values))
}

// Bytes is about how much memory it takes.
func (l *Lean) Bytes() int64 { return l.bytes + l.briefs.Bytes() }

// Choose finds the observation of the trace, or the newest when traceID is "", and what counts in it. The error is ErrNotFound.
func (l *Lean) Choose(id, traceID string) error {
	l.briefs.sort()
	about, known := l.briefs.ids[subject{ObservationKind, id}]
	if !known {
		return ErrNotFound
	}
	briefs := l.briefs.of(about)
	row, err := foldOf(briefs).Observation(id, traceID)
	if err != nil {
		return err
	}
	l.Seqs, l.TraceID, l.Ambiguous = row.Seqs, row.TraceID, row.Ambiguous
	cleared := map[Seq][]string{}
	for i := range briefs {
		if fields := briefs[i].row.Fields(); fields != nil {
			v, _ := fields.Get(Clear)
			cleared[briefs[i].seq] = v.List
		}
	}
	l.count(cleared)
	return nil
}

// count finds what counts: it follows the fold, and FoldMetadata.
func (l *Lean) count(cleared map[Seq][]string) {
	counting := map[Field][]*leanValue{}
	drop := func(f Field) {
		for _, v := range counting[f] {
			v.counts = false
		}
		counting[f] = nil
	}
	var lastSpan *leanEvent
	for _, seq := range l.Seqs {
		e := l.events[seq]
		if e.span {
			lastSpan = e
		}
		for _, name := range cleared[seq] {
			if f, ok := FieldNamed(name); ok {
				drop(f)
			}
		}
		for i := range e.values {
			v := &e.values[i]
			before := counting[v.field]
			switch table[v.field].rule {
			case Last:
				drop(v.field)
			case Merge:
				if n := len(before); n > 0 && (!v.object || !before[n-1].object) {
					drop(v.field)
				}
			}
			v.counts = true
			counting[v.field] = append(counting[v.field], v)
		}
	}
	if lastSpan != nil {
		lastSpan.whole = true
	}
	for _, seq := range l.Seqs {
		e := l.events[seq]
		for _, v := range e.values {
			e.whole = e.whole || e.span && v.counts
			if v.counts && v.field == Metadata {
				l.Metadata = append(l.Metadata, seq)
			}
		}
	}
}

// Size is how many bytes what counts has, without metadata, and MetadataSize how many these have.
func (l *Lean) Size() (bytes int64) {
	for _, seq := range l.Seqs {
		e := l.events[seq]
		if e.whole {
			bytes += int64(e.size)
			continue
		}
		for _, v := range e.values {
			if v.counts && v.field != Metadata {
				bytes += int64(v.size)
			}
		}
	}
	return bytes
}

// MetadataSize is how many bytes the metadata have that count.
func (l *Lean) MetadataSize() (bytes int64) {
	for _, seq := range l.Metadata {
		for _, v := range l.events[seq].values {
			if v.field == Metadata {
				bytes += int64(v.size)
			}
		}
	}
	return bytes
}

// Whole says that the record of one of Seqs is needed as it is.
func (l *Lean) Whole(seq Seq) bool { return l.events[seq].whole }

// Of is the record of one of Seqs, read, in memory of its own and without what does not count: without its payload.
func (l *Lean) Of(rec *Record, metadata bool) Record {
	var counts []Field
	for _, v := range l.events[rec.Seq].values {
		if v.counts && (metadata || v.field != Metadata) {
			counts = append(counts, v.field)
		}
	}
	lean, fields := *rec, *rec.Fields
	fields.Values = nil
	for _, v := range rec.Fields.Values {
		if v.Field.Type() == JSON && !slices.Contains(counts, v.Field) {
			continue
		}
		v.Text, v.List = strings.Clone(v.Text), slices.Clone(v.List)
		for i := range v.List {
			v.List[i] = strings.Clone(v.List[i])
		}
		fields.Values = append(fields.Values, v)
	}
	lean.Event.Payload, lean.Row, lean.Fields = nil, nil, &fields
	return lean
}
