package daemon

import (
	"context"
	"io"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/medium"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// wholeBytes is about how many bytes of payloads with their media are read at once.
const wholeBytes = 32 << 20

// wholeLog is a Log whose payloads have their media in them, for what takes events elsewhere.
type wholeLog struct {
	store.Log
	media store.Media
	most  int64 // bytes of a payload with its media
}

// whole is the node's Log for those who take events elsewhere.
func (s *stores) whole(cfg Config) store.Log {
	if s.media == nil {
		return s.log
	}
	return wholeLog{s.log, s.media, int64(cfg.MaxDecodedBytes)}
}

// Read implements store.Log. It gives fewer records where they are large.
func (l wholeLog) Read(ctx context.Context, after entity.Seq, max int) ([]entity.Record, entity.Seq, error) {
	recs, upto, err := l.Log.Read(ctx, after, max)
	if err != nil {
		return nil, upto, err
	}
	whole, err := l.fill(recs, wholeBytes)
	if err == nil && len(whole) < len(recs) {
		upto = whole[len(whole)-1].Seq
	}
	return whole, upto, err
}

// Get implements store.Log.
func (l wholeLog) Get(ctx context.Context, seqs []entity.Seq) ([]entity.Record, error) {
	recs, err := l.Log.Get(ctx, seqs)
	if err != nil {
		return nil, err
	}
	return l.fill(recs, -1)
}

// fill puts media back into the payloads of recs, up to about so many bytes; -1: of all.
func (l wholeLog) fill(recs []entity.Record, most int64) ([]entity.Record, error) {
	cloned := false
	var size int64
	for i := range recs {
		payload, err := medium.PutBack(recs[i].Event.Payload, l.most, opener(l.media, recs[i].Project))
		if err != nil {
			return nil, err
		}
		if size += int64(len(payload)); most >= 0 && size > most && i > 0 {
			return recs[:i], nil
		}
		if len(payload) == len(recs[i].Event.Payload) {
			continue
		}
		if !cloned { // the Log may share its slice
			recs, cloned = slices.Clone(recs), true
		}
		// What was read of the payload is of the one with references.
		recs[i].Event.Payload, recs[i].Row, recs[i].Fields = payload, nil, nil
	}
	return recs, nil
}

// opener opens the media of a project.
func opener(media store.Media, project string) medium.Open {
	return func(hash string) (io.ReadCloser, int64, error) {
		f, err := media.OpenMedium(project, hash)
		if err != nil {
			return nil, 0, err
		}
		return f, f.Size(), nil
	}
}
