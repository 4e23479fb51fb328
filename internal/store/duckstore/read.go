package duckstore

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
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

// keyColumns are what keys reads of a relation; trace is the expression of key.trace.
func keyColumns(value, trace string) string {
	return "id, " + trace + " AS tie, " + value + ", row, written, first_seq, last_seq"
}

const noTrace = "''"

// keys runs the first statement of a list: keyColumns, in order.
func (v *view) keys(ctx context.Context, q *builder, statement string) ([]key, error) {
	var keys []key
	err := v.rows(ctx, statement, q.args, func(r *sql.Rows) error {
		var k key
		if err := r.Scan(&k.id, &k.trace, &k.value, &k.row, &k.written, &k.span.first, &k.span.last); err != nil {
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

// whole reads the rows of keys from their table, in the order of keys. The columns that t has not are in the keys,
// out of which set takes them: ids are what costs most to read of few rows.
func whole[R any](ctx context.Context, v *view, t *entityTable[R], keys []key, set func(*R, *key)) ([]wholeRow[R], error) {
	at := make(map[int64]int, len(keys))
	for i := range keys {
		at[keys[i].row] = i
	}
	rows := make([]wholeRow[R], len(keys))
	q := v.query()
	statement := "SELECT rowid, " + seqColumns + ", " + t.list() + " FROM " + t.name + " WHERE " + q.placed(keys)
	err := v.rows(ctx, statement, q.args, func(r *sql.Rows) error {
		var row int64
		var w wholeRow[R]
		if err := r.Scan(append(append([]any{&row}, w.events.targets()...), t.targets(&w.row)...)...); err != nil {
			return err
		}
		i, ok := at[row]
		if !ok {
			return nil
		}
		set(&w.row, &keys[i])
		rows[i] = w
		return nil
	})
	return rows, err
}

// placed is the condition that a row is that of one of the keys.
func (q *builder) placed(keys []key) string {
	spans := make([]span, len(keys))
	for i, k := range keys {
		spans[i] = span{k.written, k.written}
	}
	// By written DuckDB passes over row groups, by rowid over what is in them.
	return "project = $1 AND " + within("written", joinSpans(spans, fewSpans)) + " AND rowid IN (" + q.rows(keys) + ")"
}

// rows adds where the rows of keys are as a parameter and returns a subquery of it.
func (q *builder) rows(keys []key) string {
	rows := make([]int64, len(keys))
	for i, k := range keys {
		rows[i] = k.row
	}
	return "SELECT unnest(" + q.arg(rows) + "::BIGINT[])"
}

// mostHashes bounds the hashes that stand in a condition: each row is compared with them.
const mostHashes = 64

// ofTraces is the condition that a row of a relation of a table is of one of the traces, by the column that
// has their id; also is a further condition on the table. Rows are found by their hashes first: of few rows ids cost
// most to read, and DuckDB reads those of 2048 rows where one is asked for, unless it knows which one.
func (q *builder) ofTraces(table, column string, keys []key, also ...string) string {
	if len(keys) == 0 || len(keys) > mostHashes {
		return strings.Join(append(also, column+" IN ("+q.ids(keys)+")"), " AND ")
	}
	ids, hashes := make([]string, len(keys)), make([]string, len(keys))
	for i, k := range keys {
		ids[i], hashes[i] = k.id, strconv.FormatInt(traceHash(k.id), 10)
	}
	found := strings.Join(append(also, "trace_hash = "+hashes[0]), " AND ")
	if len(keys) > 1 {
		found = "row IN (SELECT rowid FROM " + table + sqltext.Where(append(also, "project = $1", "trace_hash IN ("+strings.Join(hashes, ", ")+")")...) + ")"
	}
	return found + " AND list_contains(" + q.arg(ids) + "::VARCHAR[], " + column + ")"
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
