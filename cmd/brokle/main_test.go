package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// bin is the built binary; TestMain sets it before any test runs.
var bin string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	flag.Parse()
	if flag.Lookup("test.run").Value.String() == "^$" { // fuzzing: no test needs the binary
		return m.Run()
	}
	b, err := rig.Build("")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer b.Remove()
	bin = b.Path
	return m.Run()
}

// result is what one run of the binary gave.
type result struct {
	code     int
	out, err string
}

// command runs the binary with vars in an otherwise clean BROKLE_ environment.
func command(t *testing.T, stdin string, vars []string, args ...string) result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), bin, args...)
	cmd.Env = append(cleanEnv(), vars...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

func cleanEnv() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "BROKLE_") {
			env = append(env, kv)
		}
	}
	return env
}

// want fails the test unless the run ended with code and said each of says.
func (r result) want(t *testing.T, code int, says ...string) result {
	t.Helper()
	if r.code != code {
		t.Fatalf("exit code %d, want %d\nout: %s\nerr: %s", r.code, code, r.out, r.err)
	}
	for _, s := range says {
		if !strings.Contains(r.out+r.err, s) {
			t.Errorf("%q is not in\nout: %s\nerr: %s", s, r.out, r.err)
		}
	}
	return r
}

// serve starts the binary on dir and returns the environment of its clients,
// and stop, which sends SIGTERM and returns the exit code.
func serve(t *testing.T, dir string, args ...string) (vars []string, stop func() int) {
	t.Helper()
	vars, stop, _ = serveProcess(t, dir, args...)
	return vars, stop
}

func serveProcess(t *testing.T, dir string, args ...string) (vars []string, stop func() int, process *os.Process) {
	t.Helper()
	cmd := exec.Command(bin, append([]string{"serve", "--data", dir, "--listen", "127.0.0.1:0", "--warehouse-memory", "64MiB"}, args...)...)
	cmd.Env = cleanEnv()
	n, err := rig.Launch(cmd)
	if err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceValue(func() int {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		<-n.Exited
		return cmd.ProcessState.ExitCode()
	})
	t.Cleanup(func() { stop() })
	vars = append(vars, "BROKLE_HOST="+n.URL)
	if n.Key != "" {
		vars = append(vars, "BROKLE_API_KEY="+n.Key)
	}
	return vars, stop, cmd.Process
}

