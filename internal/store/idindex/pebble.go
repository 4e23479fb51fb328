package idindex

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
)

const (
	defaultCache = 64 << 20
	minCache     = 8 << 20
	maxMemTable  = 32 << 20
	memTables    = 4 // full ones in memory at which Pebble makes writers wait
)

// pebbleOptions sizes Pebble for a server that shares a small machine: Pebble
// charges memtables to the block cache, so the cache size bounds both.
func pebbleOptions(o Options, damaged func(), w *work) *pebble.Options {
	cache := o.CacheBytes
	if cache <= 0 {
		cache = defaultCache
	}
	cache = max(cache, minCache)
	p := &pebble.Options{
		FS:                          patientFS{o.FS, w},
		CacheSize:                   cache,
		MemTableSize:                uint64(min(maxMemTable, cache/8)),
		MemTableStopWritesThreshold: memTables,
		DisableWAL:                  true,
		FormatMajorVersion:          pebble.FormatTableFormatV6,
		MaxOpenFiles:                500,
		L0CompactionThreshold:       4,
		MaxManifestFileSize:         16 << 20,
	}
	for i := range p.Levels {
		p.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		p.Levels[i].FilterType = pebble.TableFilter
	}
	p.TargetFileSizes[0] = 8 << 20
	p.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionFastest })
	l := pebbleLogger{o.Logger, w}
	p.Logger = l
	p.EventListener = &pebble.EventListener{
		BackgroundError: w.fails,
		FlushEnd: func(i pebble.FlushInfo) {
			if i.Err == nil {
				w.succeeds()
			}
		},
		// A look-up that meets the damage returns an error; ending the process,
		// as Pebble would by itself, repairs nothing.
		DataCorruption: func(i pebble.DataCorruptionInfo) { l.Errorf("%v", i); damaged() },
	}
	return p
}

// pebbleLogger hands Pebble's lines to slog.
type pebbleLogger struct {
	log  *slog.Logger
	work *work
}

func (l pebbleLogger) Infof(format string, args ...any) {
	l.log.Debug("id index", "pebble", fmt.Sprintf(format, args...))
}

func (l pebbleLogger) Errorf(format string, args ...any) {
	l.log.Error("id index", "pebble", fmt.Sprintf(format, args...))
}

// Fatalf is called when Pebble can no longer keep its own promises. Of a manifest that cannot be
// written (the disk is full, say) its caller returns an error, so that the index need only
// be used no more. Everything else is a fault of the program, and must not return.
func (l pebbleLogger) Fatalf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !strings.HasPrefix(text, "MANIFEST ") {
		panic("id index: " + text)
	}
	l.work.breaks(manifestError(text, args))
}

// manifestError is the error among args, which callers can tell apart, or else the text.
func manifestError(text string, args []any) error {
	for _, a := range args {
		if err, ok := a.(error); ok {
			return err
		}
	}
	return errors.New(text)
}
