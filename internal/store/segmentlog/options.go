package segmentlog

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options of a Log. The zero value is the documented default of each field.
type Options struct {
	// FS is the file system; nil is the operating system's.
	FS vfs.FS
	// Now is the clock that stamps blocks and expires marks; nil is time.Now.
	Now func() time.Time
	// Logger gets what an operator should know; nil discards it.
	Logger *slog.Logger
	// SegmentBytes is the size at which a segment file is sealed. Default 64 MiB.
	// One request larger than that makes a larger segment.
	SegmentBytes int64
	// TailBytes is the memory in which the newest records are kept, decoded, for
	// followers that keep up. Default 24 MiB.
	TailBytes int64
	// BlockCacheBytes bounds the decoded blocks kept for Get. Default 12 MiB.
	BlockCacheBytes int64
	// MaxOpenFiles bounds the files kept open for reading. Default 64.
	MaxOpenFiles int
	// IndexCacheBytes is the id index's cache; 0 is the index's own default.
	IndexCacheBytes int64
	// IdleAfter is how long no append must have come before the segment that is appended to is
	// sealed, and a few small segments are made one. Default 2 s.
	IdleAfter time.Duration
	// Unsearched says that nobody asks this Log for words, because a warehouse knows them: its filters know only whom events name, as in a profile of taking in words were a tenth of the processor time.
	// Search refuses. Opened without it the Log makes such filters again.
	Unsearched bool
	// indexHashBits is idindex.Options.HashBits; tests set it.
	indexHashBits int
	// AcceptLoss lets Open go on when segment files are missing, which is a LossError otherwise. What
	// was accepted is written down, and the next Open finds nothing missing.
	AcceptLoss bool

	packBytes int // of a packed block's bodies; tests have smaller ones
}

func (o Options) withDefaults() Options {
	o.FS = cmp.Or(o.FS, vfs.Default)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	o.SegmentBytes = cmp.Or(max(o.SegmentBytes, 0), 64<<20)
	o.TailBytes = cmp.Or(max(o.TailBytes, 0), 12<<20)
	o.BlockCacheBytes = cmp.Or(max(o.BlockCacheBytes, 0), 12<<20)
	o.MaxOpenFiles = cmp.Or(max(o.MaxOpenFiles, 0), 64)
	o.IdleAfter = cmp.Or(max(o.IdleAfter, 0), 2*time.Second)
	o.packBytes = cmp.Or(o.packBytes, packBytes)
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}
