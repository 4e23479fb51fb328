package server

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// sql posts a statement.
func (h *house) sql(body, accept string, header ...string) (*http.Response, string) {
	h.tb.Helper()
	req, err := http.NewRequestWithContext(h.tb.Context(), http.MethodPost, h.url+"/v1/sql", strings.NewReader(body))
	if err != nil {
		h.tb.Fatal(err)
	}
	req.Header.Set("X-API-Key", h.key)
	req.Header.Set("Content-Type", "application/json")
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.tb.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		h.tb.Fatal(err)
	}
	return resp, string(answer)
}

func TestSQL(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.tenant("other")
	h.post(
		event("s1", "trace_create", `{"id":"t1","name":"=cmd","user_id":"u","tags":["a","b"]}`),
		event("s2", "observation_create", `{"id":"o1","trace_id":"t1","name":"chat","type":"generation","model":"m","total_cost":0.25,"start_time":"2026-03-01T09:00:00.000001Z"}`))
	const text = `{"query":"select t.name, o.total_cost, o.start_time, t.tags from traces t join observations o on o.trace_id = t.id"}`
	resp, body := h.sql(text, "")
	var a struct {
		Columns   []store.SQLColumn
		Rows      json.RawMessage
		Truncated *bool
		TookMS    *float64 `json:"took_ms"`
	}
	if err := json.Unmarshal([]byte(body), &a); err != nil || resp.StatusCode != http.StatusOK || a.Truncated == nil || a.TookMS == nil {
		t.Fatalf("%d %s: %v", resp.StatusCode, body, err)
	}
	if got := fmt.Sprint(a.Columns, string(a.Rows)); got != `[{name VARCHAR} {total_cost DOUBLE} {start_time TIMESTAMP} {tags VARCHAR[]}][["=cmd",0.25,"2026-03-01T09:00:00.000001Z",["a","b"]]]` {
		t.Error(got)
	}
	resp, body = h.sql(text, "text/csv")
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || resp.Header.Get("Content-Type") != "text/csv; charset=utf-8" || fmt.Sprint(rows) != `[[name total_cost start_time tags] ['=cmd 0.25 2026-03-01T09:00:00.000001Z ["a","b"]]]` || resp.Header.Get("Brokle-Truncated") != "false" {
		t.Errorf("%v %q, %v", resp.Header, rows, err)
	}
	resp, body = h.sql(text, "application/vnd.apache.parquet")
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(body, "PAR1") || !strings.HasSuffix(body, "PAR1") {
		t.Errorf("%d %q", resp.StatusCode, body[:min(len(body), 100)])
	}
	if _, body = h.sql(`{"query":"select * from range(5)","limit":3}`, ""); !strings.Contains(body, `"rows":[[0],[1],[2]],"truncated":true`) {
		t.Error(body)
	}
	if _, body = h.sql(`{"query":"select 170141183460469231731687303715884105727, 0.1::decimal(3,2)"}`, ""); !strings.Contains(body, `"rows":[[170141183460469231731687303715884105727,0.1]]`) {
		t.Error(body)
	}
}

func TestSQLRefusals(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	ingests := h.newKey("one", "ingest")
	for _, c := range []struct {
		body, accept string
		header       []string
		status       int
		says         string
	}{
		{`{"query":"select 1; select 2"}`, "", nil, 400, `"code":"invalid_sql"`}, {`{"query":"delete from traces"}`, "", nil, 400, `"code":"invalid_sql"`},
		{`{"query":"select * from read_csv('/etc/passwd')"}`, "", nil, 400, "read_csv"}, {`{"query":""}`, "", nil, 400, `"code":"invalid_body"`}, {`{"query":"select 1","limit":0}`, "", nil, 400, "1 to 10000"},
		{`{"query":"select 1","limit":10001}`, "", nil, 400, "1 to 10000"}, {`{"query":"select 1","project":"other"}`, "", nil, 400, `"code":"invalid_body"`}, {`select 1`, "", nil, 400, `"code":"invalid_body"`},
		{`{"query":"select 1"} {}`, "", nil, 400, `"code":"invalid_body"`}, {`{"query":"select ` + strings.Repeat("1+", 40_000) + `1"}`, "", nil, 400, "at most"},
		{`{"query":"` + strings.Repeat(" ", maxSQLBody) + `"}`, "", nil, 413, `"code":"body_too_large"`}, {`{"query":"select 1"}`, "image/png", nil, 406, `"code":"not_acceptable"`},
		{`{"query":"select 1"}`, "", []string{"Content-Type", "text/plain"}, 415, "Content-Type"}, {`{"query":"select 1"}`, "", []string{"X-API-Key", ingests}, 403, "scope"}, {`{"query":"select 1"}`, "", []string{"X-API-Key", "bk_wrong"}, 401, "unauthorized"},
	} {
		resp, body := h.sql(c.body, c.accept, c.header...)
		if resp.StatusCode != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%.80s: %d %s", c.body, resp.StatusCode, body)
		}
	}
}

// slowSQL answers when it is told to, or its context ends.
type slowSQL struct {
	begun, ended atomic.Int64
	release      chan struct{}
}

func (s *slowSQL) SQL(ctx context.Context, _ string, _ store.SQLQuestion) (*store.SQLAnswer, error) {
	s.begun.Add(1)
	defer s.ended.Add(1)
	select {
	case <-s.release:
		return &store.SQLAnswer{Rows: [][]any{}}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// One statement is worked at at a time; others wait, and get a 503. One that takes too long is a 504, and one whose client goes ends.
func TestSQLTurns(t *testing.T) {
	t.Parallel()
	slow := &slowSQL{release: make(chan struct{})}
	h := open(t, setup{options: func(o *Options) { o.SQL, o.SQLTimeout, o.QueryWait = slow, 10*time.Second, 50*time.Millisecond }})
	ctx, leave := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+"/v1/sql", strings.NewReader(`{"query":"select 1"}`))
		if err == nil {
			req.Header.Set("X-API-Key", h.key)
			req.Header.Set("Content-Type", "application/json")
			_, err = http.DefaultClient.Do(req)
		}
		first <- err
	}()
	watch.Until(t, "the first is worked at", func() bool { return slow.begun.Load() == 1 })
	if resp, body := h.sql(`{"query":"select 2"}`, ""); resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || !strings.Contains(body, "one at a time") {
		t.Errorf("beside another: %d %s", resp.StatusCode, body)
	}
	leave()
	if err := <-first; err == nil {
		t.Error("the client that left has an answer")
	}
	watch.Until(t, "the first has ended", func() bool { return slow.ended.Load() == 1 })
	close(slow.release)
	watch.Until(t, "there is a turn again", func() bool { resp, _ := h.sql(`{"query":"select 3"}`, ""); return resp.StatusCode == http.StatusOK })

	late := open(t, setup{options: func(o *Options) { o.SQL, o.SQLTimeout = &slowSQL{}, 50*time.Millisecond }})
	if resp, body := late.sql(`{"query":"select 1"}`, ""); resp.StatusCode != http.StatusGatewayTimeout || !strings.Contains(body, `"code":"query_timeout"`) {
		t.Errorf("too long: %d %s", resp.StatusCode, body)
	}
}
