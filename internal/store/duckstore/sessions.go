package duckstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Sessions answers with a page of sessions.
func (w *Warehouse) Sessions(ctx context.Context, project string, sq store.SessionQuery) (*store.SessionPage, error) {
	page := &store.SessionPage{}
	next, err := w.list(ctx, project, grouping{
		of: "sessions", by: "session_id", sorts: totalSorts, header: "user_ids, environments, ",
		more: `coalesce(list_sort(list(DISTINCT user_id) FILTER (user_id <> '')), []) AS user_ids,
			list_sort(list(DISTINCT environment)) AS environments, `,
	}, sq.Filter, sq.Order, func() { page.Data = []brokle.SessionSummary{} }, func(r *sql.Rows) (k key, err error) {
		var s brokle.SessionSummary
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
	}, uq.Filter, uq.Order, func() { page.Data = []brokle.UserSummary{} }, func(r *sql.Rows) (k key, err error) {
		var u brokle.UserSummary
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

// OwnTraceEvents returns, by trace, the Seqs of its own events.
func (w *Warehouse) OwnTraceEvents(ctx context.Context, project string, traceIDs []string) (map[string][]store.Seq, error) {
	var seqs map[string][]store.Seq
	err := w.ask(ctx, project, "find the events of traces", func(v *view) error {
		seqs = make(map[string][]store.Seq, len(traceIDs))
		q := v.query()
		text := fmt.Sprintf("SELECT entity_id, seq FROM events WHERE project = $1 AND kind = %d AND entity_id IN (SELECT unnest(%s::VARCHAR[])) ORDER BY seq",
			store.TraceKind, q.arg(traceIDs))
		return v.rows(ctx, text, q.args, func(r *sql.Rows) error {
			var id string
			var seq int64
			err := r.Scan(&id, &seq)
			seqs[id] = append(seqs[id], store.Seq(seq))
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return seqs, nil
}
