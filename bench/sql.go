package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/store/duckstore"
	"github.com/brokle-ai/brokle-go/internal/store/sqlview"
)

// stockScript has a DuckDB out of PyPI write the views of a warehouse as Parquet, and answer from that.
//
//go:embed sql.py
var stockScript string

// duckdbPython is the package in which the stock DuckDB is.
const duckdbPython = "duckdb==1.5.1"

const sqlRuns = 5

// sessionsOfTraces is the view sessions of a DuckDB that has the traces as Parquet.
const sessionsOfTraces = `SELECT session_id AS id, list(DISTINCT user_id) AS user_ids, list(DISTINCT environment) AS environments, count(*) AS trace_count, sum(observation_count) AS observation_count,
	sum(error_count) AS error_count, sum(total_tokens) AS total_tokens, sum(total_cost) AS total_cost, sum(unpriced_count) AS unpriced_count, bool_or(status = 'error') AS has_error,
	min(start_time) AS first_seen, max(greatest(start_time, end_time)) AS last_seen FROM traces WHERE session_id IS NOT NULL GROUP BY session_id`

// measureSQL asks the ten questions of docs/sql.md over HTTP, of as many observations as -events says, and a stock DuckDB the same of Parquet files in which are the same rows.
func measureSQL(ctx context.Context, o options, to *report) (err error) {
	questions, err := documentedSQL()
	if err != nil {
		return err
	}
	l, err := newLoadOf(o, brokleWire(), sqlCall)
	if err != nil {
		return err
	}
	s, dir := brokleSide(o, l), o.data
	if dir == "" {
		dir = o.roundDir("sql", 0)
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	_, statErr := os.Stat(dir)
	p, err := s.start(ctx, dir)
	if err != nil {
		return err
	}
	stopped := false
	defer func() {
		if !stopped {
			err = errors.Join(err, p.stop())
		}
	}()
	if statErr != nil { // nothing was there
		if _, _, err := l.fire(p.url, o); err != nil {
			return err
		}
	}
	if err := s.waitQueryable(ctx, p.url, o.events); err != nil {
		return err
	}
	if err := s.settled(ctx, dir, p); err != nil {
		return err
	}
	ours := make([][]float64, len(questions))
	for range sqlRuns {
		for i, q := range questions {
			took, err := askBench(ctx, p.url, q)
			if err != nil {
				return fmt.Errorf("%s: %w", q, err)
			}
			ours[i] = append(ours[i], took)
		}
	}
	stopped = true
	if err := p.stop(); err != nil {
		return err
	}
	stock, err := askStock(ctx, o, filepath.Join(dir, "warehouse.duckdb"), questions)
	if err != nil {
		return err
	}
	to.line("%d events, ten a trace: eight observations, a score, and who it is of. Median of %d runs in ms, over HTTP and with all settings as they are (one thread, 128 MiB, of which a question has twice as much), beside DuckDB %s on Parquet (zstd) of the same rows, which adds sessions up from the traces, too, with one thread and with all processors.\nTo be: at most 2 times DuckDB with one thread.\n",
		o.events, sqlRuns, stock.Version)
	to.line("| question | brokle | DuckDB, one thread | times | DuckDB, all | times |\n| --- | ---: | ---: | ---: | ---: | ---: |")
	for i := range questions {
		own, one, all := middle(ours[i]), middle(stock.One[i]), middle(stock.All[i])
		to.line("| %d | %.1f | %.1f | %.2f | %.1f | %.2f |", i+1, own, one, own/one, all, own/all)
	}
	return nil
}

func middle(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// documentedSQL are the statements of docs/sql.md.
func documentedSQL() (all []string, err error) {
	page, err := os.ReadFile("../docs/sql.md")
	if err != nil {
		return nil, err
	}
	for _, m := range regexp.MustCompile("(?m)^### \\d+\\. .+\n\n```sql\n((?:.+\n)+)```").FindAllSubmatch(page, -1) {
		all = append(all, string(m[1]))
	}
	if len(all) != 10 {
		return nil, fmt.Errorf("docs/sql.md has %d questions", len(all))
	}
	return all, nil
}

// sqlCall is one of ten events of a trace: who it is of, an agent, seven calls, all errors now and then, and a score, whose observation is that of no trace here.
func sqlCall(rng *rand.Rand, i int) brokle.Event {
	payload, typ := "", brokle.ObservationCreate
	switch i % eventsPerTrace {
	case 0:
		typ = brokle.TraceUpdate
		payload = fmt.Sprintf(`"name":"chat-%d","user_id":"user-%d","session_id":"session-%d"`, rng.IntN(8), rng.IntN(5000), rng.IntN(20_000))
	case 1:
		payload = fmt.Sprintf(`"name":"agent","type":"agent","latency_ms":%d`, 200+rng.IntN(4000))
	case eventsPerTrace - 1:
		typ = brokle.QualityScoreCreate
		payload = fmt.Sprintf(`"observation_id":"%s","name":"helpful","value":%d,"data_type":"NUMERIC"`, brokle.NewID(), rng.IntN(2))
	default:
		level := "DEFAULT"
		if rng.IntN(50) == 0 {
			level = "ERROR"
		}
		payload = fmt.Sprintf(`"name":"step-%d","type":"generation","model":"model-%d","provider":"provider-%d","level":"%s","prompt_tokens":%d,"completion_tokens":%d,"total_cost":%g,"time_to_first_token_ms":%d,"latency_ms":%d`,
			i%eventsPerTrace, rng.IntN(12), rng.IntN(4), level, 50+rng.IntN(900), 20+rng.IntN(400), float64(rng.IntN(100_000))/1e7, 50+rng.IntN(900), 200+rng.IntN(4000))
	}
	return brokle.Event{Type: typ, Payload: json.RawMessage(fmt.Sprintf(`{"trace_id":"%s",%s}`, brokle.NewID(), payload))}
}

// askBench asks in SQL and says how many ms that took.
func askBench(ctx context.Context, url, sql string) (ms float64, err error) {
	body, err := json.Marshal(map[string]any{"query": sql, "limit": 10_000})
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/sql", strings.NewReader(string(body)))
	if err != nil {
		return 0, err
	}
	req.Header.Set("X-API-Key", benchKey)
	req.Header.Set("Content-Type", "application/json")
	begin := time.Now()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var answer struct {
		Rows  []json.RawMessage
		Error json.RawMessage
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return 0, err
	}
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%d %s", resp.StatusCode, answer.Error)
	}
	return float64(time.Since(begin).Microseconds()) / 1000, nil
}

// stockTimes are the times of a stock DuckDB, in ms, by question and run.
type stockTimes struct {
	Version  string
	One, All [][]float64
}

// askStock has a stock DuckDB answer.
func askStock(ctx context.Context, o options, warehouse string, questions []string) (*stockTimes, error) {
	dir, err := os.MkdirTemp(o.dir, "stock-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	python := filepath.Join(dir, "venv", "bin", "python")
	for _, args := range [][]string{{"python3", "-m", "venv", filepath.Join(dir, "venv")}, {python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", duckdbPython}} {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("%v: %w", args, err)
		}
	}
	views := map[string]string{}
	for _, v := range sqlview.Views() {
		if v.Name != "sessions" { // which no table has: they are added up
			views[v.Name] = duckstore.ViewSQL("w", "default", &v)
		}
	}
	job, err := json.Marshal(map[string]any{"warehouse": warehouse, "dir": dir, "views": views, "sessions": sessionsOfTraces, "questions": questions, "runs": sqlRuns})
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, python, "-c", stockScript)
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(job)), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the stock DuckDB: %w", err)
	}
	t := &stockTimes{}
	return t, json.Unmarshal(out, t)
}
