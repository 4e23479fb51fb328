package segmentlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
)

// Which events refer to a medium the filters know: packed, merged, after a restart, and when one of them was erased. Little else is read for it. So do those without words.
func TestMentionedMedia(t *testing.T) {
	t.Parallel()
	for _, unsearched := range []bool{false, true} {
		t.Run(fmt.Sprint("unsearched ", unsearched), func(t *testing.T) {
			t.Parallel()
			testMentionedMedia(t, unsearched)
		})
	}
}

func testMentionedMedia(t *testing.T, unsearched bool) {
	ctx, dir, idle := context.Background(), t.TempDir(), time.Now()
	o := Options{SegmentBytes: 10 << 10, Now: func() time.Time { return idle }, Unsearched: unsearched}
	l := openTest(t, nil, dir, o)
	hash := strings.Repeat("0123456789abcdef", 4)
	another := strings.Repeat("fedcba9876543210", 4)
	var want []entity.Seq
	for i := range 40 {
		b := testBatch(fmt.Sprint("b", i), 10, 200)
		if i == 5 || i == 25 {
			b.Events[3].Payload = fmt.Appendf(nil, `{"name":"n","metadata":{"deep":"[{\"a\":\"brokle-media:sha256-%s;type=image/png;size=9000\"}]"}}`, hash)
			want = append(want, entity.Seq(i*10+4))
		}
		if _, err := l.Append(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	mentioning := func(project, of string) (seqs []entity.Seq, read int) {
		t.Helper()
		err := l.Mentioning(ctx, project, []entity.Mention{{Of: entity.MediumKind, ID: of}}, l.Head(), func(rec *entity.Record) {
			read++
			if strings.Contains(string(rec.Event.Payload), of) {
				seqs = append(seqs, rec.Seq)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return seqs, read
	}
	check := func(when string) {
		t.Helper()
		if got, _ := mentioning("p1", hash); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	check("as it came")
	idle = idle.Add(time.Hour)
	sealNow(t, l)
	runTidy(t, l)
	check("packed")
	if n := len(filterFiles(t, dir)); n == 0 {
		t.Fatal("no filters")
	}
	for project, of := range map[string]string{"p1": another, "p2": hash} {
		if _, read := mentioning(project, of); read > 100 {
			t.Errorf("%s: %d of 400 events are read for a medium that none refers to", project, read)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = openTest(t, nil, dir, o)
	check("opened again")
	if err := l.Erase(ctx, want[:1]); err != nil {
		t.Fatal(err)
	}
	want = want[1:]
	check("one is erased")
}

// A Log that nobody asks for words has none in its filters, and says so to who asks; opened by one that is asked it makes them again, and finds all.
func TestUnsearched(t *testing.T) {
	t.Parallel()
	ctx, dir, idle := context.Background(), t.TempDir(), time.Now()
	o := Options{SegmentBytes: 10 << 10, Now: func() time.Time { return idle }, Unsearched: true}
	l := openTest(t, nil, dir, o)
	for i := range 40 {
		if _, err := l.Append(ctx, testBatch(fmt.Sprint("b", i), 10, 200)); err != nil {
			t.Fatal(err)
		}
	}
	idle = idle.Add(time.Hour)
	sealNow(t, l)
	runTidy(t, l)
	words := func() (all, with int) {
		for _, file := range filterFiles(t, dir) {
			if all++; holds(t, file, textsearch.WordHash([]byte("call"))) {
				with++
			}
		}
		return all, with
	}
	if all, with := words(); all == 0 || with > 0 {
		t.Errorf("%d of %d filter files have a word", with, all)
	}
	if _, err := l.Search("p1", parse(t, "call")); !errors.Is(err, errUnsearched) {
		t.Errorf("a search: %v", err)
	}
	reopen := func(unsearched bool) {
		t.Helper()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		o.Unsearched = unsearched
		l = openTest(t, nil, dir, o)
	}
	reopen(false)
	if n := len(found(t, l, "p1", "call")); n != 400 {
		t.Errorf("%d of 400 events are found", n)
	}
	runTidy(t, l)
	if all, with := words(); all == 0 || with != all {
		t.Errorf("%d of %d filter files have the word", with, all)
	}
	reopen(true)
	read := 0
	err := l.Mentioning(ctx, "p1", []entity.Mention{{Of: entity.TraceKind, ID: "none"}}, l.Head(), func(*entity.Record) { read++ })
	if err != nil || read > 100 {
		t.Errorf("%d of 400 events are read for what none names: %v", read, err)
	}
	if all, with := words(); with != all {
		t.Errorf("%d of %d filter files have the word still", with, all)
	}
}
