package clickhouse

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// A question ends on the server when its client goes, when its time is over, and when it needs more than it may.
func TestQuestionsEndOnTheServer(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	o.QuestionMemory, o.QuestionRows = 64<<20, 1000
	w := openWith(t, o)
	ask := func(ctx context.Context, text string) error {
		return w.question(ctx, "p", "test", func(ctx context.Context, v *view) error {
			var n proto.ColUInt64
			return v.rows(ctx, v.query(), text, proto.Results{{Name: "n", Data: &n}}, func(int) {})
		})
	}
	const slow = "SELECT number + sleepEachRow(0.1) AS n FROM numbers(2000) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0 /* slow question */"
	running := func() string {
		return s.Do(t, "SELECT count() FROM system.processes WHERE query LIKE '%slow question%' AND query NOT LIKE '%system.processes%'")
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- ask(ctx, slow) }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for running() != "1" {
		select {
		case <-tick.C:
		case err := <-done:
			t.Fatalf("it ended at once: %v", err)
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("its client went: %v", err)
	}
	for range 500 {
		if running() == "0" {
			break
		}
		<-tick.C
	}
	if n := running(); n != "0" {
		t.Errorf("%s still run on the server", n)
	}

	short, end := context.WithTimeout(t.Context(), time.Second)
	defer end()
	if err := ask(short, slow); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("its time is over: %v", err)
	}
	for what, text := range map[string]string{
		"memory": "SELECT length(groupArray(repeat('x', 1000 + number))) AS n FROM numbers(1000000)",
		"rows":   "SELECT number AS n FROM numbers(5000)",
	} {
		if err := ask(t.Context(), text); !errors.Is(err, store.ErrStarved) {
			t.Errorf("too much %s: %v", what, err)
		}
	}
	if err := ask(t.Context(), "SELECT number AS n FROM numbers(500)"); err != nil {
		t.Error(err)
	}
	closeOf(t, w)
}
