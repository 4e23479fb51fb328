package duckstore

import (
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// entityKey names a bundle: all events with one id of one kind. For observations that
// is one row for each trace that they name.
type entityKey struct {
	project string
	kind    entity.Kind
	id      string
}

// bundle is the events of an entity, and where its rows are.
type bundle struct {
	fold    *entity.Fold // nil: no event
	at      span         // of its events
	seqs    []int64      // of its events, in no order
	written int64        // of its rows; 0: it has none
	traces  []string     // of its rows, when they are observations; "" is none
	calls   []placedCall // of its rows that may have twins
	weight  int
}

// add takes in an event, as slim makes it.
func (b *bundle) add(rec *entity.Record) {
	if b.fold == nil {
		b.fold, b.at = &entity.Fold{}, span{int64(rec.Seq), int64(rec.Seq)}
	}
	b.fold.Add(rec, rec.Fields)
	b.at.add(span{int64(rec.Seq), int64(rec.Seq)})
	b.seqs = append(b.seqs, int64(rec.Seq))
	b.weight += recordWeight(rec)
}

// own is the Seqs of its events, rising; nil when it has none.
func (b *bundle) own() []int64 {
	slices.Sort(b.seqs)
	return b.seqs
}

// listed is the column of the rising Seqs of an observation or a score: nil, which is NULL, when first_seq and last_seq say it.
func listed(seqs []int64) []int64 {
	if len(seqs) <= 2 {
		return nil
	}
	return seqs
}

// rising is seqs in their order.
func rising(seqs []entity.Seq) []int64 {
	list := make([]int64, len(seqs))
	for i, seq := range seqs {
		list[i] = int64(seq)
	}
	slices.Sort(list)
	return list
}

// family is a trace's observations, as far as its roll-up needs them.
type family struct {
	members map[string]relative // by observation id
	at      span                // of its row's events, while it has a row
	written int64               // of its row; 0: it has none
}

// relative is an observation in its family: what RollUp reads of its row.
type relative struct {
	parent, typ, level, model, environment string
	status, duplicateOf                    string
	start, end                             int64 // µs
	tokens                                 int64
	cost                                   float64
	ended, hasTokens, hasCost              bool
	countsTokens, countsCost               bool
	at                                     span
	root                                   *rootTexts
}

// rootTexts are what a trace may have from an observation, above all from its root.
type rootTexts struct {
	name, traceName, userID, sessionID, release, door string
	tags                                              []string
}

func relativeOf(o *observationRow, at span) relative {
	r := relative{
		parent: o.ParentObservationID, typ: o.Type, level: o.Level, model: o.Model, environment: o.Environment,
		status: o.Status, duplicateOf: o.DuplicateOf,
		start: o.StartTime.UnixMicro(), countsTokens: o.CountsTokens, countsCost: o.CountsCost, at: at,
		root: &rootTexts{o.Name, o.TraceName, o.UserID, o.SessionID, o.Release, o.Door, o.Tags},
	}
	if o.EndTime != nil {
		r.end, r.ended = o.EndTime.UnixMicro(), true
	}
	if o.TotalTokens != nil {
		r.tokens, r.hasTokens = *o.TotalTokens, true
	}
	if o.TotalCost != nil {
		r.cost, r.hasCost = *o.TotalCost, true
	}
	return r
}

// fill is the reverse of relativeOf.
func (r *relative) fill(id string, o *observationRow) {
	*o = observationRow{Observation: wire.Observation{
		ID: id, ParentObservationID: r.parent, Type: r.typ, Level: r.level, Model: r.model, Environment: r.environment,
		Status: r.status, DuplicateOf: r.duplicateOf, StartTime: microTime(r.start), Name: r.root.name, Tags: r.root.tags,
	}, TraceName: r.root.traceName, UserID: r.root.userID, SessionID: r.root.sessionID, Release: r.root.release, Door: r.root.door}
	if r.ended {
		end := microTime(r.end)
		o.EndTime = &end
	}
	if r.hasTokens {
		o.TotalTokens = &r.tokens
	}
	if r.hasCost {
		o.TotalCost = &r.cost
	}
}

// The weights are estimates of what is in memory, in bytes.
const (
	bundleWeight   = 300
	familyWeight   = 300
	relativeWeight = 250
	callWeight     = 350
)

func (b *bundle) weigh() int { return bundleWeight + b.weight + callWeight*len(b.calls) }

func (f *family) weigh() int {
	n := familyWeight + relativeWeight*len(f.members)
	for _, m := range f.members {
		n += m.root.weigh()
	}
	return n
}

func (t *rootTexts) weigh() int {
	n := 100 + len(t.name) + len(t.traceName) + len(t.userID) + len(t.sessionID) + len(t.release) + len(t.door)
	for _, tag := range t.tags {
		n += 16 + len(tag)
	}
	return n
}

func recordWeight(rec *entity.Record) int {
	n := 258 + len(rec.Event.ID) + 120*len(rec.Fields.Values)
	for i := range rec.Fields.Values {
		v := &rec.Fields.Values[i]
		n += len(v.Text)
		for _, s := range v.List {
			n += 16 + len(s)
		}
	}
	return n
}

// cache keeps what was touched last, so that what is updated soon after it was made is
// not read again. It has two generations: when the young one is full it becomes the old
// one, and what was in the old one is forgotten. It must hold what the tables hold: who
// fails to write forgets all.
type cache[V interface{ weigh() int }] struct {
	young, old map[entityKey]V
	weight     int // of the young
	most       int
}

func newCache[V interface{ weigh() int }](most int) *cache[V] {
	return &cache[V]{young: map[entityKey]V{}, most: most / 2}
}

func (c *cache[V]) get(k entityKey) (V, bool) {
	if v, ok := c.young[k]; ok {
		return v, true
	}
	v, ok := c.old[k]
	return v, ok
}

func (c *cache[V]) put(k entityKey, v V) {
	n := v.weigh()
	if n > c.most {
		delete(c.young, k)
		delete(c.old, k)
		return // it alone would drive out everything
	}
	if c.weight += n; c.weight > c.most {
		c.old, c.young, c.weight = c.young, make(map[entityKey]V), n
	}
	c.young[k] = v
}

func (c *cache[V]) drop(k entityKey) {
	delete(c.young, k)
	delete(c.old, k)
}

// ownRecord is the record as far as a fold of an entity's row reads it, in memory of its own, for the record may be part of a
// large block.
func ownRecord(rec *entity.Record) *entity.Record {
	return &entity.Record{
		Seq: rec.Seq, Project: strings.Clone(rec.Project), Environment: strings.Clone(rec.Environment), Fields: entity.Row(rec.Fields.AppendRow(nil)).Fields(),
		Event: wire.Event{ID: strings.Clone(rec.Event.ID), Type: rec.Event.Type, Timestamp: rec.Event.Timestamp},
	}
}
