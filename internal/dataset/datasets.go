package dataset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
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
	// Dir is where the files are; made with the first dataset. Required. With Store these are the files of before, which Join brings in.
	Dir    string
	Store  store.DatasetLines // where nodes share them; nil: they are in the files
	Now    func() time.Time   // the clock. Default time.Now.
	Logger *slog.Logger       // Default slog.Default().
}

// Datasets are those of all projects, and their experiments. It is safe for concurrent use.
type Datasets struct {
	dir    string
	store  store.DatasetLines // nil: they are in files
	joined atomic.Bool        // what the files had is in the store
	now    func() time.Time
	logger *slog.Logger

	mu       sync.Mutex // guards projects
	projects map[string]*project
}

// Open reads the files in a directory. The error is ErrNewer, or says which file is damaged. What nodes share is read when somebody asks for it.
func Open(o Options) (*Datasets, error) {
	d := &Datasets{dir: o.Dir, store: o.Store, now: o.Now, logger: o.Logger, projects: map[string]*project{}}
	if d.now == nil {
		d.now = time.Now
	}
	if d.logger == nil {
		d.logger = slog.Default()
	}
	if d.store != nil {
		says, err := Read(o.Dir)
		d.joined.Store(says == "")
		return d, openError(err)
	}
	err := eachFile(o.Dir, func(name, file string) error {
		p := d.project(name)
		return p.keep.(*files).open(file, p.has, d.logger)
	})
	return d, openError(err)
}

func openError(err error) error {
	if err != nil {
		return fmt.Errorf("open datasets: %w", err)
	}
	return nil
}

// project is what a project has; it is made when there is none.
func (d *Datasets) project(name string) *project {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.projects[name]
	if p == nil {
		p = &project{name: name, of: d}
		if d.store != nil {
			p.keep = &sharedLines{store: d.store, project: name, logger: d.logger}
		} else {
			p.keep = &files{dir: d.dir, project: name, journals: map[string]*journal{}}
		}
		p.has = newContents(p)
		d.projects[name] = p
	}
	return p
}

// known are the projects that were asked for or have files.
func (d *Datasets) known() []*project {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []*project
	for _, p := range d.projects {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *project) int { return cmp.Compare(a.name, b.name) })
	return all
}

// Fresh learns what other nodes have changed in a project: what one of them has acknowledged is in whatever is asked for next. The error is store.ErrUnavailable while that cannot be known.
// A node alone knows everything.
func (d *Datasets) Fresh(ctx context.Context, project string) error {
	if d.store == nil {
		return nil
	}
	if err := d.arrived(); err != nil {
		return err
	}
	return d.project(project).fresh(ctx)
}

// arrived says that what this node had in files is in the store.
func (d *Datasets) arrived() error {
	if d.store != nil && !d.joined.Load() {
		return fmt.Errorf("%w: the datasets that this node has in files are being brought in for all nodes", store.ErrUnavailable)
	}
	return nil
}

// List is the datasets of a project, by name.
func (d *Datasets) List(project string) []Info {
	list := []Info{}
	for _, set := range d.project(project).all() {
		if info, err := set.Info(); err == nil {
			list = append(list, info)
		}
	}
	slices.SortFunc(list, func(a, b Info) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// Find is the dataset of a project that has this id, or else this name. ErrUnknown when none has.
func (d *Datasets) Find(project, id string) (*Dataset, error) {
	var named *Dataset
	for _, set := range d.project(project).all() {
		if set.id == id {
			return set, nil
		}
		if info, err := set.Info(); err == nil && info.Name == id {
			named = set
		}
	}
	if named == nil {
		return nil, ErrUnknown
	}
	return named, nil
}

// eraseTime bounds an erasure: files are written anew, or tables.
const eraseTime = 10 * time.Minute

// Erase takes the items that were made of traces out of all versions of a project's datasets, for good, each of the traces named by its store.TraceKey. It returns how many are gone. It may be done again.
func (d *Datasets) Erase(ctx context.Context, project string, traces []string) (items int, err error) {
	if len(traces) == 0 {
		return 0, nil
	}
	if err := d.arrived(); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, eraseTime)
	defer cancel()
	p := d.project(project)
	p.turn.Lock()
	defer p.turn.Unlock()
	items, err = p.keep.erase(ctx, p, traces)
	if err != nil {
		return items, fmt.Errorf("%w: %w", ErrWrite, err)
	}
	return items, nil
}
