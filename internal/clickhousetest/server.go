// Package clickhousetest starts real ClickHouse servers for tests, ends and restarts them, and gives each test a database of
// its own. A server is the engine of a package of the npm registry, which is downloaded once, checked against a sum and kept in the
// user's cache directory, and runs in a process of its own. It ends when its standard input closes, and so with the test's process,
// however that ends. Where the engine cannot be had the test is skipped, and says why.
//
// The build ends with the process when a connection of the native protocol names a database that is not there, or a wrong password: who tries that
// uses Refuse. It has no replicated tables, no Keeper, and no CREATE USER; its mutations_sync is 1 and old_parts_lifetime 0
// where a server may have others: who relies on them sets them.
package clickhousetest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The account of every server.
const (
	User     = "brokle"
	Password = "secret of tests"
)

// Server is one ClickHouse server on ports of 127.0.0.1.
type Server struct {
	HTTP, TCP int // ports: of the HTTP interface and of the native protocol

	t         testing.TB
	files     installed
	mu        sync.Mutex // guards the process, below, of those that run, end and supervise it
	down      bool       // it was ended by Kill
	dir       string
	shards    []*Server // of Cluster
	cmd       *exec.Cmd
	stdin     io.Closer
	log       bytes.Buffer // its output; read only after it has ended
	done      chan struct{}
	databases atomic.Int64
}

// Start runs a server until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	s := StartIn(t, t.TempDir())
	t.Cleanup(s.Kill)
	return s
}

