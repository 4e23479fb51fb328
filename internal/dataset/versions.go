package dataset

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Version is what a change of the items made.
type Version struct {
	ID          string          `json:"id"` // "v" and the number
	DatasetID   string          `json:"dataset_id"`
	Version     int             `json:"version"`    // counts from 1
	ItemCount   int             `json:"item_count"` // of the whole dataset
	Description string          `json:"description,omitempty"`
	Metadata    json.RawMessage `json:"metadata,omitempty"`
	CreatedBy   string          `json:"created_by"` // the id of the key that made it
	CreatedAt   time.Time       `json:"created_at"`
}

// VersionID is the id of a version by its number.
func VersionID(version int) string { return "v" + strconv.Itoa(version) }

// ParseVersion reads the id or the number of a version.
func ParseVersion(id string) (int, bool) {
	n, err := strconv.Atoi(strings.TrimPrefix(id, "v"))
	return n, err == nil && n > 0
}

// made is the version that a change makes, of so many items.
func (s *Dataset) made(c *change, items int) Version {
	return Version{
		ID: VersionID(c.Version), DatasetID: s.id, Version: c.Version, ItemCount: items, Description: c.Description, Metadata: c.Metadata,
		CreatedBy: c.By, CreatedAt: c.At,
	}
}

// Versions are all versions, the newest first.
func (s *Dataset) Versions() ([]Version, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]Version, 0, s.log.latest())
	for n := s.log.latest(); n > 0; n-- {
		all = append(all, s.made(&s.log.changes[n-1], s.log.counts[n-1]))
	}
	return all, s.there()
}

// Snapshot makes a version of the items as they are, with what people say of it.
func (s *Dataset) Snapshot(by, description string, metadata json.RawMessage) (Version, error) {
	h := head{Name: "version"}
	if err := (&Named{Description: &description, Metadata: metadata}).apply(&h); err != nil {
		return Version{}, err
	}
	var made Version
	err := s.change(func(now *Dataset, _ *contents) ([]*line, error) {
		c := &change{Version: now.log.latest() + 1, Description: description, Metadata: h.Metadata, At: s.project.of.now().UTC(), By: by}
		made = now.made(c, len(now.log.alive))
		return []*line{{Change: c}}, nil
	})
	return made, err
}

// Pin has a version be read when none is asked for; 0 has the latest be.
func (s *Dataset) Pin(by string, version int) error {
	return s.change(func(now *Dataset, _ *contents) ([]*line, error) {
		if version < 0 || version > now.log.latest() {
			return nil, fmt.Errorf("%w: version %d", ErrUnknown, version)
		}
		return []*line{{Pin: &pin{Version: version, At: s.project.of.now().UTC(), By: by}}}, nil
	})
}
