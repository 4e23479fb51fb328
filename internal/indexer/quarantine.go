package indexer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/durable"
)

// Quarantined is a record that the Warehouse could not take. Its payload stays
// in the Log.
type Quarantined struct {
	Seq       uint64    `json:"seq"`
	Project   string    `json:"project"`
	EventID   string    `json:"event_id"`
	EventType string    `json:"event_type"`
	Reason    string    `json:"reason"`
	At        time.Time `json:"at"` // when it was put here
}

// entry is a line of the quarantine file: a record that came, or one that left.
type entry struct {
	Quarantined
	Left bool `json:"left,omitempty"`
}

// QuarantineFile is the name of the list within Options.Dir.
const QuarantineFile = "quarantine.jsonl"

// quarantine is the list of refused records, in a file of JSON Lines that is
// only appended to, and synced before the cursor passes what it names.
type quarantine struct {
	path string

	mu   sync.Mutex // guards all below, and the file
	size int64      // of the whole lines in the file
	list map[uint64]Quarantined
}

// openQuarantine reads the file in dir and creates both when needed. A last
// line that a crash cut short is overwritten later: the cursor has not passed its record.
func openQuarantine(dir string) (*quarantine, error) {
	q := &quarantine{path: filepath.Join(dir, QuarantineFile), list: make(map[uint64]Quarantined)}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open quarantine: %w", err)
	}
	f, err := os.OpenFile(q.path, os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open quarantine: %w", err)
	}
	if err = errors.Join(q.load(f), f.Close()); err == nil {
		err = durable.SyncDir(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open quarantine: %w", err)
	}
	return q, nil
}

// load reads all whole lines.
func (q *quarantine) load(f io.Reader) error {
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("%s at byte %d: %w", QuarantineFile, q.size, err)
		}
		q.size += int64(len(line))
		q.apply(e)
	}
}

func (q *quarantine) apply(e entry) {
	if e.Left {
		delete(q.list, e.Seq)
		return
	}
	q.list[e.Seq] = e.Quarantined
}

// write appends the entries and syncs them. After an error they are not there:
// the next write goes over what was written of them.
func (q *quarantine) write(entries []entry) error {
	var b bytes.Buffer
	encode := json.NewEncoder(&b)
	for _, e := range entries {
		if err := encode.Encode(e); err != nil {
			return fmt.Errorf("write quarantine: %w", err)
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.append(b.Bytes()); err != nil {
		return fmt.Errorf("write quarantine: %w", err)
	}
	q.size += int64(b.Len())
	for _, e := range entries {
		q.apply(e)
	}
	return nil
}

func (q *quarantine) append(lines []byte) error {
	f, err := os.OpenFile(q.path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err = f.Truncate(q.size); err == nil {
		_, err = f.WriteAt(lines, q.size)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// all is the list in the order of Seq.
func (q *quarantine) all() []Quarantined {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := make([]Quarantined, 0, len(q.list))
	for _, seq := range slices.Sorted(maps.Keys(q.list)) {
		list = append(list, q.list[seq])
	}
	return list
}

func (q *quarantine) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.list)
}
