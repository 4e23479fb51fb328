package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
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

	"github.com/brokle-ai/brokle-go"
)

const apiKey = "bk_e2e_0123456789abcdefghij"

// bin is the built binary; TestMain sets it before any test runs.
var bin string

func TestMain(m *testing.M) {
	if file := os.Getenv(sdkFileEnv); file != "" {
		os.Exit(sdkProcess(file)) // this binary again, as an application that uses the SDK
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "brokle-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	bin = filepath.Join(dir, "brokle")
	build := exec.Command("go", "build", "-o", bin, "../../cmd/brokle")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// node is one running `brokle serve`.
type node struct {
	cmd    *exec.Cmd
	url    string
	log    *lockedBuffer
	exited chan struct{} // closed when the process is gone and its output is read
}

type lockedBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// startNode starts a server on dir and waits until it listens. It is killed
// when the test ends.
func startNode(t *testing.T, dir string, args ...string) *node {
	t.Helper()
	n, err := launch(dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		n.kill()
		if t.Failed() {
			t.Logf("log of the server:\n%s", tail(n.log.String(), 4000))
		}
	})
	return n
}

func serveCommand(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(bin, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", dir}, args...)...)
	cmd.Env = append(os.Environ(), "BROKLE_BOOTSTRAP_API_KEY="+apiKey)
	return cmd
}

func launch(dir string, args ...string) (*node, error) {
	return launchCommand(serveCommand(dir, args...))
}

func launchCommand(cmd *exec.Cmd) (*node, error) {
	n := &node{cmd: cmd, log: &lockedBuffer{}, exited: make(chan struct{})}
	cmd.Stderr = n.log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	listening := make(chan string, 1)
	go func() {
		defer close(n.exited)
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			_, _ = fmt.Fprintln(n.log, lines.Text())
			if _, url, ok := strings.Cut(lines.Text(), "listening on "); ok {
				listening <- strings.TrimSpace(url)
			}
		}
		_ = cmd.Wait() // the exit code is in ProcessState
	}()
	select {
	case n.url = <-listening:
		return n, nil
	case <-n.exited:
		return nil, fmt.Errorf("server ended before it listened (%v):\n%s", cmd.ProcessState, tail(n.log.String(), 4000))
	case <-time.After(60 * time.Second):
		n.kill()
		return nil, fmt.Errorf("server did not listen within a minute:\n%s", tail(n.log.String(), 4000))
	}
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// kill sends SIGKILL and waits for the end.
func (n *node) kill() {
	_ = n.cmd.Process.Kill()
	<-n.exited
}

// terminate sends SIGTERM and returns the exit code.
func (n *node) terminate(t *testing.T) int {
	t.Helper()
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-n.exited:
	case <-time.After(60 * time.Second):
		t.Fatal("the server did not end within a minute of SIGTERM")
	}
	return n.cmd.ProcessState.ExitCode()
}

// do sends one request with the test's key.
func (n *node) do(ctx context.Context, client *http.Client, method, path string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, n.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("X-API-Key", apiKey)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, b, err
}

// getJSON reads path into v and fails the test on anything but 200.
func (n *node) getJSON(t *testing.T, path string, v any) {
	t.Helper()
	status, b, err := n.do(t.Context(), http.DefaultClient, http.MethodGet, path, nil)
	if err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	if status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, status, b)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("GET %s: %v in %.300s", path, err, b)
	}
}

// post sends one batch and returns the answer of a 200.
func (n *node) post(ctx context.Context, client *http.Client, req *brokle.BatchRequest) (*brokle.BatchResponse, int, error) {
	body, err := json.Marshal(req)
	if err != nil {
		return nil, 0, err
	}
	status, b, err := n.do(ctx, client, http.MethodPost, "/v1/telemetry/batch", body)
	if err != nil {
		return nil, status, err
	}
	if status != http.StatusOK && status != http.StatusAccepted {
		return nil, status, fmt.Errorf("answer %d: %.300s", status, b)
	}
	var answer brokle.BatchResponse
	return &answer, status, json.Unmarshal(b, &answer)
}

// countEvents is what the query API counts.
func (n *node) countEvents(t *testing.T) int {
	t.Helper()
	var page struct {
		Data []struct{ Count int }
	}
	n.getJSON(t, "/v1/stats?of=events&metrics=count", &page)
	if len(page.Data) == 0 {
		return 0
	}
	return page.Data[0].Count
}

// waitEvents waits until the query API counts want events. Going over is a failure at once.
func (n *node) waitEvents(t *testing.T, want int) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for got := n.countEvents(t); got != want; got = n.countEvents(t) {
		if got > want || time.Now().After(deadline) {
			t.Fatalf("the query API counts %d events, want %d", got, want)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}
