package duckstore

import (
	"context"
	"database/sql"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Sessions answers with a page of sessions.
func (w *Warehouse) Sessions(ctx context.Context, project string, sq store.SessionQuery) (*store.SessionPage, error) {
	page := &store.SessionPage{}
	next, err := w.list(ctx, project, grouping{
		of: "sessions", by: "session_id", sorts: totalSorts, header: "user_ids, environments, ",
		more: `coalesce(list_sort(list(DISTINCT user_id) FILTER (user_id <> '')), []) AS user_ids,
			list_sort(list(DISTINCT environment)) AS environments, `,
	}, sq.Filter, sq.Order, func() { page.Data = []wire.SessionSummary{} }, func(r *sql.Rows) (k key, err error) {
		var s wire.SessionSummary
		var users, environments any
		var t totals
		if err := r.Scan(append([]any{&s.ID, &k.value, &users, &environments}, t.targets()...)...); err != nil {
			return k, err
		}
		k.id, s.UserIDs, s.Environments, s.Totals = s.ID, texts(users), texts(environments), t.done()
		page.Data = append(page.Data, s)
		return k, nil
	})
	if err != nil {
		return nil, err
	}
	page.NextCursor = next
	return page, nil
}

// Users answers with a page of users.
func (w *Warehouse) Users(ctx context.Context, project string, uq store.UserQuery) (*store.UserPage, error) {
	sorts := sortTypes{"session_count": "BIGINT"}
	for column, typ := range totalSorts {
		sorts[column] = typ
	}
	page := &store.UserPage{}
	next, err := w.list(ctx, project, grouping{
		of: "users", by: "user_id", sorts: sorts, header: "session_count, ",
		more: "count(DISTINCT session_id) FILTER (session_id <> '') AS session_count, ",
	}, uq.Filter, uq.Order, func() { page.Data = []wire.UserSummary{} }, func(r *sql.Rows) (k key, err error) {
		var u wire.UserSummary
		var t totals
		if err := r.Scan(append([]any{&u.ID, &k.value, &u.SessionCount}, t.targets()...)...); err != nil {
			return k, err
		}
		k.id, u.Totals = u.ID, t.done()
		page.Data = append(page.Data, u)
		return k, nil
	})
	if err != nil {
		return nil, err
	}
	page.NextCursor = next
	return page, nil
}
