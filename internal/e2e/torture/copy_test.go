package torture

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// extent is a block of a segment file: its bytes and the events stored in it.
type extent struct {
	from, to int64
	ids      []string
	job      bool // an asynchronous batch: its raw request lies elsewhere in the log
}

// dump lists the blocks of a segment with `brokle log dump`, and the last Seq that
// the header of one that was recompressed names.
func (w *world) dump(path string) (blocks []extent, last uint64, err error) {
	out, err := exec.Command(w.bin.Path, "log", "dump", path).CombinedOutput()
	if err != nil {
		return nil, 0, fmt.Errorf("log dump %s: %w\n%s", path, err, out)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		switch {
		case strings.HasPrefix(line, "segment "):
			if last, err = strconv.ParseUint(field(line, " last="), 10, 64); err != nil {
				return nil, 0, fmt.Errorf("log dump %s: %w in %q", path, err, line)
			}
		case strings.HasPrefix(line, "block offset="):
			at, err := strconv.ParseInt(field(line, "offset="), 10, 64)
			if err != nil {
				return nil, 0, fmt.Errorf("log dump %s: %w in %q", path, err, line)
			}
			if n := len(blocks); n > 0 {
				blocks[n-1].to = at
			}
			blocks = append(blocks, extent{from: at, to: info.Size()})
		case strings.HasPrefix(line, "batch ") && !strings.Contains(line, ` job=""`):
			blocks[len(blocks)-1].job = true
		case strings.HasPrefix(line, "event ") && strings.Contains(line, " type="):
			id, err := strconv.Unquote(field(line, "id="))
			if err != nil {
				return nil, 0, fmt.Errorf("log dump %s: %w in %q", path, err, line)
			}
			b := &blocks[len(blocks)-1]
			b.ids = append(b.ids, id)
		}
	}
	return blocks, last, lines.Err()
}

// liveSegments are the segments of a stopped server's data directory. What a
// recompression that was killed has merged and not yet removed is removed, as a start does.
func (w *world) liveSegments(data string) (paths []string, blocks [][]extent, err error) {
	files, err := segments(data)
	if err != nil {
		return nil, nil, err
	}
	merged := uint64(0)
	for _, path := range files {
		base, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(path), ".seg"), 10, 64)
		if err != nil {
			return nil, nil, err
		}
		if base <= merged {
			if err := os.Remove(path); err != nil {
				return nil, nil, err
			}
			continue
		}
		b, last, err := w.dump(path)
		if err != nil {
			return nil, nil, err
		}
		merged = max(merged, last)
		paths, blocks = append(paths, path), append(blocks, b)
	}
	return paths, blocks, nil
}

// field is the word behind name in a line of the dump.
func field(line, name string) string {
	_, rest, _ := strings.Cut(line, name)
	word, _, _ := strings.Cut(rest, " ")
	return word
}

// damagedLog is a data directory whose log was damaged.
type damagedLog struct {
	dir     string
	segment string          // the damaged file
	want    map[string]int  // event id to how often it must be in the log
	redone  map[string]bool // events that were destroyed, and may be there: their job may be done again
	lost    int             // events that were in what was destroyed
	rebuilt bool            // the warehouse was deleted
	silent  bool            // the damage cannot be known
}

// onCopy is a server on the damaged log, which goes by the clock of the others.
func (w *world) onCopy(d *damagedLog, args ...string) *exec.Cmd {
	cmd := w.bin.Command(d.dir, args...)
	cmd.Env = append(cmd.Env, "BROKLE_CLOCK_FILE="+w.clock.path)
	return cmd
}

// refusesHole requires that a server does not start on a log of which a segment is missing, and names it.
func (w *world) refusesHole(d *damagedLog) error {
	n, err := rig.Launch(w.onCopy(d))
	if err == nil {
		n.Kill()
		return fmt.Errorf("the server starts although %s is missing", d.segment)
	}
	if text := err.Error(); !strings.Contains(text, filepath.Base(d.segment)) || !strings.Contains(text, "--accept-loss") {
		return fmt.Errorf("a start without %s: %w", d.segment, err)
	}
	return nil
}

// readRest starts a server on the damaged log and requires the rest: each id so often,
// with the payload that was sent, and what comes new.
func (w *world) readRest(d *damagedLog) error {
	var args []string
	if _, err := os.Stat(d.segment); errors.Is(err, os.ErrNotExist) {
		if err := w.refusesHole(d); err != nil {
			return err
		}
		args = append(args, "--accept-loss")
	}
	n, err := rig.Launch(w.onCopy(d, args...))
	if err != nil {
		return err
	}
	defer n.Kill()
	there := *w // the same ledger, another server
	there.node = n
	err = there.compareRest(d)
	if err == nil {
		err = there.addToRest()
	}
	if err == nil && d.lost > 0 && !d.silent && !said(n.Log(), filepath.Base(d.segment)) {
		err = errors.New("the server does not say that something is gone")
	}
	if err != nil {
		return fmt.Errorf("%w\nlog of that server:\n%s", err, n.LogEnd())
	}
	return nil
}

// jobsDone waits until nothing that was accepted is pending.
func (w *world) jobsDone() error {
	for deadline := time.Now().Add(rig.Patience / 4); ; {
		var a audit
		if err := w.node.Get(w.ctx, "/v1/telemetry/audit", &a); err != nil {
			return err
		}
		if a.Pending == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d jobs are still pending", a.Pending)
		}
		w.wait(10 * time.Millisecond)
	}
}

func (w *world) compareRest(d *damagedLog) error {
	if err := w.jobsDone(); err != nil {
		return err
	}
	got := map[string]int{} // also events of jobs that were pending
	err := pages(w, "/v1/telemetry/events?limit=1000", func(e *brokle.StoredEvent) error {
		if f := w.find(e); f == nil || f.dead || string(e.Payload) != f.payload {
			return fmt.Errorf("event %s is not what was sent: %.200s", e.EventID, e.Payload)
		}
		got[e.EventID]++
		return nil
	})
	if err != nil {
		return err
	}
	for id, times := range d.want {
		if got[id] != times && !(d.redone[id] && got[id] == times+1) {
			return fmt.Errorf("event %s is in the log %d times, want %d", id, got[id], times)
		}
	}
	if !d.rebuilt {
		return nil
	}
	if err := w.node.AwaitCount(w.ctx, len(got)); err != nil {
		return fmt.Errorf("the warehouse built from the rest: %w", err)
	}
	return nil
}

// addToRest sends new events, which must be readable as ever. The ledger does
// not know them: the copy is thrown away.
func (w *world) addToRest() error {
	facts := newFacts(w.rng, "rest", 20)
	answer, _, err := w.node.Post(w.ctx, http.DefaultClient, &brokle.BatchRequest{Events: events(facts), Environment: "rest"})
	if err != nil || answer.ProcessedEvents != len(facts) {
		return fmt.Errorf("a new batch: %+v (%w)", answer, err)
	}
	for deadline := time.Now().Add(rig.Patience / 4); ; {
		n, err := w.node.Count(w.ctx, "&environment=rest")
		if err != nil {
			return err
		}
		if n == len(facts) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("of %d new events %d are readable", len(facts), n)
		}
		w.wait(20 * time.Millisecond)
	}
}

// said: the log of a server names the file, or says what is gone in another way.
func said(log, segment string) bool {
	for _, part := range []string{segment, "segments are missing behind", "knows blocks that the log has lost", "the log begins here"} {
		if strings.Contains(log, part) {
			return true
		}
	}
	return false
}
