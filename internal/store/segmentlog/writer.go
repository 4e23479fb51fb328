package segmentlog

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
)

// writeCategory is how the Log's writes are counted by a vfs that counts.
const writeCategory = vfs.DiskWriteCategory("brokle-log")

// writer is the active segment's file. The zero writer has none.
type writer struct {
	seg   *segment
	file  vfs.File
	added bool // the file's name is durable
}

// begin opens a file for a segment that starts at base. Its header goes out with the first
// write.
func (w *writer) begin(l *Log, base entity.Seq, now time.Time) (segmentHeader, error) {
	salt := newSalt()
	if err := l.checkDir(); err != nil {
		return segmentHeader{}, err
	}
	path := l.fs.PathJoin(l.dir, segmentName(base))
	file, err := l.fs.Create(path, writeCategory)
	if err != nil {
		return segmentHeader{}, fmt.Errorf("create segment: %w", err)
	}
	w.file, w.added = file, false
	w.seg = &segment{
		id: l.nextID.Add(1), base: base, path: path, salt: salt, salted: true,
		last: base - 1, end: headerLen, loaded: true, prev: l.lastStored(), file: fileIdentity(file),
	}
	return segmentHeader{salt: salt, base: base, created: now.UnixMicro(), prev: w.seg.prev}, nil
}

// lastStored is the last Seq of the newest segment. Head may be above it: Seqs are
// skipped where a start found a torn end.
func (l *Log) lastStored() entity.Seq {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if len(l.segs) == 0 {
		return 0
	}
	return l.segs[len(l.segs)-1].last
}

// write appends b to the active segment and makes it durable. created is true for
// the first write of a file, which makes the file's name durable too, and lists it. A file that has no name
// any more is an error: nothing in it is acknowledged.
func (w *writer) write(l *Log, b []byte) (created bool, err error) {
	if n, err := w.file.Write(b); err != nil {
		return false, fmt.Errorf("write segment: %w", err)
	} else if n < len(b) {
		return false, fmt.Errorf("write segment: %w", io.ErrShortWrite)
	}
	if err := w.file.SyncData(); err != nil {
		return false, fmt.Errorf("sync segment: %w", err)
	}
	if err := linked(w.file, w.seg.base); err != nil {
		return false, err
	}
	if w.added {
		return false, nil
	}
	if err := durable.SyncDirIn(l.fs, l.dir); err != nil {
		return false, fmt.Errorf("sync directory of segments: %w", err)
	}
	if err := l.writeList(w.seg.base); err != nil {
		return false, err
	}
	w.added = true
	return true, nil
}

// truncateFile shortens f where the file system can, and syncs. Where it cannot, the
// bytes stay and the fence keeps them unread.
func truncateFile(f vfs.File, size int64) error {
	t, ok := f.(interface{ Truncate(size int64) error })
	if !ok {
		return nil
	}
	if err := t.Truncate(size); err != nil {
		return err
	}
	return f.Sync()
}

func (w *writer) close() error {
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	*w = writer{}
	return err
}

// newSalt draws the number by which a segment knows its own blocks.
func newSalt() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // it never fails
	return binary.LittleEndian.Uint32(b[:])
}
