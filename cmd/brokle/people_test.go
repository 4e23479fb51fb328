package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/watch"
)

// The lists of the real server, by the command line; and a pipe that ends early.
func TestLists(t *testing.T) {
	t.Parallel()
	vars, _ := serve(t, filepath.Join(t.TempDir(), "data"))
	command(t, moved(40), vars, "import", "-").want(t, 0, "160 processed")
	watch.Until(t, "all events can be queried", func() bool {
		return strings.Contains(command(t, "", vars, "query", "stats", "--of", "events").out, "160")
	})
	command(t, "", vars, "query", "sessions").want(t, 0, "s0", "s4", "TRACES", "staging")
	command(t, "", vars, "query", "users", "--where", "user_id=u3").want(t, 0, "u3", "SESSIONS")
	command(t, "", vars, "query", "environments").want(t, 0, "prod", "staging", "default")
	command(t, "", vars, "query", "events", "--limit", "2").want(t, 0, "o0-done", "observation_complete", "--all")
	command(t, "", vars, "query", "environments", "--user-id", "u1").want(t, 2, "user-id")
	command(t, "", vars, "trace", "t7").want(t, 0, "trace 7", "generation call", "ERROR", "quality    0.7", "━")
	command(t, "", vars, "trace", "t7", "--json").want(t, 0, `"observations"`)
	command(t, "", vars, "trace", "none").want(t, 1, "404")
	command(t, "", vars, "query", "session", "s0").want(t, 0, "traces        8", "staging", "t0", "t35", "INPUT")
	command(t, "", vars, "query", "session", "s0", "--json").want(t, 0, `"traces"`, `"t35"`)
	command(t, "", vars, "query", "session", "none").want(t, 1, "404")
	command(t, "", vars, "query", "session").want(t, 2, "the id of a session")

	rows := func(args ...string) int {
		r := command(t, "", vars, append([]string{"query"}, args...)...).want(t, 0)
		if strings.Contains(r.out, "(none)") {
			return 0
		}
		return strings.Count(r.out, "\n") - 1
	}
	for args, want := range map[string]int{
		"traces --all":                                           40,
		"traces --all --limit 7":                                 40,
		"traces --all --where has_error=true":                    20,
		"traces --all --where score:quality>=0.8":                8,
		"observations --all --where model=m1":                    20,
		"observations --all --where latency_ms>9499.998":         40,
		"observations --all --where latency_ms<9499.999":         0,
		"scores --all --where environment=prod":                  13,
		"events --all --limit 50 --where environment=prod":       52,
		"traces --all --where start_time<1700000010":             10,
		"traces --all --where start_time<=1700000010":            11,
		"traces --all --where start_time>1700000010 --limit 100": 29,
	} {
		if got := rows(strings.Fields(args)...); got != want {
			t.Errorf("query %s: %d rows, want %d", args, got, want)
		}
	}

	// `| head` ends a command without a word.
	sh := exec.Command("bash", "-c", `for i in 1 2 3 4 5 6 7 8; do "$0" export; done | head -n 1`, bin)
	sh.Env = append(cleanEnv(), vars...)
	var errs strings.Builder
	sh.Stderr = &errs
	out, err := sh.Output()
	if err != nil || strings.Count(string(out), "\n") != 1 || strings.Contains(errs.String(), "pipe") {
		t.Errorf("%v: %s\n%s", err, out, errs.String())
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	vars, _ := serve(t, filepath.Join(t.TempDir(), "data"))
	r := command(t, "", vars, "open", "--print").want(t, 0, "/#token=")
	if host, _ := strings.CutPrefix(vars[0], "BROKLE_HOST="); !strings.HasPrefix(r.out, host) || strings.Count(r.out, "\n") != 1 {
		t.Errorf("%q", r.out)
	}
	token := strings.TrimSpace(r.out[strings.Index(r.out, "token=")+len("token="):])
	signIn := func() int {
		host, _ := strings.CutPrefix(vars[0], "BROKLE_HOST=")
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, host+"/v1/session", strings.NewReader(`{"token":"`+token+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	if first, second := signIn(), signIn(); first != http.StatusOK || second != http.StatusUnauthorized {
		t.Errorf("the link signs in with %d, then %d", first, second)
	}
	command(t, "", append(vars, "BROKLE_API_KEY=bk_wrong_wrong_wrong"), "open", "--print").want(t, 1, "Hint:", "--api-key")
	command(t, "", nil, "open").want(t, 1, "no API key")
}

// Own prices are set from a file or standard input, and told back in the form in which they are set.
func TestPrices(t *testing.T) {
	t.Parallel()
	vars, _ := serve(t, filepath.Join(t.TempDir(), "data"))
	const own = `[{"model":"mine","input":2,"output":4}]`
	command(t, "", vars, "prices", "get").want(t, 0, "[]")
	command(t, own, vars, "prices", "set", "-", "--from", "2026-01-02T00:00:00Z").want(t, 0, "1 own prices hold for calls that start from 2026-01-02T00:00:00Z on")
	command(t, "", vars, "prices", "get").want(t, 0, `"model": "mine"`)
	command(t, "", vars, "prices", "get", "--json").want(t, 0, `"history": [`, `"book":`)
	command(t, "[\n{\"model\":\"mine\",\"input\":-1}]", vars, "prices", "set", "-").want(t, 1, "400 invalid_prices", "line 2")
	file := filepath.Join(t.TempDir(), "own.json")
	if err := os.WriteFile(file, []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, "", vars, "prices", "set", file).want(t, 0, "1 own prices hold")
	command(t, "", vars, "prices", "set").want(t, 2, "exactly one argument")
	command(t, "", vars, "prices", "set", filepath.Join(t.TempDir(), "absent")).want(t, 1, "no such file")
}

// Judges are set from a file that says their names, told back in the form in which they are set, and removed.
func TestJudges(t *testing.T) {
	t.Parallel()
	vars, _ := serve(t, filepath.Join(t.TempDir(), "data"))
	const own = `{"name":"helpful","score":{"name":"helpful","data_type":"BOOLEAN"},"kind":"llm","url":"https://judge.invalid/v1/chat/completions","key":"sk-secret","model":"m","prompt":"{{input}}","filter":"name:none","max_cost_per_day":2}`
	command(t, "", vars, "judges", "list").want(t, 0, "(none)")
	command(t, own, vars, "judges", "put", "-").want(t, 0, "helpful judges what starts from now on")
	command(t, "", vars, "judges", "list").want(t, 0, "JUDGE", "helpful", "llm", "0 of 1000")
	command(t, "", vars, "judges", "list", "--json").want(t, 0, `"today"`)
	shown := command(t, "", vars, "judges", "show", "helpful")
	shown.want(t, 0, `"url": "https://judge.invalid/********"`, `"key": "********"`, `"max_cost_per_day": 2`)
	command(t, shown.out, vars, "judges", "put", "-").want(t, 0, "helpful judges")
	command(t, `{"name":"helpful","kind":"song"}`, vars, "judges", "put", "-").want(t, 1, "400 invalid_body", "kind: it is llm or webhook")
	command(t, `{"kind":"llm"}`, vars, "judges", "put", "-").want(t, 1, "no JSON object with a name")
	command(t, "", vars, "judges", "delete", "helpful").want(t, 0, "helpful is removed")
	command(t, "", vars, "judges", "show", "helpful").want(t, 1, "404 not_found")
}

// Prompts are pushed as texts or as what get prints, and labels are moved.
func TestPrompts(t *testing.T) {
	t.Parallel()
	vars, _ := serve(t, filepath.Join(t.TempDir(), "data"))
	command(t, "", vars, "prompts", "list").want(t, 0, "(none)")
	command(t, "", vars, "prompts", "list", "--json").want(t, 0, "[]")
	file := filepath.Join(t.TempDir(), "greeting.txt")
	if err := os.WriteFile(file, []byte("Hello {{name}}!\nHow are you?\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, "", vars, "prompts", "push", file, "--label", "production", "--message", "first").want(t, 0, "greeting is version 1, with the labels latest, production")
	if r := command(t, "", vars, "prompts", "get", "greeting").want(t, 0); r.out != "Hello {{name}}!\nHow are you?\n" {
		t.Errorf("%q", r.out)
	}
	command(t, "Hi {{name}}!", vars, "prompts", "push", "-", "--name", "greeting").want(t, 0, "version 2, with the labels latest")
	command(t, "Hi", vars, "prompts", "push", "-").want(t, 1, "--name does")
	command(t, "", vars, "prompts", "get", "greeting", "--label", "production").want(t, 0, "Hello")
	command(t, "", vars, "prompts", "get", "greeting").want(t, 0, "Hi {{name}}!")
	command(t, "", vars, "prompts", "label", "greeting", "production", "2").want(t, 0, "production is on version 2 of greeting")
	command(t, "", vars, "prompts", "label", "greeting", "production", "x").want(t, 2, "whole number")
	command(t, "", vars, "prompts", "label", "greeting", "production", "9").want(t, 1, "404 not_found")
	command(t, "", vars, "prompts", "list").want(t, 0, "PROMPT", "greeting", "latest:2 production:2")
	command(t, "", vars, "prompts", "versions", "greeting").want(t, 0, "VARIABLES", "name", "first")
	shown := command(t, "", vars, "prompts", "get", "greeting", "--version", "1", "--json").want(t, 0, `"commit_message": "first"`)
	command(t, shown.out, vars, "prompts", "push", "-").want(t, 0, "greeting is version 3")
	const chat = `{"name":"agent","template":{"messages":[{"role":"system","content":"You are {{who}}."},{"role":"user","content":"{{q}}"}]}}`
	command(t, chat, vars, "prompts", "push", "-").want(t, 0, "agent is version 1")
	if r := command(t, "", vars, "prompts", "get", "agent").want(t, 0); r.out != "[system]\nYou are {{who}}.\n\n[user]\n{{q}}\n" {
		t.Errorf("%q", r.out)
	}
	command(t, "", vars, "prompts", "unlabel", "greeting", "production").want(t, 0, "production is on no version of greeting")
	command(t, "", vars, "prompts", "delete", "greeting", "--version", "1").want(t, 0, "version 1 of greeting is removed")
	command(t, "", vars, "prompts", "delete", "greeting").want(t, 0, "greeting is removed")
	command(t, "", vars, "prompts", "get", "greeting").want(t, 1, "404 not_found")
	command(t, "", vars, "prompts", "get").want(t, 2, "the name of a prompt")
}

// Alerts are set from a file that says their names, told back in the form in which they are set, tried out and removed.
func TestAlerts(t *testing.T) {
	t.Parallel()
	vars, _ := serve(t, filepath.Join(t.TempDir(), "data"))
	const own = `{"name":"errors","question":"metrics=error_rate&group_by=model","window":"5m","comparison":"above","warning":0.25,"alert":0.5,"destinations":[{"kind":"webhook","url":"https://hooks.invalid/secret"}]}`
	command(t, "", vars, "alerts", "list").want(t, 0, "(none)")
	command(t, "", vars, "alerts", "list", "--json").want(t, 0, "[]")
	at := time.Now().Add(-2 * time.Minute).UTC().Format(time.RFC3339)
	event := func(id, level string) string {
		return `{"event_type":"observation_create","payload":{"id":"` + id + `","trace_id":"t","name":"n","type":"llm","model":"m","level":"` + level + `","start_time":"` + at + `"}}` + "\n"
	}
	command(t, event("a", "ERROR")+event("b", "DEFAULT")+event("c", "DEFAULT"), vars, "send", "-").want(t, 0)
	command(t, own, vars, "alerts", "put", "-").want(t, 0, "errors is watched", "signed with whsec_", "https://hooks.invalid/********")
	var last result
	watch.Until(t, "the alert is looked at, and tried to be sent", func() bool {
		last = command(t, "", vars, "alerts", "list")
		return strings.Contains(last.out, "warning") && strings.Contains(command(t, "", vars, "alerts", "log", "errors").out, "pending")
	})
	last.want(t, 0, "ALERT", "errors", "warning", "0.333333", "error_rate", "> 0.25", "> 0.5", "5m")
	command(t, "", vars, "alerts", "list", "--csv").want(t, 0, "name,state,since,metric,comparison,warning,alert,window,question,", "\r\nerrors,warning,")
	command(t, "", vars, "alerts", "log", "errors").want(t, 0, "TOLD", "warning", "pending", "webhook https://hooks.invalid/********", "alert_")
	command(t, "", vars, "alerts", "log", "errors", "--json").want(t, 0, `"state_before": "ok"`)
	command(t, "", vars, "alerts", "test", "errors").want(t, 0, "warning  0.333333  model m", "nothing would be told")
	command(t, "", vars, "alerts", "test", "errors", "--json").want(t, 0, `"messages": []`)
	command(t, "", vars, "alerts", "test", "errors", "--send").want(t, 1, "webhook https://hooks.invalid/******** did not take the test")
	shown := command(t, "", vars, "alerts", "show", "errors")
	shown.want(t, 0, `"name": "errors"`, `"url": "https://hooks.invalid/********"`, `"secret": "********"`)
	again := command(t, shown.out, vars, "alerts", "put", "-")
	if again.want(t, 0, "errors is watched"); strings.Contains(again.out, "whsec_") {
		t.Errorf("another secret was made: %s", again.out)
	}
	command(t, `{"name":"errors","window":"1s"}`, vars, "alerts", "put", "-").want(t, 1, "400 invalid_body", "window: it is from 1m to 30d", "comparison: ")
	command(t, `{"window":"1s"}`, vars, "alerts", "put", "-").want(t, 1, "no JSON object with a name")
	command(t, "", vars, "alerts", "put").want(t, 2, "exactly one argument")
	command(t, "", vars, "alerts", "delete", "errors").want(t, 0, "errors is removed")
	command(t, "", vars, "alerts", "show", "errors").want(t, 1, "404 not_found")
	command(t, "", vars, "alerts", "test", "errors").want(t, 1, "404 not_found")
}

// Budgets are set from a file or standard input, told back in the form in which they are set, and shown with what was spent.
func TestBudgets(t *testing.T) {
	t.Parallel()
	vars, _ := serve(t, filepath.Join(t.TempDir(), "data"))
	const own = `[{"name":"all","period":"month","warn":1,"stop":2.5},{"name":"ada","period":"day","tz":"Asia/Tokyo","user_id":"=ada","model":"m","stop":0.125}]`
	command(t, "", vars, "budgets", "get").want(t, 0, "[]")
	command(t, "", vars, "budgets", "status").want(t, 0, "(none)")
	command(t, "", vars, "budgets", "status", "--csv").want(t, 0, "name,user_id,model,environment,key_id,key_name,period,tz,period_start,period_end,warn,stop,spend_usd,unpriced_count,expired,reached,at,fault\r\n")
	now := time.Now().UTC().Format(time.RFC3339)
	event := `{"event_type":"observation_create","payload":{"id":"o","trace_id":"t","name":"n","type":"llm","model":"m","total_cost":2.5,"start_time":"` + now + `"}}`
	free := `{"event_type":"observation_create","payload":{"id":"p","trace_id":"t","name":"n","type":"llm","model":"m","start_time":"` + now + `"}}`
	command(t, event+"\n"+free, vars, "send", "-").want(t, 0)
	command(t, own, vars, "budgets", "set", "-").want(t, 0, "2 budgets hold")
	command(t, "", vars, "budgets", "get").want(t, 0, `"name": "all"`, `"stop": 0.125`)
	var last result
	watch.Until(t, "the budgets are looked at", func() bool {
		last = command(t, "", vars, "budgets", "status")
		return strings.Contains(last.out, "≥ 2.50") && strings.Contains(last.out, " 0.00 ")
	})
	last.want(t, 0, "BUDGET", "all", "project", "month", "≥ 2.50", "1.00", "2.50", "stop", "user =ada, model m", "day Asia/Tokyo", "0.125")
	command(t, "", vars, "budgets", "status", "--csv").want(t, 0, "\r\nall,,,,,,month,,", ",1,2.5,2.5,1,false,stop,", "\r\nada,'=ada,m,,,,day,Asia/Tokyo,", ",,0.125,0,0,false,,")
	command(t, "", vars, "budgets", "status", "--json").want(t, 0, `"reached": "stop"`, `"delivery": "none"`)
	command(t, `[{"name":"X","period":"week"}]`, vars, "budgets", "set", "-").want(t, 1, "400 invalid_budgets", "budget 1, name", "budget 1, period", "one of them is needed")
	command(t, "", vars, "budgets", "set").want(t, 2, "exactly one argument")
	command(t, "", vars, "query", "stats", "--group-by", "model", "--metrics", "cost,unpriced_count", "--csv").want(t, 0, "model,cost,unpriced_count\r\nm,2.5,1\r\n")
	command(t, "", vars, "query", "observations", "--csv").want(t, 0, "id,trace_id,", "\r\n")
	key := regexp.MustCompile(`key_[0-9a-f]{16}`).FindString(command(t, "", vars, "query", "observations", "--json").want(t, 0).out)
	command(t, "", vars, "query", "stats", "--group-by", "key_id", "--metrics", "cost", "--where", "key_id="+key, "--csv").want(t, 0, "key_id,cost\r\n"+key+",2.5\r\n")
	command(t, "", vars, "query", "observations", "--key-id", "key_0000000000000000").want(t, 0, "(none)")
	command(t, `[{"name":"keyed","period":"month","key_id":"`+key+`","stop":2}]`, vars, "budgets", "set", "-").want(t, 0, "1 budgets hold")
	watch.Until(t, "the budget of a key is looked at", func() bool {
		last = command(t, "", vars, "budgets", "status")
		return strings.Contains(last.out, "≥ 2.50")
	})
	last.want(t, 0, "keyed", "key first", "stop")
	command(t, "", vars, "budgets", "status", "--csv").want(t, 0, "\r\nkeyed,,,,"+key+",first,month,")
	command(t, strings.Replace(own, `"user_id":"=ada"`, `"key_id":"key_0000000000000000"`, 1), vars, "budgets", "set", "-").want(t, 1, "400 invalid_budgets", "budget 2 (ada), key_id: the project has no key of this id")
}

// What is empty would mean all: nothing is repriced, and no price is set.
func TestEmptyMeansNothing(t *testing.T) {
	t.Parallel()
	vars, _ := serve(t, filepath.Join(t.TempDir(), "data"))
	command(t, "", vars, "reprice", "--from", "", "--yes").want(t, 2, "--from says which calls")
	command(t, "", vars, "reprice", "--from", "2026-01-01", "--model", "", "--yes").want(t, 1, "parameter model: is empty")
	command(t, `[{"model":"mine","input":2,"output":4}]`, vars, "prices", "set", "-", "--from", "").want(t, 1, "parameter from: is empty")
	command(t, "", vars, "prices", "get").want(t, 0, "[]")
	command(t, "", vars, "query", "traces", "--from", "2026-11-30", "--where", "start_time<2026-12-01").want(t, 0, "(none)")
	command(t, "", vars, "query", "traces", "--from", "2026-11-31").want(t, 2, "must be a date (2026-03-14")
}

// What erase sends and says. Nobody can be asked here, so it must be told --yes.
func TestErase(t *testing.T) {
	t.Parallel()
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("X-API-Key"))
		if strings.HasSuffix(r.URL.Path, "none") {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error":{"code":"not_found","message":"there is no such trace"}}`)
			return
		}
		_, _ = io.WriteString(w, `{"erased":{"traces":1,"observations":2,"scores":3,"events":9},"trace_ids":["a/b"]}`)
	}))
	defer srv.Close()
	vars := []string{"BROKLE_HOST=" + srv.URL + "/", "BROKLE_API_KEY=bk_0123456789abcdef"}
	command(t, "", vars, "erase", "trace", "t1").want(t, 2, "--yes")
	command(t, "y\n", vars, "erase", "user", "u1").want(t, 2, "--yes")
	if len(asked) != 0 {
		t.Fatalf("it asked for %q unconfirmed", asked)
	}
	command(t, "", vars, "erase", "trace", "--yes", "a/b c").want(t, 0, "erased 1 traces, 2 observations, 3 scores: 9 events")
	command(t, "", vars, "erase", "user", "u1", "-y", "--json").want(t, 0, `"trace_ids": [`, `"events": 9`)
	command(t, "", vars, "erase", "trace", "--yes", "none").want(t, 1, "404 not_found: there is no such trace")
	command(t, "", vars, "erase", "trace", "--yes").want(t, 2, "exactly one argument")
	if got := strings.Join(asked, "|"); got != "DELETE /v1/traces?id=a%2Fb+c bk_0123456789abcdef|DELETE /v1/users/u1 bk_0123456789abcdef|DELETE /v1/traces/none bk_0123456789abcdef" {
		t.Errorf("asked %s", got)
	}
}
