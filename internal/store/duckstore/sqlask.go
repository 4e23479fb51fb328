package duckstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// Questions that people write in SQL are answered by the same database as others, within its memory and on one of the connections of questions.
// A text is parsed by DuckDB and checked as a tree (sqltree.go): one SELECT, from views of package sqlview, by functions that are on a list
// (sqlnames.go). The views are made for it, of what is the project's, and are gone with the transaction (sqlviews.go). Then DuckDB's plan of the
// statement is looked at, before it is worked at: whatever is read in it is a table of ours under the filter of this project (sqlplan.go).

var _ store.SQLer = (*Warehouse)(nil)

// SQL implements store.SQLer.
func (w *Warehouse) SQL(ctx context.Context, project string, q store.SQLQuestion) (*store.SQLAnswer, error) {
	const what = "answer in SQL"
	w.asked.Add(1)
	if len(q.Text) > store.MostSQLText {
		return nil, store.SQLErrorf("the text has %d bytes; at most %d are taken", len(q.Text), store.MostSQLText)
	}
	if err := w.settle(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	ctx = context.WithValue(ctx, longQuestion{}, true)
	defer w.enterSQL()()
	var answer *store.SQLAnswer
	var err error
	for range 10 { // an interrupt of another may come late: see ask; and who gave way to a checkpoint is asked again behind it
		read := w.read.Load()
		err = w.answer(ctx, read, project, false, func(ctx context.Context, v *view) (err error) {
			if _, err = v.tx.ExecContext(ctx, w.memoryLimit(sqlMemory)); err != nil {
				return err
			}
			answer, err = v.sql(ctx, &q)
			return err
		})
		if w.broken(err) {
			// It would break again: it is not asked again, and the others have their database back.
			if reopened := w.revive(read); reopened != nil {
				return nil, fmt.Errorf("%s: %w", what, errors.Join(err, reopened))
			}
			return nil, store.SQLErrorf("the engine failed at this statement")
		}
		if ctx.Err() != nil || !interrupted(err) && !errors.Is(err, errGaveWay) {
			break
		}
	}
	var asked *store.SQLError
	switch {
	case errors.As(err, &asked):
		return nil, asked
	case ctx.Err() == nil && (starved(err) || errors.Is(err, errPreempted)):
		return nil, fmt.Errorf("%s: %w: the warehouse has %d MiB", what, store.ErrStarved, sqlMemory*w.options.MemoryLimit>>20)
	}
	if errors.Is(err, errGaveWay) {
		err = fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	if err = w.explain(ctx, what, err); err != nil {
		return nil, err
	}
	return answer, nil
}

// sql answers one question. The views that it makes are gone with the transaction, which is never committed.
func (v *view) sql(ctx context.Context, q *store.SQLQuestion) (*store.SQLAnswer, error) {
	tree, err := v.sqlTree(ctx, q.Text)
	if err != nil {
		return nil, err
	}
	if err = tree.limit(q.Rows + 1); err != nil {
		return nil, err
	}
	text, err := v.sqlText(ctx, tree)
	if err != nil {
		return nil, err
	}
	if err = v.sqlViews(ctx, tree.views, tree.times()); err != nil {
		return nil, err
	}
	if err = v.checkPlan(ctx, text); err != nil {
		return nil, ofTheText(err)
	}
	answer, err := v.sqlRows(ctx, text, q)
	return answer, ofTheText(err)
}

// sqlRows reads the answer.
func (v *view) sqlRows(ctx context.Context, text string, q *store.SQLQuestion) (*store.SQLAnswer, error) {
	rows, err := v.tx.QueryContext(ctx, text)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	a := &store.SQLAnswer{Rows: [][]any{}}
	for _, t := range types {
		a.Columns = append(a.Columns, store.SQLColumn{Name: t.Name(), Type: t.DatabaseTypeName()})
	}
	left := q.Bytes
	for rows.Next() {
		if len(a.Rows) == q.Rows || left <= 0 {
			a.Truncated = true
			break
		}
		row, bytes, err := sqlRow(rows, a.Columns)
		if err != nil {
			return nil, err
		}
		left -= bytes
		a.Rows = append(a.Rows, row)
	}
	return a, rows.Err()
}

func sqlRow(rows *sql.Rows, columns []store.SQLColumn) (row []any, bytes int, err error) {
	row, err = scanAll(rows)
	if err != nil {
		return nil, 0, err
	}
	for i := range row {
		var n int
		row[i], n = sqlValue(row[i], columns[i].Type)
		bytes += n
	}
	return row, bytes, nil
}

// ofTheText makes a *store.SQLError of an error that is about what the statement says, or about a value that it met. What the engine
// could not do for another reason stays as it is.
func ofTheText(err error) error {
	var said *duckdb.Error
	if err != nil && strings.Contains(err.Error(), "database/sql/driver: API error") { // the driver cannot hold it: a row without names
		return store.SQLErrorf("the answer has a value of a kind that cannot be sent: cast it to VARCHAR")
	}
	if !errors.As(err, &said) || starved(err) || interrupted(err) {
		return err
	}
	switch said.Type {
	case duckdb.ErrorTypeParser, duckdb.ErrorTypeSyntax, duckdb.ErrorTypeBinder, duckdb.ErrorTypeCatalog, duckdb.ErrorTypeConversion, duckdb.ErrorTypeInvalidInput,
		duckdb.ErrorTypeOutOfRange, duckdb.ErrorTypeMismatchType, duckdb.ErrorTypeNotImplemented, duckdb.ErrorTypeExpression, duckdb.ErrorTypeInvalidType,
		duckdb.ErrorTypeInvalid, duckdb.ErrorTypeUnknownType, duckdb.ErrorTypeDivideByZero, duckdb.ErrorTypeObjectSize, duckdb.ErrorTypePlanner,
		duckdb.ErrorTypeParameterNotAllowed, duckdb.ErrorTypeParameterNotResolved, duckdb.ErrorTypeExecutor, duckdb.ErrorTypeSerialization:
		return store.SQLErrorf("%s", shortSQLError(said.Msg))
	}
	return err
}

// shortSQLError leaves out the line of the statement, which is not as it was sent, and what nobody can set here.
func shortSQLError(message string) string {
	if strings.Contains(message, "Max expression depth") || strings.Contains(message, "memory exhausted at") { // the latter is the parser's stack
		return fmt.Sprintf("the parts of the statement stand within each other deeper than %d: write it flatter", mostDepth)
	}
	message, _, _ = strings.Cut(message, "\n\nLINE ")
	return strings.TrimSpace(message)
}
