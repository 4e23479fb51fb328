package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go/internal/columnar"
	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/store/sqlview"
)

// Views are written by asking in SQL, as anybody may, so that it works with every warehouse: which days a view has, then each day in the order of time, a
// page at a time. A page that was cut goes on behind its last moment, and passes over the rows of that moment that were there.

// parquetPage is how many rows one question asks for.
const parquetPage = 10_000

// parquetExport writes a file for each view and day, DIR/VIEW/2026-03-01.parquet.
type parquetExport struct {
	c        *cli.Command
	dir      string
	from, to time.Time
	days     int
	rows     int
}

func exportParquet(ctx context.Context, c *cli.Command, std streams) error {
	dir := c.Args().First()
	if dir == "" || dir == "-" {
		return &usageError{c.FullName(), errors.New("--format parquet needs a directory: there is a file in it for each view and day")}
	}
	for _, flag := range []string{"environment", "trace", "user", "zstd"} {
		if c.IsSet(flag) {
			return &usageError{c.FullName(), fmt.Errorf("--%s does not go with --format parquet; brokle sql --parquet writes what a statement selects", flag)}
		}
	}
	views, err := parquetViews(c)
	if err != nil {
		return err
	}
	x := &parquetExport{c: c, dir: dir}
	if x.from, x.to, err = parseSpan(c); err != nil {
		return err
	}
	start := time.Now()
	for _, v := range views {
		if err := x.view(ctx, &v, std); err != nil {
			return explain(fmt.Errorf("export %s: %w", v.Name, err), c)
		}
	}
	_, err = fmt.Fprintf(std.err, "%d rows exported into %d files (%s)\n", x.rows, x.days, time.Since(start).Round(time.Millisecond))
	return err
}

// parquetViews are those that --view names; all without it.
func parquetViews(c *cli.Command) ([]sqlview.View, error) {
	all := sqlview.Views()
	names := c.StringSlice("view")
	if len(names) == 0 {
		return all, nil
	}
	var views []sqlview.View
	for _, name := range names {
		v, ok := sqlview.Named(name)
		if !ok {
			return nil, &usageError{c.FullName(), fmt.Errorf("--view is %q: there are traces, observations, scores, events and sessions", name)}
		}
		views = append(views, v)
	}
	return views, nil
}

// view writes the days of a view.
func (x *parquetExport) view(ctx context.Context, v *sqlview.View, std streams) error {
	a, err := askSQL(ctx, x.c, fmt.Sprintf("SELECT date_trunc('day', %[1]s) AS day, count(*) AS n FROM %[2]s%[3]s GROUP BY 1 ORDER BY 1", v.Day, v.Name, x.span(v, x.from, x.to)), parquetPage)
	if err != nil {
		return err
	}
	for _, row := range a.Rows {
		text, ok := row[0].(string)
		if !ok || len(text) < len(time.DateOnly) {
			continue // rows without a time
		}
		day, err := time.Parse(time.DateOnly, text[:len(time.DateOnly)])
		if err != nil {
			return fmt.Errorf("the server names a day %q", text)
		}
		if err := x.day(ctx, v, day); err != nil {
			return fmt.Errorf("%s: %w", text[:len(time.DateOnly)], err)
		}
	}
	_, err = fmt.Fprintf(std.err, "%s: days with rows: %d\n", v.Name, len(a.Rows))
	return err
}

// sqlTime is a time as both warehouses read it in a comparison.
func sqlTime(t time.Time) string { return "'" + t.UTC().Format("2006-01-02 15:04:05.000000") + "'" }

// span is the condition of a view's rows of a time.
func (x *parquetExport) span(v *sqlview.View, from, to time.Time) string {
	var all []string
	if !from.IsZero() {
		all = append(all, v.Day+" >= "+sqlTime(from))
	}
	if !to.IsZero() {
		all = append(all, v.Day+" < "+sqlTime(to))
	}
	if all == nil {
		return ""
	}
	return " WHERE " + strings.Join(all, " AND ")
}

// day writes one file. It is there once it is complete.
func (x *parquetExport) day(ctx context.Context, v *sqlview.View, day time.Time) error {
	dir := filepath.Join(x.dir, v.Name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	name := filepath.Join(dir, day.Format(time.DateOnly)+".parquet")
	file, err := os.OpenFile(name+".part", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(file, 1<<20)
	rows, err := x.pages(ctx, v, day, columnar.NewWriter(buffered, parquetColumns(v)))
	for _, step := range []func() error{buffered.Flush, file.Sync} {
		if err == nil {
			err = step()
		}
	}
	_ = file.Close() // synced before, or not to be kept
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return err
	}
	x.days, x.rows = x.days+1, x.rows+rows
	return durable.SyncDir(dir)
}

// pages asks for the rows of a day and writes them: of a stretch of time after the other, each as long as fits into an answer.
func (x *parquetExport) pages(ctx context.Context, v *sqlview.View, day time.Time, out *columnar.Writer) (rows int, err error) {
	from, to := day, day.AddDate(0, 0, 1)
	if x.from.After(from) {
		from = x.from
	}
	if !x.to.IsZero() && x.to.Before(to) {
		to = x.to
	}
	order := slices.IndexFunc(v.Columns, func(c sqlview.Column) bool { return c.Name == v.Day })
	names := make([]string, len(v.Columns))
	for i, c := range v.Columns {
		names[i] = c.Name
	}
	stretch, seen := to.Sub(from), 0
	for from.Before(to) {
		end := from.Add(stretch)
		if end.After(to) {
			end = to
		}
		text := fmt.Sprintf("SELECT %s FROM %s%s ORDER BY %s LIMIT %d OFFSET %d", strings.Join(names, ", "), v.Name, x.span(v, from, end), v.Order(), parquetPage, seen)
		a, err := askSQL(ctx, x.c, text, parquetPage)
		if err != nil {
			return rows, err
		}
		if len(a.Rows) > 0 {
			if err = out.Write(a.Rows); err != nil {
				return rows, err
			}
		}
		rows += len(a.Rows)
		if len(a.Rows) < parquetPage && !a.Truncated {
			from, seen = end, 0
			if len(a.Rows) < parquetPage/4 {
				stretch *= 2
			}
			continue
		}
		if from, seen, err = behind(a.Rows, order, from, seen); err != nil {
			return rows, err
		}
		stretch = max(stretch/2, time.Millisecond)
	}
	return rows, out.Close()
}

// behind is the last moment of a page, and how many rows of it there were.
func behind(rows [][]any, order int, from time.Time, seen int) (time.Time, int, error) {
	if len(rows) == 0 {
		return from, seen, errors.New("one row is larger than an answer may be")
	}
	text, _ := rows[len(rows)-1][order].(string)
	last, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return from, seen, fmt.Errorf("the server names a time %q", text)
	}
	n := 0
	for _, row := range slices.Backward(rows) {
		if row[order] != text {
			break
		}
		n++
	}
	if last.Equal(from) { // it goes on within one moment
		n = seen + len(rows)
	}
	return last, n, nil
}

// parquetColumns are the columns of a file, which are the same whatever is in it.
func parquetColumns(v *sqlview.View) []columnar.Column {
	kinds := map[sqlview.Type]columnar.Kind{sqlview.Integer: columnar.Integer, sqlview.Number: columnar.Number, sqlview.Time: columnar.Time, sqlview.List: columnar.Texts, sqlview.Flag: columnar.Flag}
	columns := make([]columnar.Column, len(v.Columns))
	for i, c := range v.Columns {
		columns[i] = columnar.Column{Name: c.Name, Kind: kinds[c.Type]}
	}
	return columns
}
