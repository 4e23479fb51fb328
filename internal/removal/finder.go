package removal

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// finder finds the events of a trace or of a user. What it finds grows until nothing is
// added: a trace that the user is named in brings its observations, and they their scores. It asks
// the Log, which alone has the records in quarantine and the copies of events that were accepted
// again, and says which generic events name somebody.
type finder struct {
	project string
	user    string          // "" when only a trace is asked for
	before  time.Time       // only what was received before it; zero: all
	traces  map[string]bool // that go

	observations map[observationOf]bool // that go
	newest       map[string]bool        // ids of which the newest observation goes
	scores       map[string]bool
	seqs         map[entity.Seq]bool
	media        map[entity.Seq][]string // that events refer to
	bundles      map[string]*bundle      // by observation id: those of which something may go
	grew         bool                    // another look is needed
	partial      bool                    // a bundle is not whole
}

// observationOf is what an observation is known by.
type observationOf struct{ trace, id string }

func newFinder(project, user string, traces ...string) *finder {
	f := &finder{project: project, user: user, traces: map[string]bool{}, newest: map[string]bool{}, scores: map[string]bool{}, bundles: map[string]*bundle{}, media: map[entity.Seq][]string{}}
	for _, id := range traces {
		f.traces[id] = true
	}
	return f
}

// find looks at every event up to a Seq that names something of what goes.
func (f *finder) find(ctx context.Context, log store.Mentions, upto entity.Seq) error {
	for f.grew = true; f.grew; {
		f.seqs, f.observations, f.grew, f.partial = map[entity.Seq]bool{}, map[observationOf]bool{}, false, false
		for id := range f.bundles {
			f.bundles[id] = newBundle()
		}
		if err := log.Mentioning(ctx, f.project, f.mentions(), upto, f.look); err != nil {
			return err
		}
		if !f.partial {
			f.divide()
		}
	}
	return nil
}

// mentions are those that an event of what goes has one of.
func (f *finder) mentions() (all []entity.Mention) {
	add := func(of entity.Kind, ids ...string) {
		for _, id := range ids {
			all = append(all, entity.Mention{Of: of, ID: id})
		}
	}
	if f.user != "" {
		add(entity.UserKind, f.user)
	}
	add(entity.TraceKind, slices.Collect(maps.Keys(f.traces))...)
	add(entity.ObservationKind, slices.Collect(maps.Keys(f.bundles))...) // all of newest are among them
	add(entity.ScoreKind, slices.Collect(maps.Keys(f.scores))...)
	return all
}

// look takes a record in when it belongs to what goes.
func (f *finder) look(rec *entity.Record) {
	if !f.before.IsZero() && !rec.ReceivedAt.Before(f.before) {
		return
	}
	fields := rec.Fields
	if fields == nil {
		read, failure := extract.Extract(&rec.Event)
		if failure != nil {
			return // nothing in it can be read
		}
		fields = read
	}
	m := extract.MentionsOf(&rec.Event, fields)
	if len(m.Media) > 0 {
		f.media[rec.Seq] = m.Media
	}
	named := f.user != "" && (m.User == f.user || m.Author == f.user)
	switch fields.Kind {
	case entity.TraceKind:
		if named {
			f.add(f.traces, m.Trace)
		}
		named = f.traces[m.Trace]
	case entity.ObservationKind:
		if named && m.Trace != "" {
			f.add(f.traces, m.Trace)
		}
		f.collect(rec, fields, m.Trace, named)
		return
	case entity.ScoreKind:
		about := m.Trace == "" && f.newest[m.Observation]
		named = named || f.traces[m.Trace] || about || f.scores[m.Score]
		if named {
			f.add(f.scores, m.Score)
		}
	default:
		named = named || f.traces[m.Trace]
	}
	if named {
		f.seqs[rec.Seq] = true
	}
}

// add grows a set.
func (f *finder) add(to map[string]bool, id string) {
	if id != "" && !to[id] {
		to[strings.Clone(id)], f.grew = true, true
	}
}

// erasure is what was found, to be erased.
func (f *finder) erasure() Erasure {
	media := map[string]bool{}
	for seq := range f.seqs {
		for _, hash := range f.media[seq] {
			media[hash] = true
		}
	}
	is := Erasure{Project: f.project, Seqs: slices.Sorted(maps.Keys(f.seqs)), Media: slices.Sorted(maps.Keys(media))}
	for id := range f.traces {
		is.Traces = append(is.Traces, store.TraceKey(id))
	}
	slices.Sort(is.Traces)
	return is
}

func (f *finder) erased() *Erased {
	return &Erased{
		TraceIDs: slices.Sorted(maps.Keys(f.traces)), Observations: len(f.observations), Scores: len(f.scores), Events: len(f.seqs),
	}
}
