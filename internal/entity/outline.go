package entity

import (
	"fmt"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Outline is a trace as FoldTraceWith returns it, without its payloads and without the rows of its observations: what it takes to give
// these one after another, each from its own events, read again. It takes about 300 bytes for an observation, whatever was sent.
//
// Its observations have places, from 0 on in the order of (start_time, id).
type Outline struct {
	// Trace has no Observations, and neither input, output nor metadata of its own: see Fill.
	Trace *wire.Trace

	id     string
	twins  Twins
	tariff Tariff
	steps  []step // by place
	seqs   []Seq
	sizes  []int32
	hung   forest
	own    []Seq // of the trace's own events
	ownLen int64 // the bytes of their payloads
	root   int   // -1: none
}

// events are where an observation's are in Outline.seqs: its own, behind them those of its duplicates.
type events struct{ from, upto, count int32 }

// OutlineOf is the outline of the trace, made of what FoldTraceWith needs of it. The error is ErrNotFound.
func OutlineOf(b *Briefs, traceID string, twins Twins, tariff Tariff) (*Outline, error) {
	b.sort()
	o := &Outline{id: traceID, twins: twins, tariff: tariff, root: -1}
	m := &outliner{Outline: o, briefs: b, newest: map[string]bool{}, duplicates: map[Ref][]Ref{}, at: map[Seq]int32{}, texts: map[string]string{}}
	for twin, kept := range twins {
		m.duplicates[kept] = append(m.duplicates[kept], twin)
	}
	m.observations()
	var own *Fold
	if about, known := b.ids[subject{TraceKind, traceID}]; known {
		briefs := b.of(about)
		own = foldOf(briefs)
		for i := range briefs {
			o.own = append(o.own, briefs[i].seq)
			o.ownLen += int64(briefs[i].size)
		}
	}
	if own == nil && len(o.steps) == 0 {
		return nil, fmt.Errorf("trace: %w", ErrNotFound)
	}
	f, r := &Family{steps: o.steps}, &Roller{}
	r.count(f)
	o.hung = hang(r.parents)
	o.root = f.root()
	o.Trace = r.rollUp(ownTrace(own, traceID), f)
	scores := m.scores()
	o.Trace.Scores, o.Trace.ScoreList = summarizeScores(scores), scores
	o.Trace.Input, o.Trace.Output, o.Trace.Metadata = nil, nil, nil
	return o, nil
}

// outliner makes an Outline.
type outliner struct {
	*Outline
	briefs     *Briefs
	newest     map[string]bool // of the observations: a score that names no trace is about this one
	duplicates map[Ref][]Ref   // by the kept one
	at         map[Seq]int32   // sizes of payloads; of the observation at work
	texts      map[string]string
}

// observations finds the steps.
func (m *outliner) observations() {
	n := 0
	for _, s := range m.briefs.about {
		if s.kind == ObservationKind {
			n++
		}
	}
	f := &Family{steps: make([]step, 0, n)}
	for about, s := range m.briefs.about {
		if s.kind != ObservationKind || m.id == "" {
			continue
		}
		row := m.rowOf(int32(about))
		if row == nil {
			continue
		}
		if len(m.briefs.scores) > 0 {
			m.newest[s.id] = row.Newest
		}
		st := stepOf(row)
		st.id, st.about, st.events = s.id, int32(about), m.place(row)
		st.parent, st.said = m.shared(st.parent), f.share(row)
		f.steps = append(f.steps, st)
	}
	m.steps = f.steps
	slices.SortFunc(m.steps, func(a, b step) int { return a.byStart(&b) })
}

// shared is s in the memory of the first that said it: as it stands in a row it would keep all of that.
func (m *outliner) shared(s string) string {
	if about, known := m.briefs.ids[subject{ObservationKind, s}]; known {
		return m.briefs.about[about].id
	}
	if known, is := m.texts[s]; is {
		return known
	}
	s = strings.Clone(s)
	m.texts[s] = s
	return s
}

// rowOf is the observation of the trace, as far as briefs say it; nil when it is not of this trace.
func (m *outliner) rowOf(about int32) *ObservationRow {
	briefs := m.briefs.of(about)
	for i := range briefs {
		m.at[briefs[i].seq] = briefs[i].size
	}
	row := partOf(foldOf(briefs), Ref{m.id, m.briefs.about[about].id})
	if row == nil {
		return nil
	}
	rows := []*ObservationRow{row}
	for _, twin := range m.duplicates[Ref{row.TraceID, row.ID}] {
		if other := m.twin(twin); other != nil {
			rows = append(rows, other)
		}
	}
	m.twins.Mark(rows)
	m.tariff.Price(row)
	return row
}

// twin is an observation of any trace, when it is among the briefs.
func (m *outliner) twin(ref Ref) *ObservationRow {
	about, known := m.briefs.ids[subject{ObservationKind, ref.ID}]
	if !known {
		return nil
	}
	briefs := m.briefs.of(about)
	for i := range briefs {
		m.at[briefs[i].seq] = briefs[i].size
	}
	return partOf(foldOf(briefs), ref)
}

// partOf is the row of one trace among those of an observation id.
func partOf(f *Fold, ref Ref) *ObservationRow {
	rows := f.Observations(ref.ID)
	for i := range rows {
		if rows[i].TraceID == ref.TraceID {
			return &rows[i]
		}
	}
	return nil
}

// place keeps what a row and its duplicates were folded from.
func (m *outliner) place(row *ObservationRow) events {
	at := events{from: int32(len(m.seqs)), count: int32(len(row.Seqs))}
	keep := func(row *ObservationRow) {
		for _, seq := range row.Seqs {
			m.seqs, m.sizes = append(m.seqs, seq), append(m.sizes, m.at[seq])
		}
	}
	keep(row)
	for _, ref := range m.duplicates[Ref{row.TraceID, row.ID}] {
		if twin := m.twin(ref); twin != nil {
			keep(twin)
		}
	}
	clear(m.at)
	at.upto = int32(len(m.seqs))
	return at
}

// scores are those of the trace, sorted.
func (m *outliner) scores() []wire.Score {
	scores := []wire.Score{}
	for e, f := range folds(m.briefs.scores) {
		if c := f.Score(e.id); c.TraceID == m.id || c.TraceID == "" && m.newest[c.ObservationID] {
			scores = append(scores, *c)
		}
	}
	sortScores(scores)
	return scores
}
