package outgoing

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/otlp"
)

// windowItems is how many items are read ahead of what is written.
const windowItems = 300

// Read gives the records of seqs, read (extract.Fill), by their Seq. It gives all of them, or an error.
type Read func(seqs []entity.Seq) (map[entity.Seq]entity.Record, error)

// WriteTo writes the request as JSON, reading about so many bytes of payloads ahead. It may be called more than once.
func (p *Plan) WriteTo(enc *jsontext.Encoder, ahead int, read Read) error {
	w := &planWriter{Plan: p, Encoder: enc, read: read, ahead: int64(ahead)}
	w.token(jsontext.BeginObject)
	w.token(jsontext.String("resourceSpans"))
	w.signal(&p.spans)
	if p.logs.n > 0 {
		w.token(jsontext.String("resourceLogs"))
		w.signal(&p.logs)
	}
	w.token(jsontext.EndObject)
	return w.err
}

type planWriter struct {
	*Plan
	*jsontext.Encoder
	read  Read
	ahead int64
	err   error // the first
}

func (w *planWriter) token(t jsontext.Token) {
	if w.err == nil {
		w.err = w.WriteToken(t)
	}
}

func (w *planWriter) value(v []byte) {
	if w.err == nil {
		w.err = w.WriteValue(v)
	}
}

func (w *planWriter) signal(s *planned) {
	w.token(jsontext.BeginArray)
	for _, resource := range s.resources.under {
		w.begin(resource, "resource", s.scopes)
		for _, scope := range resource.under {
			w.begin(scope, "scope", s.items)
			for rest := scope.entries; len(rest) > 0 && w.err == nil; {
				rest = w.window(rest)
			}
			w.end()
		}
		w.end()
	}
	w.token(jsontext.EndArray)
}

// begin writes a group up to the list of what is under it.
func (w *planWriter) begin(g *group, name, under string) {
	w.token(jsontext.BeginObject)
	if g.head != "" {
		w.token(jsontext.String(name))
		w.value([]byte(g.head))
	}
	if g.schema != "" {
		w.token(jsontext.String("schemaUrl"))
		w.value(text(g.schema))
	}
	w.token(jsontext.String(under))
	w.token(jsontext.BeginArray)
}

func (w *planWriter) end() {
	w.token(jsontext.EndArray)
	w.token(jsontext.EndObject)
}

// window writes the first of the entries, as many as are read at once, and returns the others.
func (w *planWriter) window(entries []entry) []entry {
	var seqs []entity.Seq
	bytes, n := int64(0), 0
	for ; n < min(len(entries), windowItems); n++ {
		of, size := w.events(&entries[n])
		if bytes += size; bytes > w.ahead && n > 0 {
			break
		}
		seqs = append(seqs, of...)
	}
	recs, err := w.read(seqs)
	if err != nil {
		w.err = err
		return nil
	}
	for i := range entries[:n] {
		raw, err := w.item(&entries[i], recs)
		if err != nil {
			w.err = err
			return nil
		}
		w.value(raw)
	}
	return entries[n:]
}

// events are those that an entry is made of, and how many bytes their payloads have.
func (p *Plan) events(e *entry) ([]entity.Seq, int64) {
	switch {
	case e.seq != 0:
		return []entity.Seq{e.seq}, int64(e.size)
	case e.place < 0:
		return p.outline.TraceEvents(), p.outline.OwnSize()
	}
	return p.outline.Events(e.place), p.outline.Size(e.place)
}

// item is the span or the log record of an entry.
func (p *Plan) item(e *entry, from map[entity.Seq]entity.Record) ([]byte, error) {
	if e.seq != 0 {
		rec := from[e.seq]
		_, item, _, err := otlp.PartsOf(rec.Event.Payload)
		if err != nil {
			return nil, err
		}
		return item.Raw, nil
	}
	seqs, _ := p.events(e)
	recs := make([]entity.Record, len(seqs))
	for i, seq := range seqs {
		recs[i] = from[seq]
	}
	id := p.outline.Trace.ID
	if e.place < 0 {
		f, err := entity.FoldOf(recs, entity.TraceKind, id)
		if err != nil {
			return nil, err
		}
		t := f.Trace(id)
		over := stretch{start: t.StartTime, end: t.EndTime}
		if !p.over.start.IsZero() {
			over.with(p.over.start, p.over.end, p.over.failed)
		}
		return ofTrace(p.project, t, over).Raw, nil
	}
	row, err := p.outline.Row(e.place, recs)
	if err != nil {
		return nil, err
	}
	return ofObservation(p.project, row, p.below).Raw, nil
}

// Largest is how many bytes the payloads have of the item with the most.
func (p *Plan) Largest() (most int64) {
	for _, s := range []*planned{&p.spans, &p.logs} {
		for _, resource := range s.resources.under {
			for _, scope := range resource.under {
				for i := range scope.entries {
					_, size := p.events(&scope.entries[i])
					most = max(most, size)
				}
			}
		}
	}
	return most
}
