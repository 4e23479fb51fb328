package brokle

import (
	"context"
	"iter"
)

// Sessions reads sessions: traces that name the same session. It is a Client's field.
type Sessions struct{ c *Client }

// List iterates over all sessions that q asks for, page by page.
func (s *Sessions) List(ctx context.Context, q SessionQuery) iter.Seq2[SessionSummary, error] {
	return rows(func(cursor string) (*Page[SessionSummary], error) {
		q.Cursor = cursor
		return s.Page(ctx, q)
	}, q.Cursor)
}

// Page returns one page of what List iterates over.
func (s *Sessions) Page(ctx context.Context, q SessionQuery) (*Page[SessionSummary], error) {
	return get[Page[SessionSummary]](ctx, s.c, pathSessions, params(q))
}

// Get returns one session with its first traces, oldest first, at most 200.
// Its NextCursor is nil when these are all; Traces iterates over all.
func (s *Sessions) Get(ctx context.Context, id string) (*Session, error) {
	return s.get(ctx, id, "")
}

// Traces iterates over all traces of a session, oldest first, with input and
// output: a conversation from its beginning.
func (s *Sessions) Traces(ctx context.Context, id string) iter.Seq2[SessionTrace, error] {
	return rows(func(cursor string) (*Page[SessionTrace], error) {
		session, err := s.get(ctx, id, cursor)
		if err != nil {
			return nil, err
		}
		return &Page[SessionTrace]{Data: session.Traces, NextCursor: session.NextCursor}, nil
	}, "")
}

func (s *Sessions) get(ctx context.Context, id, cursor string) (*Session, error) {
	return getOne[Session](ctx, s.c, pathSessions, id, params(struct{ Cursor string }{cursor}))
}

// Users reads users: those that traces name. It is a Client's field.
type Users struct{ c *Client }

// List iterates over all users that q asks for, page by page.
func (u *Users) List(ctx context.Context, q UserQuery) iter.Seq2[UserSummary, error] {
	return rows(func(cursor string) (*Page[UserSummary], error) {
		q.Cursor = cursor
		return u.Page(ctx, q)
	}, q.Cursor)
}

// Page returns one page of what List iterates over.
func (u *Users) Page(ctx context.Context, q UserQuery) (*Page[UserSummary], error) {
	return get[Page[UserSummary]](ctx, u.c, pathUsers, params(q))
}

// Environments reads environments. It is a Client's field.
type Environments struct{ c *Client }

// List iterates over all environments, page by page.
func (e *Environments) List(ctx context.Context, q EnvironmentQuery) iter.Seq2[EnvironmentSummary, error] {
	return rows(func(cursor string) (*Page[EnvironmentSummary], error) {
		q.Cursor = cursor
		return e.Page(ctx, q)
	}, q.Cursor)
}

// Page returns one page of what List iterates over.
func (e *Environments) Page(ctx context.Context, q EnvironmentQuery) (*Page[EnvironmentSummary], error) {
	return get[Page[EnvironmentSummary]](ctx, e.c, pathEnvironments, params(q))
}
