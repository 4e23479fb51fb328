package dataset

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// How an experiment stands.
const (
	Pending   = "pending"
	Running   = "running"
	Completed = "completed"
	Failed    = "failed"
)

// The tags by which traces say to which experiment and item they belong, each with an id behind it, and which of several tries they are, with a number.
const (
	ExperimentTag = "experiment:"
	ItemTag       = "item:"
	TrialTag      = "trial:"
)

// Experiment is the record of a run over items. What came of it are the traces with its tag.
type Experiment struct {
	ID             string          `json:"id"`
	Name           string          `json:"name"` // 1 to 200 characters; several experiments may have one
	Description    string          `json:"description,omitempty"`
	DatasetID      string          `json:"dataset_id"`      // "" when it is of no dataset
	DatasetVersion int             `json:"dataset_version"` // whose items it is over; 0 when it is of no dataset
	Status         string          `json:"status"`          // pending, running, completed or failed
	Source         string          `json:"source"`          // dataset or spans
	Metadata       json.RawMessage `json:"metadata,omitempty"`
	CreatedAt      time.Time       `json:"created_at"`
	UpdatedAt      time.Time       `json:"updated_at"`
	StartedAt      *time.Time      `json:"started_at"` // when it began to run; null before
	EndedAt        *time.Time      `json:"ended_at"`   // when it was completed or failed; null before
	CreatedBy      string          `json:"created_by"` // the id of the key that made it
}

// Recorded is what people say of an experiment. A nil field is left as it is.
type Recorded struct {
	Name           *string         `json:"name"`
	Description    *string         `json:"description"`
	DatasetID      *string         `json:"dataset_id"`      // of an experiment that begins: an id, or a name
	DatasetVersion *int            `json:"dataset_version"` // of one that begins. Default: the version that is read when none is asked for
	Status         *string         `json:"status"`
	Source         *string         `json:"source"`
	Metadata       json.RawMessage `json:"metadata"`
}

// apply says so in an experiment, at a time.
func (r *Recorded) apply(x *Experiment, at time.Time) error {
	named := Named{Name: r.Name, Description: r.Description, Metadata: r.Metadata}
	h := head{Name: x.Name, Description: x.Description, Metadata: x.Metadata}
	if err := named.apply(&h); err != nil {
		return err
	}
	x.Name, x.Description, x.Metadata = h.Name, h.Description, h.Metadata
	if r.Source != nil {
		x.Source = *r.Source
	}
	if x.Source != "dataset" && x.Source != "spans" {
		return invalid("source: it is dataset or spans")
	}
	if r.Status != nil {
		x.Status = *r.Status
	}
	x.UpdatedAt = at
	switch x.Status {
	case Pending:
	case Running:
		x.EndedAt = nil
		if x.StartedAt == nil {
			x.StartedAt = &at
		}
	case Completed, Failed:
		if x.StartedAt == nil {
			x.StartedAt = &at
		}
		if x.EndedAt == nil {
			x.EndedAt = &at
		}
	default:
		return invalid("status: it is one of %s", strings.Join([]string{Pending, Running, Completed, Failed}, ", "))
	}
	return nil
}

// experiments are those of a project.
type experiments struct {
	mu      sync.RWMutex // guards what follows
	byID    map[string]Experiment
	removed map[string]bool // ids of those that there were
}

func newExperiments() *experiments {
	return &experiments{byID: map[string]Experiment{}, removed: map[string]bool{}}
}

func (e *experiments) take(l *line) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case l.Experiment != nil:
		e.byID[l.Experiment.ID] = *l.Experiment
	case l.Removed != nil:
		delete(e.byID, l.Removed.ID)
		e.removed[l.Removed.ID] = true
	}
	return nil
}

// Experiments are those of a project, the newest first; of one dataset when its id is given.
func (d *Datasets) Experiments(project, datasetID string) []Experiment {
	all := []Experiment{}
	e := d.project(project).experiments()
	e.mu.RLock()
	defer e.mu.RUnlock()
	for _, x := range e.byID {
		if datasetID == "" || x.DatasetID == datasetID {
			all = append(all, x)
		}
	}
	slices.SortFunc(all, func(a, b Experiment) int { return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID)) })
	return all
}

