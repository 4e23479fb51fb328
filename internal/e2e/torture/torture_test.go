package torture

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

var (
	kills  = flag.Int("kills", 40, "how often the server is killed, at least")
	limit  = flag.Duration("for", 0, "how long at most (0: as long as the kills take)")
	only   = flag.String("only", "", "only the kinds of fault whose name holds this")
	keep   = flag.String("dir", "", "where the ledgers are kept (empty: a new directory, removed when all is well)")
	faults = flag.Int("faults", shortFaults, "TestTortureOfAWarehouse: how many faults, at least")
	least  = flag.Int("events", 2000, "TestTortureOfAWarehouse: how many events are acknowledged, at least")
	table  = flag.String("table", "", "the file whose table a run without failure writes anew")
)

// bin is the built binary, with the faults that a test build has; TestMain sets it.
var bin *rig.Binary

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	var err error
	if bin, err = rig.Build("faultpoints"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer bin.Remove()
	return m.Run()
}

// Properties 1 to 8, 10 to 12, 14, 16 and 17, whatever happens to the server.
func TestTorture(t *testing.T) {
	s := chance.Seed(t)
	dir := *keep
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "brokle-torture-"); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("the ledgers are in %s", dir)
	defer func() {
		if *keep == "" && !t.Failed() {
			_ = os.RemoveAll(dir)
		}
	}()
	c := &campaign{rng: chance.From(s, 0), result: newResult(s), dir: dir}
	for c.more(*kills) {
		if err := c.season(t); err != nil {
			t.Fatalf("seed %d, ledger and data in %s: %v", s, dir, err)
		}
	}
	t.Logf("\n%s", c.result.markdown())
	if *table != "" {
		if err := c.result.writeInto(*table, tableBegin, tableEnd); err != nil {
			t.Fatal(err)
		}
	}
}

// campaign is one run: worlds one after the other.
type campaign struct {
	rng    *rand.Rand
	result *result
	dir    string
	worlds int
}

// more says whether there are kills and time left.
func (c *campaign) more(kills int) bool {
	return c.result.kills < kills && (*limit == 0 || time.Since(c.result.began) < *limit)
}

// seasonKills are those of the ordinary world in one season.
const seasonKills = 200

// short is the form of `make test`: each kind of world for a moment.
func short() bool { return *kills < 100 }

// rounds is how many of a kind a world of faults that take seconds has.
func rounds(n int) int {
	if short() {
		return (n + 1) / 2
	}
	return n
}

// season is a life in each kind of world.
func (c *campaign) season(t *testing.T) error {
	until := min(c.result.kills+seasonKills, *kills)
	err := c.live(t, "ordinary", nil, allFaults(), func(int) bool { return c.more(until) })
	if err == nil {
		err = c.onFullDisk(t)
	}
	if err == nil {
		err = c.onBrokenDisk(t)
	}
	if err == nil {
		err = c.onFleet(t)
	}
	return err
}

func (c *campaign) onFullDisk(t *testing.T) error {
	dir := c.next("full-disk")
	d, err := memoryDisk(t, filepath.Join(dir, "data"), 160)
	if err != nil {
		c.skip(t, "a full disk", err)
		return nil
	}
	defer func() { _ = d.unmount() }()
	return c.liveIn(t, dir, func(w *world) { w.flaky = true }, fullDisk(d), func(n int) bool { return n < rounds(4) }, "--min-free-disk", "6MiB")
}

func (c *campaign) onBrokenDisk(t *testing.T) error {
	dir := c.next("broken-disk")
	d, err := loopDisk(t, filepath.Join(dir, "data"), 200)
	if err != nil {
		c.skip(t, "a disk that turns read-only under load", err)
		return nil
	}
	defer func() { _ = d.unmount() }()
	return c.liveIn(t, dir, func(w *world) { w.flaky, w.noBulk = true, true }, brokenDisk(d), func(n int) bool { return n < rounds(2) }, "--min-free-disk", "6MiB")
}

// skip says once what this machine refuses.
func (c *campaign) skip(t *testing.T, what string, err error) {
	t.Logf("left out: %s: %v", what, err)
	if s := fmt.Sprintf("%s: %v", what, err); !slices.Contains(c.result.skipped, s) {
		c.result.skipped = append(c.result.skipped, s)
	}
}

func (c *campaign) next(kind string) string {
	c.worlds++
	return filepath.Join(c.dir, fmt.Sprintf("%03d-%s", c.worlds, kind))
}

func (c *campaign) live(t *testing.T, kind string, set func(*world), kinds []*fault, more func(rounds int) bool, args ...string) error {
	return c.liveIn(t, c.next(kind), set, kinds, more, args...)
}

// liveIn runs random rounds in a new world as long as more says so. The data goes
// when all was well; the ledger stays.
func (c *campaign) liveIn(t *testing.T, dir string, set func(*world), kinds []*fault, more func(rounds int) bool, args ...string) error {
	if kinds = chosen(kinds); len(kinds) == 0 {
		return nil
	}
	w, err := newWorld(t.Context(), bin, c.rng, dir, args...)
	if err != nil {
		return err
	}
	defer func() {
		w.giveUp()
		w.node.Kill()
	}()
	if set != nil {
		set(w)
	}
	if err := c.result.live(t, w, kinds, func() bool { return more(w.rounds) }); err != nil {
		return err
	}
	return w.removeData()
}