// StartIn runs a server on the files in dir until Kill.
func StartIn(t testing.TB, dir string) *Server {
	t.Helper()
	files, err := install()
	if errors.Is(err, errNotHere) {
		t.Skipf("skipped: %v, so NO ClickHouse was tried", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := open(files, dir)
	if err != nil {
		t.Fatal(err)
	}
	s.t = t
	return s
}

// Cluster is the name under which the servers of StartCluster know one another, each as a shard.
const Cluster = "shards"

// StartCluster runs as many servers until the test ends, which are the shards of a cluster.
func StartCluster(t testing.TB, shards int) []*Server {
	t.Helper()
	files, err := install()
	if errors.Is(err, errNotHere) {
		t.Skipf("skipped: %v, so NO ClickHouse was tried", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 5 { // another process may take a port first
		all := make([]*Server, shards)
		for i := range all {
			all[i] = &Server{t: t, files: files, dir: t.TempDir(), shards: all}
			if err := all[i].choosePorts(); err != nil {
				t.Fatal(err)
			}
		}
		if runAll(t, all) {
			return all
		}
	}
	t.Fatal("the servers of a cluster do not start")
	return nil
}

// runAll runs servers that know one another, and says whether all answer.
func runAll(t testing.TB, all []*Server) bool {
	t.Helper()
	for _, s := range all {
		if err := s.configure(); err != nil {
			t.Fatal(err)
		}
		ready, err := s.run()
		if err != nil {
			t.Fatal(err)
		}
		if s.cmd != nil {
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("the end of a shard: %s", s.Output())
				}
				s.Kill()
			})
		}
		if !ready {
			return false
		}
	}
	return true
}

// Open is StartIn for who is no test: where the engine cannot be had it is an error.
func Open(dir string) (*Server, error) {
	files, err := install()
	if err != nil {
		return nil, err
	}
	return open(files, dir)
}

func open(files installed, dir string) (*Server, error) {
	s := &Server{files: files, dir: dir}
	if err := s.configure(); err != nil {
		return nil, err
	}
	for range 5 { // another process may take a port first
		if err := s.choosePorts(); err != nil {
			return nil, err
		}
		if ready, err := s.run(); ready || err != nil {
			return s, err
		}
	}
	return nil, fmt.Errorf("clickhouse does not start:\n%s", s.log.String())
}

// KeepFree is how many bytes of its disk a server leaves free: it refuses what would take them, and so has room to end what it has begun when others fill the disk. Without
// that the engine confirms inserts of which it has written nothing, and puts merged parts that are empty in the place of whole ones.
const KeepFree = 256 << 20

// configuration names users.xml by a path of its own. Backups go below the folder.
const configuration = `<clickhouse>
<storage_configuration><disks><default><keep_free_space_bytes>%[2]d</keep_free_space_bytes></default></disks></storage_configuration>
<user_directories><users_xml><path>%[1]s/users.xml</path></users_xml></user_directories>
<backups><allowed_path>%[1]s/backups/</allowed_path></backups>
<max_server_memory_usage>4000000000</max_server_memory_usage>
%[3]s</clickhouse>`

// users have a server of a cluster wait for the others, however busy the machine is: one that is left in its greeting ends.
const users = `<clickhouse><profiles><default><use_hedged_requests>0</use_hedged_requests><connect_timeout_with_failover_ms>60000</connect_timeout_with_failover_ms></default></profiles><quotas><default/></quotas><users>
<default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default>
<%[1]s><password>%[2]s</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></%[1]s>
</users></clickhouse>`

func (s *Server) configure() error {
	return errors.Join(
		os.WriteFile(filepath.Join(s.dir, "config.xml"), fmt.Appendf(nil, configuration, s.dir, KeepFree, s.remote()), 0o644),
		os.WriteFile(filepath.Join(s.dir, "users.xml"), fmt.Appendf(nil, users, User, Password), 0o644),
	)
}

// remote is the cluster that the server is a shard of, for its configuration.
func (s *Server) remote() string {
	if len(s.shards) == 0 {
		return ""
	}
	text := "<remote_servers><" + Cluster + ">"
	for _, shard := range s.shards {
		text += fmt.Sprintf("<shard><replica><host>127.0.0.1</host><port>%d</port><user>%s</user><password>%s</password></replica></shard>", shard.TCP, User, Password)
	}
	return text + "</" + Cluster + "></remote_servers>"
}

// choosePorts finds two that are free.
func (s *Server) choosePorts() error {
	for _, port := range []*int{&s.HTTP, &s.TCP} {
		free, err := freePort()
		if err != nil {
			return err
		}
		*port = free
	}
	return nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// run starts the process, and says whether it answers.
func (s *Server) run() (ready bool, err error) {
	data := filepath.Join(s.dir, "data")
	// The tables of system are not remembered over a restart, but their folders stay.
	if err := os.RemoveAll(filepath.Join(data, "data", "system")); err != nil {
		return false, err
	}
	s.cmd = exec.Command(s.files.launcher, s.files.library, "--path", data, "--http_port", strconv.Itoa(s.HTTP), "--tcp_port", strconv.Itoa(s.TCP),
		"--listen_host", "127.0.0.1", "--config-file", filepath.Join(s.dir, "config.xml"),
		"--structure", "line String", "--input-format", "LineAsString",
		"--query", "SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; SELECT count() FROM table FORMAT Null")
	s.log.Reset()
	s.cmd.Dir = s.dir
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	stdin, err := s.cmd.StdinPipe() // the last query reads it
	if err != nil {
		return false, err
	}
	if err := s.cmd.Start(); err != nil {
		return false, err
	}
	done := make(chan struct{})
	s.stdin, s.done = stdin, done
	go func() {
		_ = s.cmd.Wait() // how it ended is in ProcessState
		close(done)
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); {
		if _, err := s.Query("SELECT 1"); err == nil && s.accepts() {
			return true, nil
		}
		select {
		case <-done:
			return false, nil
		case <-tick.C:
		}
	}
	s.kill()
	return false, nil
}

// accepts says whether the native protocol's port is open.
func (s *Server) accepts() bool {
	conn, err := net.DialTimeout("tcp", s.Addr(), time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// Addr is host:port of the native protocol.
func (s *Server) Addr() string { return "127.0.0.1:" + strconv.Itoa(s.TCP) }

// URL is what a node is given to keep its warehouse in a database.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "clickhouse", User: url.UserPassword(User, Password), Host: s.Addr(), Path: "/" + database}
	return u.String()
}

// HTTPURL is the same over HTTP.
func (s *Server) HTTPURL(database string) string {
	u := url.URL{Scheme: "http", User: url.UserPassword(User, Password), Host: "127.0.0.1:" + strconv.Itoa(s.HTTP), Path: "/" + database}
	return u.String()
}

// ShardsURL is URL of all shards of the server's cluster.
func (s *Server) ShardsURL(database string) string {
	hosts := make([]string, len(s.shards))
	for i, shard := range s.shards {
		hosts[i] = shard.Addr()
	}
	return fmt.Sprintf("clickhouse://%s@%s/%s?cluster=%s", url.UserPassword(User, Password), strings.Join(hosts, ";"), database, Cluster)
}

// Database makes an empty database and returns its name.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("t%d", s.databases.Add(1))
	s.Do(t, "CREATE DATABASE "+name)
	return name
}

// Do runs one statement and returns what it answers, as tab-separated lines.
func (s *Server) Do(t testing.TB, statement string) string {
	t.Helper()
	out, err := s.Query(statement)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Query is Do for who expects an error.
func (s *Server) Query(statement string) (string, error) {
	request, err := http.NewRequest(http.MethodPost, fmt.Sprintf("http://127.0.0.1:%d/", s.HTTP), strings.NewReader(statement))
	if err != nil {
		return "", err
	}
	request.SetBasicAuth(User, Password)
	client := &http.Client{Timeout: time.Minute}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	out, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", statement, bytes.TrimSpace(out))
	}
	return strings.TrimSpace(string(out)), err
}

// Supervise runs the server again whenever it ends by itself, as a machine's supervisor does, until the test ends or Kill: the engine as a library ends
// when a connection breaks in the native protocol's first packets, as it does when its client is killed then.
func (s *Server) Supervise(t testing.TB) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				s.revive()
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-stopped
	})
}

