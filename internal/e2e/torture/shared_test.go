package torture

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
	"github.com/brokle-ai/brokle-go/internal/redistest"
)

// sharing is two nodes that share a Redis and a warehouse in ClickHouse, and one ledger: each node answers for both.
type sharing struct {
	*fleet
	server *clickhousetest.Server
	line   *redistest.Proxy // stands before it
	disk   *disk            // the server's; nil on a machine that mounts none

	database string
	kills    int // of ClickHouse and Redis
	least    int // events that are to be acknowledged in a round
}

// misfortune is one kind of what befalls them.
type misfortune struct {
	name   string
	weight int
	run    func(*sharing) error
}

// worldRounds is how many rounds a world of nodes that share a warehouse has: then all of it is compared.
const worldRounds = 12

// Nodes that share a ClickHouse: whatever happens to them, to it, to Redis, and to what is between, no event is lost, and none is twice in an answer.
func TestTortureOfAWarehouse(t *testing.T) {
	s := chance.Seed(t)
	dir := *keep
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "brokle-torture-"); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if !t.Failed() { // else the logs are there
				_ = os.RemoveAll(dir)
			}
		}()
	}
	t.Logf("the ledgers are in %s", dir)
	c := &campaign{rng: chance.From(s, 0), result: newResult(s), dir: dir}
	server, small := c.startClickHouse(t)
	defer c.keepOutput(t, server)
	for c.suffersMore() {
		w, err := c.share(t, server, small)
		if err == nil {
			w.least = *least / *faults + 1
			err = c.suffer(t, w, worldRounds)
		}
		if err != nil {
			t.Fatalf("seed %d, ledgers, logs and data in %s: %v", s, dir, err)
		}
	}
	t.Logf("\n%s", c.result.markdown())
	if c.result.events < *least && *limit == 0 {
		t.Errorf("%d events were acknowledged, %d were to be", c.result.events, *least)
	}
	if *table != "" {
		if err := c.result.writeInto(*table, sharedBegin, sharedEnd); err != nil {
			t.Fatal(err)
		}
	}
}

// suffersMore says whether there are faults and time left.
func (c *campaign) suffersMore() bool {
	return c.result.rounds < *faults && (*limit == 0 || time.Since(c.result.began) < *limit)
}

// startClickHouse runs it on a small disk of its own, where that can be had.
func (c *campaign) startClickHouse(t *testing.T) (*clickhousetest.Server, *disk) {
	t.Helper()
	dir, err := os.MkdirTemp("", "brokle-torture-clickhouse-")
	if err != nil {
		t.Fatal(err)
	}
	d, err := memoryDisk(t, dir, 1024)
	if err != nil {
		c.skip(t, "a full disk of ClickHouse", err)
	}
	server := clickhousetest.StartIn(t, dir)
	t.Cleanup(func() { // before the disk goes
		server.Kill()
		if d != nil {
			_ = d.unmount()
		}
		_ = os.RemoveAll(dir)
	})
	server.Supervise(t)
	return server, d
}

// share makes two nodes on a database of their own.
func (c *campaign) share(t *testing.T, server *clickhousetest.Server, d *disk) (*sharing, error) {
	s := &sharing{server: server, disk: d, line: redistest.NewProxy(t, server.Addr())}
	s.line.Late = 200 * time.Millisecond
	s.database = fmt.Sprintf("world%d", c.worlds+1)
	url := strings.Replace(server.URL(s.database), server.Addr(), s.line.Addr, 1)
	var err error
	s.fleet, err = newFleet(t, c, c.next("shared-warehouse"), "--warehouse-url", url, "--drain-timeout", "20s", "--query-timeout", "2m")
	if err != nil {
		return nil, err
	}
	for _, w := range s.nodes {
		w.shared = true
	}
	return s, nil
}

// shortFaults is how many faults the short form has, which each commit waits for.
const shortFaults = 4

// suffer runs random rounds in a world, at most so many, and ends it.
func (c *campaign) suffer(t *testing.T, s *sharing, most int) error {
	var kinds []*misfortune
	for _, m := range misfortunes() {
		if strings.Contains(m.name, *only) && (s.disk != nil || !strings.HasPrefix(m.name, fullClickHouse)) {
			kinds = append(kinds, m)
		}
	}
	for n := 0; n < most && len(kinds) > 0 && c.suffersMore(); n++ {
		m := c.draw(kinds)
		began, before := time.Now(), s.killed()
		err := s.round(fmt.Sprintf("r%d", n+1), m)
		c.result.count(m.name, s.killed()-before)
		t.Logf("round %d, %s: %d kills, %d events acknowledged in this world, %s", c.result.rounds, m.name, s.killed()-before, s.nodes[0].ledger.total(),
			time.Since(began).Round(time.Millisecond))
		if err != nil {
			return fmt.Errorf("%s: %w%s", m.name, err, s.keepLogs())
		}
	}
	err := s.end()
	if err != nil {
		err = fmt.Errorf("%w%s", err, s.keepLogs())
	}
	c.result.take(s.nodes[0].ledger, max(s.nodes[0].slowest, s.nodes[1].slowest))
	if err == nil {
		_, err = s.server.Query("DROP DATABASE " + s.database + " SYNC")
	}
	return err
}

