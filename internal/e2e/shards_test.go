package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
	"github.com/brokle-ai/brokle-go/internal/redistest"
)

// Two nodes over two ClickHouse servers, each a shard, with a Redis. A node is killed, and a shard, while clients send and send again: what was acknowledged is there once, from either node; while
// the shard is away nothing is answered without it, and which one it is is said.
func TestNodesShareShards(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped with -short: it runs two nodes, a Redis and two ClickHouse servers, and kills them")
	}
	shards := clickhousetest.StartCluster(t, 2)
	for _, server := range shards {
		server.Supervise(t)
	}
	url := shards[0].ShardsURL("brokle")
	s := startOn(t, shards[0], [2]string{url, url})
	rng := chance.Of(t)
	stop := make(chan struct{})
	work := s.run(t, rng, "a", stop)
	sleep(t, 3*time.Second)
	s.node(0).Kill()
	sleep(t, time.Second)
	s.start(t, 0)
	sleep(t, 2*time.Second)
	shards[1].Kill()
	before := s.acknowledged()
	redistest.Eventually(t, time.Minute, func() bool { return s.acknowledged() > before })
	away := regexp.MustCompile("shard 2 of 2: (clickhouse )?cannot be reached") // a node that had not connected when the shard went says it in other words
	for i := range s.nodes {
		redistest.Eventually(t, time.Minute, func() bool { // once it has looked around
			status, body, err := s.node(i).Do(t.Context(), s.client, http.MethodGet, "/readyz", nil)
			if err != nil || status != http.StatusOK || strings.Contains(string(body), shards[1].Addr()) {
				t.Fatalf("readyz: %d %v\n%s", status, err, body)
			}
			return away.Match(body)
		})
		for _, question := range []string{"/v1/traces", "/v1/stats?of=observations&metrics=count", "/v1/traces/a-0-0"} {
			if status, body, err := s.node(i).Do(t.Context(), s.client, http.MethodGet, question, nil); err != nil || status != http.StatusServiceUnavailable || strings.Contains(string(body), shards[1].Addr()) {
				t.Errorf("node %d: %s while a shard is away: %d %v %.300s", i, question, status, err, body)
			}
		}
	}
	s.node(1).Kill() // with what it has of the backlog
	s.start(t, 1)
	shards[1].Restart()
	sleep(t, time.Second)
	close(stop)
	work.Wait()
	t.Logf("%d traces were acknowledged", len(s.sent))
	for i := range s.nodes {
		s.check(t, fmt.Sprintf("node %d", i), s.node(i))
	}
	s.erase(t)
	for _, server := range shards {
		if n := server.Do(t, "SELECT count() FROM brokle.events_local"); n == "0" {
			t.Error("a shard has no events")
		}
	}
	if out, code := brokleSays(t, "warehouse", "status", "--warehouse-url", url); code != 0 || !strings.Contains(out, "the tables are as they must be") {
		t.Errorf("status: %d %s", code, out)
	}
	if out, code := brokleSays(t, "warehouse", "init", "--print", "--warehouse-url", url); code != 0 || strings.Count(out, "CREATE TABLE IF NOT EXISTS events_local") != 2 || strings.Count(out, "CREATE TABLE IF NOT EXISTS nodes") != 1 ||
		strings.Count(out, "Distributed('"+clickhousetest.Cluster+"'") != 10 {
		t.Errorf("what is printed: %d %s", code, out)
	}
}
