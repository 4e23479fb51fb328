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
	// streamAnswer is what a streamed answer weighs beside its outline: the buffers on its way, and what of a payload stands around it.
	streamAnswer = 1 << 20
)

// reading is where a streamed answer has its records from: from memory when they are few, else from the Log, again and again.
type reading struct {
	s    *Server
	kept map[entity.Seq]entity.Record // nil: they are many
}

// weight is what a streamed answer weighs: copies of what one window, or the largest row, has as payloads, and what it must know of all.
func streamWeight(copies, largest, outline int64) int64 {
	return streamAnswer + copies*max(windowBytes, largest) + outline
}

// get returns the records of seqs, read and joined, in the order of the Log. The error is a problem when one is no longer there.
func (r *reading) get(ctx context.Context, seqs []entity.Seq) ([]entity.Record, error) {
	seqs = slices.Clone(seqs)
	slices.Sort(seqs)
	seqs = slices.Compact(seqs)
	recs := make([]entity.Record, 0, len(seqs))
	if r.kept != nil {
		for _, seq := range seqs {
			recs = append(recs, r.kept[seq])
		}
	} else {
		err := r.s.steps(ctx, seqs, func(step []entity.Record) bool {
			for i := range step {
				recs = append(recs, owned(step[i]))
			}
			return true
		})
		if err != nil {
			return nil, err
		}
		if len(recs) != len(seqs) {
			return nil, errChanged()
		}
	}
	extract.Fill(recs)
	detail.Join(recs)
	return recs, nil
}

// brief reads the records of seqs for f, which keeps what it needs of each; read (extract.Fill), with a payload that is not f's to keep.
// They are kept for r when all of them have no more than windowBytes of payloads. It goes on while f says that there is room.
func (r *reading) brief(ctx context.Context, seqs []entity.Seq, f func(*entity.Record) (more bool)) error {
	r.kept = map[entity.Seq]entity.Record{}
	bytes := 0
	each := func(step []entity.Record) bool {
		extract.Fill(step)
		for i := range step {
			if bytes += len(step[i].Event.Payload); bytes > windowBytes {
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
	}
	return r.s.steps(ctx, seqs, func(step []entity.Record) bool {
		if r.kept == nil && r.s.work.take(ctx) == nil {
			defer r.s.work.give()
		}
		return each(step)
	})
}
