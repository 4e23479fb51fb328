package backup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/durable"
)

// StagingName is the directory, in a data directory, that a restore fills. While
// it is there, the restore has not ended.
const StagingName = "restoring"

// Restore copies the backup in from to the data directory to, which must be absent or empty.
// Everything is checked before anything is written, and again while it is copied. finish is
// called on the copy before it is put in its place; nil is nothing to do. After an error
// what was written is removed again.
func Restore(from, to string, read func(n int64), finish func(staging string) error) (*Manifest, error) {
	m, err := Read(from)
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	if err := Empty(to); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	faults, err := m.Check(from, read)
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("restore: %s of the backup %s; nothing was restored", faults[0].Name, faults[0].What)
	}
	staging := filepath.Join(to, StagingName)
	if err := stage(m, from, staging, finish); err != nil {
		return nil, fmt.Errorf("restore: %w", errors.Join(err, os.RemoveAll(staging)))
	}
	if err := moveIn(staging, to); err != nil { // what was staged stays: no server starts beside it
		return nil, fmt.Errorf("restore: %w", err)
	}
	return m, nil
}

func stage(m *Manifest, from, staging string, finish func(string) error) error {
	if err := os.MkdirAll(staging, 0o700); err != nil {
		return err
	}
	for _, f := range m.Files {
		if err := f.copy(from, staging); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(staging, "log"), 0o755); err != nil {
		return err
	}
	if finish != nil {
		if err := finish(staging); err != nil {
			return err
		}
	}
	return syncTree(staging)
}

func (f File) copy(from, to string) error {
	in, err := os.Open(filepath.Join(from, filepath.FromSlash(f.Name)))
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // only read
	got, err := writeFile(filepath.Join(to, filepath.FromSlash(f.Name)), in)
	if err != nil {
		return err
	}
	if got.Size != f.Size || got.SHA256 != f.SHA256 {
		return fmt.Errorf("%s of the backup changed while it was copied", f.Name)
	}
	return nil
}

// moveIn moves what was staged to where it belongs. The log comes last, and the
// staging directory goes behind it: until then no server starts here.
func moveIn(staging, to string) error {
	entries, err := os.ReadDir(staging)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if e.Name() != "log" {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	for _, name := range append(names, "log") {
		if err := os.Rename(filepath.Join(staging, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	if err := durable.SyncDir(to); err != nil {
		return err
	}
	if err := os.Remove(staging); err != nil {
		return err
	}
	return errors.Join(durable.SyncDir(to), durable.SyncDir(filepath.Dir(filepath.Clean(to))))
}
