package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// head says what a dataset is. A later one takes the place of an earlier one.
type head struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Metadata    json.RawMessage `json:"metadata,omitempty"`
	CreatedAt   time.Time       `json:"created_at"`
	UpdatedAt   time.Time       `json:"updated_at"`
	By          string          `json:"by"` // the id of the key that wrote this
}

// kept is an item as a file has it.
type kept struct {
	ID       string          `json:"id"`
	Input    json.RawMessage `json:"input,omitempty"`
	Expected json.RawMessage `json:"expected,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
	Source   string          `json:"source,omitempty"`
	TraceID  string          `json:"trace_id,omitempty"`
	SpanID   string          `json:"span_id,omitempty"`
	Created  time.Time       `json:"created_at,omitzero"`
	Updated  time.Time       `json:"updated_at,omitzero"`
	// Erased says that what was here is gone, out of every version.
	Erased bool `json:"erased,omitempty"`
}

// change makes a version of the items before it.
type change struct {
	Version     int             `json:"version"` // counts from 1
	Items       int             `json:"items"`   // how many stand before it
	Deleted     []string        `json:"deleted,omitempty"`
	Description string          `json:"description,omitempty"`
	Metadata    json.RawMessage `json:"metadata,omitempty"`
	At          time.Time       `json:"at"`
	By          string          `json:"by"`
}

// pin names the version that is read when none is asked for; 0 is the latest.
type pin struct {
	Version int       `json:"version"`
	At      time.Time `json:"at"`
	By      string    `json:"by"`
}

type removedRecord struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
	By string    `json:"by"`
}

// arriving says that a node brings in a dataset that it had in a file. There is none of it before the line that says that it is all there.
type arriving struct {
	By string `json:"by,omitempty"` // which attempt brings it, by a random text: what was of it before is nothing; "": it is all there
}

// emptied says that items were erased among nodes: where others have these, they read them again.
type emptied struct {
	Lines int       `json:"lines"` // of the project, all that are erased by now
	At    time.Time `json:"at"`
}

// entry is an item from one version up to another.
type entry struct {
	id             string
	span           span
	content, whole hash
	traceID        string
	created        time.Time
	from, to       int // it is in the versions from ≤ v < to; to 0: still
	place          int // in the order of the items
}

func (e *entry) in(version int) bool { return e.from <= version && (e.to == 0 || e.to > version) }

// log is what a dataset's file says, without the items themselves.
type log struct {
	head     head
	entries  []entry
	alive    map[string]int // index in entries of what is in the latest version, by id
	contents map[hash]int   // how many of these have a content
	changes  []change
	counts   []int // items of each version
	pinned   int
	updated  time.Time
	pending  []entry
	places   int
	arriving string // the attempt that brings it in, which has not ended
	began    int64  // the entry in which that began
}

func newLog() *log { return &log{alive: map[string]int{}, contents: map[hash]int{}} }

// whole says that there is a dataset.
func (g *log) whole() bool { return g.head.ID != "" && g.arriving == "" }

func (g *log) latest() int { return len(g.changes) }

// current is the version that is read when none is asked for.
func (g *log) current() int {
	if g.pinned > 0 {
		return g.pinned
	}
	return g.latest()
}

// take adds a line.
func (g *log) take(l *line, at span) error {
	switch {
	case l.Dataset != nil:
		if g.head.ID != "" && l.Dataset.ID != g.head.ID {
			return errors.New("it is of another dataset")
		}
		g.head, g.updated = *l.Dataset, l.Dataset.UpdatedAt
	case l.Item != nil && !l.Item.Erased:
		it := l.Item.item("")
		e := entry{id: it.ID, span: at, traceID: it.SourceTraceID, created: it.CreatedAt}
		e.content, e.whole = it.hashes()
		g.pending = append(g.pending, e)
	case l.Item != nil:
		g.pending = append(g.pending, entry{id: l.Item.ID, from: -1})
	case l.Change != nil:
		return g.commit(*l.Change)
	case l.Arriving != nil:
		if g.arriving = l.Arriving.By; g.arriving != "" {
			g.began = at.at
		}
	case l.Pin != nil:
		if l.Pin.Version < 0 || l.Pin.Version > g.latest() {
			return fmt.Errorf("version %d is pinned, which there is not", l.Pin.Version)
		}
		g.pinned, g.updated = l.Pin.Version, l.Pin.At
	}
	return nil
}

// commit makes a version.
func (g *log) commit(c change) error {
	if c.Version != g.latest()+1 || c.Items != len(g.pending) {
		return fmt.Errorf("version %d of %d items follows version %d, and %d items", c.Version, c.Items, g.latest(), len(g.pending))
	}
	for _, id := range c.Deleted {
		g.end(id, c.Version)
	}
	for _, e := range g.pending {
		place, had := g.end(e.id, c.Version)
		if e.from < 0 { // erased
			continue
		}
		if !had {
			place = g.places
			g.places++
		}
		e.from, e.place = c.Version, place
		g.alive[e.id] = len(g.entries)
		g.contents[e.content]++
		g.entries = append(g.entries, e)
	}
	g.pending = nil
	g.changes = append(g.changes, c)
	g.counts = append(g.counts, len(g.alive))
	g.updated = c.At
	return nil
}

// end takes an item out of what is alive, and returns its place.
func (g *log) end(id string, version int) (place int, had bool) {
	i, had := g.alive[id]
	if !had {
		return 0, false
	}
	e := &g.entries[i]
	e.to = version
	delete(g.alive, id)
	if g.contents[e.content]--; g.contents[e.content] == 0 {
		delete(g.contents, e.content)
	}
	return e.place, true
}

func (k *kept) item(dataset string) Item {
	return Item{
		ID: k.ID, DatasetID: dataset, Input: k.Input, Expected: k.Expected, Metadata: k.Metadata, Source: k.Source,
		SourceTraceID: k.TraceID, SourceSpanID: k.SpanID, CreatedAt: k.Created, UpdatedAt: k.Updated,
	}
}

func (it *Item) kept() *kept {
	return &kept{
		ID: it.ID, Input: it.Input, Expected: it.Expected, Metadata: it.Metadata, Source: it.Source,
		TraceID: it.SourceTraceID, SpanID: it.SourceSpanID, Created: it.CreatedAt, Updated: it.UpdatedAt,
	}
}
