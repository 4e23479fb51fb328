package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

//go:embed probe.go.txt
var probe []byte

const apiKey = "bk_count_0123456789abcdefghij"

// server is the binary, built to count which code runs, and running on an empty directory.
type server struct {
	dir, url string
	cmd      *exec.Cmd
}

// start builds and starts the server in dir, which the caller removes.
func start(dir string) (*server, error) {
	tree, bin := filepath.Join(dir, "tree"), filepath.Join(dir, "brokle")
	if err := copyTree(tree); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(tree, "cmd", "brokle", "count_probe.go"), probe, 0o600); err != nil {
		return nil, err
	}
	build := exec.Command("go", "build", "-trimpath", "-cover", "-covermode=atomic", "-coverpkg=./...", "-o", bin, "./cmd/brokle")
	build.Dir = tree
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %w\n%s", err, out)
	}
	s := &server{dir: dir}
	s.cmd = exec.Command(bin, "serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "data"))
	s.cmd.Env = append(os.Environ(), "BROKLE_BOOTSTRAP_API_KEY="+apiKey, "COUNT_PROBE="+s.socket(), "GOCOVERDIR="+dir)
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, url, ok := strings.Cut(lines.Text(), "listening on "); ok {
			s.url = strings.TrimRight(strings.Fields(url)[0], "/")
			go func() { _, _ = io.Copy(io.Discard, out) }() // ends with the process, for which stop waits
			return s, nil
		}
	}
	return nil, errors.Join(errors.New("the server did not start"), s.cmd.Wait())
}

func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.cmd.Wait()
}

func (s *server) socket() string { return filepath.Join(s.dir, "probe.sock") }

// order tells the probe what to do and returns what it says.
func (s *server) order(what string) (string, error) {
	c, err := net.Dial("unix", s.socket())
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	if _, err := fmt.Fprintln(c, what); err != nil {
		return "", err
	}
	said, err := io.ReadAll(c)
	return string(said), err
}

// send posts one event, an observation as the SDKs send it, and wants it processed.
func (s *server) send(trace string) error {
	body := fmt.Sprintf(`{"events":[{"event_id":"%[1]s","event_type":"observation","timestamp":%d,"payload":{
		"id":"obs-%[1]s","trace_id":"%[1]s","type":"generation","name":"answer","model":"gpt-4o","start_time":"2026-01-01T00:00:00Z",
		"end_time":"2026-01-01T00:00:01Z","input":"hello","output":"world","usage":{"input":1,"output":2},"metadata":{"a":1}}}]}`,
		trace, time.Now().Unix())
	answer, err := s.do(http.MethodPost, "/v1/telemetry/batch", body)
	if err == nil && !strings.Contains(answer, `"processed_events":1`) {
		err = fmt.Errorf("the event was not processed: %s", answer)
	}
	return err
}

// ask reads the list of traces until the trace is in it, and then the trace.
func (s *server) ask(trace string) error {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		list, err := s.do(http.MethodGet, "/v1/traces", "")
		if err != nil {
			return err
		}
		if strings.Contains(list, trace) {
			break
		}
		if time.Now().After(end) {
			return fmt.Errorf("the trace does not show: %s", list)
		}
	}
	_, err := s.do(http.MethodGet, "/v1/traces/"+trace, "")
	return err
}

// askInVain reads a list with nothing in it, a trace that is not there, and whether the server is ready.
func (s *server) askInVain() error {
	_, list := s.do(http.MethodGet, "/v1/traces?user_id=nobody", "")
	_, ready := s.do(http.MethodGet, "/readyz", "")
	if _, err := s.do(http.MethodGet, "/v1/traces/none", ""); err == nil {
		return errors.New("there is a trace that nobody sent")
	}
	return errors.Join(list, ready)
}

// do makes a request and returns the answer; anything but a 200 is an error.
func (s *server) do(method, path, body string) (string, error) {
	req, err := http.NewRequest(method, s.url+path, bytes.NewBufferString(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("X-API-Key", apiKey)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %d %s", method, path, resp.StatusCode, answer)
	}
	return string(answer), err
}

// copyTree copies the sources, and the built page when it is there: the probe is a file
// more in a package, and `go build -cover` takes none by -overlay.
func copyTree(to string) error {
	names, err := files()
	if err != nil {
		return err
	}
	const page = "web/site/app"
	if err := os.CopyFS(filepath.Join(to, page), os.DirFS(page)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		file := filepath.Join(to, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, text, 0o600)); err != nil {
			return err
		}
	}
	return nil
}
