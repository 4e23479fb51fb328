package segmentlog

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Which events refer to a medium the filters know: packed, merged, after a restart, and when one of them was erased. Little else is read for it.
func TestMentionedMedia(t *testing.T) {
	t.Parallel()
	ctx, dir, idle := context.Background(), t.TempDir(), time.Now()
	o := Options{SegmentBytes: 10 << 10, Now: func() time.Time { return idle }}
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
