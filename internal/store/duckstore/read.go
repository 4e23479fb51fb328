package duckstore

import (
	"context"
	"database/sql"
)

// view is one question's transaction: all its statements see the same events.
type view struct {
	tx      *sql.Tx
	project string
}

func (v *view) query() *builder { return &builder{args: []any{v.project}} }

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

// keyColumns are what keys reads; trace is the expression of key.trace.
func keyColumns(value, trace string) string {
	return "id, " + trace + " AS tie, " + value + ", written, first_seq, last_seq"
}

const noTrace = "''"

// keys runs the first statement of a list: keyColumns, in order.
func (v *view) keys(ctx context.Context, q *builder, statement string) ([]key, error) {
	var keys []key
	err := v.rows(ctx, statement, q.args, func(r *sql.Rows) error {
		var k key
		if err := r.Scan(&k.id, &k.trace, &k.value, &k.written, &k.span.first, &k.span.last); err != nil {
			return err
		}
		keys = append(keys, k)
		return nil
	})
	return keys, err
}

// wholeRow is a row and which events it was folded from.
type wholeRow[R any] struct {
	row    R
	events rowEvents
}

// whole reads the rows of keys from their table, in the order of keys; of finds a row's key.
func whole[R any](ctx context.Context, v *view, t *entityTable[R], keys []key, of func(*R) key) ([]wholeRow[R], error) {
	q := v.query()
	statement := "SELECT " + seqColumns + ", " + t.list() + " FROM " + t.name + " WHERE project = $1 AND " + within("written", rowsOf(keys)) + " AND id IN (" + q.ids(keys) + ")"
	found := make(map[[2]string]*wholeRow[R], len(keys))
	err := v.rows(ctx, statement, q.args, func(r *sql.Rows) error {
		w := new(wholeRow[R])
		if err := r.Scan(append(w.events.targets(), t.targets(&w.row)...)...); err != nil {
			return err
		}
		k := of(&w.row)
		found[[2]string{k.id, k.trace}] = w
		return nil
	})
	if err != nil {
		return nil, err
	}
	rows := make([]wholeRow[R], 0, len(keys))
	for _, k := range keys {
		if w := found[[2]string{k.id, k.trace}]; w != nil {
			rows = append(rows, *w)
		}
	}
	return rows, nil
}

// ids adds the ids as a parameter and returns a subquery of them.
func (q *builder) ids(keys []key) string {
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = k.id
	}
	return "SELECT unnest(" + q.arg(ids) + "::VARCHAR[])"
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
