package daemon

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
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
	if _, _, err := n.noteNumber(); err != nil {
		n.logger.Warn("the node's number among the others could not be written down: alone it would not know which prices hold for its calls", "error", err)
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
	old := entity.Seq(0)
	err = s.identity.change(func(id *identity) bool {
		old = id.confirm(now(), cursor)
		id.hear(s.shared.Heads())
		return true
	})
	if err != nil || old == 0 {
		return err
	}
	return s.log.Trim(ctx, old+1)
}

// noteCursor writes down how far the warehouse is, and the other nodes are, for a start without it.
func (s *stores) noteCursor() error {
	cursor := s.shared.Reached()
	return s.identity.change(func(id *identity) bool {
		was := *id
		id.Cursor = cursor
		id.hear(s.shared.Heads())
		return was.Cursor != cursor || !maps.Equal(was.Others, id.Others)
	})
}
