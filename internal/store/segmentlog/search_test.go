package segmentlog

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/bloom"
	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/harm"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

func parse(t testing.TB, text string) *textsearch.Query {
	t.Helper()
	q, err := textsearch.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// found is what a search finds, the one way and the other, which must agree.
func found(t testing.TB, l *Log, project, text string) []entity.Seq {
	t.Helper()
	ctx := context.Background()
	one, err := l.Search(project, parse(t, text))
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	seqs, ok, err := one.Rare(ctx, 1<<30)
	if err != nil || !ok {
		t.Fatalf("seqs of %q: %t %v", text, ok, err)
	}
	other, err := l.Search(project, parse(t, text))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var all []entity.Seq
	for seq := l.Head() + 3; seq > 0; seq-- { // not in order, some asked again, some never given out
		all = append(all, seq)
	}
	all = append(all, 1, l.Head())
	var matched []entity.Seq
	for some := range slices.Chunk(all, 100) {
		matches, err := other.Match(ctx, some)
		if err != nil {
			t.Fatal(err)
		}
		for i, yes := range matches {
			if yes {
				matched = append(matched, some[i])
			}
		}
	}
	slices.Sort(matched)
	if matched = slices.Compact(matched); !slices.Equal(matched, seqs) {
		t.Fatalf("%q: Seqs finds %v, Match %v", text, seqs, matched)
	}
	return seqs
}

// texts keeps what a test appended, to search it without the Log.
type texts struct {
	rng    *rand.Rand
	n      int
	events map[entity.Seq]entity.Record
}

func (x *texts) sentence() string {
	words := []string{"order", "Refund", "日本語", "caf\u00e9", "the", "the", "the", "a-b", "42"}
	var out []string
	for range 1 + x.rng.IntN(6) {
		w := words[x.rng.IntN(len(words))]
		if x.rng.IntN(20) == 0 {
			w = fmt.Sprintf("rare%d", x.rng.IntN(40))
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}

// append appends batches of two projects.
func (x *texts) append(t *testing.T, l *Log, batches int) {
	t.Helper()
	for range batches {
		b := &store.Batch{
			Project: fmt.Sprintf("p%d", x.rng.IntN(2)), Environment: "default", ID: fmt.Sprint("batch", x.n), ReceivedAt: time.Now(),
			Dedup: store.Dedup{Enabled: true, TTL: time.Hour},
		}
		for range 1 + x.rng.IntN(20) {
			payload, err := json.Marshal(map[string]any{"name": "n", "input": []string{x.sentence(), x.sentence()}, "pad": text(x.rng.IntN(400), x.n)})
			if err != nil {
				t.Fatal(err)
			}
			x.n++
			id := fmt.Sprint("e", x.n)
			if x.rng.IntN(10) == 0 {
				id = fmt.Sprint("e", 1+x.rng.IntN(x.n)) // perhaps a duplicate
			}
			b.Events = append(b.Events, wire.Event{ID: id, Type: wire.ObservationCreate, Payload: payload, Timestamp: wire.At(time.Now())})
		}
		if _, err := l.Append(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
	recs := []entity.Record{}
	for after := entity.Seq(0); after < l.Head(); {
		some, upto, err := l.Read(context.Background(), after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		recs, after = append(recs, some...), upto
	}
	x.events = map[entity.Seq]entity.Record{}
	for _, r := range recs {
		x.events[r.Seq] = r
	}
}

func (x *texts) check(t *testing.T, l *Log, when string) {
	t.Helper()
	for _, text := range []string{"rare7", "rare11", "the", `"the the the"`, "refund 42", "CAFÉ", "日本", `"a b order"`, "absent", "rare3 the", "pad", "model"} {
		m := textsearch.NewMatcher(parse(t, text))
		for _, project := range []string{"p0", "p1", "p2"} {
			var want []entity.Seq
			for seq, r := range x.events {
				if r.Project == project && m.Matches(&r.Event) {
					want = append(want, seq)
				}
			}
			slices.Sort(want)
			if got := found(t, l, project, text); !slices.Equal(got, want) {
				t.Fatalf("%s: %q in %s finds %v, want %v", when, text, project, got, want)
			}
		}
	}
}

// runTidy does the background work that is due.
func runTidy(t *testing.T, l *Log) {
	t.Helper()
	if err := l.tidy(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func filterFiles(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"+filterExt))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// A search finds the same with and without filters, before and after
// recompression, restarts, and the loss or damage of filter files.
func TestSearch(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	dir, idle := t.TempDir(), time.Now().Add(time.Hour)
	o := Options{SegmentBytes: 20 << 10, Now: func() time.Time { return idle }}
	l, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	x := &texts{rng: rng}
	x.check(t, l, "empty")
	x.append(t, l, 60)
	x.check(t, l, "appended")
	runTidy(t, l)
	if n := len(filterFiles(t, dir)); n < 3 {
		t.Fatalf("%d filter files", n)
	}
	x.check(t, l, "filtered")
	x.append(t, l, 30)
	x.check(t, l, "filtered in part")
	idle = idle.Add(time.Hour)
	runTidy(t, l)
	if n := len(filterFiles(t, dir)); n == 0 || l.Stats().RecompressedSegs == 0 {
		t.Fatalf("%d filter files, %+v", n, l.Stats())
	}
	x.check(t, l, "recompressed")
	x.append(t, l, 30)
	reopen := func(when string, change func(file string)) {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		for _, file := range filterFiles(t, dir) {
			change(file)
		}
		if l, err = Open(dir, o); err != nil {
			t.Fatal(err)
		}
		x.check(t, l, when)
		runTidy(t, l)
		x.check(t, l, when+", tidied")
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	kept := len(filterFiles(t, dir))
	reopen("reopened", func(string) {})
	if n := len(filterFiles(t, dir)); n < kept {
		t.Errorf("%d filter files, %d after a start", kept, n)
	}
	reopen("without filter files", func(file string) {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	})
	for range 4 {
		reopen("damaged filter files", func(file string) {
			harm.File(t, file, func(b []byte) []byte {
				if x.rng.IntN(2) == 0 {
					return b[:x.rng.IntN(len(b))]
				}
				return harm.FlipAny(x.rng)(b)
			})
		})
	}
	reopen("exchanged filter files", func(file string) {
		if files := filterFiles(t, dir); file == files[0] && len(files) > 1 {
			if err := os.Rename(files[1], file); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A filter file that belongs to no segment is removed at the start.
func TestSearchOrphans(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"00000000000000000009.flt", "00000000000000000009.flt.tmp"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	openTest(t, nil, dir, Options{})
	for _, pattern := range []string{"*.flt", "*.tmp"} {
		if names, err := filepath.Glob(filepath.Join(dir, pattern)); err != nil || len(names) > 0 {
			t.Errorf("%v %v", names, err)
		}
	}
}

// The segment that is appended to gets filters in memory, which its file of filters takes over.
func TestSearchActive(t *testing.T) {
	t.Parallel()
	ctx, dir := context.Background(), t.TempDir()
	l := openTest(t, nil, dir, Options{IdleAfter: time.Hour})
	add := func(from, to int) {
		for i := from; i < to; i++ {
			if _, err := l.Append(ctx, testBatch(fmt.Sprint("b", i), 100, 900)); err != nil {
				t.Fatal(err)
			}
		}
	}
	passing := func(text string) (passed, all int) {
		s, err := l.Search("p1", parse(t, text))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for i := range s.(*search).parts {
			p := &s.(*search).parts[i]
			for j := range p.list {
				yes, err := s.(*search).passes(p, j)
				if err != nil {
					t.Fatal(err)
				}
				all++
				if yes {
					passed++
				}
			}
		}
		return passed, all
	}
	add(0, 50) // some 5 MB
	if passed, all := passing("unheardof"); passed != all || all < 4 {
		t.Fatalf("%d of %d stretches without filters", passed, all)
	}
	runTidy(t, l)
	add(50, 75)
	for _, when := range []string{"once", "again"} {
		if passed, all := passing("unheardof"); when == "once" && passed >= all-2 || when == "again" && passed > 2 {
			t.Errorf("%s: %d of %d stretches pass", when, passed, all)
		}
		if passed, all := passing("call"); passed != all {
			t.Errorf("%s: %d of %d stretches of a common word pass", when, passed, all)
		}
		if n := len(found(t, l, "p1", "call")); n != 7500 {
			t.Errorf("%s: %d of 7500 events found", when, n)
		}
		runTidy(t, l)
	}
	sealNow(t, l)
	runTidy(t, l)
	if n := len(filterFiles(t, dir)); n != 1 {
		t.Fatalf("%d filter files", n)
	}
	if passed, _ := passing("unheardof"); passed != 0 {
		t.Errorf("%d stretches of the sealed segment pass", passed)
	}
	if n := len(found(t, l, "p1", "call")); n != 7500 {
		t.Errorf("sealed: %d of 7500 events found", n)
	}
}

// What was erased is found no more, and no filter remembers its words.
func TestSearchErased(t *testing.T) {
	t.Parallel()
	ctx, dir, idle := context.Background(), t.TempDir(), time.Now()
	l := openTest(t, nil, dir, Options{SegmentBytes: 10 << 10, Now: func() time.Time { return idle }})
	for i := range 40 {
		b := testBatch(fmt.Sprint("b", i), 10, 200)
		if i == 5 {
			b.Events[3].Payload = []byte(`{"name":"secretword","input":"x"}`)
		}
		if _, err := l.Append(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	idle = idle.Add(time.Hour)
	runTidy(t, l)
	seqs := found(t, l, "p1", "secretword")
	if len(seqs) != 1 || len(filterFiles(t, dir)) == 0 {
		t.Fatalf("%v, %d filter files", seqs, len(filterFiles(t, dir)))
	}
	during, err := l.Search("p1", parse(t, "x")) // holds the files, and is not in the way
	if err != nil {
		t.Fatal(err)
	}
	defer during.Close()
	if err := l.Erase(ctx, seqs); err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		if got := found(t, l, "p1", "secretword"); len(got) > 0 {
			t.Fatalf("%s: finds %v", when, got)
		}
		for _, file := range filterFiles(t, dir) {
			if holds(t, file, textsearch.WordHash([]byte("secretword"))) {
				t.Fatalf("%s: %s remembers the word", when, file)
			}
		}
	}
	check("erased")
	runTidy(t, l)
	check("tidied")
	if len(found(t, l, "p1", "name")) > 0 || len(found(t, l, "p1", "call")) != 399 {
		t.Error("the other events are not found")
	}
}

// holds says whether a filter of the file may hold the word.
func holds(t *testing.T, file string, h uint64) bool {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	_, list, err := readFilters(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		line := make([]byte, bloom.LineBytes)
		if _, err := f.ReadAt(line, s.at+int64(bloom.LineOf(h, int(s.lines)))*bloom.LineBytes); err != nil {
			t.Fatal(err)
		}
		if bloom.LineHas(line, probes, h) {
			return true
		}
	}
	return false
}

// Trim takes the filter files along.
func TestSearchTrimmed(t *testing.T) {
	t.Parallel()
	ctx, dir, idle := context.Background(), t.TempDir(), time.Now()
	l := openTest(t, nil, dir, Options{SegmentBytes: 10 << 10, Now: func() time.Time { return idle }})
	for i := range 60 {
		if _, err := l.Append(ctx, testBatch(fmt.Sprint("b", i), 10, 400)); err != nil {
			t.Fatal(err)
		}
	}
	idle = idle.Add(time.Hour)
	runTidy(t, l)
	before := len(filterFiles(t, dir))
	if err := l.Trim(ctx, 400); err != nil {
		t.Fatal(err)
	}
	if after := len(filterFiles(t, dir)); after >= before || after > l.Stats().Segments {
		t.Errorf("%d filter files before, %d after, %d segments", before, after, l.Stats().Segments)
	}
	if got := found(t, l, "p1", "call"); len(got) == 0 || got[0] < 100 {
		t.Errorf("%d found", len(got))
	}
}

// A search has bounds: a limit, a context, and the Log's end.
func TestSearchBounds(t *testing.T) {
	t.Parallel()
	dir, idle := t.TempDir(), time.Now()
	l, err := Open(dir, Options{SegmentBytes: 10 << 10, Now: func() time.Time { return idle }})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		if _, err := l.Append(context.Background(), testBatch(fmt.Sprint("b", i), 10, 200)); err != nil {
			t.Fatal(err)
		}
	}
	search := func(text string) store.TextSearch {
		s, err := l.Search("p1", parse(t, text))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s
	}
	for _, filtered := range []bool{false, true} {
		if filtered {
			idle = idle.Add(time.Hour)
			runTidy(t, l)
		}
		if seqs, ok, err := search("call").Rare(context.Background(), 399); ok || err != nil || seqs != nil {
			t.Errorf("filtered %t: 400 events within 399: %d %t %v", filtered, len(seqs), ok, err)
		}
		if seqs, ok, err := search("call").Rare(context.Background(), 400); !ok || err != nil || len(seqs) != 400 {
			t.Errorf("filtered %t: 400 events within 400: %d %t %v", filtered, len(seqs), ok, err)
		}
		if seqs, ok, err := search("call").All(context.Background(), 399); ok || err != nil || seqs != nil {
			t.Errorf("filtered %t: all of 400 events, at most 399: %d %t %v", filtered, len(seqs), ok, err)
		}
		if seqs, ok, err := search("call").All(context.Background(), 400); !ok || err != nil || len(seqs) != 400 {
			t.Errorf("filtered %t: all of 400 events: %d %t %v", filtered, len(seqs), ok, err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, _, err := search("call").Rare(ctx, 400); err == nil {
			t.Error("a search goes on after its context")
		}
	}
	// Of an absent word, the filters let nothing be read.
	s := search("unheardof")
	if _, ok, err := s.Rare(context.Background(), 0); !ok || err != nil {
		t.Errorf("%t %v", ok, err)
	}
	if seqs, ok, err := s.All(context.Background(), 0); !ok || err != nil || seqs == nil {
		t.Errorf("all events with an absent word: %v %t %v", seqs, ok, err)
	}
	open := search("call")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := open.Rare(context.Background(), 400); err == nil {
		t.Error("a search goes on after Close")
	}
	if _, err := l.Search("p1", parse(t, "call")); err == nil {
		t.Error("a search begins after Close")
	}
}

// What is sealed is packed and has filters though events keep coming: searches would read too much.
func TestPackedWhenBusy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := openTest(t, nil, dir, Options{SegmentBytes: 10 << 10, IdleAfter: time.Hour})
	for i := range 80 {
		if _, err := l.Append(context.Background(), testBatch(fmt.Sprint("b", i), 10, 200)); err != nil {
			t.Fatal(err)
		}
	}
	runTidy(t, l)
	segments, files, packed := l.Stats().Segments, len(filterFiles(t, dir)), int(l.Stats().RecompressedSegs)
	if segments < 8 || files != segments-1 || packed != segments-1 {
		t.Errorf("%d of %d segments are packed, and %d have filters", packed, segments, files)
	}
}

// Searches beside appends, recompression, filters in the making and erasures find all that was
// there when they began, and nothing that was erased by then.
func TestSearchBeside(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l := openTest(t, nil, t.TempDir(), Options{SegmentBytes: 30 << 10, IdleAfter: time.Nanosecond, TailBytes: 1})
	var mu sync.Mutex // guards stored and erased
	var stored []entity.Seq
	erased := map[entity.Seq]bool{}
	var work sync.WaitGroup
	stop := make(chan struct{})
	again := func(f func(i int) error) {
		work.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := f(i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	again(func(i int) error {
		if i > 400 {
			return nil
		}
		head := l.Head()
		if _, err := l.Append(ctx, testBatch(fmt.Sprint("b", i), 10, 300)); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for seq := head + 1; seq <= head+10; seq++ {
			stored = append(stored, seq)
		}
		return nil
	})
	again(func(int) error { return l.tidy(ctx) })
	again(func(i int) error {
		mu.Lock()
		if i%20 != 0 || len(stored) < 50 {
			mu.Unlock()
			return nil
		}
		at := i % len(stored)
		seq := stored[at]
		stored = slices.Delete(stored, at, at+1)
		mu.Unlock()
		if err := l.Erase(ctx, []entity.Seq{seq}); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		erased[seq] = true
		return nil
	})
	enough := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(erased) >= 5 && l.Stats().RecompressedSegs > 0
	}
	for n := 0; n < 30 || !enough(); n++ {
		if n >= 30 { // the machine is busy
			<-time.After(time.Millisecond)
		}
		if n > 100_000 {
			t.Fatal("nothing is erased or recompressed beside the searches")
		}
		mu.Lock()
		want, gone := slices.Clone(stored), maps.Clone(erased)
		mu.Unlock()
		s, err := l.Search("p1", parse(t, "call"))
		if err != nil {
			t.Fatal(err)
		}
		got, ok, err := s.Rare(ctx, 1<<30)
		s.Close()
		if err != nil || !ok {
			t.Fatalf("%t %v", ok, err)
		}
		for _, seq := range want {
			mu.Lock()
			kept := slices.Contains(stored, seq) // else its erasure may have begun meanwhile
			mu.Unlock()
			if _, found := slices.BinarySearch(got, seq); !found && kept {
				t.Fatalf("event %d is not found", seq)
			}
		}
		for _, seq := range got {
			if gone[seq] {
				t.Fatalf("event %d is found, which was erased", seq)
			}
		}
	}
	close(stop)
	work.Wait()
}
