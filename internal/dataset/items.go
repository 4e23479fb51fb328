package dataset

import (
	"cmp"
	"context"
	"fmt"
	"slices"
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
	var out Put
	err := s.change(func(now *Dataset, _ *contents) ([]*line, error) {
		b := &putting{Putting: how, log: now.log, at: s.project.of.now().UTC(), out: Put{Version: now.log.latest()}, mine: map[string]int{}, wholes: map[string]hash{}, fresh: map[hash]bool{}}
		for _, it := range items {
			b.add(it)
		}
		if out = b.out; len(b.lines) == 0 {
			return nil, nil
		}
		if len(now.log.entries)+len(b.lines) > MaxItems {
			return nil, invalid("a dataset has at most %d items in all of its versions: make another", MaxItems)
		}
		out.Version++
		return append(b.lines, &line{Change: &change{Version: out.Version, Items: len(b.lines), At: b.at, By: how.By}}), nil
	})
	if err != nil {
		return Put{}, err
	}
	return out, nil
}

// putting is what becomes of items that are put.
type putting struct {
	Putting
	log    *log
	at     time.Time
	out    Put
	lines  []*line
	mine   map[string]int  // index in lines, by id
	wholes map[string]hash // of lines, by id
	fresh  map[hash]bool   // contents of lines
}

func (b *putting) add(it Item) {
	content, whole := it.hashes()
	if it.ID == "" {
		if b.Deduplicate && (b.log.contents[content] > 0 || b.fresh[content]) {
			b.out.Skipped++
			return
		}
		it.ID = wire.NewIDAt(b.at)
	}
	it.CreatedAt, it.UpdatedAt = b.at, b.at
	it.Source = cmp.Or(it.Source, b.Source, SourceManual)
	before, had := b.log.alive[it.ID]
	if had {
		it.CreatedAt = b.log.entries[before].created
	}
	b.fresh[content] = true
	again, twice := b.mine[it.ID]
	switch {
	case twice && b.wholes[it.ID] == whole, !twice && had && b.log.entries[before].whole == whole:
		b.out.Skipped++
		return
	case twice:
		b.lines[again].Item, b.wholes[it.ID] = it.kept(), whole
		b.out.Updated++
		return
	case had:
		b.out.Updated++
	default:
		b.out.Created++
	}
	b.mine[it.ID], b.wholes[it.ID] = len(b.lines), whole
	b.lines = append(b.lines, &line{Item: it.kept()})
}

func (s *Dataset) there() error {
	if s.gone {
		return ErrUnknown
	}
	return nil
}

// Remove takes items out, and makes a version; those before have them still. ErrUnknown names an id that is not there, and nothing is changed.
func (s *Dataset) Remove(ids []string, by string) (Version, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	var made Version
	err := s.change(func(now *Dataset, _ *contents) ([]*line, error) {
		for _, id := range ids {
			if _, had := now.log.alive[id]; !had {
				return nil, fmt.Errorf("%w: item %q", ErrUnknown, id)
			}
		}
		c := &change{Version: now.log.latest() + 1, Deleted: ids, At: s.project.of.now().UTC(), By: by}
		made = now.made(c, len(now.log.alive)-len(ids))
		return []*line{{Change: c}}, nil
	})
	if err != nil {
		return Version{}, err
	}
	return made, nil
}

// Latest is what stands for the latest version, also where another one is pinned; Current for the one that is pinned, or else the latest.
const (
	Current = 0
	Latest  = -1
)

// Items are items of a version in the order in which their ids came, from the offset on, at most limit of them, and how many there are.
// Version is a number, Current or Latest; ErrUnknown when there is none of this number.
func (s *Dataset) Items(version, offset, limit int) (items []Item, total, of int, err error) {
	err = s.reading(func(now *Dataset) error {
		if of, err = now.number(version); err != nil {
			return err
		}
		if total = 0; of > 0 {
			total = now.log.counts[of-1]
		}
		items, err = now.read(now.page(of, offset, limit))
		return err
	})
	return items, total, of, err
}

// Item is the one of an id in a version, and that version.
func (s *Dataset) Item(version int, id string) (it Item, of int, err error) {
	err = s.reading(func(now *Dataset) error {
		if of, err = now.number(version); err != nil {
			return err
		}
		for i := range now.log.entries {
			if e := &now.log.entries[i]; e.id == id && e.in(of) {
				items, err := now.read([]*entry{e})
				if err == nil {
					it = items[0]
				}
				return err
			}
		}
		return fmt.Errorf("%w: item %q", ErrUnknown, id)
	})
	if err != nil {
		return Item{}, 0, err
	}
	return it, of, nil
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
	if len(of) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), changeTime)
	defer cancel()
	spans := make([]span, len(of))
	for i, e := range of {
		spans[i] = e.span
	}
	items := make([]Item, len(of))
	err := s.project.keep.read(ctx, s.id, spans, func(i int, l *line) error {
		if l.Item == nil || l.Item.ID != of[i].id {
			return fmt.Errorf("item %q is not where it was", of[i].id)
		}
		items[i] = l.Item.item(s.id)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read dataset: %w", err)
	}
	return items, nil
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
