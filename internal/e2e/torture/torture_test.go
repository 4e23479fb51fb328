package torture

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

var (
	kills = flag.Int("kills", 60, "how often the server is killed, at least")
	seed  = flag.Uint64("seed", 0, "seed of the random choices (0: a new one)")
	only  = flag.String("only", "", "only the kinds of fault whose name holds this")
	keep  = flag.String("dir", "", "where the ledgers are kept (empty: a new directory, removed when all is well)")
	table = flag.String("table", "", "the file whose table a run without failure writes anew")
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
	s := *seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	dir := *keep
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "brokle-torture-"); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("seed %d; the ledgers are in %s", s, dir)
	defer func() {
		if *keep == "" && !t.Failed() {
			_ = os.RemoveAll(dir)
		}
	}()
	rng := rand.New(rand.NewPCG(s, 1))
	r := newResult(s)
	for n := 1; r.kills < *kills; n++ {
		w, err := newWorld(t.Context(), bin, rng, filepath.Join(dir, fmt.Sprint("world", n)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.node.Kill() })
		until := min(*kills, r.kills+200)
		if err := r.live(t, w, append(processFaults(), fileFaults()...), until); err != nil {
			t.Fatalf("seed %d, ledger and data in %s: %v", s, dir, err)
		}
		if err := os.RemoveAll(w.data); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%s", r.markdown())
	if *table != "" {
		if err := r.writeInto(*table); err != nil {
			t.Fatal(err)
		}
	}
}
