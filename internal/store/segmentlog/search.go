package segmentlog

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sort"

	"golang.org/x/sync/errgroup"

	"github.com/brokle-ai/brokle-go/internal/bloom"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
)

var _ store.Searcher = (*Log)(nil)

// search implements store.TextSearch over the segments as they were when it began.
type search struct {
	*Log
	project string
	q       *textsearch.Query
	hashes  []uint64 // that a filter must have: the words', and the project's
	parts   []part   // by their Seqs
}

// part is one segment of a search.
type part struct {
	*view
	filter  *handle // of the filter file; nil when the segment has none
	list    []stretch
	answers []answer // by stretch
}

// answer is what is known of a stretch.
type answer struct {
	passed bool // the filter does not exclude it
	asked  bool // passed is known
	read   bool // hits are known
	hits   []uint32
}

// Search implements store.Searcher.
func (l *Log) Search(project string, q *textsearch.Query) (store.TextSearch, error) {
	return call(l, "search log", func() (store.TextSearch, error) {
		if l.o.Unsearched {
			return nil, errUnsearched
		}
		s := &search{Log: l, project: project, q: q, hashes: append(q.Hashes(), projectHash(project))}
		if err := s.open(); err != nil {
			s.Close()
			return nil, err
		}
		return s, nil
	})
}

var errUnsearched = errors.New("its filters do not know the words")

// open takes hold of all segments: what replaces one later is not waited for.
func (s *search) open() error {
	s.mu.RLock()
	for _, seg := range s.segs {
		v, err := s.openView(seg)
		if err != nil {
			s.mu.RUnlock()
			return err
		}
		s.parts = append(s.parts, part{view: v})
	}
	s.mu.RUnlock()
	for i := range s.parts {
		p := &s.parts[i]
		var err error
		if p.list, p.filter, err = p.stretches(); err != nil {
			return err
		}
		p.answers = make([]answer, len(p.list))
	}
	return nil
}

// Close implements store.TextSearch.
func (s *search) Close() {
	for _, p := range s.parts {
		p.release()
		if p.filter != nil {
			s.handles.release(p.filter)
		}
	}
	s.parts = nil
}

// candidate is one stretch of a search.
type candidate struct {
	part    *part
	stretch int
}

func (p candidate) answer() *answer { return &p.part.answers[p.stretch] }

// Rare implements store.TextSearch. What has no filter yet is read in any case: it
// is little, and the newest.
func (s *search) Rare(ctx context.Context, limit int) ([]entity.Seq, bool, error) {
	return s.found(ctx, limit, limit)
}

// All implements store.TextSearch.
func (s *search) All(ctx context.Context, most int) ([]entity.Seq, bool, error) {
	return s.found(ctx, math.MaxInt, most)
}

// found is what matches, unless more than most do or many more than reads may.
func (s *search) found(ctx context.Context, reads, most int) ([]entity.Seq, bool, error) {
	seqs, err := call(s.Log, "search log", func() ([]entity.Seq, error) {
		passing, err := s.passing(reads)
		if passing == nil || err != nil {
			return nil, err
		}
		return s.matching(ctx, passing, most)
	})
	return seqs, seqs != nil, err
}

// passing are the stretches that the filters do not exclude; nil when these have more than reads events.
func (s *search) passing(reads int) ([]candidate, error) {
	passing := []candidate{}
	events := 0
	for i := range s.parts {
		p := &s.parts[i]
		for j := range p.list {
			passed, err := s.passes(p, j)
			if err != nil {
				return nil, err
			}
			if !passed {
				continue
			}
			passing = append(passing, candidate{p, j})
			if p.filter == nil && p.list[j].mem == nil {
				continue
			}
			if events += int(p.list[j].events); events > reads {
				return nil, nil
			}
		}
	}
	return passing, nil
}

