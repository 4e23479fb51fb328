package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Info says what a dataset is.
type Info struct {
	ID          string          `json:"id"`
	ProjectID   string          `json:"project_id"` // the project's name
	Name        string          `json:"name"`       // unique in the project, 1 to 200 characters
	Description string          `json:"description,omitempty"`
	Metadata    json.RawMessage `json:"metadata,omitempty"` // a JSON object, at most 64 KiB
	// ItemCount is the items of the version that is read when none is asked for.
	ItemCount int `json:"item_count"`
	// CurrentVersion is the version that is pinned; null: the latest is read.
	CurrentVersion   *int      `json:"current_version"`
	CurrentVersionID *string   `json:"current_version_id"`
	LatestVersion    int       `json:"latest_version"` // 0 before there was an item
	CreatedAt        time.Time `json:"created_at"`
	UpdatedAt        time.Time `json:"updated_at"` // of the last change, of items, too
}

// Named is what people say of a dataset. A nil field is left as it is.
type Named struct {
	Name        *string         `json:"name"`
	Description *string         `json:"description"`
	Metadata    json.RawMessage `json:"metadata"`
}

// apply says so in a head.
func (n *Named) apply(h *head) error {
	if n.Name != nil {
		h.Name = *n.Name
	}
	if n.Description != nil {
		h.Description = *n.Description
	}
	if len(n.Metadata) > 0 && string(n.Metadata) != "null" {
		h.Metadata = n.Metadata
	}
	var errs []error
	if err := nameFault(h.Name); err != nil {
		errs = append(errs, err)
	}
	if utf8.RuneCountInString(h.Description) > maxDescription || !utf8.ValidString(h.Description) {
		errs = append(errs, fmt.Errorf("description: it has at most %d characters", maxDescription))
	}
	if err := metadataFault(h.Metadata); err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return fmt.Errorf("%w: %w", ErrInvalid, errors.Join(errs...))
	}
	return nil
}

func nameFault(name string) error {
	switch {
	case name == "" || utf8.RuneCountInString(name) > maxName:
		return fmt.Errorf("name: it has 1 to %d characters", maxName)
	case strings.TrimSpace(name) != name || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }):
		return errors.New("name: it neither begins nor ends with a space, and has no control characters")
	}
	return nil
}

func metadataFault(raw json.RawMessage) error {
	switch {
	case len(raw) == 0:
		return nil
	case len(raw) > maxMetadata:
		return fmt.Errorf("metadata: they have at most %d bytes", maxMetadata)
	case !json.Valid(raw) || !utf8.Valid(raw) || raw[0] != '{':
		return errors.New("metadata: they are a JSON object")
	}
	return nil
}

// Create makes a dataset. by is the id of the key that does. The error is ErrInvalid, ErrExists or ErrWrite.
func (d *Datasets) Create(project, by string, n Named) (Info, error) {
	at := d.now().UTC()
	h := head{ID: wire.NewIDAt(at), CreatedAt: at, UpdatedAt: at, By: by}
	if err := n.apply(&h); err != nil {
		return Info{}, err
	}
	p := d.project(project)
	err := p.change(h.ID, func(has *contents) ([]*line, error) {
		others := has.whole()
		if len(others) >= MaxDatasets {
			return nil, invalid("the project has %d datasets, which is as many as there may be", MaxDatasets)
		}
		if taken(others, h.Name, "") {
			return nil, fmt.Errorf("%w: %q", ErrExists, h.Name)
		}
		return []*line{{Dataset: &h}}, nil
	})
	if err != nil {
		return Info{}, err
	}
	return p.info(h.ID)
}

// info is what the dataset of an id is now.
func (p *project) info(id string) (Info, error) {
	p.mu.RLock()
	set := p.has.datasets[id]
	p.mu.RUnlock()
	if set == nil {
		return Info{}, ErrUnknown
	}
	return set.Info()
}

// taken says that another dataset than that of the id has a name.
func taken(all []*Dataset, name, but string) bool {
	for _, set := range all {
		if info, err := set.Info(); err == nil && info.Name == name && info.ID != but {
			return true
		}
	}
	return false
}

// Delete deletes a dataset with all of its versions. Its experiments stay.
func (d *Datasets) Delete(set *Dataset, by string) error {
	return set.change(func(now *Dataset, _ *contents) ([]*line, error) {
		return []*line{{Removed: &removedRecord{ID: set.id, At: d.now().UTC(), By: by}}}, nil
	})
}

// Update changes what people say of a dataset.
func (d *Datasets) Update(set *Dataset, by string, n Named) (Info, error) {
	err := set.change(func(now *Dataset, has *contents) ([]*line, error) {
		h := now.log.head
		h.UpdatedAt, h.By = d.now().UTC(), by
		if err := n.apply(&h); err != nil {
			return nil, err
		}
		if taken(has.whole(), h.Name, h.ID) {
			return nil, fmt.Errorf("%w: %q", ErrExists, h.Name)
		}
		return []*line{{Dataset: &h}}, nil
	})
	if err != nil {
		return Info{}, err
	}
	return set.project.info(set.id)
}

// Info says what the dataset is. ErrUnknown when it was deleted.
func (s *Dataset) Info() (Info, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.gone {
		return Info{}, ErrUnknown
	}
	h := &s.log.head
	i := Info{
		ID: h.ID, ProjectID: s.project.name, Name: h.Name, Description: h.Description, Metadata: h.Metadata, LatestVersion: s.log.latest(),
		CreatedAt: h.CreatedAt, UpdatedAt: s.log.updated,
	}
	if v := s.log.current(); v > 0 {
		i.ItemCount = s.log.counts[v-1]
	}
	if v := s.log.pinned; v > 0 {
		id := VersionID(v)
		i.CurrentVersion, i.CurrentVersionID = &v, &id
	}
	return i, nil
}
