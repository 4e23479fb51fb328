package redistest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Sentinels watch a master, which they call "mymaster", and its replica.
type Sentinels struct {
	Master, Replica *Server
	sentinels       []*Server
}

// StartSentinels starts a master, a replica and three Sentinels that agree on
// who is the master; one second of silence is enough for a failover.
func StartSentinels(t testing.TB) *Sentinels {
	t.Helper()
	s := &Sentinels{Master: Start(t)}
	host, port, err := net.SplitHostPort(s.Master.Addr)
	if err != nil {
		t.Fatal(err)
	}
	s.Replica = Start(t, "--replicaof", host, port, "--repl-diskless-load", "swapdb")
	config := fmt.Sprintf("sentinel monitor mymaster %s %s 2\nsentinel down-after-milliseconds mymaster 1000\nsentinel failover-timeout mymaster 3000\n", host, port)
	for range 3 {
		file := filepath.Join(t.TempDir(), "sentinel.conf")
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		s.sentinels = append(s.sentinels, startProcess(t, func(x *Server) []string {
			return []string{file, "--sentinel", "--port", fmt.Sprint(x.port), "--bind", "127.0.0.1", "--dir", x.dir}
		}))
	}
	for _, x := range s.sentinels {
		Eventually(t, 30*time.Second, func() bool {
			about := x.Do("SENTINEL", "MASTER", "mymaster")
			return strings.Contains(about, "num-slaves\n1\n") && strings.Contains(about, "num-other-sentinels\n2\n")
		})
	}
	return s
}

// URL names the Sentinels.
func (s *Sentinels) URL() string {
	var hosts []string
	for _, x := range s.sentinels {
		hosts = append(hosts, x.Addr)
	}
	return "redis-sentinel://" + strings.Join(hosts, ",") + "/mymaster"
}
