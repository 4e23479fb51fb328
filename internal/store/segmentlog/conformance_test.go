package segmentlog

import (
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

func opener(o Options) storetest.OpenLog {
	return func(fs vfs.FS, now func() time.Time) (storetest.FullLog, error) {
		o := o
		o.FS, o.Now = fs, now
		return Open("data/log", o)
	}
}

// tiny makes every limit bite: many segments, a tail of a few blocks, few files.
var tiny = Options{SegmentBytes: 4 << 10, TailBytes: 4 << 10, BlockCacheBytes: 16 << 10, MaxOpenFiles: 2}

func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("Defaults", func(t *testing.T) { t.Parallel(); storetest.Log(t, opener(Options{})) })
	t.Run("Tiny", func(t *testing.T) { t.Parallel(); storetest.Log(t, opener(tiny)) })
	t.Run("Packing", func(t *testing.T) { t.Parallel(); storetest.Log(t, runningOpener(eager)) })
}
