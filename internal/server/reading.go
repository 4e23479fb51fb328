package server

import (
	"context"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/detail"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
)

const (
	// windowBytes is about how many bytes of payloads a streamed answer reads ahead of what it writes, in at most windowRows rows.
	windowBytes = 256 << 10
	windowRows  = 300
	// streamAnswer is what a streamed answer weighs beside what it knows of all: the buffers on its way, and what of a payload stands around it.
	streamAnswer = 1 << 20
)

// streamWeight is what a streamed answer weighs whose largest row has payloads of so many bytes, each of which is there copies times, and
// that knows of all rows what takes so many bytes.
func streamWeight(copies, largest, known int64) int64 {
	return streamAnswer + copies*max(windowBytes, largest) + known
}

// reading is where a streamed answer has its records from: from memory when they are few, else from the Log, again and again.
type reading struct {
	s    *Server
	kept map[entity.Seq]entity.Record // nil: they are many
}

// sketch is what an answer must know of all its records before it can begin.
type sketch interface {
	// begin forgets what was added.
	begin()
	// add takes note of a record, which is read (extract.Fill) and whose payload is not to be kept. It says about how many bytes the sketch takes.
	add(*entity.Record) (bytes int64)
	// end says how many bytes of payloads are there at once while the answer is written, and how many the sketch takes then.
	end() (largest, bytes int64, err error)
}

// sketched reads the records of seqs, which rise, for sk, and takes the room for an answer with all of them. How much that is is not known
// before they are read: when it is more than was thought, they are read again.
func (s *Server) sketched(ctx context.Context, c *call, seqs []entity.Seq, copies int64, sk sketch) (*reading, error) {
	const perEvent = 700 // most of what is known of an event
	weight := func(largest, known int64) int64 { return c.question.read() + streamWeight(copies, largest, known) }
	for room := weight(0, perEvent*int64(len(seqs))); ; {
		if err := c.question.need(ctx, room); err != nil {
			return nil, err
		}
		r := &reading{s: s}
		sk.begin()
		n, bytes := int64(0), int64(0)
		err := r.brief(ctx, seqs, func(rec *entity.Record) bool {
			n++
			bytes = sk.add(rec)
			return weight(0, bytes) <= c.question.bytes
		})
		if err != nil {
			return nil, err
		}
		if weight(0, bytes) > c.question.bytes {
			room = weight(0, bytes*5/4*int64(len(seqs))/n)
			continue
		}
		largest, bytes, err := sk.end()
		if err != nil {
			return nil, err
		}
		if room = weight(largest, bytes); room <= c.question.bytes {
			c.question.shrink(room)
			return r, nil
		}
	}
}

// brief reads the records of seqs for f. They are kept for r when all of them have no more than a window's bytes of payloads. It goes on
// while f wants more.
func (r *reading) brief(ctx context.Context, seqs []entity.Seq, f func(*entity.Record) (more bool)) error {
	r.kept = map[entity.Seq]entity.Record{}
	bytes := 0
	return r.s.steps(ctx, seqs, func(step []entity.Record) bool {
		if r.kept == nil && r.s.work.take(ctx) == nil {
			defer r.s.work.give()
		}
		extract.Fill(step)
		for i := range step {
			if bytes += len(step[i].Event.Payload); bytes > r.s.window {
				r.kept = nil
			}
			if r.kept != nil {
				r.kept[step[i].Seq] = owned(step[i])
			}
			if !f(&step[i]) {
				return false
			}
		}
		return true
	})
}

// get returns the records of seqs, in the order of the Log. The error is a problem when one is no longer there.
func (r *reading) get(ctx context.Context, seqs []entity.Seq) ([]entity.Record, error) {
	seqs = slices.Clone(seqs)
	slices.Sort(seqs)
	seqs = slices.Compact(seqs)
	recs := make([]entity.Record, 0, len(seqs))
	if r.kept != nil {
		for _, seq := range seqs {
			recs = append(recs, r.kept[seq])
		}
		return recs, nil
	}
	err := r.s.steps(ctx, seqs, func(step []entity.Record) bool {
		for i := range step {
			recs = append(recs, owned(step[i]))
		}
		return true
	})
	if err == nil && len(recs) != len(seqs) {
		err = errChanged()
	}
	return recs, err
}

// bySeq returns the records of seqs by their Seq, read and joined.
func (r *reading) bySeq(ctx context.Context, seqs []entity.Seq) (map[entity.Seq]entity.Record, error) {
	recs, err := r.get(ctx, seqs)
	if err != nil {
		return nil, err
	}
	extract.Fill(recs)
	detail.Join(recs)
	all := make(map[entity.Seq]entity.Record, len(recs))
	for i := range recs {
		all[recs[i].Seq] = recs[i]
	}
	return all, nil
}
