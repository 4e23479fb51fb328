package dataset

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Put says what became of items.
type Put struct {
	Created int `json:"created"` // that are new
	Updated int `json:"updated"` // that are there with other content
	Skipped int `json:"skipped"` // that are there as they are
	Version int `json:"version"` // in which all of them are
}

// Putting says how items are put.
type Putting struct {
	By          string // the id of the key that does
	Source      string // of items that do not say theirs. Default manual.
	Deduplicate bool   // skip an item without an id when another one has its input and what is expected
}

// Put puts items, and makes a version when any of them is new, or another than it was. An item whose id is there takes its place; as it is there it is skipped.
// The items must be such as ParseItem returns. Of two with one id the last counts.
func (s *Dataset) Put(items []Item, how Putting) (Put, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.of.now().UTC()
	out := Put{Version: s.log.latest()}
	lines := make([]*line, 0, len(items)+1)
	mine := map[string]int{}    // index in lines, by id
	fresh := map[hash]bool{}    // contents of lines
	wholes := map[string]hash{} // of lines, by id
	for i := range items {
		it := items[i]
		content, whole := it.hashes()
		if it.ID == "" {
			if how.Deduplicate && (s.log.contents[content] > 0 || fresh[content]) {
				out.Skipped++
				continue
			}
			it.ID = wire.NewIDAt(at)
		}
		it.CreatedAt, it.UpdatedAt = at, at
		if it.Source == "" {
			it.Source = how.Source
		}
		if it.Source == "" {
			it.Source = SourceManual
		}
		fresh[content] = true
		before, had := s.log.alive[it.ID]
		if had {
			it.CreatedAt = s.log.entries[before].created
		}
		again, twice := mine[it.ID]
		switch {
		case twice && wholes[it.ID] == whole, !twice && had && s.log.entries[before].whole == whole:
			out.Skipped++
			continue
		case twice:
			lines[again].Item = it.kept()
			wholes[it.ID] = whole
			out.Updated++
			continue
		case had:
			out.Updated++
		default:
			out.Created++
		}
		mine[it.ID], wholes[it.ID] = len(lines), whole
		lines = append(lines, &line{Item: it.kept()})
	}
	if len(lines) == 0 {
		return out, s.there()
	}
	if len(s.log.entries)+len(lines) > MaxItems {
		return Put{}, invalid("a dataset has at most %d items in all of its versions: make another", MaxItems)
	}
	lines = append(lines, &line{Change: &change{Version: s.log.latest() + 1, Items: len(lines), At: at, By: how.By}})
	if err := s.write(lines); err != nil {
		return Put{}, err
	}
	out.Version = s.log.latest()
	return out, nil
}

func (s *Dataset) there() error {
	if s.gone {
		return ErrUnknown
	}
	return nil
}

// Remove takes items out, and makes a version; those before have them still. ErrUnknown names an id that is not there, and nothing is changed.
func (s *Dataset) Remove(ids []string, by string) (Version, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	for _, id := range ids {
		if _, had := s.log.alive[id]; !had {
			return Version{}, fmt.Errorf("%w: item %q", ErrUnknown, id)
		}
	}
	c := &change{Version: s.log.latest() + 1, Deleted: ids, At: s.of.now().UTC(), By: by}
	if err := s.write([]*line{{Change: c}}); err != nil {
		return Version{}, err
	}
	return s.version(s.log.latest()), nil
}

// Latest is what stands for the latest version, also where another one is pinned; Current for the one that is pinned, or else the latest.
const (
	Current = 0
	Latest  = -1
)

// Items are items of a version in the order in which their ids came, from the offset on, at most limit of them, and how many there are.
// Version is a number, Current or Latest; ErrUnknown when there is none of this number.
func (s *Dataset) Items(version, offset, limit int) (items []Item, total, of int, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if of, err = s.number(version); err != nil {
		return nil, 0, 0, err
	}
	if of > 0 {
		total = s.log.counts[of-1]
	}
	items, err = s.read(s.page(of, offset, limit))
	return items, total, of, err
}

// Item is the one of an id in a version, and that version.
func (s *Dataset) Item(version int, id string) (Item, int, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	of, err := s.number(version)
	if err != nil {
		return Item{}, 0, err
	}
	for i := range s.log.entries {
		if e := &s.log.entries[i]; e.id == id && e.in(of) {
			items, err := s.read([]*entry{e})
			if err != nil {
				return Item{}, 0, err
			}
			return items[0], of, nil
		}
	}
	return Item{}, 0, fmt.Errorf("%w: item %q", ErrUnknown, id)
}

