package brokle

import (
	"iter"
	"strings"
	"time"
	"unicode/utf8"
)

// maxGathered is how many bytes of an answer's pieces are kept for its Output.
const maxGathered = 256 << 10

// cutAttribute says that an output is only the beginning of what came.
const cutAttribute = "brokle.output_cut"

// pieces is what came so far of an answer that comes in pieces.
type pieces struct {
	first time.Duration // after the start
	text  strings.Builder
	cut   bool // there was more
}

// FirstToken says that the answer has begun, now: the first call gives the observation its time to first token. Delta
// calls it; it is for pieces that have no text, such as those of a tool call.
func (o *ActiveObservation) FirstToken() {
	if o != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.begun()
	}
}

// begun is FirstToken under the mutex.
func (o *ActiveObservation) begun() *pieces {
	if o.pieces == nil {
		o.pieces = &pieces{first: max(0, time.Since(o.start))}
	}
	return o.pieces
}

// Delta takes a piece of an answer that comes in pieces. What came is the Output when the observation ends, unless an option
// says another; of more than 256 KiB it is the beginning, and the attribute brokle.output_cut says so. An empty text is nothing.
func (o *ActiveObservation) Delta(text string) {
	if o == nil || text == "" {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	p := o.begun()
	if room := maxGathered - p.text.Len(); len(text) > room {
		p.cut = true
		for room > 0 && !utf8.RuneStart(text[room]) {
			room--
		}
		text = text[:room]
	}
	if !p.cut || text != "" {
		p.text.WriteString(text)
	}
}

// finish adds what the pieces say to an end.
func (o *ActiveObservation) finish(d *details) {
	o.mu.Lock()
	defer o.mu.Unlock()
	p := o.pieces
	if p == nil {
		return
	}
	if d.call == nil || d.call.firstToken == nil {
		TimeToFirstToken(p.first)(d)
	}
	if d.output == nil && p.text.Len() > 0 {
		Output(p.text.String())(d)
		if p.cut {
			Attribute(cutAttribute, true)(d)
		}
	}
}

// Abort ends the observation as aborted: who read the answer left it before its end, which is no error. See End.
func (o *ActiveObservation) Abort(opts ...Option) {
	o.End(append(opts[:len(opts):len(opts)], func(d *details) { d.outcome = outcomeAborted })...)
}

// Deltas passes a stream on as it comes and records it in o: text is the text of a piece, or "" for one that has none
// and still is the answer's first. It ends o when the stream ends, with the error of its last pair if there is one, and aborts it
// when the reader leaves the loop before, by a panic too. Nothing is held back, and nothing is read ahead.
func Deltas[T any](o *ActiveObservation, stream iter.Seq2[T, error], text func(T) string, opts ...Option) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var failed error
		whole := false
		defer func() {
			if whole {
				o.End(append(opts[:len(opts):len(opts)], Error(failed))...)
			} else {
				o.Abort(opts...)
			}
		}()
		for v, err := range stream {
			if failed = err; err == nil {
				o.FirstToken()
				o.Delta(text(v))
			}
			if !yield(v, err) {
				whole = err != nil // who leaves because of an error has not left an answer
				return
			}
		}
		whole = true
	}
}
