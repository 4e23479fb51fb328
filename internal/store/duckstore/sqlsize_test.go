package duckstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// chain is a WITH of n names, each made of the one before it, which stands as @ in each.
func chain(n int, first, each, last string) string {
	parts := []string{"x0 as (" + first + ")"}
	for i := 1; i < n; i++ {
		parts = append(parts, fmt.Sprintf("x%d as (%s)", i, strings.ReplaceAll(each, "@", fmt.Sprintf("x%d", i-1))))
	}
	return "with " + strings.Join(parts, ", ") + strings.ReplaceAll(last, "@", fmt.Sprintf("x%d", n-1))
}

// nested is n times open, then what is in the middle, then n times closing.
func nested(n int, open, middle, closing string) string {
	return strings.Repeat(open, n) + middle + strings.Repeat(closing, n)
}

// Short texts whose plans are never done, or take all memory: neither the deadline nor the limit of memory ends them, so they are refused before.
func TestSQLOfAnySizeIsRefused(t *testing.T) {
	t.Parallel()
	w := twoProjects(t, 200, Options{MemoryLimit: 256 << 20, Threads: 2})
	for _, c := range []struct{ text, why string }{
		{"select " + nested(900, "[", "1", "]"), "deeper"},
		{"select " + nested(400, "{'a': ", "1", "}"), "deeper"},
		{"select " + nested(400, "abs(", "1", ")"), "deeper"},
		{"select " + strings.Repeat("1 + ", 900) + "1", "deeper"},
		{nested(400, "select * from (", "select * from traces", ")"), "deeper"},
		{chain(300, "select 1 as x", "select {'a': x} as x from @", " select x from @"), "deeper"},
		{chain(40, "select * from traces", "select * from @ a join @ b using (id)", " select 1 from @"), "more than"},
		{chain(40, "select 1 as a", "select *, * from @", " select count(*) from @"), "columns"},
		{chain(40, "select 1 as a, 2 as b", "select a.*, b.* from @ a, lateral (select a.*, a.*) b", " select count(*) from @"), "columns"},
		{chain(40, "select id from traces", "select id from @ union all select id from @", " select count(*) from @"), "times"},
		{chain(30, "select 1 as a, 2 as b", "select r.x as x, r.x as y from (select @ as x from @) r", " select count(*) from @"), "columns"},
		{chain(30, "select 1 as a, 2 as b", "select unnest(r), unnest(r) from (select @ as r from @)", " select count(*) from @"), "columns"},
		{"with recursive r as (select 1 as a, 2 as b union all (with y as (select p.*, q.* from r p, r q), " +
			strings.TrimPrefix(chain(30, "select * from y", "select p.*, q.* from @ p, @ q", ""), "with ") + " select 1, 2 from x29)) select * from r", "columns"},
		{"select count(*) from traces t where id = " + nested(20, "(select max(id) from traces x where x.id = t.id and x.id <> ", "'a'", ")"), "deeper"},
		{"select " + nested(40, "(select ", "1", ")"), "deeper"},
		{"select " + strings.TrimSuffix(strings.Repeat("*, ", 100), ", ") + " from observations", "columns"},
		{"select count(*) from traces" + strings.Repeat(", traces", 150), "columns"},
	} {
		short := c.text[:min(len(c.text), 90)]
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		_, err := askSQL(ctx, w, c.text)
		cancel()
		var refused *store.SQLError
		if !errors.As(err, &refused) || !strings.Contains(refused.Message, c.why) {
			t.Errorf("%s: %v does not say %q", short, err, c.why)
		}
	}
}

// What people write stays far below the bounds.
func TestSQLOfUsualSizeIsTaken(t *testing.T) {
	t.Parallel()
	w := twoProjects(t, 200, Options{MemoryLimit: 256 << 20, Threads: 2})
	for _, text := range []string{
		"select " + nested(20, "coalesce(", "name", ", 'x')") + " from traces",
		"select " + strings.Repeat("name || ", 60) + "'' from traces limit 1",
		"select count(*) from traces where " + strings.Repeat("id = 'x' or ", 300) + "false",
		nested(10, "select * from (", "select * from traces", ")"),
		chain(20, "select id, name, total_cost from traces", "select id, name, total_cost from @ where id <> 'x'", " select count(*) from @"),
		"select t.*, o.*, s.* from traces t join observations o on o.trace_id = t.id left join scores s on s.trace_id = t.id limit 1",
		"select 1" + strings.Repeat(" union all select 1", 60),
		"select count(t), max(t.id) from traces t",
		"with recursive r as (select 1 as n union all select n + 1 from r where n < 50) select count(*) from r",
		"with model as (select model, count(*) as n from observations group by 1) select model, n from model",
	} {
		if _, err := askSQL(t.Context(), w, text); err != nil {
			t.Errorf("%s: %v", text[:min(len(text), 90)], err)
		}
	}
}
