package pricing

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/document"
	"github.com/brokle-ai/brokle-go/internal/entity"
)

// openAlone opens the journal in dir, of a node alone whose log ends at head, which had these numbers.
func openAlone(t *testing.T, dir string, head entity.Seq, now *time.Time, numbers ...Number) *Pricing {
	t.Helper()
	p, err := Open(Options{
		Dir: dir, Cost: PreferReported, Head: func() entity.Seq { return head }, Numbers: func() Numbers { return numbers },
		Now: func() time.Time { return *now }, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// setPrice has a price hold from an hour before now on.
func setPrice(t *testing.T, p *Pricing, each int, now time.Time) {
	t.Helper()
	if err := p.SetOwn("p", fmt.Appendf(nil, `[{"model":"ours","input":%d,"output":%[1]d}]`, each), now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
}

// cost is one of a call.
type cost struct {
	node uint16
	seq  entity.Seq
	is   float64
}

func check(t *testing.T, when string, p *Pricing, start time.Time, costs ...cost) {
	t.Helper()
	for _, c := range costs {
		if got := costOf(p, c.node, c.seq, start); got != c.is {
			t.Errorf("%s: event %d of node %d costs %v, want %v", when, c.seq, c.node, got, c.is)
		}
	}
}

func rawOf(t *testing.T, dir string) []byte {
	t.Helper()
	raw, err := (&document.File{Path: filepath.Join(dir, JournalFile)}).Read()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// copyJournal makes a directory with the texts of one, and another journal.
func copyJournal(t *testing.T, from string, raw []byte) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to, JournalFile), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

// sharedBy is a journal that node 3 shared when its log ended at 20 and that of node 0 at 10: then a price of 2 was set.
func sharedBy(t *testing.T, now *time.Time) (dir string) {
	t.Helper()
	dir = t.TempDir()
	heads := Reach{After: 10, Others: map[uint16]entity.Seq{3: 20}}
	openNode(t, dir, heads, now)
	raw, err := Join(rawOf(t, dir), nil, Number{Node: 3}, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir = copyJournal(t, dir, raw)
	setPrice(t, openNode(t, dir, heads, now), 2, *now)
	return dir
}

// A node that shared is, alone, the one that it was, in what was said before and in what is said then. Back with the others nothing costs anything else.
func TestAloneIsWhoItWas(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	start := now.Add(-time.Minute)
	dir := sharedBy(t, &now)
	shared := rawOf(t, dir)
	now = now.Add(time.Hour)
	alone := openAlone(t, dir, 30, &now, Number{Node: 3})
	check(t, "alone", alone, start, cost{0, 20, 0}, cost{0, 21, 2})
	now = now.Add(-time.Hour)
	setPrice(t, alone, 5, now)
	check(t, "alone, with another price", alone, start, cost{0, 20, 0}, cost{0, 21, 2}, cost{0, 30, 2}, cost{0, 31, 5})

	joined, err := Join(rawOf(t, dir), shared, Number{Node: 3}, Numbers{{Node: 3}})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Join(rawOf(t, dir), joined, Number{Node: 3}, Numbers{{Node: 3}}); err != nil || string(again) != string(joined) {
		t.Errorf("it is added twice: %s, %v", again, err)
	}
	back := openNode(t, copyJournal(t, dir, joined), Reach{}, &now)
	check(t, "back", back, start, cost{3, 20, 0}, cost{3, 21, 2}, cost{3, 30, 2}, cost{3, 31, 5}, cost{0, 10, 0}, cost{0, 11, 5}, cost{4, 1, 5})
}

// A node that was always alone, also while a shared warehouse had a copy of its log, goes by its log, whatever number that had.
func TestAlwaysAlone(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	p := openAlone(t, dir, 7, &now)
	setPrice(t, p, 2, now)
	for range 2 {
		check(t, "alone", p, now.Add(-time.Minute), cost{0, 7, 0}, cost{0, 8, 2})
		p = openAlone(t, dir, 9, &now, Number{Node: 3})
	}
}

// A node that lost the end of its log has another number from there on: what was said before holds for none of what it took since.
func TestAnotherNumberFromThereOn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	start := now.Add(-time.Minute)
	dir := sharedBy(t, &now) // its log ended at 20, and ends at 15 now
	joined, err := Join(rawOf(t, dir), rawOf(t, dir), Number{Node: 5, After: 15}, Numbers{{Node: 3}})
	if err != nil {
		t.Fatal(err)
	}
	dir = copyJournal(t, dir, joined)
	back := openNode(t, dir, Reach{After: 10, Others: map[uint16]entity.Seq{3: 20, 5: 25}}, &now)
	check(t, "under another number", back, start, cost{3, 20, 0}, cost{5, 16, 2}, cost{0, 10, 0})
	setPrice(t, back, 4, now)
	alone := openAlone(t, dir, 30, &now, Number{Node: 3}, Number{Node: 5, After: 15})
	check(t, "alone", alone, start, cost{0, 15, 0}, cost{0, 16, 2}, cost{0, 25, 2}, cost{0, 26, 4})
	setPrice(t, alone, 6, now)
	check(t, "alone, with another price", alone, start, cost{0, 15, 0}, cost{0, 16, 2}, cost{0, 25, 2}, cost{0, 26, 4}, cost{0, 30, 4}, cost{0, 31, 6})
	again := openNode(t, copyJournal(t, dir, rawOf(t, dir)), Reach{}, &now)
	check(t, "what it lost and the others have", again, start, cost{3, 18, 0}, cost{3, 20, 0}, cost{5, 31, 6})
}

// What is said alone holds for none of the calls of others that the node had heard of.
func TestAloneKnowsWhatItHeard(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	dir := sharedBy(t, &now)
	p, err := Open(Options{
		Dir: dir, Head: func() entity.Seq { return 30 }, Numbers: func() Numbers { return Numbers{{Node: 3}} }, Others: func() map[uint16]entity.Seq { return map[uint16]entity.Seq{0: 14, 3: 99, 8: 5} },
		Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	setPrice(t, p, 5, now)
	back := openNode(t, copyJournal(t, dir, rawOf(t, dir)), Reach{}, &now)
	check(t, "back", back, now.Add(-time.Minute), cost{0, 14, 2}, cost{0, 15, 5}, cost{8, 5, 2}, cost{8, 6, 5}, cost{3, 30, 2}, cost{3, 31, 5})
}

// A place in a log of several numbers is one before which all was known.
func TestPlaceOfAReach(t *testing.T) {
	t.Parallel()
	numbers := Numbers{{Node: 3}, {Node: 5, After: 100}, {Node: 0, After: 150}}
	for _, c := range []struct {
		r    Reach
		want entity.Seq
	}{
		{Reach{}, 0}, {Reach{Others: map[uint16]entity.Seq{3: 40, 5: 120}}, 40}, {Reach{Others: map[uint16]entity.Seq{3: 100, 5: 120}}, 120}, {Reach{Others: map[uint16]entity.Seq{3: 200}}, 100},
		{Reach{After: 170, Others: map[uint16]entity.Seq{3: 100, 5: 150}}, 170}, {Reach{After: 170, Others: map[uint16]entity.Seq{3: 100, 5: 149}}, 149},
	} {
		if got := numbers.within(&c.r); got != c.want {
			t.Errorf("%+v is the place %d, want %d", c.r, got, c.want)
		}
	}
}

// In other tables nodes have other numbers. Each brings in how far its log was.
func TestOtherTables(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	start := now.Add(-time.Minute)
	dir := sharedBy(t, &now)
	raw := rawOf(t, dir)
	var all []byte
	for _, c := range []struct {
		is  Number
		had Numbers
	}{{Number{Node: 0}, Numbers{{Node: 3}}}, {Number{Node: 3}, Numbers{{Node: 0}}}} { // they change places
		var err error
		if all, err = Join(raw, all, c.is, c.had); err != nil {
			t.Fatal(err)
		}
	}
	p := openNode(t, copyJournal(t, dir, all), Reach{}, &now)
	check(t, "in other tables", p, start, cost{0, 20, 0}, cost{0, 21, 2}, cost{3, 10, 0}, cost{3, 11, 2}, cost{1, 1, 2})
	if sets, err := p.Own("p"); err != nil || len(sets) != 1 {
		t.Errorf("%d sets, %v", len(sets), err)
	}
	all = nil
	for _, node := range []uint16{0, 3} { // they have the numbers that they had
		var err error
		if all, err = Join(raw, all, Number{Node: node}, Numbers{{Node: node}}); err != nil {
			t.Fatal(err)
		}
	}
	p = openNode(t, copyJournal(t, dir, all), Reach{}, &now)
	check(t, "in other tables with the same numbers", p, start, cost{0, 10, 0}, cost{0, 11, 2}, cost{3, 20, 0}, cost{3, 21, 2})
	j, err := parseJournal(all)
	if err != nil {
		t.Fatal(err)
	}
	last := j.Entries[len(j.Entries)-1]
	j.learn([]entry{{At: last.At, Own: last.Own, Project: last.Project, From: last.From, Reach: Reach{After: 7}}}, Number{}, Numbers{{Node: 0}})
	if got := j.Entries[len(j.Entries)-1].of(0); got != 10 {
		t.Errorf("what was known of a node is %d, want 10", got)
	}
	first, err := Join(rawOf(t, t.TempDir()), nil, Number{}, nil)
	if err == nil {
		t.Errorf("of nothing: %s", first)
	}
}

// A journal that nodes share says so, whoever was the first.
func TestSharedSaysSo(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	setPrice(t, openAlone(t, dir, 7, &now), 2, now)
	joined, err := Join(rawOf(t, dir), nil, Number{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if j, err := parseJournal(joined); err != nil || j.Version != SharedVersion {
		t.Errorf("%+v, %v", j, err)
	}
}

// A journal that is taken away from the nodes says whose the events of the log beside it are, be it in a backup of one node or with the log of all.
func TestTakenAway(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	start := now.Add(-time.Minute)
	dir := sharedBy(t, &now)
	running, err := Open(Options{
		Dir: dir, Head: func() entity.Seq { return 30 }, Born: bornAs, Numbers: func() Numbers { return Numbers{{Node: 3}} }, Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	files, err := running.Files()
	if err != nil || len(files) < 2 || files[0].Name != JournalFile {
		t.Fatalf("%d files, %v", len(files), err)
	}
	restored := copyJournal(t, dir, files[0].Raw)
	p := openAlone(t, restored, 30, &now)
	check(t, "a backup", p, start, cost{0, 20, 0}, cost{0, 21, 2})
	setPrice(t, p, 5, now)
	check(t, "a backup, with another price", openAlone(t, restored, 40, &now), start, cost{0, 20, 0}, cost{0, 21, 2}, cost{0, 30, 2}, cost{0, 31, 5})
	joined, err := Join(rawOf(t, restored), rawOf(t, dir), Number{Node: 6}, nil)
	if err != nil {
		t.Fatal(err)
	}
	back := openNode(t, copyJournal(t, restored, joined), Reach{}, &now)
	check(t, "a backup that joins", back, start, cost{6, 20, 0}, cost{6, 21, 2}, cost{3, 20, 0}, cost{3, 21, 2}, cost{0, 10, 0})

	whole := t.TempDir()
	numbers := Numbers{{Node: 0}, {Node: 3, After: 100}, {Node: 7, After: 150}} // 0 had 100 events, of which 8 of the first 10 counted
	err = Move(dir, whole, 3, numbers, func(node uint16, place entity.Seq) entity.Seq {
		return map[cost]entity.Seq{{0, 10, 0}: 8, {3, 20, 0}: 115}[cost{node, place, 0}]
	})
	if err != nil {
		t.Fatal(err)
	}
	p = openAlone(t, whole, 160, &now)
	check(t, "the log of all", p, start, cost{0, 8, 0}, cost{0, 9, 2}, cost{0, 100, 2}, cost{0, 101, 0}, cost{0, 115, 0}, cost{0, 116, 2}, cost{0, 151, 2})
	setPrice(t, p, 9, now)
	check(t, "the log of all, with another price", p, start, cost{0, 8, 0}, cost{0, 9, 2}, cost{0, 115, 0}, cost{0, 160, 2}, cost{0, 161, 9})
}
