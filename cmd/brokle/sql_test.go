package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/watch"
)

func TestSQL(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	vars, _ := serve(t, filepath.Join(dir, "data"))
	command(t, `{"event_type":"observation_create","payload":{"id":"o1","trace_id":"t1","name":"=a \u001b[31m","type":"generation","model":"m","total_cost":0.5,"start_time":"2026-03-01T09:00:00Z"}}
{"event_type":"trace_create","payload":{"id":"t1","name":"first","tags":["x","y"]}}`, vars, "send", "-").want(t, 0, "2 processed")
	watch.Until(t, "it can be asked for", func() bool {
		return strings.Contains(command(t, "", vars, "sql", "select count(*) as n from events").out, "2")
	})
	command(t, "", vars, "sql", "select model, count(*) as calls, sum(total_cost) as cost from observations group by 1").want(t, 0, "MODEL  CALLS  COST\nm          1   0.5\n")
	command(t, "select start_time, null as nothing from observations", vars, "sql", "-").want(t, 0, "2026-03-01 09:00:00.000  -")
	if out := command(t, "", vars, "sql", "select name from observations").want(t, 0).out; strings.Contains(out, "\x1b") {
		t.Errorf("a control character reaches the terminal: %q", out)
	}
	command(t, "", vars, "sql", "--json", "select id, total_cost, [1, null] as list from observations").want(t, 0, `[
  {"id": "o1", "total_cost": 0.5, "list": [1,null]}
]`)
	command(t, "", vars, "sql", "--json", "select 1 where false").want(t, 0, "[\n]")
	command(t, "", vars, "sql", "--csv", "select name, total_cost from observations").want(t, 0, "name,total_cost\r\n'=a \x1b[31m,0.5")
	command(t, "", vars, "sql", "--limit", "2", "select * from range(3)").want(t, 0, "there are more rows")
	command(t, "", vars, "sql", "--csv", "--limit", "2", "select * from range(3)").want(t, 0, "there are more rows")
	file := filepath.Join(dir, "q.sql")
	if err := os.WriteFile(file, []byte("-- which\nselect id from traces -- these\n;"), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, "", vars, "sql", "-f", file).want(t, 0, "ID\nt1\n")
	to := filepath.Join(dir, "a.parquet")
	command(t, "", vars, "sql", "--parquet", to, "select * from traces").want(t, 0)
	if b, err := os.ReadFile(to); err != nil || !strings.HasPrefix(string(b), "PAR1") || !strings.HasSuffix(string(b), "PAR1") {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	command(t, "", vars, "sql", "select * from nothing").want(t, 1, "invalid_sql", "there is no view")
	command(t, "", vars, "sql", "drop table traces").want(t, 1, "only a SELECT")
	command(t, "", vars, "sql").want(t, 2, "statement in quotes")
	command(t, "", vars, "sql", "-f", file, "select 1").want(t, 2, "not both")
	command(t, "", vars, "sql", "-f", filepath.Join(dir, "none")).want(t, 1, "no such file")
	command(t, "", vars, "sql", "--limit", "0", "select 1").want(t, 1, "1 to 10000")

	out := filepath.Join(dir, "out")
	command(t, "", vars, "export", "--format", "parquet", "--view", "traces", "--view", "observations", out).want(t, 0, "2 rows exported into 2 files")
	if _, err := os.Stat(filepath.Join(out, "observations", "2026-03-01.parquet")); err != nil {
		t.Error(err)
	}
	command(t, "", vars, "export", "--format", "parquet", "--from", "2026-03-02", "--view", "observations", out).want(t, 0, "0 rows exported into 0 files")
	command(t, "", vars, "export", "--format", "parquet").want(t, 2, "needs a directory")
	command(t, "", vars, "export", "--format", "parquet", "--user", "u", out).want(t, 2, "does not go with")
	command(t, "", vars, "export", "--format", "parquet", "--view", "nothing", out).want(t, 2, "there are traces")
	command(t, "", vars, "export", "--view", "traces", out).want(t, 2, "goes with --format parquet")
}
