package clickhouse

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

const deployed = "../../../deploy"

// The settings in deploy/clickhouse are settings that the real engine reads and keeps to: the cluster, the profile that nodes rely on, and an account that sees no
// payload. What Grafana is given to ask, it answers.
func TestDeployedSettings(t *testing.T) {
	for name, value := range map[string]string{
		"REPLICA": "2", "INTERSERVER_HOST": "clickhouse-2", "CLICKHOUSE_USER": clickhousetest.User, "CLICKHOUSE_PASSWORD": clickhousetest.Password, "CLICKHOUSE_GRAFANA_PASSWORD": "of grafana",
	} {
		t.Setenv(name, value)
	}
	dir := t.TempDir()
	for file, to := range map[string]string{"replicas.xml": "config.d", "disk.xml": "config.d", "consistent.xml": "users.d", "grafana.xml": "users.d"} {
		text, err := os.ReadFile(filepath.Join(deployed, "clickhouse", file))
		text = regexp.MustCompile("<host>clickhouse-([1-3])</host><port>9181").ReplaceAll(text, []byte("<host>127.0.0.1</host><port>$1")) // see asFarAsItGoes
		if err == nil {
			err = os.MkdirAll(filepath.Join(dir, to), 0o700)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, to, file), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s := clickhousetest.StartIn(t, dir)
	t.Cleanup(s.Kill)
	if got := s.Do(t, "SELECT count(), uniqExact(host_name), max(shard_num), min(user) FROM system.clusters WHERE cluster = 'brokle'"); got != "3\t3\t1\t"+clickhousetest.User {
		t.Errorf("the cluster is %q", got)
	}
	if got := s.Do(t, "SELECT getMacro('shard') || getMacro('replica')"); got != "12" {
		t.Errorf("the macros are %q", got)
	}
	if got := s.Do(t, "SELECT keep_free_space FROM system.disks WHERE name = 'default'"); got != strconv.Itoa(2<<30) {
		t.Errorf("%s bytes of the disk are kept free", got)
	}
	for name, want := range map[string]string{"insert_quorum": "auto", "insert_quorum_parallel": "0", "select_sequential_consistency": "1"} {
		if got := s.Do(t, "SELECT value FROM system.settings WHERE name = '"+name+"'"); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	s.Do(t, "CREATE DATABASE brokle")
	asFarAsItGoes(t, s)
	w := openWith(t, testOptions(t, s, "brokle"))
	recs := firstOf(withRows(t, storetest.History(11, 200)))
	insert(t, w, recs, recs[len(recs)-1].Seq)
	closeOf(t, w)
	for title, text := range panels(t) {
		text = strings.NewReplacer("$__timeInterval(start_time)", "toStartOfHour(start_time)", "$__timeFilter(start_time)", "start_time > '2000-01-01 00:00:00'").Replace(text)
		if strings.Contains(text, "$__") {
			t.Errorf("%s: a macro is left in %s", title, text)
		}
		if status, answer := askGrafana(t, s, text); status != http.StatusOK {
			t.Errorf("%s: %d %s", title, status, answer)
		}
	}
	if status, answer := askGrafana(t, s, "SELECT payload FROM brokle.events LIMIT 1"); status == http.StatusOK || !strings.Contains(answer, "ACCESS_DENIED") {
		t.Errorf("payloads are shown to grafana: %d %s", status, answer)
	}
}

// asFarAsItGoes gives the engine the statements for a cluster, as each server of it would run them. Everything in them is what it knows: it comes to asking the
// Keeper, and there is none.
func asFarAsItGoes(t *testing.T, s *clickhousetest.Server) {
	t.Helper()
	for _, statement := range ClusterDDL("brokle", false) {
		statement = strings.NewReplacer(" ON CLUSTER `brokle`", "", "{uuid}", "brokle").Replace(statement)
		if _, err := s.Query(strings.Replace(statement, "EXISTS ", "EXISTS brokle.", 1)); err == nil || !strings.Contains(err.Error(), "KEEPER_EXCEPTION") {
			t.Errorf("%.80s: %v, want that only the Keeper is missing", statement, err)
		}
		wrong := strings.Replace(statement, "index_granularity =", "index_granularit =", 1)
		if _, err := s.Query(strings.Replace(wrong, "EXISTS ", "EXISTS brokle.", 1)); err == nil || strings.Contains(err.Error(), "KEEPER_EXCEPTION") {
			t.Errorf("%.80s with a setting that there is not: %v", statement, err)
		}
	}
}

// panels are the statements of the dashboard by their titles.
func panels(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deployed, "grafana", "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ RawSQL string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	statements := map[string]string{}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			statements[p.Title] = target.RawSQL
		}
	}
	if len(statements) < 3 {
		t.Fatalf("%d panels", len(statements))
	}
	return statements
}

// askGrafana asks as Grafana's account does.
func askGrafana(t *testing.T, s *clickhousetest.Server, statement string) (int, string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, fmt.Sprintf("http://127.0.0.1:%d/?database=brokle", s.HTTP), strings.NewReader(statement))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("grafana", "of grafana")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}
