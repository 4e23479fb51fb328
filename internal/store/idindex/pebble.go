package idindex

import (
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	defaultCache = 64 << 20
	minCache     = 8 << 20
	maxMemTable  = 32 << 20
)

// pebbleOptions sizes Pebble for a server that shares a small machine: Pebble
// charges memtables to the block cache, so the cache size bounds both.
func pebbleOptions(o Options, damaged func()) *pebble.Options {
	cache := o.CacheBytes
	if cache <= 0 {
		cache = defaultCache
	}
	cache = max(cache, minCache)
	p := &pebble.Options{
		FS:                          o.FS,
		CacheSize:                   cache,
		MemTableSize:                uint64(min(maxMemTable, cache/8)),
		MemTableStopWritesThreshold: 4,
		DisableWAL:                  true,
		FormatMajorVersion:          pebble.FormatTableFormatV6,
		MaxOpenFiles:                500,
		L0CompactionThreshold:       4,
		MaxManifestFileSize:         16 << 20,
	}
	if p.FS == nil {
		p.FS = vfs.Default
	}
	for i := range p.Levels {
		p.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		p.Levels[i].FilterType = pebble.TableFilter
	}
	p.TargetFileSizes[0] = 8 << 20
	p.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionFastest })
	l := pebbleLogger{o.Logger}
	p.Logger = l
	p.EventListener = &pebble.EventListener{
		BackgroundError: func(err error) { l.Errorf("background work: %v", err) },
		// A look-up that meets the damage returns an error; ending the process,
		// as Pebble would by itself, repairs nothing.
		DataCorruption: func(i pebble.DataCorruptionInfo) { l.Errorf("%v", i); damaged() },
	}
	return p
}

// pebbleLogger hands Pebble's lines to slog.
type pebbleLogger struct{ log *slog.Logger }

func (l pebbleLogger) Infof(format string, args ...any) {
	l.log.Debug("id index", "pebble", fmt.Sprintf(format, args...))
}

func (l pebbleLogger) Errorf(format string, args ...any) {
	l.log.Error("id index", "pebble", fmt.Sprintf(format, args...))
}

// Fatalf must not return: Pebble calls it when it can no longer keep its own
// promises (its manifest cannot be written). A new start recovers.
func (l pebbleLogger) Fatalf(format string, args ...any) {
	panic("id index: " + fmt.Sprintf(format, args...))
}
