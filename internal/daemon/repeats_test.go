package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brokle-ai/brokle-go/internal/watch"
)

// An error that repeats for a minute, 240 times a second, is a handful of lines that count it; what
// is different, and what is no warning, is logged as ever.
func TestRepeatedErrorsAreCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		h := newRepeats(slog.NewTextHandler(&b, nil), time.Now)
		log := slog.New(h).With("part", "log")
		const n = 60 * 240
		for range n {
			log.Error("cannot write", "error", errors.New("no space left"))
			time.Sleep(time.Second / 240)
		}
		log.Info("cannot write")
		log.With("other", 1).Error("cannot write", "error", "of another part")
		h.tell(t.Context(), true)
		lines := strings.Split(strings.TrimSpace(b.String()), "\n")
		if len(lines) < 5 || len(lines) > 12 {
			t.Errorf("%d lines:\n%s", len(lines), b.String())
		}
		sum := 0
		for _, line := range lines {
			if !strings.Contains(line, "no space left") {
				continue
			}
			sum++
			if _, more, ok := strings.Cut(line, "times_more="); ok {
				var k int
				if _, err := fmt.Sscan(more, &k); err != nil {
					t.Error(err)
				}
				sum += k
			}
		}
		if sum != n {
			t.Errorf("the lines stand for %d errors, there were %d:\n%s", sum, n, b.String())
		}
		for _, want := range []string{"level=INFO", "of another part"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%q is missing", want)
			}
		}
		time.Sleep(time.Hour) // quiet: it is new again
		b.Reset()
		log.Error("cannot write", "error", errors.New("no space left"))
		if strings.Count(b.String(), "\n") != 1 || strings.Contains(b.String(), "times_more") {
			t.Errorf("after an hour: %q", b.String())
		}
	})
}

// Lines that differ each time, by the name of a file for instance, count as repeated after ten.
func TestChangingTextsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		h := newRepeats(slog.NewTextHandler(&b, nil), time.Now)
		for i := range 1000 {
			slog.New(h).Warn("file", "name", i)
		}
		h.tell(t.Context(), true)
		text := b.String()
		if n := strings.Count(text, "\n"); n != mostTexts+1 {
			t.Errorf("%d lines:\n%s", n, text)
		}
		if !strings.Contains(text, "name=999 times_more=989") {
			t.Errorf("the last line does not count the others:\n%s", text)
		}
	})
}

// What was left out is told when it is time, although nothing comes any more.
func TestLeftOutIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b watch.Output
		h := newRepeats(slog.NewTextHandler(&b, nil), time.Now)
		ps := newParts(t.Context())
		p := ps.start("log lines", h.Run)
		for range 5 {
			slog.New(h).Warn("again")
		}
		time.Sleep(5 * time.Second)
		if !strings.Contains(b.String(), "times_more=3") {
			t.Errorf("after five seconds: %s", b.String())
		}
		p.stop()
		if err := ps.wait(); err != nil {
			t.Error(err)
		}
	})
}
