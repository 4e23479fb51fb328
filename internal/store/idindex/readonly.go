package idindex

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// OpenReadOnly opens the index in dir to be looked at: nothing on disk is changed, and nothing can
// be applied. There is no write-ahead log to replay, so what is read is what the next start
// begins with. The caller keeps other processes away.
func OpenReadOnly(dir string, o Options) (*Index, error) {
	o = o.withDefaults()
	if !hasFiles(o.FS, dir) {
		return nil, fmt.Errorf("open id index: %w", os.ErrNotExist)
	}
	o.FS = readOnlyFS{o.FS}
	d := &damage{c: make(chan struct{})}
	w := newWork(o.Logger)
	p := pebbleOptions(o, d.found, w)
	p.ReadOnly, p.ErrorIfNotExists = true, true
	db, err := pebble.Open(dir, p)
	if err != nil {
		return nil, fmt.Errorf("open id index: %w", err)
	}
	x := &Index{db: db, now: o.Now, log: o.Logger, filter: newFilter(), readInDone: make(chan struct{}), readOnly: true, damage: d, work: w}
	if err := x.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("open id index: %w", err), db.Close())
	}
	return x, nil
}

func hasFiles(fs vfs.FS, dir string) bool {
	names, err := fs.List(dir)
	return err == nil && len(names) > 0
}

// readOnlyFS refuses everything that would change a file. A lock file is not made: the
// directory may be one that cannot be written to.
type readOnlyFS struct{ vfs.FS }

func refused(op, name string) error { return &os.PathError{Op: op, Path: name, Err: syscall.EROFS} }

func (f readOnlyFS) Create(name string, _ vfs.DiskWriteCategory) (vfs.File, error) {
	return nil, refused("create", name)
}

func (f readOnlyFS) Link(_, newname string) error { return refused("link", newname) }

func (f readOnlyFS) OpenReadWrite(name string, _ vfs.DiskWriteCategory, _ ...vfs.OpenOption) (vfs.File, error) {
	return nil, refused("open", name)
}

func (f readOnlyFS) Remove(name string) error    { return refused("remove", name) }
func (f readOnlyFS) RemoveAll(name string) error { return refused("remove", name) }
func (f readOnlyFS) Rename(old, _ string) error  { return refused("rename", old) }

func (f readOnlyFS) ReuseForWrite(old, _ string, _ vfs.DiskWriteCategory) (vfs.File, error) {
	return nil, refused("rename", old)
}

func (f readOnlyFS) MkdirAll(dir string, _ os.FileMode) error { return refused("mkdir", dir) }
func (f readOnlyFS) Lock(string) (io.Closer, error)           { return io.NopCloser(nil), nil }
func (f readOnlyFS) Unwrap() vfs.FS                           { return f.FS }
