package daemon

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/watch"
)

// question is one of docs/sql.md.
type question struct{ title, sql string }

// documentedQuestions reads the ten of docs/sql.md.
func documentedQuestions(t testing.TB) []question {
	t.Helper()
	page, err := os.ReadFile("../../docs/sql.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []question
	for _, m := range regexp.MustCompile("(?m)^### \\d+\\. (.+)\n\n```sql\n((?:.+\n)+)```").FindAllSubmatch(page, -1) {
		all = append(all, question{string(m[1]), strings.TrimSpace(string(m[2]))})
	}
	if len(all) != 10 {
		t.Fatalf("docs/sql.md has %d questions", len(all))
	}
	return all
}

// sql asks in SQL, as the key that was made at the first start.
func (n *testNode) sql(t testing.TB, sql, accept string) (int, string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": sql})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.url+"/v1/sql", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-API-Key", testKey)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// The ten questions of docs/sql.md have answers on the sample data, and sums are those of the API.
func TestDocumentedSQL(t *testing.T) {
	t.Parallel()
	n := start(t, Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey, Sample: true})
	watch.Until(t, "the sample is loaded", func() bool { return strings.Contains(n.log.String(), "sample loaded") })
	for _, q := range documentedQuestions(t) {
		status, body := n.sql(t, q.sql, "application/json")
		var a struct {
			Columns []struct{ Name string }
			Rows    [][]any
		}
		if err := json.Unmarshal([]byte(body), &a); status != http.StatusOK || err != nil {
			t.Errorf("%s: %d %s", q.title, status, body)
			continue
		}
		if len(a.Rows) == 0 || len(a.Columns) < 3 {
			t.Errorf("%s: %d rows of %d columns", q.title, len(a.Rows), len(a.Columns))
		}
	}
	var stats struct{ Data []map[string]float64 }
	_, body := n.get(t, testKey, "/v1/stats?of=observations&metrics=count,tokens,cost")
	if err := json.Unmarshal([]byte(body), &stats); err != nil || len(stats.Data) != 1 {
		t.Fatalf("%s: %v", body, err)
	}
	_, body = n.sql(t, "select count(*), sum(counted_tokens), sum(counted_cost) from observations", "")
	var a struct{ Rows [][]float64 }
	if err := json.Unmarshal([]byte(body), &a); err != nil || len(a.Rows) != 1 {
		t.Fatalf("%s: %v", body, err)
	}
	for i, metric := range []string{"count", "tokens", "cost"} {
		if got, want := a.Rows[0][i], stats.Data[0][metric]; got < want*(1-1e-9) || got > want*(1+1e-9) || want == 0 {
			t.Errorf("%s: %v in SQL, %v in statistics", metric, got, want)
		}
	}
	if strings.Contains(n.log.String(), "counted_cost") {
		t.Error("the text of a statement is in the log")
	}
}

// The page offers questions of docs/sql.md, as they stand there.
func TestQuestionsOfThePage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../web/src/pages/sqlquestions.ts")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, q := range documentedQuestions(t) {
		documented[q.title] = q.sql
	}
	offered := regexp.MustCompile("title: \"(.+)\",\n +sql: `([^`]+)`").FindAllSubmatch(page, -1)
	if len(offered) < 3 {
		t.Fatalf("the page offers %d questions", len(offered))
	}
	for _, q := range offered {
		if documented[string(q[1])] != string(q[2]) {
			t.Errorf("%q on the page is not that of docs/sql.md", q[1])
		}
	}
}

func TestSQLOff(t *testing.T) {
	t.Parallel()
	n := start(t, Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey, SQL: "off"})
	if status, body := n.sql(t, "select 1", ""); status != http.StatusNotImplemented || !strings.Contains(body, "sql_off") {
		t.Errorf("%d %s", status, body)
	}
}
