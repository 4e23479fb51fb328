package idindex

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
)

// manifestName is the file that says what the index is: which runs, up to where. It is replaced as a whole.
const manifestName = "manifest"

// manifestHead is its first line: the version of all files of the index, and the checksum of the rest.
const manifestHead = "brokle id index %d %08x\n"

// manifest is the rest, in JSON.
type manifest struct {
	Cursor  entity.Seq   `json:"cursor"`
	Secret  [2]uint64    `json:"secret"`
	Next    uint64       `json:"next"` // number of the next run
	Runs    []listedRun  `json:"runs"` // oldest first
	Pending []pendingJob `json:"pending,omitempty"`
}

// listedRun names a run, and the checksum of its footer: no other file with that name will do.
type listedRun struct {
	Number uint64 `json:"number"`
	Sum    uint32 `json:"sum"`
}

func runName(number uint64) string { return fmt.Sprintf("%08d.run", number) }

func (m *manifest) marshal() ([]byte, error) {
	rest, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	rest = append(rest, '\n')
	return append(fmt.Appendf(nil, manifestHead, FormatVersion, checksum(rest)), rest...), nil
}

func (m *manifest) unmarshal(b []byte) error {
	head, rest, _ := bytes.Cut(b, []byte("\n"))
	var version int
	var sum uint32
	_, err := fmt.Sscanf(string(head)+"\n", manifestHead, &version, &sum)
	switch {
	case err == nil && version > FormatVersion:
		return ErrNewer
	case err == nil && version < FormatVersion:
		return ErrFormat
	case err != nil || checksum(rest) != sum || json.Unmarshal(rest, m) != nil:
		return fmt.Errorf("the manifest %w", errDamaged)
	}
	return nil
}

// readManifest returns an error that wraps os.ErrNotExist when there is none.
func readManifest(fs vfs.FS, dir string) (m manifest, err error) {
	b, err := durable.ReadIn(fs, fs.PathJoin(dir, manifestName))
	if err != nil {
		return m, err
	}
	return m, m.unmarshal(b)
}

// save makes the manifest say that the index is these runs and what of a table s has. x.files is held.
func (x *Index) save(runs []*run, s saved) error {
	m := manifest{Cursor: s.cursor, Secret: x.hash.secret, Next: x.next, Pending: s.pending, Runs: make([]listedRun, 0, len(runs))}
	for _, r := range runs {
		m.Runs = append(m.Runs, listedRun{r.number, r.sum()})
	}
	b, err := m.marshal()
	if err == nil {
		err = x.replaceManifest(b)
	}
	if err == nil {
		x.mu.Lock()
		x.saved = s
		x.mu.Unlock()
	}
	return err
}

func (x *Index) replaceManifest(b []byte) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.hurt {
		return fmt.Errorf("a file of the index %w", errDamaged)
	}
	if err := durable.SyncDirIn(x.fs, x.dir); err != nil { // the names of the runs
		return err
	}
	return durable.ReplaceIn(x.fs, x.fs.PathJoin(x.dir, manifestName), b)
}

// damaged sees to it that the next Open builds the index again: it takes the manifest away. When that cannot be done, the
// next Open or a look-up meets the damage once more.
func (x *Index) damaged() {
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.hurt {
		return
	}
	x.hurt = true
	defer close(x.damage)
	if x.readOnly {
		return
	}
	err := x.fs.Remove(x.fs.PathJoin(x.dir, manifestName))
	if err == nil {
		err = durable.SyncDirIn(x.fs, x.dir)
	}
	if err != nil {
		x.o.Logger.Warn("the damage of the id index could not be written down", "error", err)
	}
}