// matching are the events of these stretches that match; nil when more than most do.
func (s *search) matching(ctx context.Context, passing []candidate, most int) ([]entity.Seq, error) {
	found := 0
	for some := range slices.Chunk(passing, 64) {
		if err := s.read(ctx, some); err != nil {
			return nil, err
		}
		for _, p := range some {
			found += len(p.answer().hits)
		}
		if found > most {
			return nil, nil
		}
	}
	seqs := make([]entity.Seq, 0, found)
	for _, p := range passing {
		first := p.part.list[p.stretch].first
		for _, hit := range p.answer().hits {
			seqs = append(seqs, first+entity.Seq(hit))
		}
	}
	return seqs, nil
}

// Match implements store.TextSearch.
func (s *search) Match(ctx context.Context, seqs []entity.Seq) ([]bool, error) {
	return call(s.Log, "search log", func() ([]bool, error) { return s.match(ctx, seqs) })
}

func (s *search) match(ctx context.Context, seqs []entity.Seq) ([]bool, error) {
	where := make([]candidate, len(seqs))
	var wanted []candidate
	asked := map[candidate]bool{}
	for i, seq := range seqs {
		p := s.candidate(seq)
		if p.part == nil {
			continue
		}
		if !asked[p] {
			asked[p] = true
			passed, err := s.passes(p.part, p.stretch)
			if err != nil {
				return nil, err
			}
			if passed {
				wanted = append(wanted, p)
			}
		}
		where[i] = p
	}
	if err := s.read(ctx, wanted); err != nil {
		return nil, err
	}
	matches := make([]bool, len(seqs))
	for i, p := range where {
		if p.part != nil {
			_, matches[i] = slices.BinarySearch(p.answer().hits, uint32(seqs[i]-p.part.list[p.stretch].first))
		}
	}
	return matches, nil
}

// candidate finds the stretch that seq is in; no part when there is none.
func (s *search) candidate(seq entity.Seq) candidate {
	i := sort.Search(len(s.parts), func(i int) bool { return s.parts[i].last >= seq })
	if i == len(s.parts) {
		return candidate{}
	}
	p := &s.parts[i]
	j := sort.Search(len(p.list), func(j int) bool { return p.list[j].last >= seq })
	if j == len(p.list) || seq < p.list[j].first {
		return candidate{}
	}
	return candidate{p, j}
}

// passes asks the filter of a stretch, once.
func (s *search) passes(p *part, i int) (bool, error) {
	a := &p.answers[i]
	if a.asked {
		return a.passed, nil
	}
	a.asked, a.passed = true, true
	for _, h := range s.hashes {
		has, err := p.has(i, h)
		if err != nil {
			return false, err
		}
		if !has {
			a.passed = false
			break
		}
	}
	return a.passed, nil
}

// has says whether a stretch may hold a word; one without a filter may.
func (p *part) has(i int, h uint64) (bool, error) {
	at := &p.list[i]
	if p.filter == nil && at.mem == nil {
		return true, nil
	}
	var line [bloom.LineBytes]byte
	off := at.at + int64(bloom.LineOf(h, int(at.lines)))*bloom.LineBytes
	if at.mem != nil {
		copy(line[:], at.mem[off:])
	} else if n, err := p.filter.file.ReadAt(line[:], off); n < len(line) {
		return false, fmt.Errorf("read filter file: %w", err)
	}
	return bloom.LineHas(line[:], probes, h), nil
}

// read makes the hits of the stretches known, several at a time.
func (s *search) read(ctx context.Context, covered []candidate) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, p := range covered {
		if p.answer().read {
			continue
		}
		g.Go(func() error {
			select {
			case s.finders <- struct{}{}:
				defer func() { <-s.finders }()
			case <-ctx.Done():
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			hits, err := s.hits(p)
			if err != nil {
				return err
			}
			a := p.answer()
			a.hits, a.read = hits, true
			return nil
		})
	}
	return g.Wait()
}

