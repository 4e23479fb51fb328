package server

import (
	"context"
	"io"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/medium"
)

// wholeSize is how many bytes the payload of rec has with its media.
func (s *Server) wholeSize(rec *entity.Record) int {
	if s.o.Media == nil {
		return len(rec.Event.Payload)
	}
	return int(medium.WholeSize(rec.Event.Payload, s.o.MaxDecodedBytes))
}

// makeWhole puts the media back into the payload of rec, so that it is as it was sent. size is its wholeSize: it may need more room than the
// answer of c has.
func (s *Server) makeWhole(ctx context.Context, c *call, rec *entity.Record, size int) error {
	if size == len(rec.Event.Payload) {
		return nil
	}
	if err := c.question.need(ctx, streamWeight(eventCopies, int64(size), 0)); err != nil {
		return err
	}
	c.question.answered() // the client may take long
	payload, err := medium.PutBack(rec.Event.Payload, s.o.MaxDecodedBytes, func(hash string) (io.ReadCloser, int64, error) {
		f, err := s.o.Media.OpenMedium(rec.Project, hash)
		if err != nil {
			return nil, 0, err
		}
		return f, f.Size(), nil
	})
	if err == nil {
		rec.Event.Payload = payload
	}
	return err
}