func (s *Dataset) number(version int) (int, error) {
	switch {
	case s.gone:
		return 0, ErrUnknown
	case version == Current:
		return s.log.current(), nil
	case version == Latest:
		return s.log.latest(), nil
	case version < 0 || version > s.log.latest():
		return 0, fmt.Errorf("%w: version %d", ErrUnknown, version)
	}
	return version, nil
}

func (s *Dataset) read(of []*entry) ([]Item, error) {
	spans := make([]span, len(of))
	for i, e := range of {
		spans[i] = e.span
	}
	items := make([]Item, len(of))
	err := s.journal.readAt(spans, func(i int, l *line) error {
		if l.Item == nil || l.Item.ID != of[i].id {
			return fmt.Errorf("item %q is not where it was", of[i].id)
		}
		items[i] = l.Item.item(s.log.head.ID)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read dataset: %w", err)
	}
	return items, nil
}

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

func (s *Dataset) version(n int) Version {
	c := &s.log.changes[n-1]
	return Version{
		ID: VersionID(n), DatasetID: s.log.head.ID, Version: n, ItemCount: s.log.counts[n-1], Description: c.Description, Metadata: c.Metadata,
		CreatedBy: c.By, CreatedAt: c.At,
	}
}

// Versions are all versions, the newest first.
func (s *Dataset) Versions() ([]Version, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]Version, 0, s.log.latest())
	for n := s.log.latest(); n > 0; n-- {
		all = append(all, s.version(n))
	}
	return all, s.there()
}

// Snapshot makes a version of the items as they are, with what people say of it.
func (s *Dataset) Snapshot(by, description string, metadata json.RawMessage) (Version, error) {
	h := head{Name: "version"}
	if err := (&Named{Description: &description, Metadata: metadata}).apply(&h); err != nil {
		return Version{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &change{Version: s.log.latest() + 1, Description: description, Metadata: h.Metadata, At: s.of.now().UTC(), By: by}
	if err := s.write([]*line{{Change: c}}); err != nil {
		return Version{}, err
	}
	return s.version(s.log.latest()), nil
}

// Pin has a version be read when none is asked for; 0 has the latest be.
func (s *Dataset) Pin(by string, version int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if version < 0 || version > s.log.latest() {
		return fmt.Errorf("%w: version %d", ErrUnknown, version)
	}
	return s.write([]*line{{Pin: &pin{Version: version, At: s.of.now().UTC(), By: by}}})
}

// erase writes the file anew without the items of traces.
func (s *Dataset) erase(of map[string]bool) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone || !slices.ContainsFunc(s.log.entries, func(e entry) bool { return of[e.traceID] && e.traceID != "" }) {
		return 0, nil
	}
	err = rewrite(s.journal.path, func(l *line) {
		if l.Item != nil && l.Item.TraceID != "" && of[l.Item.TraceID] {
			l.Item = &kept{ID: l.Item.ID, Erased: true}
			n++
		}
	})
	if err != nil {
		return 0, err
	}
	fresh := newLog()
	j, _, err := openJournal(s.journal.path, false, fresh.take)
	if err != nil {
		return 0, err
	}
	s.journal, s.log = j, fresh
	return n, nil
}

// Read says in a line what the files in a directory hold; "" when there are none. The error is ErrNewer, or says which file is damaged.
func Read(dir string) (string, error) {
	sets, items, runs := 0, 0, 0
	err := files(dir, func(project, file string) error {
		path := filepath.Join(dir, projectPrefix+project, file)
		if file == experimentsFile {
			e := newExperiments()
			_, _, err := openJournal(path, true, e.take)
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

// Size is how many bytes the items of Items have in the file.
func (s *Dataset) Size(version, offset, limit int) (bytes int64, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	of, err := s.number(version)
	if err != nil {
		return 0, err
	}
	for _, e := range s.page(of, offset, limit) {
		bytes += int64(e.span.length)
	}
	return bytes, nil
}

// in are the entries of a version, in their order.
func (s *Dataset) in(version int) []*entry {
	var in []*entry
	for i := range s.log.entries {
		if e := &s.log.entries[i]; e.in(version) {
			in = append(in, e)
		}
	}
	slices.SortFunc(in, func(a, b *entry) int { return a.place - b.place })
	return in
}

func (s *Dataset) page(version, offset, limit int) []*entry {
	in := s.in(version)
	in = in[min(max(0, offset), len(in)):]
	return in[:min(max(0, limit), len(in))]
}