// draw draws a kind by weight; one that was not drawn yet comes first.
func (c *campaign) draw(kinds []*misfortune) *misfortune {
	all := make([]*fault, len(kinds))
	for i, m := range kinds {
		weight := m.weight
		if !slices.ContainsFunc(c.result.rows, func(r *row) bool { return r.fault == m.name }) {
			weight *= 10
		}
		all[i] = &fault{name: m.name, weight: weight}
	}
	f := pick(c.rng, all)
	for i := range all {
		if all[i] == f {
			return kinds[i]
		}
	}
	return nil // it is one of them
}

func (s *sharing) killed() int { return s.kills + s.nodes[0].kills + s.nodes[1].kills }

// round runs one fault under load, waits until every client has its answers, and compares.
func (s *sharing) round(env string, m *misfortune) error {
	l := s.nodes[0].ledger
	l.mu.Lock()
	l.apart = true // they cannot always know what the other one has; the answers must
	l.write(map[string]any{"environment": env, "fault": m.name})
	l.mu.Unlock()
	before := l.total()
	var loads []*writers
	for _, w := range s.nodes {
		w.env = env
		loads = append(loads, w.startWriters())
	}
	err := m.run(s)
	if err == nil {
		err = s.more(before + s.least)
	}
	for i, w := range s.nodes {
		if err != nil {
			w.giveUp()
		}
		loads[i].finish()
	}
	if err == nil {
		err = s.check(env)
	}
	for i, fault := range l.takeFaults() {
		if i < 20 {
			err = errors.Join(err, errors.New(fault))
		}
	}
	return err
}

// keepLogs adds what the nodes have logged since they were started last to the files beside their data, and gives the errors of that.
func (s *sharing) keepLogs() (told string) {
	for i, w := range s.nodes {
		w.keepLog()
		lines := slices.Collect(strings.Lines(w.node.Log()))
		lines = slices.DeleteFunc(lines, func(line string) bool {
			return !strings.Contains(line, "ERROR") && !strings.Contains(line, "level=WARN") && !strings.Contains(line, " WARN ")
		})
		told += fmt.Sprintf("\nwhat node %d complained of last, at %s:\n%s", i, w.addr, strings.Join(lines[max(0, len(lines)-20):], ""))
	}
	return told + s.tables()
}

// tables is how the tables stand: of each block how many events there are, how the nodes stand, and which files the server has put aside.
func (s *sharing) tables() (told string) {
	for what, statement := range map[string]string{
		"how the nodes stand":      "SELECT * FROM %s.nodes FINAL ORDER BY node FORMAT JSONEachRow",
		"the blocks of events":     "SELECT node, step, count() AS rows, uniqExact(seq) AS seqs, min(bitAnd(seq, 281474976710655)) AS first, max(bitAnd(seq, 281474976710655)) AS last, groupUniqArray(_part) AS parts FROM %s.events GROUP BY node, step ORDER BY node, step FORMAT JSONEachRow",
		"files that are put aside": "SELECT table, partition_id, name, reason FROM system.detached_parts WHERE database = '%s' FORMAT JSONEachRow",
	} {
		answer, err := s.server.Query(fmt.Sprintf(statement, s.database))
		if err != nil {
			answer = err.Error()
		}
		told += fmt.Sprintf("\n%s:\n%s", what, answer[:min(len(answer), 30_000)])
	}
	return told
}

// keepOutput writes what ClickHouse has said to a file beside the ledgers, when something failed.
func (c *campaign) keepOutput(t *testing.T, server *clickhousetest.Server) {
	if !t.Failed() {
		return
	}
	server.Kill() // its output can be read then
	path := filepath.Join(c.dir, "clickhouse.log")
	if err := os.WriteFile(path, []byte(server.Output()), 0o600); err != nil {
		t.Error(err)
	}
	t.Logf("what clickhouse said is in %s", path)
}

// more lets the load go on until so many events are acknowledged.
func (s *sharing) more(total int) error {
	w := s.nodes[0]
	for deadline := time.Now().Add(w.stuck()); w.ledger.total() < total; w.wait(100 * time.Millisecond) {
		if w.ctx.Err() != nil {
			return w.ctx.Err()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %s under load %d events are acknowledged, %d were to be", w.stuck(), w.ledger.total(), total)
		}
	}
	return nil
}
