package duckstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// view is one question's transaction: all its statements see the same events.
type view struct {
	tx       *sql.Tx
	project  string
	tied     kindSet
	frontier frontier
}

// ask runs f over a view of the project, and once more when the database had to
// be opened again for it; f must not keep anything of its first run. The error
// of f is wrapped with what, except what a caller must recognise by its type.
func (w *Warehouse) ask(ctx context.Context, project, what string, f func(*view) error) error {
	w.asked.Add(1)
	return w.askWith(ctx, project, what, (*view).fold, f)
}

// askEvents is ask for a question about events alone: nothing is folded for it, and
// what waits to be settled does not make it slower.
func (w *Warehouse) askEvents(ctx context.Context, project, what string, f func(*view) error) error {
	return w.askWith(ctx, project, what, func(*view, context.Context, *tiedKinds) error { return nil }, f)
}

// askWith is ask; begin makes what f needs to find in the view.
func (w *Warehouse) askWith(ctx context.Context, project, what string, begin func(*view, context.Context, *tiedKinds) error, f func(*view) error) error {
	read := w.read.Load()
	ask := f
	f = func(v *view) error {
		if err := begin(v, ctx, &w.tied); err != nil {
			return err
		}
		return ask(v)
	}
	err := w.inView(ctx, read, project, f)
	if starved(err) && ctx.Err() == nil {
		// What has not settled is folded in memory for each question.
		if w.Checkpoint(ctx) == nil {
			err = w.inView(ctx, w.read.Load(), project, f)
		}
	}
	if w.broken(err) || errors.Is(err, store.ErrClosed) {
		if err = w.revive(read); err == nil {
			err = w.inView(ctx, w.read.Load(), project, f)
		}
	}
	// The driver interrupts a connection when the context of its query ends, and
	// that may come after the connection was given to another.
	for range 10 {
		if ctx.Err() != nil || !interrupted(err) {
			break
		}
		err = w.inView(ctx, w.read.Load(), project, f)
	}
	if ctx.Err() != nil && interrupted(err) {
		err = ctx.Err() // why it was interrupted
	}
	var asked *store.QueryError
	if err == nil || errors.As(err, &asked) {
		return err
	}
	if starved(err) {
		return fmt.Errorf("%s: %w: %w", what, store.ErrStarved, err)
	}
	if corrupt(err) {
		w.broken(err) // the second try's error
		err = fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// starved says whether a question did not get the memory that it needs.
func starved(err error) bool {
	return err != nil && strings.Contains(err.Error(), "Out of Memory Error")
}

// interrupted says whether the question was stopped, by whomever.
func interrupted(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "INTERRUPT Error") ||
		strings.Contains(err.Error(), "Current transaction is aborted")) // it came between two statements
}

func (w *Warehouse) inView(ctx context.Context, read *sql.DB, project string, f func(*view) error) error {
	if read == nil {
		return store.ErrClosed
	}
	w.gate.RLock()
	defer w.gate.RUnlock()
	conn, err := read.Conn(ctx)
	if err != nil {
		if err.Error() == "sql: database is closed" {
			return store.ErrClosed
		}
		return err
	}
	defer conn.Close() //nolint:errcheck // gives it back, or finds it given up
	if err = w.onConn(ctx, conn, project, f); ctx.Err() != nil || interrupted(err) {
		// An interrupt may still be on its way to this connection, or has hit its
		// ROLLBACK: nobody else gets it.
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	return err
}

func (w *Warehouse) onConn(ctx context.Context, conn *sql.Conn, project string, f func(*view) error) error {
	// The transaction does not end with ctx, its statements do: else database/sql
	// would end it on a goroutine of its own, beside whoever uses the connection.
	tx, err := conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return err
	}
	v := &view{tx: tx, project: project}
	err = f(v)
	// Nothing was written, so there is nothing that a failed end could lose.
	_ = tx.Rollback()
	return err
}

// fold finds what the statements of the view need to know, and folds the dirty
// entities for them. The ties are read when the transaction sees what it sees:
// then they cover all of that.
func (v *view) fold(ctx context.Context, tied *tiedKinds) error {
	ask := func(query string, each func(a, b int64)) error {
		return v.rows(ctx, query, []any{v.project}, func(r *sql.Rows) error {
			var a, b int64
			err := r.Scan(&a, &b)
			each(a, b)
			return err
		})
	}
	v.frontier.upto = int64(maxSeq)
	exec := func(statement string) error {
		var args []any
		if strings.Contains(statement, "$1") {
			args = []any{v.project}
		}
		_, err := v.tx.ExecContext(ctx, statement, args...)
		return err
	}
	if err := v.frontier.find(exec, ask); err != nil {
		return err
	}
	v.tied = tied.of(v.project)
	return v.query().foldDirty(exec, ask)
}

func (v *view) query() *query {
	return &query{args: []any{v.project}, tied: v.tied, frontier: &v.frontier}
}

// rows runs the statement and calls each for every row.
func (v *view) rows(ctx context.Context, statement string, args []any, each func(*sql.Rows) error) error {
	rows, err := v.tx.QueryContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// keys runs the first statement of a list: ids, sort values, first and last
// Seqs, in order.
func (v *view) keys(ctx context.Context, q *query, statement string) ([]key, error) {
	var keys []key
	err := v.rows(ctx, statement, q.args, func(r *sql.Rows) error {
		var k key
		if err := r.Scan(&k.id, &k.value, &k.span.first, &k.span.last); err != nil {
			return err
		}
		keys = append(keys, k)
		return nil
	})
	return keys, err
}

// ids adds the ids as a parameter and returns a subquery of them.
func (q *query) ids(keys []key) string {
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = k.id
	}
	return "SELECT unnest(" + q.arg(ids) + "::VARCHAR[])"
}

func microTime(us int64) time.Time { return time.UnixMicro(us).UTC() }

func microTimePtr(us sql.NullInt64) *time.Time {
	if !us.Valid {
		return nil
	}
	t := microTime(us.Int64)
	return &t
}

func floatPtr(f sql.NullFloat64) *float64 {
	if !f.Valid {
		return nil
	}
	return &f.Float64
}

func intPtr(n sql.NullInt64) *int64 {
	if !n.Valid {
		return nil
	}
	return &n.Int64
}

// texts turns a VARCHAR[] as the driver gives it into a slice that is never nil.
func texts(v any) []string {
	list, _ := v.([]any)
	out := make([]string, 0, len(list))
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