// Experiment is the one of this id, or else the newest of this name. ErrUnknown when there is none.
func (d *Datasets) Experiment(project, id string) (Experiment, error) {
	all := d.Experiments(project, "")
	for _, is := range []func(*Experiment) bool{func(x *Experiment) bool { return x.ID == id }, func(x *Experiment) bool { return x.Name == id }} {
		for i := range all {
			if is(&all[i]) {
				return all[i], nil
			}
		}
	}
	return Experiment{}, ErrUnknown
}

// Begin makes the record of an experiment. Its status is running unless it is said.
func (d *Datasets) Begin(project, by string, r Recorded) (Experiment, error) {
	at := d.now().UTC()
	x := Experiment{ID: wire.NewIDAt(at), Status: Running, Source: "dataset", CreatedAt: at, CreatedBy: by}
	if err := r.apply(&x, at); err != nil {
		return Experiment{}, err
	}
	err := d.project(project).change("", func(has *contents) ([]*line, error) {
		if err := d.over(project, &x, r); err != nil {
			return nil, err
		}
		if len(has.experiments.byID) >= MaxExperiments {
			return nil, invalid("the project has %d experiments, which is as many as there may be: delete some", MaxExperiments)
		}
		return []*line{{Experiment: &x}}, nil
	})
	if err != nil {
		return Experiment{}, err
	}
	return x, nil
}

// over finds the dataset of an experiment that begins, and the version.
func (d *Datasets) over(project string, x *Experiment, r Recorded) error {
	if r.DatasetID == nil || *r.DatasetID == "" {
		if r.DatasetVersion != nil {
			return invalid("dataset_version: it is of a dataset, and there is no dataset_id")
		}
		return nil
	}
	set, err := d.Find(project, *r.DatasetID)
	if err != nil {
		return invalid("dataset_id: the project has no dataset %q", *r.DatasetID)
	}
	info, err := set.Info()
	if err != nil {
		return err
	}
	x.DatasetID, x.DatasetVersion = info.ID, info.LatestVersion
	if info.CurrentVersion != nil {
		x.DatasetVersion = *info.CurrentVersion
	}
	if v := r.DatasetVersion; v != nil {
		if *v < 0 || *v > info.LatestVersion {
			return invalid("dataset_version: the dataset has versions up to %d", info.LatestVersion)
		}
		x.DatasetVersion = *v
	}
	return nil
}

// Record changes what people say of an experiment. Of which items it is does not change.
func (d *Datasets) Record(project, id string, r Recorded) (Experiment, error) {
	if r.DatasetID != nil || r.DatasetVersion != nil {
		return Experiment{}, invalid("dataset_id, dataset_version: they are said when an experiment begins")
	}
	was, err := d.Experiment(project, id)
	if err != nil {
		return Experiment{}, err
	}
	var x Experiment
	err = d.project(project).change("", func(has *contents) ([]*line, error) {
		var had bool
		if x, had = has.experiments.byID[was.ID]; !had {
			return nil, ErrUnknown
		}
		if err := r.apply(&x, d.now().UTC()); err != nil {
			return nil, err
		}
		return []*line{{Experiment: &x}}, nil
	})
	if err != nil {
		return Experiment{}, err
	}
	return x, nil
}

// Forget deletes the record of an experiment. Its traces stay.
func (d *Datasets) Forget(project, id, by string) error {
	x, err := d.Experiment(project, id)
	if err != nil {
		return err
	}
	return d.project(project).change("", func(has *contents) ([]*line, error) {
		if _, had := has.experiments.byID[x.ID]; !had {
			return nil, ErrUnknown
		}
		return []*line{{Removed: &removedRecord{ID: x.ID, At: d.now().UTC(), By: by}}}, nil
	})
}

// Tags are those of the trace of an item of an experiment. Of the first try the number is not said.
func Tags(experimentID, itemID string, trial int) []string {
	tags := []string{ExperimentTag + experimentID}
	if itemID != "" {
		tags = append(tags, ItemTag+itemID)
	}
	if trial > 1 {
		tags = append(tags, TrialTag+strconv.Itoa(trial))
	}
	return tags
}

// Tagged is which item and which try the tags of a trace say; trial is 1 where they say none.
func Tagged(tags []string) (itemID string, trial int) {
	trial = 1
	for _, t := range tags {
		if id, ok := strings.CutPrefix(t, ItemTag); ok {
			itemID = id
		}
		if n, ok := strings.CutPrefix(t, TrialTag); ok {
			if v, err := strconv.Atoi(n); err == nil && v > 0 {
				trial = v
			}
		}
	}
	return itemID, trial
}
