package segmentlog

import (
	"context"
	"fmt"
	"io"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// SegmentCopy is one segment file as Export hands it out: Size bytes of Data, which are
// whole, durable blocks. The reader is valid during the call.
type SegmentCopy struct {
	Name       string // of the file, in the Log's directory
	Base, Last entity.Seq
	Size       int64
	Data       io.Reader
}

// Export hands out every segment, by Seq, up to at least the Head at the moment of
// the call, and returns the last Seq that it covers. It holds one file at a time and
// stands in nobody's way: appends, recompression, erasures and Trim go on.
//
// A segment that was handed out may be merged with a later one meanwhile. Then the merged
// one comes with a Base at or below those that it replaces: what was handed out
// with the same Base or a higher one does not count any more.
func (l *Log) Export(ctx context.Context, each func(SegmentCopy) error) (entity.Seq, error) {
	asked := l.Head()
	at := entity.Seq(0)
	for at < asked {
		if err := ctx.Err(); err != nil {
			return at, err
		}
		last, err := l.exportAfter(at, each)
		if err != nil {
			return at, fmt.Errorf("export log: %w", err)
		}
		if last <= at {
			break // nothing behind it is left
		}
		at = last
	}
	return at, nil
}

// exportAfter hands out the segment that holds the Seq behind at, or the first one after it.
func (l *Log) exportAfter(at entity.Seq, each func(SegmentCopy) error) (entity.Seq, error) {
	v, err := l.exportView(at + 1)
	if err != nil || v == nil {
		return at, err
	}
	defer v.release()
	c := SegmentCopy{Name: segmentName(v.seg.base), Base: v.seg.base, Last: v.last, Size: v.end}
	c.Data = io.NewSectionReader(v.h.file, 0, v.end)
	return v.last, each(c)
}

func (l *Log) exportView(seq entity.Seq) (*view, error) {
	if err := l.enter(); err != nil { // held while the file is opened only: Close need not wait for a slow reader
		return nil, err
	}
	defer l.exit()
	return l.viewAt(seq)
}
