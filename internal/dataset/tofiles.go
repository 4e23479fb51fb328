package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// WriteFiles writes what nodes share into a directory, in the files of a node that is alone, and reads these. What is in the directory is removed before. Nobody may write meanwhile.
func (d *Datasets) WriteFiles(ctx context.Context, dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	projects, err := d.store.DatasetProjects(ctx)
	for i := 0; err == nil && i < len(projects); i++ {
		w := &writing{project: d.project(projects[i]), dir: filepath.Join(dir, projectPrefix+projects[i]), waits: map[string]*bytes.Buffer{}}
		err = w.run(ctx)
	}
	if err != nil {
		return fmt.Errorf("write the datasets that nodes share into files: %w", err)
	}
	return nil
}

// writing is the files of a project in the making.
type writing struct {
	project *project
	dir     string
	waits   map[string]*bytes.Buffer // what is to be written behind each, by what it is about
}

// flushAt is how much of a file is written at once, in bytes.
const flushAt = 1 << 20

func (w *writing) run(ctx context.Context) error {
	if err := w.project.fresh(ctx); err != nil {
		return err
	}
	p := w.project
	p.turn.Lock()
	defer p.turn.Unlock()
	k := p.keep.(*sharedLines)
	if err := k.store.ReadDatasets(ctx, k.project, 1, func(at *store.DatasetLine) error { return w.line(at) }); err != nil {
		return err
	}
	for of := range w.waits {
		if err := errors.Join(w.flush(of), w.sync(of)); err != nil {
			return err
		}
	}
	if len(w.waits) == 0 {
		return nil
	}
	if err := errors.Join(durable.SyncDir(w.dir), durable.SyncDir(filepath.Dir(w.dir)), durable.SyncDir(filepath.Dir(filepath.Dir(w.dir)))); err != nil {
		return err
	}
	return w.check()
}

// line takes a line that a file has, too: not of what is deleted, not of an attempt to bring a dataset in that did not end, and not what is said among nodes only.
func (w *writing) line(at *store.DatasetLine) error {
	if at.Dataset != "" {
		set := w.project.has.datasets[at.Dataset]
		if set == nil || !set.log.whole() || int64(at.Entry) < set.log.began {
			return nil
		}
	}
	l, err := lineOf(at)
	if err != nil || l.Arriving != nil || l.Emptied != nil {
		return err
	}
	b := w.waits[at.Dataset]
	if b == nil {
		b = &bytes.Buffer{}
		w.waits[at.Dataset] = b
		form, err := (&line{Form: FormatVersion}).encode()
		if err != nil {
			return err
		}
		b.Write(form)
	}
	raw, err := l.encode()
	if err != nil {
		return err
	}
	if b.Write(raw); b.Len() >= flushAt {
		return w.flush(at.Dataset)
	}
	return nil
}

func (w *writing) flush(of string) error {
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(w.dir, fileOf(of)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = w.waits[of].WriteTo(f)
	return errors.Join(err, f.Close())
}

func (w *writing) sync(of string) error {
	f, err := os.OpenFile(filepath.Join(w.dir, fileOf(of)), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// check reads the files: they say what nodes share.
func (w *writing) check() error {
	for of, set := range w.project.has.datasets {
		if !set.log.whole() {
			continue
		}
		g := newLog()
		if _, _, err := openJournal(filepath.Join(w.dir, fileOf(of)), true, g.take); err != nil {
			return err
		}
		if g.head.ID != of || g.head.Name != set.log.head.Name || g.pinned != set.log.pinned || !g.updated.Equal(set.log.updated) || !slices.Equal(g.counts, set.log.counts) || !slices.EqualFunc(g.entries, set.log.entries, sameEntry) {
			return fmt.Errorf("the file of dataset %s is not what nodes share", of)
		}
	}
	return nil
}

// sameEntry says that two entries are the same item, wherever they are kept.
func sameEntry(a, b entry) bool {
	return a.id == b.id && a.whole == b.whole && a.from == b.from && a.to == b.to && a.place == b.place
}
