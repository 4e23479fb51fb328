package daemon

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/pricing"
)

// identity is what a node knows of itself in a warehouse that it shares.
type identity struct {
	ID string `json:"id"` // random, of this data directory
	// Cursor is how far the warehouse was when that was written down last: at least so much of the log is there.
	Cursor entity.Seq `json:"cursor"`
	// Hours is how far it was at times about an hour apart, the oldest first: what lies before the first of them is not needed any more.
	Hours []confirmed `json:"hours,omitempty"`
	// Numbers are those that it has had among the others, for which the entries of the journal of prices hold; none: it has not shared yet.
	Numbers pricing.Numbers `json:"numbers,omitempty"`
	// Others is how far the logs of the others were when that was written down last.
	Others map[uint16]entity.Seq `json:"others,omitempty"`
	// Apart is what the node did to its data while it had a warehouse of its own beside what the shared one has of it; nil while it shares.
	Apart *apart `json:"apart,omitempty"`
}

// apart is what the shared warehouse is to be told of.
type apart struct {
	Erased []erased `json:"erased,omitempty"`
	// Begun are the events of other nodes, as the shared warehouse names them, of an erasure that began while the node shared and was interrupted.
	Begun    []erased `json:"begun,omitempty"`
	Repriced int      `json:"repriced"` // how many repricings the shared warehouse knows
}

// erased are events that were erased from the log.
type erased struct {
	Project string       `json:"project"`
	Seqs    []entity.Seq `json:"seqs"`
}

// confirmed is how much of the log the warehouse had at a time.
type confirmed struct {
	At     time.Time  `json:"at"`
	Cursor entity.Seq `json:"cursor"`
}

// spoolTime is how long the log keeps what the warehouse has: ids are compared with it, and receipts read from it, for a day.
const spoolTime = 25 * time.Hour

// confirm notes how far the warehouse is, and says up to where it was spoolTime ago; 0 when that is not known.
func (id *identity) confirm(at time.Time, cursor entity.Seq) (old entity.Seq) {
	id.Cursor = cursor
	if n := len(id.Hours); n == 0 || at.Sub(id.Hours[n-1].At) >= time.Hour {
		id.Hours = append(id.Hours, confirmed{at, cursor})
	}
	for len(id.Hours) > 0 && at.Sub(id.Hours[0].At) >= spoolTime {
		old = id.Hours[0].Cursor
		if len(id.Hours) == 1 || at.Sub(id.Hours[1].At) < spoolTime {
			break
		}
		id.Hours = id.Hours[1:]
	}
	return old
}

// number notes that the node has a number, from behind a place in its log on, and says which it had before.
func (id *identity) number(node uint16, after entity.Seq) (is pricing.Number, had pricing.Numbers) {
	had = id.Numbers
	if n := len(had); n > 0 && had[n-1].Node == node {
		return had[n-1], had
	}
	if is.Node = node; len(had) > 0 { // the first is that of all it has
		is.After = after
	}
	kept := slices.Clone(had)
	for len(kept) > 0 && kept[len(kept)-1].After >= is.After {
		kept = kept[:len(kept)-1]
	}
	id.Numbers = append(kept, is)
	return is, had
}

// hear notes how far the others are, if anybody has said so.
func (id *identity) hear(others map[uint16]entity.Seq) {
	if len(others) > 0 {
		id.Others = others
	}
}

// nodeFile is the file, of a node that runs.
type nodeFile struct {
	path string

	mu sync.Mutex // guards what follows
	is identity
}

// openNodeFile reads the file at path, or makes it.
func openNodeFile(path string) (*nodeFile, error) {
	is, err := identityFile(path)
	return &nodeFile{path: path, is: is}, err
}

func (f *nodeFile) get() identity {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.is
}

// change writes the file anew, when edit changes it.
func (f *nodeFile) change(edit func(*identity) (changed bool)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	is := f.is
	if !edit(&is) {
		return nil
	}
	if err := is.write(f.path); err != nil {
		return err
	}
	f.is = is
	return nil
}

// identityFile reads the file at path, or makes it.
func identityFile(path string) (id identity, err error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		random := make([]byte, 16)
		rand.Read(random) //nolint:errcheck // never fails (crypto/rand)
		id.ID = hex.EncodeToString(random)
		return id, id.write(path)
	}
	if err == nil {
		err = json.Unmarshal(raw, &id)
	}
	if err == nil && len(id.ID) != 32 {
		err = errors.New("it has no id")
	}
	if err != nil {
		return id, fmt.Errorf("%s is damaged: put it back, or delete it to go on as another node (%w)", filepath.Base(path), err)
	}
	return id, nil
}

func (id identity) write(path string) error {
	raw, err := json.Marshal(id)
	if err != nil {
		return err
	}
	return durable.Replace(path, append(raw, '\n'))
}