func TestServeSendQuery(t *testing.T) {
	t.Parallel()
	vars, stop := serve(t, filepath.Join(t.TempDir(), "data"))
	if len(vars) != 2 {
		t.Fatalf("a first start printed %q, want address and key", vars)
	}
	events := strings.Join([]string{
		`{"event_id":"e1","event_type":"trace_create","payload":{"id":"t1","name":"first","user_id":"u1"}}`,
		`{"event_id":"e2","event_type":"observation_create","payload":{"id":"o1","trace_id":"t1","name":"call","type":"generation","model":"m1","latency_ms":1500,"usage":{"prompt_tokens":3,"completion_tokens":4},"output":"hello\tworld"}}`,
		`{"event_id":"e3","event_type":"quality_score_create","payload":{"id":"s1","trace_id":"t1","observation_id":"o1","name":"good","value":0.5}}`,
	}, "\n")
	file := filepath.Join(t.TempDir(), "events.jsonl")
	if err := os.WriteFile(file, []byte(events), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, "", vars, "send", file).want(t, 0, "3 processed, 0 duplicate, 0 failed")
	command(t, events, vars, "send").want(t, 0, "0 processed, 3 duplicate, 0 failed")
	watch.Until(t, "the trace can be read", func() bool {
		return command(t, "", vars, "query", "trace", "t1").code == 0
	})
	command(t, "", vars, "query", "trace", "t1").want(t, 0, "first", "u1", "generation", "m1", "good", "0.5", "hello")
	command(t, "", vars, "observation", "o1").want(t, 0, "generation", "call", "m1", "7 (3 in, 4 out)", "1.5s", "hello")
	command(t, "", vars, "query", "observation", "o1", "--trace-id", "t1").want(t, 0, "o1")
	command(t, "", vars, "observation", "o1", "--trace-id", "other").want(t, 1, "404")
	command(t, "", vars, "trace", "t1", "--depth", "-1").want(t, 2, "depth", "must not be negative")
	command(t, "", vars, "query", "traces", "--from", "1h", "--user-id", "u1").want(t, 0, "t1", "first", "good=0.5")
	command(t, "", vars, "query", "traces", "--user-id", "nobody").want(t, 0, "(none)")
	command(t, "", vars, "query", "observations", "--type", "generation").want(t, 0, "o1", "m1")
	command(t, "", vars, "query", "scores", "--name", "good").want(t, 0, "s1", "NUMERIC")
	command(t, "", vars, "query", "stats", "--group-by", "model", "--metrics", "count,score_avg:good").want(t, 0, "MODEL", "m1", "0.5")

	var page struct{ Data []struct{ ID string } }
	r := command(t, "", vars, "query", "traces", "--json").want(t, 0)
	if err := json.Unmarshal([]byte(r.out), &page); err != nil || len(page.Data) != 1 || page.Data[0].ID != "t1" {
		t.Errorf("--json: %v in %s", err, r.out)
	}

	command(t, `{"event_type":"trace_create","payload":{}}`+"\nnope\n", vars, "send").
		want(t, 1, "0 processed, 0 duplicate, 2 failed", "line 1", "Missing required field 'name'", "line 2: not a JSON object")
	var counts struct{ Processed, Duplicate, Failed, Requests int }
	r = command(t, `{"free":"form"}`, vars, "send", "--json").want(t, 0)
	if err := json.Unmarshal([]byte(r.out), &counts); err != nil || counts.Processed != 1 || counts.Requests != 1 {
		t.Errorf("send --json: %v in %s", err, r.out)
	}
	command(t, "", vars, "query", "trace", "unknown").want(t, 1, "404", "not_found")
	command(t, "", vars, "query", "traces", "--sort", "nonsense").want(t, 1, "sort")
	command(t, "", append(vars, "BROKLE_API_KEY=bk_wrong_wrong_wrong"), "query", "traces").want(t, 1, "Hint:", "--api-key")
	if code := stop(); code != 0 {
		t.Errorf("serve ended with %d after SIGTERM", code)
	}
	command(t, "", vars, "query", "traces").want(t, 1, "cannot reach", "Hint:")
}

func TestKeys(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	command(t, "", nil, "keys", "list", "--data", dir).want(t, 1, "Hint:")
	created := command(t, "", nil, "keys", "create", "--data", dir, "--name", "ci", "--scope", "read").want(t, 0, "scopes read")
	secret := strings.TrimSpace(created.out)
	if !strings.HasPrefix(secret, "bk_") || strings.Contains(created.err, secret) {
		t.Fatalf("keys create printed %q and %q", created.out, created.err)
	}
	vars, _ := serve(t, dir)
	if len(vars) != 1 {
		t.Errorf("serve made another key although there is one: %q", vars)
	}
	vars = append(vars, "BROKLE_API_KEY="+secret)
	command(t, "", vars, "query", "traces").want(t, 0)
	command(t, "{}", vars, "send").want(t, 1, "Hint:", "--scope")

	list := command(t, "", nil, "keys", "list", "--data", dir).want(t, 0, "ci", "read")
	if strings.Contains(list.out, secret) {
		t.Error("keys list shows a secret")
	}
	var keys []struct{ ID, Name, Hash string }
	r := command(t, "", nil, "keys", "list", "--json", "--data", dir).want(t, 0)
	if err := json.Unmarshal([]byte(r.out), &keys); err != nil || len(keys) != 1 || keys[0].Name != "ci" || keys[0].Hash != "" {
		t.Fatalf("keys list --json: %v in %s", err, r.out)
	}
	command(t, "", nil, "keys", "revoke", "--data", dir, "key_unknown").want(t, 1, "Hint:")
	command(t, "", nil, "keys", "revoke", "--data", dir).want(t, 2, "exactly one argument")
	revoked := time.Now()
	command(t, "", nil, "keys", "revoke", "--data", dir, keys[0].ID).want(t, 0, "revoked")
	host, _ := strings.CutPrefix(vars[0], "BROKLE_HOST=")
	watch.Until(t, "the running server refuses the revoked key", func() bool {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, host+"/v1/traces", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-API-Key", secret)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusUnauthorized
	})
	t.Logf("refused after %v", time.Since(revoked))
	command(t, "", nil, "keys", "list", "--data", dir).want(t, 0, "key_")
}

