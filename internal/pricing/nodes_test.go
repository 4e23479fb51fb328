package pricing

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/document"
	"github.com/brokle-ai/brokle-go/internal/entity"
)

// bornAs is a Seq that has its node in the upper bits.
func bornAs(seq entity.Seq) (uint16, entity.Seq) { return uint16(seq >> 48), seq & (1<<48 - 1) }

func openNode(t *testing.T, dir string, heads Reach, now *time.Time) *Pricing {
	t.Helper()
	p, err := Open(Options{
		Dir: dir, Cost: PreferReported, Head: func() entity.Seq { return heads.After }, Born: bornAs, Heads: func() (Reach, error) { return heads, nil },
		Place: func(name string) document.Place { return &document.File{Path: filepath.Join(dir, name)} }, Now: func() time.Time { return *now }, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// costOf is what a call of a million tokens costs that was first heard of as an event of a node, and then as others.
func costOf(p *Pricing, node uint16, seq entity.Seq, start time.Time, more ...entity.Seq) float64 {
	n, none := int64(1_000_000), int64(0)
	o := entity.ObservationRow{}
	o.Type, o.Model, o.StartTime, o.Seqs = "generation", "ours", start, append(more, entity.Seq(node)<<48|seq)
	o.PromptTokens, o.CompletionTokens = &n, &none
	p.Price("p", &o)
	if o.TotalCost == nil {
		return 0
	}
	return *o.TotalCost
}

// What a call costs does not depend on the node that is asked: own prices hold behind the heads of all logs as they were.
func TestNodesPriceAlike(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	a := openNode(t, dir, Reach{After: 10, Others: map[uint16]entity.Seq{3: 20}}, &now)
	b := openNode(t, dir, Reach{After: 999}, &now)
	if err := a.SetOwn("p", []byte(`[{"model":"ours","input":2,"output":2}]`), now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := costOf(b, 3, 21, now); got != 0 {
		t.Errorf("before it was told: %v", got)
	}
	if err := b.Refresh(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		node uint16
		seq  entity.Seq
		want float64
	}{{0, 10, 0}, {0, 11, 2}, {3, 20, 0}, {3, 21, 2}, {4, 1, 2}} {
		for name, p := range map[string]*Pricing{"a": a, "b": b} {
			if got := costOf(p, c.node, c.seq, now); got != c.want {
				t.Errorf("%s: event %d of node %d costs %v, want %v", name, c.seq, c.node, got, c.want)
			}
		}
	}
	if after, some := b.Behind(3); !some || after != 20 {
		t.Errorf("behind %d, %v", after, some)
	}
	if _, some := b.Behind(3); some {
		t.Error("it is told twice")
	}
	// Neither loses what the other set.
	if err := b.SetOwn("q", []byte(`[{"model":"ours","input":2,"output":2}]`), now); err != nil {
		t.Fatal(err)
	}
	if err := a.SetOwn("p", []byte(`[{"model":"ours","input":5,"output":5}]`), now); err != nil {
		t.Fatal(err)
	}
	again := openNode(t, dir, Reach{}, &now)
	for _, p := range []*Pricing{a, again} {
		if sets, err := p.Own("p"); err != nil || len(sets) != 2 {
			t.Errorf("%d sets of p, %v", len(sets), err)
		}
		if sets, err := p.Own("q"); err != nil || len(sets) != 1 {
			t.Errorf("%d sets of q, %v", len(sets), err)
		}
	}
}

// A call is known to all once one of them has heard of it: what other nodes hear of it later, whatever their numbers, changes nothing.
func TestHeardOfByAnyNode(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	p := openNode(t, t.TempDir(), Reach{After: 10, Others: map[uint16]entity.Seq{3: 20, 4: 30}}, &now)
	if err := p.SetOwn("p", []byte(`[{"model":"ours","input":2,"output":2}]`), now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	at := func(node uint16, seq entity.Seq) entity.Seq { return entity.Seq(node)<<48 | seq }
	for _, c := range []struct {
		node uint16
		seq  entity.Seq
		more []entity.Seq
		want float64
	}{
		{0, 11, []entity.Seq{at(3, 20)}, 0}, {0, 11, []entity.Seq{at(3, 21)}, 2}, {3, 21, []entity.Seq{at(0, 11), at(4, 31)}, 2}, {3, 21, []entity.Seq{at(0, 11), at(4, 31), at(4, 30)}, 0},
		{3, 21, []entity.Seq{at(0, 11), at(4, 30), at(4, 31)}, 0}, {4, 90, []entity.Seq{at(4, 70), at(4, 29)}, 0}, {4, 90, []entity.Seq{at(4, 29), at(4, 70)}, 0}, {9, 1, []entity.Seq{at(0, 10)}, 0},
	} {
		if got := costOf(p, c.node, c.seq, now.Add(-time.Minute), c.more...); got != c.want {
			t.Errorf("event %d of node %d, and %v: %v, want %v", c.seq, c.node, c.more, got, c.want)
		}
	}
}

// A node that joins brings in what it said of projects of which the others say nothing, for events of its own log.
func TestJoin(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	journalOf := func(dir string) []byte {
		raw, err := (&document.File{Path: filepath.Join(dir, JournalFile)}).Read()
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	set := func(p *Pricing, project string) {
		if err := p.SetOwn(project, []byte(`[{"model":"ours","input":2,"output":2}]`), now); err != nil {
			t.Fatal(err)
		}
	}
	alone, others := t.TempDir(), t.TempDir()
	own := openNode(t, alone, Reach{After: 70}, &now)
	set(own, "mine")
	set(own, "both")
	now = now.Add(time.Minute)
	all := openNode(t, others, Reach{After: 5}, &now)
	set(all, "both")
	joined, err := Join(journalOf(alone), journalOf(others), Number{Node: 4}, nil)
	if err != nil {
		t.Fatal(err)
	}
	j, err := parseJournal(joined)
	if err != nil || j.Version != SharedVersion {
		t.Fatalf("%+v, %v", j, err)
	}
	if last := j.Entries[len(j.Entries)-1]; len(j.Entries) != 4 || last.Project != "mine" || last.After != 0 || last.Others[4] != 70 {
		t.Errorf("%+v", j.Entries)
	}
	// What it says after that, alone again, is added; what it had is not added twice.
	if again, err := Join(joined, joined, Number{Node: 4}, Numbers{{Node: 4}}); err != nil || string(again) != string(joined) {
		t.Errorf("%s, %v", again, err)
	}
	first, err := Join(journalOf(alone), nil, Number{Node: 4}, nil)
	if j, err2 := parseJournal(first); err != nil || err2 != nil || len(j.Entries) != 4 || j.Entries[2].Others[4] != 70 {
		t.Errorf("the first that joins: %s, %v, %v", first, err, err2)
	}
}

// slowly is a Place whose next Read has something happen before the text that it read is used.
type slowly struct {
	document.File
	then func()
}

func (s *slowly) Read() ([]byte, error) {
	text, err := s.File.Read()
	if then := s.then; then != nil {
		s.then = nil
		then()
	}
	return text, err
}

func (s *slowly) Fresh() ([]byte, error) { return s.Read() }

// What this process said is never taken back by what it had read of the journal before that.
func TestFollowedWhileOwnPricesAreSet(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for name, follow := range map[string]func(*Pricing) error{"as far as it is known": (*Pricing).Follow, "up to this moment": (*Pricing).Refresh} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			place := &slowly{File: document.File{Path: filepath.Join(dir, JournalFile)}}
			p, err := Open(Options{
				Dir: dir, Cost: PreferReported, Head: func() entity.Seq { return 0 }, Born: bornAs, Heads: func() (Reach, error) { return Reach{}, nil },
				Place: func(name string) document.Place {
					if name == JournalFile {
						return place
					}
					return &document.File{Path: filepath.Join(dir, name)}
				}, Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Fatal(err)
			}
			set := func(p *Pricing, project string) {
				if err := p.SetOwn(project, []byte(`[{"model":"ours","input":2,"output":2}]`), now); err != nil {
					t.Error(err)
				}
			}
			set(openNode(t, dir, Reach{}, &now), "another's")
			done := make(chan struct{})
			place.then = func() {
				go func() {
					defer close(done)
					set(p, "p")
				}()
				select {
				case <-done:
				case <-time.After(200 * time.Millisecond): // it waits, as it should
				}
			}
			if err := follow(p); err != nil {
				t.Fatal(err)
			}
			<-done
			for _, project := range []string{"p", "another's"} {
				if sets, err := p.Own(project); err != nil || len(sets) != 1 {
					t.Errorf("%d sets of own prices of %s, %v", len(sets), project, err)
				}
			}
		})
	}
}
