package duckstore

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// What a statement says of a view's times is said of the table's numbers where that leaves out nothing that it asks for, and nowhere else.
func TestSQLTimes(t *testing.T) {
	t.Parallel()
	w := twoProjects(t, 400, Options{})
	for _, c := range []struct{ text, want string }{
		{"select * from traces where start_time >= '2026-03-01 09:00:10' and (start_time < '2026-03-01 09:01' and name is not null)",
			`traces "start_time" >= epoch_us(TIMESTAMP '2026-03-01 09:00:10') "start_time" < epoch_us(TIMESTAMP '2026-03-01 09:01')`},
		{"select count(*) from (select * from Events where '2026-03-01' < Received_At and timestamp = '2026-03-01 09:00:00.5')", `events "received" > epoch_us(TIMESTAMP '2026-03-01') "ts" = epoch_us(TIMESTAMP '2026-03-01 09:00:00.5')`},
		{"select * from observations where end_time <= '2026-03-01'", `observations "end_time" <= epoch_us(TIMESTAMP '2026-03-01')`},
		{"select * from scores join traces using (id) where timestamp > '2026-03-01'", ""},
		{"select * from traces where start_time > '2026-03-01' or name = 'x'", ""}, {"select * from traces where not start_time > '2026-03-01'", `traces "start_time" <= epoch_us(TIMESTAMP '2026-03-01')`}, {"select * from traces where not (start_time > '2026-03-01' and name = 'x')", ""}, {"select * from traces where start_time <> '2026-03-01'", ""},
		{"select * from traces where start_time > '2026-03-01' union all select * from traces", ""}, {"select * from traces where id in (select id from traces) and start_time > '2026-03-01'", ""},
		{"select * from traces where start_time > '2026-03-01''; x' or true", ""}, {"select * from traces where start_time > 'tomorrow'", ""}, {"select * from traces where start_time > '2026-03-01T00:00:00+02:00'", ""},
		{"select * from traces where name > '2026-03-01'", ""}, {"select * from sessions where first_seen > '2026-03-01'", ""}, {"select * from traces where start_time > end_time", ""},
	} {
		err := w.ask(t.Context(), "default", "times", func(ctx context.Context, v *view) error {
			tree, err := v.sqlTree(ctx, c.text)
			if err != nil {
				return err
			}
			var got []string
			for name, conditions := range tree.times() {
				if len(conditions) > 0 {
					got = append(append(got, name), conditions...)
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%s: %v, want %s", c.text, got, c.want)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		}
	}
	for _, view := range []string{"traces.start_time", "traces.end_time", "observations.start_time", "observations.end_time", "scores.timestamp", "events.timestamp", "events.received_at", "events.start_time"} {
		table, column, _ := strings.Cut(view, ".")
		for _, sign := range []string{">", ">=", "=", "<=", "<"} {
			for _, at := range []string{"2026-03-01 09:00:00", "2026-03-01 09:00:01.4"} {
				one := fmt.Sprintf("select count(*) from %s where %s %s '%s'", table, column, sign, at)
				whole := fmt.Sprintf("select count(*) filter (%s %s '%s') from %s", column, sign, at, table)
				if got, want := answerOf(t, w, one), answerOf(t, w, whole); got != want {
					t.Errorf("%s: %s, of all rows %s", one, got, want)
				}
			}
		}
	}
}

// By such a condition the scan itself passes over rows.
func TestSQLTimesAreScanned(t *testing.T) {
	t.Parallel()
	w := twoProjects(t, 400, Options{})
	const text = "select name from observations where start_time >= '2026-03-01 09:00:01'"
	err := w.ask(t.Context(), "default", "plan", func(ctx context.Context, v *view) error {
		tree, err := v.sqlTree(ctx, text)
		if err != nil {
			return err
		}
		if err := v.sqlViews(ctx, tree.views, tree.times()); err != nil {
			return err
		}
		var kind, plan string
		rows, err := v.tx.QueryContext(ctx, "EXPLAIN (FORMAT json) "+text)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(&kind, &plan); err != nil {
				return err
			}
			if kind == "logical_opt" && !strings.Contains(plan, `"start_time>=1772355601000000"`) {
				t.Errorf("the scan has no condition on the time: %s", plan)
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}
