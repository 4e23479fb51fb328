package torture

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// extent is a block of a segment file: its bytes and the events stored in it.
type extent struct {
	from, to int64
	ids      []string
}

// dump lists the blocks of a segment with `brokle log dump`.
func (w *world) dump(path string) ([]extent, error) {
	out, err := exec.Command(w.bin.Path, "log", "dump", path).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("log dump %s: %w\n%s", path, err, out)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	var blocks []extent
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		switch {
		case strings.HasPrefix(line, "block offset="):
			at, err := strconv.ParseInt(field(line, "offset="), 10, 64)
			if err != nil {
				return nil, fmt.Errorf("log dump %s: %w in %q", path, err, line)
			}
			if n := len(blocks); n > 0 {
				blocks[n-1].to = at
			}
			blocks = append(blocks, extent{from: at, to: info.Size()})
		case strings.HasPrefix(line, "event ") && strings.Contains(line, " type="):
			id, err := strconv.Unquote(field(line, "id="))
			if err != nil {
				return nil, fmt.Errorf("log dump %s: %w in %q", path, err, line)
			}
			b := &blocks[len(blocks)-1]
			b.ids = append(b.ids, id)
		}
	}
	return blocks, lines.Err()
}

// field is the word behind name in a line of the dump.
func field(line, name string) string {
	_, rest, _ := strings.Cut(line, name)
	word, _, _ := strings.Cut(rest, " ")
	return word
}

// readRest starts a server on the damaged copy and requires want of it: each id so
// often, with the payload that was sent.
func (w *world) readRest(side, path string, want map[string]int, lost int) error {
	cmd := w.bin.Command(side)
	cmd.Env = append(cmd.Env, "BROKLE_CLOCK_FILE="+w.clock.path)
	n, err := rig.Launch(cmd)
	if err != nil {
		return err
	}
	defer n.Kill()
	there := *w // the same ledger, another server
	there.node = n
	got := map[string]int{}
	err = pages(&there, "/v1/telemetry/events?limit=1000", func(e *brokle.StoredEvent) error {
		if f := w.find(e); f == nil || string(e.Payload) != f.payload {
			return fmt.Errorf("event %s is not what was sent: %.200s", e.EventID, e.Payload)
		}
		got[e.EventID]++
		return nil
	})
	if err != nil {
		return err
	}
	rest := 0
	for id, times := range want {
		if got[id] != times {
			return fmt.Errorf("event %s is in the log %d times, want %d\nlog of the server:\n%s", id, got[id], times, n.LogEnd())
		}
		if times > 0 {
			rest++
		}
	}
	if len(got) != rest {
		return fmt.Errorf("%d events are in the log, want %d", len(got), rest)
	}
	if err := n.AwaitCount(w.ctx, rest); err != nil {
		return fmt.Errorf("the warehouse built from the rest: %w\nlog of the server:\n%s", err, n.LogEnd())
	}
	if lost > 0 && !strings.Contains(n.Log(), filepath.Base(path)) {
		return fmt.Errorf("the server does not say that the segment is damaged\nlog of the server:\n%s", n.LogEnd())
	}
	return nil
}
