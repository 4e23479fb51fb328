package segmentlog

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// ErrNotOurs is wrapped by errors about files that are gone, or were put in the place of the Log's own.
var ErrNotOurs = errors.New("the files of the log are not its own any more")

// identity tells a file from another of its name, where the file system says so: on others only a file
// that is gone is noticed.
type identity struct {
	known    bool
	dev, ino uint64
}

// other says that two identities are surely of two files.
func (a identity) other(b identity) bool { return a.known && b.known && a != b }

// CheckFiles returns an error that wraps ErrNotOurs when the directory or a segment file is gone or
// is another one than the Log opened or made. What the Log replaces itself is its own.
func (l *Log) CheckFiles() error {
	if err := l.enter(); err != nil {
		return err
	}
	defer l.exit()
	if err := l.checkDir(); err != nil {
		return err
	}
	l.mu.RLock()
	segs := l.segs
	l.mu.RUnlock()
	for _, seg := range segs {
		if l.checkSegment(seg) == nil {
			continue
		}
		l.mu.RLock() // it may have been replaced, or trimmed, meanwhile: nobody does either now
		err := error(nil)
		if slices.Contains(l.segs, seg) {
			err = l.checkSegment(seg)
		}
		l.mu.RUnlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// checkDir looks whether the directory is the one that was opened.
func (l *Log) checkDir() error { return l.checkOwn(l.dir, l.dirID, "its directory", "directory") }

func (l *Log) checkSegment(seg *segment) error {
	return l.checkOwn(seg.path, seg.file, fmt.Sprintf("segment %s (events from %d on)", segmentName(seg.base), seg.base), "file")
}

func (l *Log) checkOwn(path string, own identity, what, kind string) error {
	info, err := l.fs.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: %s is gone", ErrNotOurs, what)
	case err != nil:
		return fmt.Errorf("%w: %s: %w", ErrNotOurs, what, bare(err))
	case identityOf(info).other(own):
		return fmt.Errorf("%w: %s is another %s than the one that was opened", ErrNotOurs, what, kind)
	}
	return nil
}

// bare takes the path out of an error: clients may see why they are refused.
func bare(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("%s: %w", pe.Op, pe.Err)
	}
	return err
}

// linked returns an error when f has no name any more: what is written to it goes with the process.
func linked(f vfs.File, base entity.Seq) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("look at segment: %w", err)
	}
	if links, known := linksOf(info); known && links == 0 {
		return fmt.Errorf("%w: segment %s was deleted", ErrNotOurs, segmentName(base))
	}
	return nil
}

// fileIdentity is the identity of an open file; one that cannot be told is not known.
func fileIdentity(f vfs.File) identity {
	info, err := f.Stat()
	if err != nil {
		return identity{}
	}
	return identityOf(info)
}
