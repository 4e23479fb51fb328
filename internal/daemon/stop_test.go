package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// A stop whose part hangs ends when its time is over, and says for what it waited; the time begins with
// the signal, or with a drain that the node began by itself.
func TestStopIsCutOff(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(*stopping, context.CancelFunc){
		"signal": func(_ *stopping, cancel context.CancelFunc) { cancel() },
		"drain":  func(s *stopping, _ context.CancelFunc) { close(s.began) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				hang := make(chan struct{})
				defer close(hang)
				s := newStopping()
				ask := func() remains { <-hang; return remains{events: 7} } // it hangs, too
				s.remains.Store(&ask)
				go func() {
					time.Sleep(time.Hour)
					begin(s, cancel)
				}()
				start := time.Now()
				err := s.within(ctx, 10*time.Second, func() error {
					s.each([]step{{"was quick", func() {}}, {"closed the warehouse", func() { <-hang }}})
					return nil
				})
				if took := time.Since(start) - time.Hour; took != 11*time.Second { // one for the lag
					t.Errorf("it ended after %s", took)
				}
				var left *LeftError
				if !errors.As(err, &left) || left.Events != -1 || left.Cut != "closed the warehouse" {
					t.Errorf("error: %v", err)
				}
			})
		})
	}
}

// A stop that leaves events for the next start says how many; the next one that does not, says that.
func TestStopSaysWhatItLeaves(t *testing.T) {
	t.Parallel()
	cfg := Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey, DrainTimeout: 100 * time.Millisecond}
	n := start(t, cfg)
	n.down.Store(true)
	for _, id := range []string{"t1", "t2"} {
		if status, _, _ := n.post(t, testKey, id); status != http.StatusOK {
			t.Fatalf("post: %d", status)
		}
	}
	n.leaves = true
	var left *LeftError
	if err := n.stop(); !errors.As(err, &left) || left.Events != 2 || left.Err != nil ||
		!strings.Contains(err.Error(), "2 events are not in the warehouse yet") {
		t.Errorf("stop: %v", err)
	}
	cfg.DrainTimeout = 0
	n = start(t, cfg)
	if err := n.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if !strings.Contains(n.log.String(), "stopped; nothing is left") {
		t.Error("the log does not say that nothing is left")
	}
	n = start(t, cfg)
	if got := n.count(t); got != 2 {
		t.Errorf("%d events are queryable", got)
	}
}

// A stop whose files are gone does not say that nothing is lost, not even when it could close them all.
func TestStopSaysWhatIsGone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	n := start(t, Config{DataDir: dir, BootstrapAPIKey: testKey})
	if status, _, _ := n.post(t, testKey, "t1"); status != http.StatusOK {
		t.Fatalf("post: %d", status)
	}
	watch.Until(t, "all is in the warehouse, nothing else is left", func() bool { return n.count(t) == 1 })
	n.leaves = true
	move(t, dir, dir+".away")
	var left *LeftError
	err := n.stop()
	if !errors.As(err, &left) || left.Gone == nil || !strings.Contains(err.Error(), "the data directory is gone") || strings.Contains(err.Error(), "nothing acknowledged is lost") {
		t.Errorf("stop: %v", err)
	}
	if strings.Contains(n.log.String(), "nothing is left") {
		t.Error("the log says that nothing is left")
	}
}

// A stop that is cut off while it closes the log does not say that files are missing: a log that is closed
// cannot tell. A directory that is gone still is.
func TestClosedLogIsNotGone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	s, err := openStores(Config{DataDir: dir}.withDefaults(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close(newStopping())
	if err := s.log.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.checkFiles(); err != nil {
		t.Errorf("the log is closed, and its files are said to be gone: %v", err)
	}
	move(t, dir, dir+".away")
	if err := s.checkFiles(); err == nil {
		t.Error("the directory is gone, and nobody says so")
	}
}

// What ends a node that nobody told to stop is its error, not something left.
func TestEndedByItself(t *testing.T) {
	t.Parallel()
	why := errors.New("a part failed")
	for _, lag := range []entity.Seq{0, 5} {
		if err := ended(t.Context(), nil, lag, nil, why); !errors.Is(err, why) || errors.As(err, new(*LeftError)) {
			t.Errorf("lag %d: %v", lag, err)
		}
	}
}
