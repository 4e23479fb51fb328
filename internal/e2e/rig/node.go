package rig

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/watch"
)

// Patience is how long a server may take to listen, and to end after SIGTERM.
const Patience = 60 * time.Second

// Node is one running `brokle serve`.
type Node struct {
	Cmd    *exec.Cmd
	URL    string
	Exited chan struct{} // closed when the process is gone and its output is read
	Key    string        // the API key that it made and printed, or ""
	log    *watch.Output
}

// Log is what the server has written so far.
func (n *Node) Log() string { return n.log.String() }

// LogEnd is the end of it, for a message.
func (n *Node) LogEnd() string {
	s := n.log.String()
	return s[max(0, len(s)-4000):]
}

// Start starts a server on data and waits until it listens. It is killed when
// the test ends.
func Start(t testing.TB, b *Binary, data string, args ...string) *Node {
	t.Helper()
	n, err := Launch(b.Command(data, args...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		n.Kill()
		if t.Failed() {
			t.Logf("log of the server:\n%s", n.LogEnd())
		}
	})
	return n
}

// Launch runs cmd and waits until the server listens. The error of one that
// ends before holds the end of its log.
func Launch(cmd *exec.Cmd) (*Node, error) {
	n, listening, err := Spawn(cmd)
	if err != nil {
		return nil, err
	}
	select {
	case n.URL = <-listening:
		return n, nil
	case <-n.Exited:
		return nil, fmt.Errorf("server ended before it listened (%v):\n%s", cmd.ProcessState, n.LogEnd())
	case <-time.After(Patience):
		n.Kill()
		return nil, fmt.Errorf("server did not listen within %s:\n%s", Patience, n.LogEnd())
	}
}

// Spawn runs cmd and does not wait: the server's URL comes through the channel
// when it listens.
func Spawn(cmd *exec.Cmd) (*Node, <-chan string, error) {
	n := &Node{Cmd: cmd, log: &watch.Output{}, Exited: make(chan struct{})}
	cmd.Stderr = n.log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	listening := make(chan string, 1)
	go func() {
		defer close(n.Exited)
		url := ""
		if url, n.Key = Greeting(io.TeeReader(stdout, n.log)); url != "" {
			listening <- url
		}
		_, _ = io.Copy(n.log, stdout)
		_ = cmd.Wait() // the exit code is in ProcessState
	}()
	return n, listening, nil
}

// Greeting reads what a server prints when it listens, its URL and the API key that it made. It is one write, so one read.
func Greeting(out io.Reader) (url, key string) {
	greeting := make([]byte, 4096)
	n, _ := out.Read(greeting) // nothing: it ended
	for line := range strings.Lines(string(greeting[:n])) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "listening on "); ok {
			url = rest
		}
		if rest, ok := strings.CutPrefix(line, "BROKLE_API_KEY="); ok {
			key = rest
		}
	}
	return url, key
}

// Kill sends SIGKILL and waits for the end.
func (n *Node) Kill() {
	_ = n.Cmd.Process.Kill()
	<-n.Exited
}

// Terminate sends SIGTERM, waits for the end and returns the exit code.
func (n *Node) Terminate() (int, error) {
	if err := n.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, fmt.Errorf("send SIGTERM: %w", err)
	}
	select {
	case <-n.Exited:
		return n.Cmd.ProcessState.ExitCode(), nil
	case <-time.After(Patience):
		return 0, errors.New("the server did not end within a minute of SIGTERM")
	}
}
