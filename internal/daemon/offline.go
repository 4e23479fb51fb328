package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/indexer"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
	"github.com/brokle-ai/brokle-go/internal/verify"
)

// DumpLog prints one segment file of a Log: its header and every block, with
// the events' payloads when asked. The file is only read; a server may be running.
func DumpLog(out io.Writer, path string, payloads bool) error {
	return segmentlog.Dump(out, vfs.Default, path, payloads)
}

// Quarantined is a record that the Warehouse could not take.
type Quarantined = indexer.Quarantined

// Quarantine lists the records in quarantine of a stopped node's data directory.
func Quarantine(cfg Config, logger *slog.Logger) (list []Quarantined, err error) {
	err = offline(cfg, logger, func(x *indexer.Indexer) error {
		list = x.Quarantine()
		return nil
	})
	return list, err
}

// ReplayQuarantine offers every record in quarantine to the Warehouse again,
// and returns how many it took and how many stay.
func ReplayQuarantine(ctx context.Context, cfg Config, logger *slog.Logger) (replayed, left int, err error) {
	err = offline(cfg, logger, func(x *indexer.Indexer) error {
		replayed, left, err = x.Replay(ctx)
		return err
	})
	return replayed, left, err
}

// offline opens the stores of a stopped node for do, and closes them.
func offline(cfg Config, logger *slog.Logger, do func(*indexer.Indexer) error) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	cfg = cfg.withDefaults()
	if _, err := os.Stat(cfg.DataDir); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	cfg.Cost = "" // what the node was served with
	s, err := openStores(cfg, logger)
	if err != nil {
		return err
	}
	if s.shared != nil {
		if err := s.shared.Connect(context.Background()); err != nil {
			return errors.Join(err, s.close(newStopping()))
		}
	}
	x, err := newIndexer(s, cfg, logger)
	if err == nil {
		err = do(x)
	}
	return errors.Join(err, s.close(newStopping()))
}

// Verify goes through everything in the data directory of a stopped node, or in a backup. read is told
// of the bytes of the log that were gone through; nil is nobody.
func Verify(ctx context.Context, cfg Config, read func(n int64)) (*verify.Report, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	return verify.Dir(ctx, verify.Options{
		Dir: cfg.DataDir, IndexCache: int64(cfg.IndexCache), WarehouseMemory: int64(cfg.WarehouseMemory), WarehouseThreads: min(runtime.NumCPU(), 4), Read: read,
	})
}