// revive runs the server when it has ended by itself.
func (s *Server) revive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.done:
		if !s.down {
			_, _ = s.run() // else the next look does
		}
	default:
	}
}

// Kill ends the server with SIGKILL.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = true
	s.kill()
}

func (s *Server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
	_ = s.stdin.Close()
}

// Pause stops the process with SIGSTOP: its connections stay open and silent.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume continues it.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.cmd.Process.Signal(sig) // one that has ended by itself needs none
}

// Output is the end of what a server wrote that has ended.
func (s *Server) Output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.done:
	default:
		return "the server runs"
	}
	text := s.log.String()
	return text[max(0, len(text)-8000):]
}

// Refuse is the address of a server that answers each connection of the native protocol with an exception, until the test ends: the
// engine as a library ends when it would have to.
func Refuse(t testing.TB, code int, message string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	answer := binary.LittleEndian.AppendUint32([]byte{2}, uint32(code)) // an exception
	for _, text := range []string{"DB::Exception", message, ""} {
		answer = append(binary.AppendUvarint(answer, uint64(len(text))), text...)
	}
	answer = append(answer, 0) // with none below it
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			hello := make([]byte, 1024)
			if _, err := conn.Read(hello); err == nil {
				_, _ = conn.Write(answer)
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

// RestartIfDown is Restart for a server that does not run.
func (s *Server) RestartIfDown() {
	s.mu.Lock()
	runs := true
	select {
	case <-s.done:
		runs = false
	default:
	}
	s.mu.Unlock()
	if !runs {
		s.Restart()
	}
}

// Restart runs it again on the same files and ports.
func (s *Server) Restart() {
	s.t.Helper()
	if err := s.Again(); err != nil {
		s.t.Fatal(err)
	}
}

// Again is Restart for who is no test.
func (s *Server) Again() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = false
	for range 10 {
		if ready, err := s.run(); ready || err != nil {
			return err
		}
	}
	return fmt.Errorf("clickhouse does not start again:\n%s", s.log.String())
}

// PID is the process that runs.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd.Process.Pid
}
