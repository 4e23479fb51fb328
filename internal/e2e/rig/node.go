package rig

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Patience is how long a server may take to listen, and to end after SIGTERM.
const Patience = 60 * time.Second

// Node is one running `brokle serve`.
type Node struct {
	Cmd    *exec.Cmd
	URL    string
	Exited chan struct{} // closed when the process is gone and its output is read
	log    *lockedBuffer
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
	n := &Node{Cmd: cmd, log: &lockedBuffer{}, Exited: make(chan struct{})}
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
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			_, _ = fmt.Fprintln(n.log, lines.Text())
			if _, url, ok := strings.Cut(lines.Text(), "listening on "); ok {
				listening <- strings.TrimSpace(url)
			}
		}
		_ = cmd.Wait() // the exit code is in ProcessState
	}()
	return n, listening, nil
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
