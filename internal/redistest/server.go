// Package redistest starts real Redis servers and Clusters for tests, stops and
// pauses them, and stands between them and a client to damage what they say.
// Everything it starts ends with the test.
package redistest

import (
	"bytes"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/watch"
)

// Server is one redis-server on a port of 127.0.0.1.
type Server struct {
	Addr string // host:port
	t    testing.TB
	args []string
	dir  string
	port int
	cmd  *exec.Cmd
	log  bytes.Buffer // its output; read only after it has ended
	done chan struct{}
}

// Start runs a redis-server that keeps nothing on disk. args go behind
// its own, as in "--maxmemory", "10mb".
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	return startProcess(t, func(s *Server) []string {
		return append([]string{"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", s.dir}, args...)
	})
}

func startProcess(t testing.TB, args func(*Server) []string) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Fatal("redis-server is missing: `make test-deps` installs it (Debian: apt-get install redis-server)")
	}
	for range 5 { // another process may take the port first
		port := freePort(t)
		s := &Server{Addr: "127.0.0.1:" + strconv.Itoa(port), t: t, dir: t.TempDir(), port: port}
		if s.args = args(s); s.run() {
			t.Cleanup(s.Kill)
			return s
		}
		t.Logf("redis-server on port %d: %s", port, s.log.String())
	}
	t.Fatal("redis-server does not start")
	return nil
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func (s *Server) run() bool {
	s.cmd = exec.Command("redis-server", s.args...)
	s.log.Reset()
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	done := make(chan struct{})
	s.done = done
	go func() {
		_ = s.cmd.Wait() // how it ended is in ProcessState
		close(done)
	}()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if s.pings() {
			return true
		}
		select {
		case <-done:
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
	s.Kill()
	return false
}

func (s *Server) pings() bool {
	conn, err := net.DialTimeout("tcp", s.Addr, time.Second)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	b := make([]byte, 1)
	n, err := conn.Read(b)
	return err == nil && n == 1 // any answer, also one that asks for a password
}

// URL is what a node is given.
func (s *Server) URL() string { return "redis://" + s.Addr }

// Kill ends the server with SIGKILL.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
}

// Restart runs it again, empty, on the same port.
func (s *Server) Restart() {
	s.t.Helper()
	for range 50 {
		if s.run() {
			return
		}
	}
	s.t.Fatalf("redis-server does not start again:\n%s", s.log.String())
}

// Pause stops the process with SIGSTOP: its connections stay open and silent.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume continues it.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// Do runs one command through redis-cli and returns what it prints.
func (s *Server) Do(args ...string) string {
	s.t.Helper()
	out, err := exec.Command("redis-cli", append([]string{"-p", strconv.Itoa(s.port)}, args...)...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("redis-cli %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// Cluster is a Redis Cluster: three masters and a replica for each.
type Cluster struct{ Servers []*Server }

// StartCluster makes one with redis-cli --cluster create. It takes some seconds.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{}
	create := []string{"--cluster", "create"}
	for range 6 {
		s := Start(t, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(freePort(t)), "--cluster-node-timeout", "3000",
			"--repl-diskless-sync-delay", "0")
		c.Servers = append(c.Servers, s)
		create = append(create, s.Addr)
	}
	create = append(create, "--cluster-replicas", "1", "--cluster-yes")
	if out, err := exec.Command("redis-cli", create...).CombinedOutput(); err != nil {
		t.Fatalf("redis-cli --cluster create: %v\n%s", err, out)
	}
	for _, s := range c.Servers {
		Eventually(t, 60*time.Second, func() bool { return strings.Contains(s.Do("CLUSTER", "INFO"), "cluster_state:ok") })
		// A replica that has never had its master's data does not take over from it.
		Eventually(t, 60*time.Second, func() bool {
			role := s.Do("INFO", "replication")
			return strings.Contains(role, "role:master") || strings.Contains(role, "master_link_status:up")
		})
	}
	return c
}

// URL names three of its servers: a client finds the others.
func (c *Cluster) URL() string {
	return fmt.Sprintf("redis://%s,%s,%s", c.Servers[0].Addr, c.Servers[1].Addr, c.Servers[2].Addr)
}

// Masters are the servers that hold slots now.
func (c *Cluster) Masters() []*Server {
	var masters []*Server
	for _, s := range c.Servers {
		if strings.Contains(s.Do("ROLE"), "master") {
			masters = append(masters, s)
		}
	}
	return masters
}

// Eventually waits until ok, and fails the test when that takes longer than d.
func Eventually(t testing.TB, d time.Duration, ok func() bool) {
	t.Helper()
	watch.Within(t, d, "what Redis was to do", ok)
}
