package daemon

import (
	"context"
	"errors"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// runShared runs the shared warehouse, and what a node does in it beside inserting, until ctx ends.
func (n *node) runShared(ctx context.Context) error {
	if n.shared == nil {
		<-ctx.Done()
		return nil
	}
	n.shared.Guard()
	parts := newParts(ctx)
	parts.start("clickhouse", n.shared.Run)
	parts.start("documents", func(ctx context.Context) error { return n.documents.Run(ctx, n.shared) })
	parts.start("prices", n.followPrices)
	parts.start("spool", n.tendSpool)
	return parts.wait()
}

// spoolEvery is how often a node looks at what of its log nobody needs any more, and at what others asked it to erase.
const spoolEvery = 2 * time.Second

// tendSpool does, once the warehouse is there, what a node owes the others.
func (n *node) tendSpool(ctx context.Context) error {
	select {
	case <-n.shared.Ready():
	case <-ctx.Done():
		return nil
	}
	if err := n.sharePositions(ctx); err != nil && ctx.Err() == nil {
		n.logger.Warn("cursors of events are good on this node only", "error", err)
	}
	var noted time.Time
	told := ""
	tend := func() {
		err := n.eraseLate(ctx)
		if err == nil {
			err = n.eraseAsked(ctx)
		}
		if err == nil && time.Since(noted) > time.Minute {
			noted = time.Now()
			err = n.trim(ctx)
		}
		if err == nil {
			told = ""
		} else if text := err.Error(); text != told && ctx.Err() == nil && !errors.Is(err, store.ErrUnavailable) {
			told = text
			n.logger.Warn("the log cannot be tended; it is tried again", "error", err)
		}
	}
	tend()
	clock.Every(ctx, spoolEvery, tend)
	return nil
}

// sharePositions has cursors good on all nodes.
func (n *node) sharePositions(ctx context.Context) error {
	key, err := n.shared.Secret(ctx, "cursors", n.positionKey)
	if err != nil {
		return err
	}
	return n.server.SharePositions(key)
}

// trim writes down how far the warehouse is, and takes off the log what it has had for longer than anybody asks for here.
func (s *stores) trim(ctx context.Context) error {
	cursor, err := s.shared.Cursor(ctx)
	if err != nil {
		return err
	}
	old := s.identity.confirm(now(), cursor)
	if err := s.identity.write(s.identityPath); err != nil || old == 0 {
		return err
	}
	return s.log.Trim(ctx, old+1)
}

// noteCursor writes down how far the warehouse is, for a start without it.
func (s *stores) noteCursor() error {
	cursor := s.shared.Reached()
	if cursor == s.identity.Cursor {
		return nil
	}
	id := s.identity
	id.Cursor = cursor
	return id.write(s.identityPath)
}
