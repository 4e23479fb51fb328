package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// readParquet reads what was exported with a stock DuckDB and with pandas, and prints what both found.
const readParquet = `
import json, sys, duckdb, pandas
duckdb.sql("set TimeZone = 'UTC'")
dir = sys.argv[1]
sql = lambda q: duckdb.sql(q.replace("DIR", dir)).fetchall()
frame = pandas.read_parquet(dir + "/observations")
found = {
    "views": sql("select count(*) from 'DIR/*/*.parquet'")[0][0] > 0,
    "duckdb": sql("select model, count(*), sum(counted_cost) from 'DIR/observations/*.parquet' group by 1 order by 1"),
    "pandas": [[m, len(g), float(g.counted_cost.sum())] for m, g in frame.groupby("model")],
    "types": [r[0] for r in sql("select distinct typeof(start_time) from 'DIR/observations/*.parquet'")] + [str(frame.start_time.dtype.kind), str(frame.prompt_tokens.dtype)],
    "tags": sql("select tags from 'DIR/traces/*.parquet' order by id limit 1")[0][0],
    "moment": str(sql("select min(start_time) from 'DIR/observations/*.parquet'")[0][0]),
    "events": sql("select count(*), count(distinct seq) from 'DIR/events/*.parquet'")[0],
}
print(json.dumps(found))
`

// Views exported as Parquet, a file a day, are read by a stock DuckDB and by pandas, and have what SQL says. A day has more rows than an answer.
func TestParquetIsReadByOthers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	python := pythonWith(t, dir, "duckdb==1.5.1", "pandas==2.3.3", "pyarrow==22.0.0")
	n := rig.Start(t, bin, filepath.Join(dir, "data"))
	day := time.Date(2026, 3, 1, 23, 0, 0, 1000, time.UTC)
	const rows = 12_000
	sent := 0
	for sent < rows {
		req := &brokle.BatchRequest{}
		for range 1000 {
			at := day.Add(time.Duration(sent/3) * time.Second) // three of each moment, and on into the next day
			payload := fmt.Sprintf(`{"id":"o%d","trace_id":"t%d","name":"n","type":"generation","model":"m%d","prompt_tokens":3,"total_cost":0.25,"start_time":%q}`, sent, sent/10, sent%3, at.Format(time.RFC3339Nano))
			req.Events = append(req.Events, brokle.Event{ID: fmt.Sprintf("e%d", sent), Type: brokle.ObservationCreate, Payload: json.RawMessage(payload)})
			sent++
		}
		if answer, _, err := n.Post(t.Context(), http.DefaultClient, req); err != nil || answer.ProcessedEvents != 1000 {
			t.Fatalf("%+v, %v", answer, err)
		}
	}
	tagged := brokle.Event{ID: "tagged", Type: brokle.TraceCreate, Payload: json.RawMessage(`{"id":"t0","name":"first","tags":["b","a"],"timestamp":"2026-03-01T23:00:00Z"}`)}
	if answer, _, err := n.Post(t.Context(), http.DefaultClient, &brokle.BatchRequest{Events: []brokle.Event{tagged}}); err != nil || answer.ProcessedEvents != 1 {
		t.Fatalf("%+v, %v", answer, err)
	}
	if err := n.AwaitCount(t.Context(), rows+1); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, "out")
	export := exec.CommandContext(t.Context(), bin.Path, "export", "--host", n.URL, "--api-key", rig.Key, "--format", "parquet", to)
	if out, err := export.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(to, "observations", "*"))
	if err != nil || len(files) != 2 || filepath.Base(files[0]) != "2026-03-01.parquet" || filepath.Base(files[1]) != "2026-03-02.parquet" {
		t.Errorf("files of observations: %v", files)
	}
	out, err := exec.CommandContext(t.Context(), python, "-c", readParquet, to).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := `{"views": true, "duckdb": [["m0", 4000, 1000.0], ["m1", 4000, 1000.0], ["m2", 4000, 1000.0]], "pandas": [["m0", 4000, 1000.0], ["m1", 4000, 1000.0], ["m2", 4000, 1000.0]], ` +
		`"types": ["TIMESTAMP WITH TIME ZONE", "M", "int64"], "tags": ["a", "b"], "moment": "2026-03-01 23:00:00.000001+00:00", "events": [12001, 12001]}`
	if got := strings.TrimSpace(string(out)); got != want {
		t.Errorf("\n%s\n%s", got, want)
	}
}
