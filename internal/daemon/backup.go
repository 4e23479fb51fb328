package daemon

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/backup"
	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/indexer"
	"github.com/brokle-ai/brokle-go/internal/removal"
	"github.com/brokle-ai/brokle-go/internal/store/mediafiles"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
)

// backup writes an archive of everything that is the truth: what was acknowledged before
// the call is in it. The node goes on meanwhile.
func (n *node) backup(ctx context.Context, w io.Writer, journal func(head entity.Seq) ([]byte, error)) error {
	m := backup.Manifest{Created: time.Now().UTC(), Node: brokle.Version, Formats: datadir.BackedUp()}
	out := backup.NewWriter(w)
	// Small files come first: what they name is in the segments that are read after them.
	if err := addFile(out, KeysPath(n.cfg), datadir.KeysFile, nil); err != nil {
		return err
	}
	for _, name := range []string{datadir.BudgetsFile, datadir.SavedFile, datadir.AlertsFile, datadir.JudgesFile} {
		if err := addFile(out, filepath.Join(n.cfg.DataDir, name), name, nil); err != nil {
			return err
		}
	}
	if err := n.addPrompts(out); err != nil {
		return err
	}
	list := filepath.Join(n.cfg.DataDir, datadir.QuarantineDir, indexer.QuarantineFile)
	if err := addFile(out, list, path.Join(datadir.QuarantineDir, indexer.QuarantineFile), wholeLines); err != nil {
		return err
	}
	prices, err := n.prices.Files()
	if err != nil {
		return err
	}
	for _, f := range prices {
		if err := out.Add(path.Join(datadir.PricesDir, f.Name), int64(len(f.Raw)), bytes.NewReader(f.Raw)); err != nil {
			return err
		}
	}
	head, err := n.log.Export(ctx, func(c segmentlog.SegmentCopy) error {
		out.Drop(mergedInto(out, c.Name)...)
		return out.Add(path.Join(datadir.LogDir, c.Name), c.Size, c.Data)
	})
	if err != nil {
		return err
	}
	if err := n.addMedia(out); err != nil {
		return err
	}
	if err := n.addDatasets(out); err != nil {
		return err
	}
	raw, err := journal(head)
	if err != nil {
		return err
	}
	if raw != nil {
		if err := out.Add(datadir.JournalFile, int64(len(raw)), bytes.NewReader(raw)); err != nil {
			return err
		}
	}
	m.Head = uint64(head)
	return out.Finish(m)
}

// addMedia adds the media, which come behind the segments: what an event refers to was there before it.
func (n *node) addMedia(out *backup.Writer) error {
	if n.media == nil {
		return nil
	}
	return n.media.Export(func(name string, size int64, r io.Reader) error {
		return out.Add(path.Join(datadir.MediaDir, name), size, r)
	})
}

// addDatasets adds the files of datasets, each as much of it as is whole. Those that nodes share are in the backup of their warehouse.
func (n *node) addDatasets(out *backup.Writer) error {
	return n.datasets.Export(func(name string, size int64, r io.Reader) error {
		return out.Add(path.Join(datadir.DatasetsDir, name), size, r)
	})
}

// mergedInto is the segments of the backup that a copy of this name replaces. Names
// sort as Seqs do.
func mergedInto(out *backup.Writer, name string) (replaced []string) {
	for _, added := range out.Added() {
		if path.Dir(added) == datadir.LogDir && path.Base(added) >= name {
			replaced = append(replaced, added)
		}
	}
	return replaced
}

// addFile adds a small file as it is now; one that is not there is left out.
func addFile(out *backup.Writer, from, name string, trim func([]byte) []byte) error {
	raw, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if trim != nil {
		raw = trim(raw)
	}
	return out.Add(name, int64(len(raw)), bytes.NewReader(raw))
}

// wholeLines leaves out a last line that is being written.
func wholeLines(raw []byte) []byte { return raw[:bytes.LastIndexByte(raw, '\n')+1] }

// Restore makes a data directory of the backup in from. cfg.DataDir must be absent or empty.
// Erasures that were under way when the backup was made are ended in the copy, so that nothing
// comes back. read is told of the bytes that were checked; nil is nobody.
func Restore(ctx context.Context, cfg Config, from string, logger *slog.Logger, read func(n int64)) (*backup.Manifest, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	m, err := backup.Read(from)
	if err != nil {
		return nil, err
	}
	if err := datadir.Readable(m.Formats, "the backup"); err != nil {
		return nil, err
	}
	return backup.Restore(from, cfg.DataDir, read, func(staging string) error {
		if err := checkRestored(staging); err != nil {
			return err
		}
		return endErasures(ctx, staging, cfg, logger)
	})
}

// checkRestored refuses what this release cannot read before a server meets it.
func checkRestored(dir string) error {
	if err := segmentlog.CheckFormat(nil, filepath.Join(dir, datadir.LogDir)); err != nil {
		return err
	}
	_, err := removal.ReadErasures(filepath.Join(dir, datadir.JournalFile))
	return err
}

// endErasures does again, in a data directory that nobody serves, the erasures of its journal. There
// is no warehouse yet.
func endErasures(ctx context.Context, dir string, cfg Config, logger *slog.Logger) error {
	journal := filepath.Join(dir, datadir.JournalFile)
	list, err := removal.ReadErasures(journal)
	if err != nil || len(list) == 0 {
		return err
	}
	log, err := segmentlog.Open(filepath.Join(dir, datadir.LogDir), segmentlog.Options{
		Logger: logger.With("part", "log"), IndexCacheBytes: int64(cfg.IndexCache),
	})
	if err != nil {
		return err
	}
	media, err := mediafiles.Open(nil, filepath.Join(dir, datadir.MediaDir))
	if err != nil {
		return errors.Join(err, log.Close())
	}
	weeder := removal.NewWeeder(removal.WeederOptions{Media: media, Mentions: log, Head: log.Head})
	for _, e := range list {
		if err := log.Erase(ctx, e.Seqs); err != nil {
			return errors.Join(err, log.Close())
		}
		if err := weeder.Erased(ctx, e.Project, e.Media); err != nil {
			return errors.Join(err, log.Close())
		}
		if err := eraseRestored(ctx, filepath.Join(dir, datadir.DatasetsDir), e.Project, e.Traces); err != nil {
			return errors.Join(err, log.Close())
		}
		if err := indexer.Forget(filepath.Join(dir, datadir.QuarantineDir), e.Seqs); err != nil {
			return errors.Join(err, log.Close())
		}
		logger.Info("an erasure that was under way during the backup was ended", "project", e.Project, "events", len(e.Seqs))
	}
	if err := log.Close(); err != nil {
		return err
	}
	return removal.RemoveJournal(journal)
}