func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := []string{"BROKLE_DATA=" + dir, "BROKLE_BOOTSTRAP_API_KEY=bk_0123456789abcdef", "BROKLE_MAX_EVENTS=500", "BROKLE_MIN_FREE_DISK=1MiB"}
	r := command(t, "", env, "check", "--max-events", "700").want(t, 0, "********", "700", dir, "ok")
	if strings.Contains(r.out+r.err, "0123456789abcdef") {
		t.Error("check shows the key")
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, "", nil, "check", "--data", filepath.Join(file, "x"), "--listen", "nowhere", "--log-level", "loud").
		want(t, 1, "wrong: Listen (--listen, BROKLE_LISTEN) is nowhere", "wrong: LogLevel", "is not a directory")
	command(t, "", []string{"BROKLE_MAX_EVENTS=many"}, "check").want(t, 1, `wrong: MaxEvents (--max-events, BROKLE_MAX_EVENTS) is "many": must be 1 to 100000`)
	command(t, "", nil, "serve", "--max-depth", "deep", "--data", dir).want(t, 1, "BROKLE_MAX_DEPTH", "8 to 1000")
	command(t, "", nil, "serve", "--max-events", "-1", "--data", dir).want(t, 1, "BROKLE_MAX_EVENTS")
	r = command(t, "", env, "serve", "--help").want(t, 0, "--drain-timeout", "BROKLE_DRAIN_TIMEOUT", "30s")
	if strings.Contains(r.out+r.err, "0123456789abcdef") {
		t.Error("the help shows the key")
	}
}

