package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/store"
)

const (
	projectPrefix   = "project-" // a project may be named ".."
	ext             = ".jsonl"
	experimentsFile = "experiments" + ext
)

// eachFile calls each for every file of datasets and experiments.
func eachFile(dir string, each func(project, file string) error) error {
	projects, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, p := range projects {
		name, ok := strings.CutPrefix(p.Name(), projectPrefix)
		if !ok || !p.IsDir() {
			continue
		}
		all, err := os.ReadDir(filepath.Join(dir, p.Name()))
		if err != nil {
			return err
		}
		for _, f := range all {
			if strings.HasSuffix(f.Name(), ext) {
				if err := each(name, f.Name()); err != nil {
					return fmt.Errorf("project %s: %w", name, err)
				}
			}
		}
	}
	return nil
}

// files keep a project in one file for each dataset, and one for the experiments.
type files struct {
	dir     string // of all projects
	project string

	mu       sync.Mutex          // guards journals
	journals map[string]*journal // by what they are about
}

var _ keeping = (*files)(nil)

func fileOf(of string) string {
	if of == "" {
		return experimentsFile
	}
	return of + ext
}

// open reads one.
func (k *files) open(file string, has *contents, logger *slog.Logger) error {
	of := strings.TrimSuffix(file, ext)
	if file == experimentsFile {
		of = ""
	}
	j, torn, err := openJournal(filepath.Join(k.dir, projectPrefix+k.project, file), false, func(l *line, at span) error { return has.take(of, l, at) })
	if err != nil {
		return err
	}
	if torn > 0 {
		logger.Warn("what was being written to a dataset when the process ended was not acknowledged, and is cut off", "file", file, "bytes", torn)
	}
	if set := has.datasets[of]; of != "" && (set == nil || set.log.head.ID != of) {
		is := ""
		if set != nil {
			is = set.log.head.ID
		}
		return fmt.Errorf("%s is damaged: it is of dataset %q", file, is)
	}
	k.set(of, j)
	return nil
}

func (k *files) get(of string) *journal {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.journals[of]
}

func (k *files) set(of string, j *journal) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.journals[of] = j
}

// all are what there are files of, in a steady order.
func (k *files) all() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []string
	for of := range k.journals {
		all = append(all, of)
	}
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(fileOf(a), fileOf(b)) })
	return all
}

// news are none: who is alone has written everything.
func (k *files) news(context.Context, taking) (bool, error) { return false, nil }

// append keeps lines. The file comes with the first of them, and goes with the line that says that the dataset is removed.
func (k *files) append(_ context.Context, of string, lines []*line) (at []span, won bool, err error) {
	j := k.get(of)
	switch {
	case j == nil:
		var dir string
		if dir, err = k.makeDir(); err == nil {
			if j, at, err = createJournal(filepath.Join(dir, fileOf(of)), lines...); err == nil {
				k.set(of, j)
			}
		}
	case of != "" && lines[0].Removed != nil:
		if err = errors.Join(os.Remove(j.path), durable.SyncDir(filepath.Dir(j.path))); err == nil {
			k.mu.Lock()
			delete(k.journals, of)
			k.mu.Unlock()
		}
		at = make([]span, len(lines))
	default:
		at, err = j.append(lines)
	}
	return at, err == nil, err
}

// makeDir makes the directory of the project's files.
func (k *files) makeDir() (string, error) {
	dir := filepath.Join(k.dir, projectPrefix+k.project)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return dir, errors.Join(durable.SyncDir(k.dir), durable.SyncDir(filepath.Dir(k.dir)))
}

func (k *files) read(_ context.Context, of string, at []span, each func(i int, l *line) error) error {
	j := k.get(of)
	if j == nil {
		return ErrUnknown
	}
	return j.readAt(at, each)
}

// erase writes the files anew that have items of these traces.
func (k *files) erase(_ context.Context, p *project, traces []string) (n int, err error) {
	gone := make(map[string]bool, len(traces))
	for _, key := range traces {
		gone[key] = true
	}
	of := func(traceID string) bool { return traceID != "" && gone[store.TraceKey(traceID)] }
	for _, set := range p.all() {
		some, err := k.eraseFrom(set, of)
		n += some
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func (k *files) eraseFrom(set *Dataset, of func(traceID string) bool) (n int, err error) {
	set.mu.Lock()
	defer set.mu.Unlock()
	if !slices.ContainsFunc(set.log.entries, func(e entry) bool { return of(e.traceID) }) {
		return 0, nil
	}
	path := k.get(set.id).path
	err = rewrite(path, func(l *line) {
		if l.Item != nil && of(l.Item.TraceID) {
			l.Item = &kept{ID: l.Item.ID, Erased: true}
			n++
		}
	})
	if err != nil {
		return 0, err
	}
	fresh := newLog()
	j, _, err := openJournal(path, false, fresh.take)
	if err != nil {
		return 0, err
	}
	k.set(set.id, j)
	set.log = fresh
	return n, nil
}

// Read says in a line what the files in a directory hold; "" when there are none. The error is ErrNewer, or says which file is damaged.
func Read(dir string) (string, error) {
	sets, items, runs := 0, 0, 0
	err := eachFile(dir, func(project, file string) error {
		path := filepath.Join(dir, projectPrefix+project, file)
		if file == experimentsFile {
			e := newExperiments()
			_, _, err := openJournal(path, true, func(l *line, _ span) error { return e.take(l) })
			runs += len(e.byID)
			return err
		}
		g := newLog()
		if _, _, err := openJournal(path, true, g.take); err != nil {
			return err
		}
		sets, items = sets+1, items+len(g.alive)
		return nil
	})
	if err != nil || sets+runs == 0 {
		return "", err
	}
	return fmt.Sprintf("%d datasets of %d items, and %d experiments", sets, items, runs), nil
}
