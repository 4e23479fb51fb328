package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/durable"
)

// Errors of what is asked for.
var (
	// ErrUnknown says that the project has no dataset, item, version or experiment of this id.
	ErrUnknown = errors.New("there is nothing of this id")
	// ErrExists says that the project has a dataset of this name already.
	ErrExists = errors.New("there is a dataset of this name")
	// ErrWrite says that a change was not written, and nothing was changed.
	ErrWrite = errors.New("datasets cannot be written")
)

// Options of Open.
type Options struct {
	Dir    string           // where the files are; made with the first dataset. Required.
	Now    func() time.Time // the clock. Default time.Now.
	Logger *slog.Logger     // Default slog.Default().
}

// Datasets are those of all projects, and their experiments. It is safe for concurrent use.
type Datasets struct {
	dir    string
	now    func() time.Time
	logger *slog.Logger

	mu       sync.RWMutex // guards projects and what is in them, not the datasets
	projects map[string]*project
	naming   sync.Mutex // held by who makes, names or deletes a dataset
}

// project is what one has.
type project struct {
	datasets    map[string]*Dataset // by id
	experiments *experiments
}

// Dataset is an open one.
type Dataset struct {
	project string
	of      *Datasets

	mu      sync.RWMutex // guards what follows
	journal *journal
	log     *log
	gone    bool
}

const (
	projectPrefix   = "project-" // a project may be named ".."
	ext             = ".jsonl"
	experimentsFile = "experiments" + ext
)

// Open reads the files in a directory. The error is ErrNewer, or says which file is damaged.
func Open(o Options) (*Datasets, error) {
	d := &Datasets{dir: o.Dir, now: o.Now, logger: o.Logger, projects: map[string]*project{}}
	if d.now == nil {
		d.now = time.Now
	}
	if d.logger == nil {
		d.logger = slog.Default()
	}
	err := files(o.Dir, func(name, file string) error {
		p := d.project(name)
		path := filepath.Join(d.dir, projectPrefix+name, file)
		if file == experimentsFile {
			return d.load(&p.experiments.journal, path, p.experiments.take)
		}
		set := &Dataset{project: name, of: d, log: newLog()}
		if err := d.load(&set.journal, path, set.log.take); err != nil {
			return err
		}
		if set.log.head.ID+ext != file {
			return fmt.Errorf("%s is damaged: it is of dataset %q", file, set.log.head.ID)
		}
		p.datasets[set.log.head.ID] = set
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open datasets: %w", err)
	}
	return d, nil
}

// files calls each for every file of datasets and experiments.
func files(dir string, each func(project, file string) error) error {
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

func (d *Datasets) load(to **journal, path string, take func(l *line, at int64, length int) error) error {
	j, torn, err := openJournal(path, false, take)
	if err != nil {
		return err
	}
	if torn > 0 {
		d.logger.Warn("what was being written to a dataset when the process ended was not acknowledged, and is cut off", "file", filepath.Base(path), "bytes", torn)
	}
	*to = j
	return nil
}

// project is what a project has; it is made when there is none. Open and naming call it.
func (d *Datasets) project(name string) *project {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.projects[name]
	if p == nil {
		p = &project{datasets: map[string]*Dataset{}, experiments: newExperiments()}
		d.projects[name] = p
	}
	return p
}

// makeDir makes the directory of a project's files.
func (d *Datasets) makeDir(project string) (string, error) {
	dir := filepath.Join(d.dir, projectPrefix+project)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return dir, errors.Join(durable.SyncDir(d.dir), durable.SyncDir(filepath.Dir(d.dir)))
}

// all are the datasets of a project, by name.
func (d *Datasets) all(project string) []*Dataset {
	d.mu.RLock()
	defer d.mu.RUnlock()
	p := d.projects[project]
	if p == nil {
		return nil
	}
	var list []*Dataset
	for _, set := range p.datasets {
		list = append(list, set)
	}
	return list
}

// List is the datasets of a project, by name.
func (d *Datasets) List(project string) []Info {
	list := []Info{}
	for _, set := range d.all(project) {
		if info, err := set.Info(); err == nil {
			list = append(list, info)
		}
	}
	slices.SortFunc(list, func(a, b Info) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// Find is the dataset of a project that has this id, or else this name. ErrUnknown when none has.
func (d *Datasets) Find(project, id string) (*Dataset, error) {
	d.mu.RLock()
	p := d.projects[project]
	var set *Dataset
	if p != nil {
		set = p.datasets[id]
	}
	d.mu.RUnlock()
	if set != nil {
		return set, nil
	}
	for _, set := range d.all(project) {
		if info, err := set.Info(); err == nil && info.Name == id {
			return set, nil
		}
	}
	return nil, ErrUnknown
}

// Erase takes the items that were made of these traces out of all versions of a project's datasets, for good: their files are written anew without them. It returns how many are gone.
func (d *Datasets) Erase(project string, traceIDs []string) (items int, err error) {
	of := make(map[string]bool, len(traceIDs))
	for _, id := range traceIDs {
		of[id] = true
	}
	for _, set := range d.all(project) {
		n, err := set.erase(of)
		items += n
		if err != nil {
			return items, fmt.Errorf("%w: %w", ErrWrite, err)
		}
	}
	return items, nil
}