func TestLogDumpAndQuarantine(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	vars, stop := serve(t, dir)
	command(t, `{"secret":"payload-text"}`, vars, "send").want(t, 0)
	command(t, "", nil, "quarantine", "list", "--data", dir).want(t, 1, "open elsewhere", "Hint:")
	if code := stop(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	segments, err := filepath.Glob(filepath.Join(dir, "log", "*.seg"))
	if err != nil || len(segments) != 1 {
		t.Fatalf("segments %v, %v", segments, err)
	}
	r := command(t, "", nil, "log", "dump", segments[0]).want(t, 0, "event_create")
	if strings.Contains(r.out, "payload-text") {
		t.Error("the dump shows payloads unasked")
	}
	command(t, "", nil, "log", "dump", "--payloads", segments[0]).want(t, 0, "payload-text")
	command(t, "", nil, "log", "dump", filepath.Join(dir, "nothing.seg")).want(t, 1, "no such file")
	command(t, "", nil, "quarantine", "list", "--data", dir).want(t, 0, "(none)")
	command(t, "", nil, "quarantine", "list", "--json", "--data", dir).want(t, 0, "[]")
	command(t, "", nil, "quarantine", "replay", "--data", dir).want(t, 0, "0 replayed, 0 left")
	command(t, "", nil, "quarantine", "list", "--data", filepath.Join(dir, "nowhere")).want(t, 1, "no such file")
}

func TestUsage(t *testing.T) {
	t.Parallel()
	command(t, "", nil, "version").want(t, 0, "brokle 0.")
	command(t, "", nil).want(t, 0, "COMMANDS", "serve", "quarantine")
	command(t, "", nil, "sned").want(t, 2, `no command "sned"; "send" is one`)
	command(t, "", nil, "query", "tracs").want(t, 2, `no command "tracs"; "traces" is one`)
	if r := command(t, "", nil, "zzz").want(t, 2, `no command "zzz"`); strings.Contains(r.err, "is one") {
		t.Errorf("a guess without a reason: %s", r.err)
	}
	if r := command(t, "", nil, "serve", "--help").want(t, 0, "--dev   ", "--data value"); strings.Contains(r.out, "true or false") {
		t.Errorf("the help of serve: %s", r.out)
	}
	command(t, "", nil, "keys", "make").want(t, 2, "no command \"make\"")
	command(t, "", nil, "serve", "--lisen", ":1").want(t, 2, "lisen", "brokle serve --help")
	command(t, "", nil, "serve", "dev").want(t, 2, "takes no arguments")
	command(t, "", nil, "query", "traces", "--from", "lately", "--api-key", "bk_0123456789").want(t, 2, "--from", "RFC 3339")
	command(t, "", nil, "send", "--batch-size", "0").want(t, 2, "--batch-size is 0")
	command(t, "", nil, "send").want(t, 1, "no API key", "Hint:")
	for _, shell := range []string{"bash", "zsh", "fish"} {
		command(t, "", nil, "completion", shell).want(t, 0, "brokle", "--generate-shell-completion")
	}
}

// What the completion scripts of every shell ask for: commands, and flags by their beginning.
func TestCompletion(t *testing.T) {
	t.Parallel()
	command(t, "", nil, "--generate-shell-completion").want(t, 0, "tail", "export", "import", "erase")
	command(t, "", nil, "query", "--generate-shell-completion").want(t, 0, "sessions", "environments")
	r := command(t, "", nil, "query", "traces", "--wh", "--generate-shell-completion").want(t, 0, "--where")
	if strings.Contains(r.out, "--limit") {
		t.Errorf("flags that begin otherwise: %s", r.out)
	}
}

// TestSecondSignalEndsAtOnce holds the drain open with a request that does not
// end, and sends a second signal.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	vars, stop, process := serveProcess(t, dir, "--drain-timeout", "1h")
	host, _ := strings.CutPrefix(vars[0], "BROKLE_HOST=")
	key, _ := strings.CutPrefix(vars[1], "BROKLE_API_KEY=")
	body, feed := io.Pipe()
	defer func() { _ = feed.Close() }()
	go func() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, host+"/v1/telemetry/batch", body)
		if err != nil {
			return
		}
		req.Header.Set("X-API-Key", key)
		req.Header.Set("Content-Type", "application/json")
		if resp, err := http.DefaultClient.Do(req); err == nil { // the server dies under it
			_ = resp.Body.Close()
		}
	}()
	if _, err := feed.Write([]byte(`{"events":[`)); err != nil { // returns when the client reads it
		t.Fatal(err)
	}
	watch.Until(t, "the request is in progress", func() bool {
		resp, err := http.Get(host + "/metrics")
		if err != nil {
			return false
		}
		defer func() { _ = resp.Body.Close() }()
		var b bytes.Buffer
		_, err = b.ReadFrom(resp.Body)
		return err == nil && strings.Contains(b.String(), "requests_in_progress 1")
	})
	ended := make(chan int, 1)
	go func() { ended <- stop() }()
	watch.Until(t, "it stops accepting", func() bool { _, err := http.Get(host + "/healthz"); return err != nil })
	select {
	case code := <-ended:
		t.Fatalf("the first signal ended it with %d although a request is in flight", code)
	default:
	}
	if err := process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case code := <-ended:
		if code == 0 {
			t.Error("an end at once has exit code 0")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the second signal did not end it")
	}
}