// hits compares every event of a stretch.
func (s *search) hits(p candidate) ([]uint32, error) {
	at := &p.part.list[p.stretch]
	var hits []uint32
	m := textsearch.NewMatcher(s.q)
	c := s.hidden.Load()
	err := p.part.eachEvents(at, func(b *block) {
		for t, i := range b.each() {
			if t.project == s.project && b.shown(t, i, c) && m.Matches(&b.events[i]) {
				hits = append(hits, uint32(t.seq(i)-at.first))
			}
		}
	})
	return hits, err
}

// eachEvents calls f for the blocks of events in a stretch, in order.
func (v *view) eachEvents(at *stretch, f func(*block)) error {
	sc := v.seg.scanner(v.h, at.end, int(min(at.end-at.off, 4*scanAhead)))
	sc.off, sc.after = at.off, at.first-1
	return v.decoded(sc, func(b *block, _ int64) error { f(b); return nil })
}

// decoded calls f for the blocks of events that sc has before it. What cannot be read is passed over.
func (v *view) decoded(sc *scanner, f func(b *block, off int64) error) error {
	for h, off := range sc.blocks() {
		if h.kind != kindEvents || h.bodyRaw == 0 {
			continue
		}
		b, err := v.decode(sc, &h, off, true)
		if err == nil && b != nil {
			err = f(b, off)
		}
		if err != nil {
			return err
		}
	}
	return sc.err
}

// covered are the stretches of a segment up to a place in its file.
type covered struct {
	list  []stretch // never changed in place: searches hold it
	made  int       // how many of them, the first, have a filter in memory
	to    int64
	after entity.Seq
}

// stretches returns those of the view, and its filter file, held, when there is one.
func (v *view) stretches() ([]stretch, *handle, error) {
	seg := v.seg
	seg.find.Lock()
	defer seg.find.Unlock()
	if seg.filter != nil {
		h, err := v.openFilter()
		if h != nil || err != nil {
			return seg.covered.list, h, err
		}
	}
	if seg.covered.to < v.end {
		if err := seg.extend(v); err != nil {
			return nil, nil, err
		}
	}
	return seg.covered.list, nil, nil // it may end later, where another search saw more
}

// extend goes through the headers behind the known ones.
func (s *segment) extend(v *view) error {
	list := slices.Clone(s.covered.list)
	sc := s.scanner(v.h, v.end, headerAhead)
	if s.covered.to > 0 {
		sc.off, sc.after = s.covered.to, s.covered.after
	}
	for h, off := range sc.blocks() {
		list = join(list, &h, off)
	}
	if sc.err != nil {
		return sc.err
	}
	s.covered.list, s.covered.to, s.covered.after = list, v.end, sc.after
	return nil
}

// openFilter holds the segment's filter file, checking it the first time. One that is damaged, or of
// another segment, is removed and made again; then the handle is nil.
func (v *view) openFilter() (*handle, error) {
	seg := v.seg
	h, err := v.handles.acquire(seg.filter.id, seg.filter.path)
	if err != nil {
		return nil, err
	}
	if seg.checked {
		return h, nil
	}
	info, err := h.file.Stat()
	if err == nil {
		var list []stretch
		if list, err = v.readFilters(h, info.Size()); err == nil {
			seg.checked, seg.covered = true, covered{list: list, to: v.end}
			return h, nil
		}
	}
	v.handles.release(h)
	if !errors.Is(err, errDamaged) {
		return nil, err
	}
	if errors.Is(err, errOlderFilter) {
		v.o.Logger.Info("filter file of an older version, or without words, is made again", "segment", seg.path)
	} else {
		v.o.Logger.Warn("filter file of a segment is not its own; it is made again", "segment", seg.path, "error", err)
	}
	return nil, v.removeFilterLocked(seg)
}

func (v *view) readFilters(h *handle, size int64) ([]stretch, error) {
	header, list, err := readFilters(h.file, size)
	if err == nil && (!v.seg.salted || header.salt != v.seg.salt || header.base != v.seg.base || header.end != v.end) {
		err = damaged("filter file of another segment")
	}
	if err == nil && header.names && !v.o.Unsearched {
		err = fmt.Errorf("%w: %w", errOlderFilter, damaged("filter file without words"))
	}
	return list, err
}
