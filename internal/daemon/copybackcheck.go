package daemon

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/handover"
)

// copyQuestion bounds a question of a copy.
const copyQuestion = 10 * time.Minute

// compare builds the warehouse of the new directory, and compares: every event, and the answers.
func (b *copyingBack) compare(ctx context.Context) (found *handover.Compared, err error) {
	s, err := openStores(b.cfg, b.logger)
	if err != nil {
		return nil, err
	}
	x, err := newIndexer(s, b.cfg, b.logger)
	if err != nil {
		return nil, errors.Join(err, s.close(newStopping()))
	}
	parts := newParts(context.WithoutCancel(ctx))
	index := parts.start("indexer", x.Run)
	defer func() {
		index.stop()
		err = errors.Join(err, parts.wait(), s.close(newStopping()))
	}()
	if err := x.CatchUp(ctx); err != nil {
		return nil, err
	}
	if err := b.check(ctx, &s); err != nil {
		return nil, err
	}
	projects, err := b.shared.Projects(ctx)
	if err != nil {
		return nil, err
	}
	compare := handover.Comparison{
		Of: handover.Side{Warehouse: b.shared, Records: b.shared}, With: handover.Side{Warehouse: s.warehouse, Records: s.log},
		Sync: func(context.Context) error { return nil }, Told: func(answers int) { b.told(CopyLine{Step: "compare", At: uint64(answers)}) },
	}
	return compare.Run(ctx, projects)
}

// checkAtOnce is how many events are compared at a time, and sampleEach of how many one payload is.
const (
	checkAtOnce = 20_000
	sampleEach  = 50
)

// check compares each event of the new log with the tables. What was erased from these meanwhile, or has expired, is erased here, too.
func (b *copyingBack) check(ctx context.Context, s *stores) error {
	v := &Verified{}
	for at := entity.Seq(0); at < s.log.Head(); {
		recs, upto, err := s.log.Read(ctx, at, checkAtOnce)
		if err == nil {
			err = b.checkSome(ctx, s, slices.Clone(recs), v)
		}
		if err != nil {
			return err
		}
		at = upto
		b.told(CopyLine{Step: "check", At: uint64(at), Of: uint64(s.log.Head())})
	}
	facts, err := b.shared.Facts(ctx)
	if err != nil {
		return err
	}
	v.Missing = make([]entity.Seq, max(0, int64(facts)-v.Events+int64(len(v.Differing)))) // nobody knows which
	b.verdict = v
	return nil
}

func (b *copyingBack) checkSome(ctx context.Context, s *stores, recs []entity.Record, v *Verified) error {
	extract.Fill(recs)
	first, err := b.firsts(ctx, recs)
	if err != nil {
		return err
	}
	gone := map[string][]entity.Seq{}
	sample := map[entity.Seq]*entity.Record{}
	var asked []entity.Seq
	for i := range recs {
		r := &recs[i]
		seq, known := first[factOf(r)]
		if !known {
			gone[r.Project] = append(gone[r.Project], r.Seq)
			continue
		}
		if v.Events++; v.Events%sampleEach == 0 {
			sample[seq], asked = r, append(asked, seq)
		}
	}
	for project, seqs := range gone {
		if err := errors.Join(s.log.Erase(ctx, seqs), s.warehouse.Erase(ctx, project, seqs)); err != nil {
			return err
		}
	}
	there, err := b.shared.Records(ctx, asked)
	for i := range there {
		v.Sampled++
		if r := sample[there[i].Seq]; string(r.Event.Payload) != string(there[i].Event.Payload) || r.Event.ID != there[i].Event.ID || !r.Event.Timestamp.Equal(there[i].Event.Timestamp.Time) {
			v.Differing = append(v.Differing, r.Seq)
		}
	}
	return err
}
