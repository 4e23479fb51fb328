package brokle

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
)

// carried is what a context says of the traces that start with it. It is never changed.
type carried struct {
	userID, sessionID string
	tags              []string
	metadata          map[string]any
}

// carry returns a context with what change makes of what ctx carries, and says the same of the trace in ctx.
func carry(ctx context.Context, change func(*carried), say Option) context.Context {
	s := scopeOf(ctx)
	next := carried{}
	if s.carried != nil {
		next = *s.carried
	}
	change(&next)
	s.carried = &next
	s.trace.Update(say)
	return s.in(ctx)
}

// WithUser returns a context that carries whom all this is about: it is the user of the trace that starts with it, of
// the one that ctx carries already, and, by Inject and Extract, of what other processes do for it. Default: "", nobody.
func WithUser(ctx context.Context, id string) context.Context {
	return carry(ctx, func(c *carried) { c.userID = id }, UserID(id))
}

// WithSession carries the conversation. See WithUser.
func WithSession(ctx context.Context, id string) context.Context {
	return carry(ctx, func(c *carried) { c.sessionID = id }, SessionID(id))
}

// WithTags carries tags, with those that ctx carries already. See WithUser.
func WithTags(ctx context.Context, tags ...string) context.Context {
	return carry(ctx, func(c *carried) { c.tags = slices.Concat(c.tags, tags) }, Tags(tags...))
}

// WithMetadata carries an object, over those of the same keys that ctx carries already. See WithUser.
func WithMetadata(ctx context.Context, v map[string]any) context.Context {
	v = maps.Clone(v)
	return carry(ctx, func(c *carried) {
		all := maps.Clone(c.metadata)
		if all == nil {
			all = map[string]any{}
		}
		maps.Copy(all, v)
		c.metadata = all
	}, Metadata(v))
}

// with says c of the trace that starts with d, as far as d says nothing itself, and returns what goes on: c with the user
// and the session of d.
func (c *carried) with(d *details) *carried {
	if c == nil {
		if d.userID == "" && d.sessionID == "" {
			return nil
		}
		return &carried{userID: d.userID, sessionID: d.sessionID}
	}
	d.userID, d.sessionID = cmp.Or(d.userID, c.userID), cmp.Or(d.sessionID, c.sessionID)
	d.tags = slices.Concat(c.tags, d.tags)
	if len(c.metadata) > 0 {
		d.metadata = d.over(c.metadata, d.metadata)
	}
	next := *c
	next.userID, next.sessionID = d.userID, d.sessionID
	return &next
}

// over is the object under with the members of upper, an object or nothing, in place of its own.
func (d *details) over(under map[string]any, upper json.RawMessage) json.RawMessage {
	if len(upper) == 0 {
		return d.json(under)
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(upper, &top); err != nil {
		return upper // no object: it stays what it is
	}
	all := maps.Clone(under)
	for key, v := range top {
		all[key] = v
	}
	return d.json(all)
}
