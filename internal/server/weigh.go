package server

import (
	"bytes"
	"context"

	"github.com/brokle-ai/brokle-go/internal/detail"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
)

// What an answer weighs in memory while it is built and sent.
const (
	// smallAnswer is what every question has: rows of a list have no payloads.
	smallAnswer = 4 << 20
	// payloadCopies is how often each byte of a payload is there: as it was read, as a field
	// was taken from it, and in the answer.
	payloadCopies = 3
	// detailCopies is the same where more is made of a payload than fields: messages and attributes, or spans.
	detailCopies = 8
	// recordBytes is what an event weighs without its payload.
	recordBytes = 2 << 10

	// readBytes is about how many bytes of payloads one step of reading takes.
	readBytes = 1 << 20
	firstRead = 4
	mostRead  = 500
)

// question is what an asking call holds: its turn, and room for its answer. It belongs
// to the goroutine of the call.
type question struct {
	s     *Server
	key   string
	leave func() // gives the turn back; nil: it has none
	bytes int64  // room taken
	room  int64  // of readAll: what was read into the answer before
	count int
	// copies is how often each byte of a payload is there; 0 is payloadCopies.
	copies int64
}

// weight is what an answer weighs that is made of so many events with such payloads.
func (q *question) weight(events int, payloads int64) int64 {
	return smallAnswer + max(q.copies, payloadCopies)*payloads + recordBytes*int64(events)
}

// read is what of the room readAll has taken up.
func (q *question) read() int64 {
	if q.count == 0 {
		return 0
	}
	return q.weight(q.count, q.room)
}

// ask takes a turn and room for a small answer. The caller calls end.
func (s *Server) ask(ctx context.Context, key string) (*question, error) {
	q := &question{s: s, key: key}
	if err := q.need(ctx, smallAnswer); err != nil {
		return nil, err
	}
	return q, nil
}

// need makes sure of room for so many bytes. It waits for it with nothing in its hands, no turn
// either, so that those that wait never wait for one another.
func (q *question) need(ctx context.Context, bytes int64) (err error) {
	if q.leave != nil && bytes <= q.bytes {
		return nil
	}
	q.end()
	if err := q.s.answers.take(ctx, q.key, bytes); err != nil {
		return err
	}
	q.bytes = bytes
	if q.leave, err = q.s.turns.take(ctx, q.key); err != nil {
		q.leave = nil
		q.end()
	}
	return err
}

// shrink gives back what of the room is not needed.
func (q *question) shrink(bytes int64) {
	if bytes < q.bytes && q.s.answers.shrink(q.key, q.bytes, bytes) {
		q.bytes = bytes
	}
}

// answered gives the turn back: the answer is built, its room is kept until it is sent.
func (q *question) answered() {
	if q.leave != nil {
		q.leave()
		q.leave = nil
	}
}

func (q *question) end() {
	q.answered()
	q.s.answers.give(q.key, q.bytes)
	q.bytes = 0
}

// readAll reads the records of seqs for the answer of c. What they weigh is not known before
// they are read: when it is more than c has room for, they are read once to weigh them,
// keeping nothing, and again when there is room. What they say is read too, as the fold needs it.
func (s *Server) readAll(ctx context.Context, c *call, seqs []entity.Seq) ([]entity.Record, error) {
	recs, err := s.gather(ctx, c.question, seqs)
	if err != nil {
		return nil, err
	}
	extract.Fill(recs)
	detail.Join(recs)
	return recs, nil
}

func (s *Server) gather(ctx context.Context, q *question, seqs []entity.Seq) ([]entity.Record, error) {
	var recs []entity.Record
	var payloads int64
	n := 0
	fits := true
	err := s.steps(ctx, seqs, func(step []entity.Record) bool {
		for i := range step {
			payloads += int64(len(step[i].Event.Payload))
			n++
			if fits = fits && q.weight(q.count+n, q.room+payloads) <= q.bytes; fits {
				recs = append(recs, owned(step[i]))
			} else {
				recs = nil
			}
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	q.room, q.count = q.room+payloads, q.count+n
	if fits {
		return recs, nil
	}
	if err := q.need(ctx, q.weight(q.count, q.room)); err != nil {
		return nil, err
	}
	recs = make([]entity.Record, 0, n)
	err = s.steps(ctx, seqs, func(step []entity.Record) bool {
		for i := range step {
			recs = append(recs, owned(step[i]))
		}
		return true
	})
	return recs, err
}

// owned is rec with a payload of its own: as the Log gives it, it keeps the block in memory that it was read from.
func owned(rec entity.Record) entity.Record {
	rec.Event.Payload = bytes.Clone(rec.Event.Payload)
	return rec
}

// steps reads the records of seqs, as many at once as have about readBytes, while f wants more.
func (s *Server) steps(ctx context.Context, seqs []entity.Seq, f func([]entity.Record) (more bool)) error {
	next := s.o.FirstRead
	for len(seqs) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(next, len(seqs))
		recs, err := s.o.Events.Get(ctx, seqs[:n])
		if err != nil {
			return err
		}
		seqs = seqs[n:]
		next = nextRead(n, recs)
		if !f(recs) {
			return nil
		}
	}
	return nil
}

// nextRead is how many records the next step reads, after one of n that gave recs.
func nextRead(n int, recs []entity.Record) int {
	size := 1
	for i := range recs {
		size += len(recs[i].Event.Payload)
	}
	return min(max(1, n*readBytes/size), 4*n, mostRead)
}
