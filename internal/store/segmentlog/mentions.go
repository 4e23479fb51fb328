package segmentlog

import (
	"context"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
)

var _ store.Mentions = (*Log)(nil)

// appendMention appends the word of a filter for a mention. It is no text's word, and no project's.
func appendMention(b []byte, project string, m entity.Mention) []byte {
	b = append(append(append(b, projectWords...), project...), 0, byte(m.Of))
	return append(b, m.ID...)
}

// mentionBytes is what an event counts beside its payload when the size of a filter is bounded:
// it gives room for three mentions.
const mentionBytes = 3 * bitsPerWord * 4

// Mentioning implements store.Mentions. It reads the stretches whose filters have one of the
// mentions. What has no filter yet is read in any case: it is the newest.
func (l *Log) Mentioning(ctx context.Context, project string, of []entity.Mention, upto entity.Seq, found func(*entity.Record)) error {
	if err := l.mentioning(ctx, project, of, upto, found); err != nil {
		return fmt.Errorf("look for mentions in the log: %w", err)
	}
	return nil
}

func (l *Log) mentioning(ctx context.Context, project string, of []entity.Mention, upto entity.Seq, found func(*entity.Record)) error {
	if err := l.enter(); err != nil {
		return err
	}
	defer l.exit()
	hashes := make([]uint64, len(of))
	for i, m := range of {
		hashes[i] = textsearch.WordHash(appendMention(nil, project, m))
	}
	s := &search{Log: l}
	defer s.Close()
	if err := s.open(); err != nil {
		return err
	}
	c := l.hidden.Load()
	each := func(b *block) {
		for t, i := range b.each() {
			if t.project == project && t.seq(i) <= upto && b.shown(t, i, c) {
				rec := b.record(t, i)
				found(&rec)
			}
		}
	}
	for i := range s.parts {
		p := &s.parts[i]
		for j := range p.list {
			select {
			case <-l.closing:
				return store.ErrClosed
			case <-ctx.Done():
				return ctx.Err()
			default:
			}
			if p.list[j].first > upto {
				return nil
			}
			may, err := p.hasAny(j, hashes)
			if err == nil && may {
				err = p.eachEvents(&p.list[j], each)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// hasAny says whether a stretch may hold any of the words; one without a filter may.
func (p *part) hasAny(i int, hashes []uint64) (bool, error) {
	for _, h := range hashes {
		if has, err := p.has(i, h); has || err != nil {
			return has, err
		}
	}
	return false, nil
}
