package dataset

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// A node that begins to share brings in the datasets that it had in files, each as a whole: nobody sees one before its last line is there. The file goes then.

// Join brings in for all nodes what this one has in files, from the time when it was alone. What was interrupted goes on with the next call; before it has ended nobody is answered (Fresh). node is
// the same whenever it is called on this directory, and another one elsewhere.
func (d *Datasets) Join(ctx context.Context, node string) error {
	if d.store == nil || d.joined.Load() {
		return nil
	}
	err := eachFile(d.dir, func(name, file string) error {
		b := &bringing{project: d.project(name), path: filepath.Join(d.dir, projectPrefix+name, file), by: node}
		what := b.dataset
		if file == experimentsFile {
			what = b.experiments
		}
		if err := what(ctx); err != nil {
			return err
		}
		return errors.Join(os.Remove(b.path), durable.SyncDir(filepath.Dir(b.path)))
	})
	if err != nil {
		return fmt.Errorf("bring in the datasets of this node for all nodes: %w", err)
	}
	d.joined.Store(true)
	return nil
}

// bringing is a file on its way.
type bringing struct {
	project *project
	path    string
	by      string
	had     *log // what the file says
	id      string
}

// atOnce is how many lines are brought in one entry, and of how many bytes, or a few more: those of one change stay together.
const (
	atOnce      = 5000
	atOnceBytes = 4 << 20
)

// experiments brings in the records that the others do not have, or an older one of.
func (b *bringing) experiments(context.Context) error {
	had := newExperiments()
	if _, _, err := openJournal(b.path, true, func(l *line, _ span) error { return had.take(l) }); err != nil {
		return err
	}
	var all []Experiment
	for _, x := range had.byID {
		all = append(all, x)
	}
	slices.SortFunc(all, func(x, y Experiment) int { return strings.Compare(x.ID, y.ID) })
	for some := range slices.Chunk(all, 500) {
		err := b.project.change("", func(has *contents) (lines []*line, err error) {
			for i := range some {
				is, there := has.experiments.byID[some[i].ID]
				if !has.experiments.removed[some[i].ID] && (!there || is.UpdatedAt.Before(some[i].UpdatedAt)) {
					lines = append(lines, &line{Experiment: &some[i]})
				}
			}
			return lines, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// dataset brings in a dataset. One that the others have, with what is in the file, or have deleted, is left as it is there; one that was changed in the file and there since becomes another one.
func (b *bringing) dataset(ctx context.Context) error {
	b.had = newLog()
	if _, _, err := openJournal(b.path, true, b.had.take); err != nil {
		return err
	}
	b.id = b.had.head.ID
	for {
		there, err := b.there(ctx)
		if err != nil || there == nil {
			return err
		}
		if there.log == nil {
			return b.bring(ctx)
		}
		if b.had.within(there.log) {
			return nil
		}
		if b.id != b.had.head.ID {
			return nil
		}
		b.id = b.had.otherID()
	}
}

// standing is what the others have of a dataset.
type standing struct{ log *log }

// stalled is how long another node that brings in the same dataset may do nothing before it is taken for dead.
const stalled = 15 * time.Second

// there is what the others have of the dataset: nil, they have deleted it; no log, they have nothing of it. While another node brings in the same one it is waited for.
func (b *bringing) there(ctx context.Context) (*standing, error) {
	for entry, waited := int64(-1), time.Duration(0); ; waited += time.Second {
		if err := b.project.fresh(ctx); err != nil {
			return nil, err
		}
		is, gone, last := b.project.standing(b.id)
		switch {
		case gone:
			return nil, nil
		case is == nil || is.arriving == b.by || is.arriving != "" && waited > stalled:
			return &standing{}, nil
		case is.arriving == "":
			return &standing{is}, nil
		case last != entry:
			entry, waited = last, 0
		}
		if err := clock.Sleep(ctx, time.Second); err != nil {
			return nil, err
		}
	}
}

// standing is what is known of a dataset, and up to which entry.
func (p *project) standing(id string) (is *log, gone bool, last int64) {
	p.turn.Lock()
	defer p.turn.Unlock()
	if set := p.has.datasets[id]; set != nil {
		is = set.log
	}
	return is, p.has.removed[id], int64(p.keep.(*sharedLines).entry)
}

// within says that every change of the dataset is one of another's, too.
func (g *log) within(other *log) bool {
	return len(g.changes) <= len(other.changes) && slices.EqualFunc(g.changes, other.changes[:len(g.changes)], func(a, b change) bool {
		return a.At.Equal(b.At) && a.Items == b.Items && a.By == b.By
	})
}

// otherID is the id of a dataset that was changed in two places, in one of them: the same whenever it is asked for.
func (g *log) otherID() string {
	last := g.changes[len(g.changes)-1]
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %s", g.head.ID, last.Version, last.At.Format(time.RFC3339Nano)))
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	id := []byte(g.head.ID[:10]) // the time
	for _, b := range sum[:16] {
		id = append(id, digits[b%32])
	}
	return string(id)
}

// errTakenOver says that another node brings in the dataset meanwhile.
var errTakenOver = fmt.Errorf("%w: another node brings in the same dataset", store.ErrUnavailable)

// bring sends the lines of the file, in pieces that begin and end with a change.
func (b *bringing) bring(ctx context.Context) error {
	err := b.project.change(b.id, func(has *contents) ([]*line, error) {
		if set := has.datasets[b.id]; set != nil && set.log.whole() {
			return nil, errTakenOver
		}
		return []*line{{Arriving: &arriving{By: b.by}}}, nil
	})
	if err != nil {
		return err
	}
	var some []*line
	size := 0
	_, _, err = openJournal(b.path, true, func(l *line, at span) error {
		if l.Form > 0 {
			return nil
		}
		if l.Dataset != nil {
			l.Dataset.ID = b.id
		}
		some, size = append(some, l), size+at.length
		if l.waits() || len(some) < atOnce && size < atOnceBytes {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		err := b.send(some)
		some, size = nil, 0
		return err
	})
	if err == nil && len(some) > 0 {
		err = b.send(some)
	}
	if err != nil {
		return err
	}
	return b.end()
}

func (b *bringing) send(some []*line) error {
	return b.project.change(b.id, func(has *contents) ([]*line, error) { return some, b.mine(has) })
}

func (b *bringing) mine(has *contents) error {
	if set := has.datasets[b.id]; set == nil || set.log.arriving != b.by {
		return errTakenOver
	}
	return nil
}

// end has the dataset be there, under another name where its own is taken.
func (b *bringing) end() error {
	return b.project.change(b.id, func(has *contents) ([]*line, error) {
		if err := b.mine(has); err != nil {
			return nil, err
		}
		lines := []*line{{Arriving: &arriving{}}}
		h := b.had.head
		if taken(has.whole(), h.Name, b.id) {
			h.ID, h.UpdatedAt, h.Name = b.id, b.had.updated, besides(h.Name, b.id)
			lines = append(lines, &line{Dataset: &h})
			b.project.of.logger.Warn("two nodes had a dataset of this name: one of them is named otherwise now", "project", b.project.name, "name", b.had.head.Name, "now", h.Name)
		}
		return lines, nil
	})
}

// besides is a name with the end of an id behind it, which no other one has.
func besides(name, id string) string {
	more := " (" + id[len(id)-6:] + ")"
	for utf8.RuneCountInString(name+more) > maxName {
		_, n := utf8.DecodeLastRuneInString(name)
		name = strings.TrimSpace(name[:len(name)-n])
	}
	return name + more
}
