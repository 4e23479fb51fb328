package segmentlog

import (
	"container/list"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// handles keeps files open for reading, at most max of them unless more are in
// use at the same time. A file stays readable through its handle after it was
// replaced or removed.
type handles struct {
	fs  vfs.FS
	max int

	mu   sync.Mutex // guards all below
	open map[uint64]*handle
	lru  *list.List // of *handle, the least recently used in front
}

type handle struct {
	id   uint64
	file vfs.File
	refs int
	gone bool // dropped: close with the last reference
	elem *list.Element
}

func newHandles(fs vfs.FS, limit int) *handles {
	return &handles{fs: fs, max: limit, open: map[uint64]*handle{}, lru: list.New()}
}

// acquire returns the handle of segment id, opening path when there is none.
func (h *handles) acquire(id uint64, path string) (*handle, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f := h.open[id]; f != nil {
		f.refs++
		h.lru.MoveToBack(f.elem)
		return f, nil
	}
	file, err := h.fs.Open(path)
	if err != nil {
		return nil, err
	}
	f := &handle{id: id, file: file, refs: 1}
	f.elem = h.lru.PushBack(f)
	h.open[id] = f
	for e := h.lru.Front(); e != nil && len(h.open) > h.max; {
		old := e.Value.(*handle)
		e = e.Next()
		if old.refs == 0 {
			h.forget(old)
		}
	}
	return f, nil
}

func (h *handles) release(f *handle) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f.refs--
	if f.refs > 0 {
		return
	}
	if f.gone {
		_ = f.file.Close() // opened for reading: nothing to lose
	} else if len(h.open) > h.max {
		h.forget(f)
	}
}

// drop closes segment id's file as soon as nobody reads it.
func (h *handles) drop(id uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f := h.open[id]; f != nil {
		h.forget(f)
	}
}

func (h *handles) forget(f *handle) {
	delete(h.open, f.id)
	h.lru.Remove(f.elem)
	f.gone = true
	if f.refs == 0 {
		_ = f.file.Close() // opened for reading: nothing to lose
	}
}

func (h *handles) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.open {
		h.forget(f)
	}
}
