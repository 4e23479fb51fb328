package brokle_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokletest"
)

// ended returns what the only observation_complete says.
func ended(t *testing.T, srv *brokletest.Server) (o brokle.Observation) {
	t.Helper()
	all := srv.OfType(brokle.ObservationComplete)
	if len(all) != 1 {
		t.Fatalf("%d observations ended, want 1", len(all))
	}
	if err := json.Unmarshal(all[0].Payload, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// inBubble runs do with a server and a client whose clock stands still but for sleeps.
func inBubble(t *testing.T, do func(t *testing.T, srv *brokletest.Server, c *brokle.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv := brokletest.New()
		do(t, srv, open(t, srv, nil))
	})
}

func TestPiecesAreTheOutputAndTheFirstOfThemATime(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, srv *brokletest.Server, c *brokle.Client) {
		_, o := c.StartGeneration(t.Context(), "chat")
		time.Sleep(250 * time.Millisecond)
		o.Delta("")
		time.Sleep(50 * time.Millisecond)
		o.FirstToken()
		time.Sleep(time.Second)
		o.Delta("be")
		o.Delta("cause")
		o.End()
		closeClient(t, c)
		got := ended(t, srv)
		if got.TimeToFirstTokenMS == nil || *got.TimeToFirstTokenMS != 300 || string(got.Output) != `"because"` || got.Status != "" {
			t.Errorf("%+v", got)
		}
	})
}

func TestWhatOptionsSayGoesBeforePieces(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, srv *brokletest.Server, c *brokle.Client) {
		_, o := c.StartGeneration(t.Context(), "chat")
		o.Delta("piece")
		o.End(brokle.Output("whole"), brokle.TimeToFirstToken(7*time.Millisecond))
		closeClient(t, c)
		if got := ended(t, srv); *got.TimeToFirstTokenMS != 7 || string(got.Output) != `"whole"` {
			t.Errorf("%+v", got)
		}
	})
}

// A long answer is kept in bounded memory, cut between two characters, and says that it is.
func TestPiecesAreBounded(t *testing.T) {
	t.Parallel()
	srv := brokletest.NewServer(t)
	c := open(t, srv, nil)
	_, o := c.StartGeneration(t.Context(), "chat")
	piece := "x" + strings.Repeat("ü", 1000)
	for range 1000 {
		o.Delta(piece)
	}
	o.End()
	closeClient(t, c)
	got := ended(t, srv)
	var text string
	if err := json.Unmarshal(got.Output, &text); err != nil {
		t.Fatal(err)
	}
	if len(text) < 256<<10-1 || len(text) > 256<<10 || !strings.HasPrefix(strings.Repeat(piece, 200), text) || string(got.Attributes) != `{"brokle.output_cut":true}` {
		t.Errorf("%d bytes, attributes %s", len(text), got.Attributes)
	}
}

func TestDeltasPassesAStreamOnAndRecordsHowItEnded(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	source := func(fail bool) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for _, s := range []string{"a", "b", "c"} {
				time.Sleep(100 * time.Millisecond)
				if !yield(s, nil) {
					return
				}
			}
			if fail {
				yield("", broken)
			}
		}
	}
	for name, tc := range map[string]struct {
		fail          bool
		read          func(iter.Seq2[string, error])
		output        string
		level, status string
	}{
		"to its end": {false, func(s iter.Seq2[string, error]) {
			got := ""
			for v, err := range s {
				if err != nil {
					t.Error(err)
				}
				got += v
			}
			if got != "abc" {
				t.Errorf("passed on %q", got)
			}
		}, `"abc"`, "", ""},
		"to its error": {true, func(s iter.Seq2[string, error]) {
			var last error
			for _, err := range s {
				last = err
			}
			if last != broken {
				t.Errorf("passed on %v", last)
			}
		}, `"abc"`, brokle.LevelError, ""},
		"until its error": {true, func(s iter.Seq2[string, error]) {
			for _, err := range s {
				if err != nil {
					break
				}
			}
		}, `"abc"`, brokle.LevelError, ""},
		"abandoned": {false, func(s iter.Seq2[string, error]) {
			for v := range s {
				if v == "b" {
					break
				}
			}
		}, `"ab"`, "", "aborted"},
		"abandoned by a panic": {false, func(s iter.Seq2[string, error]) {
			defer func() { _ = recover() }()
			for range s {
				panic("no")
			}
		}, `"a"`, "", "aborted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, srv *brokletest.Server, c *brokle.Client) {
				_, o := c.StartGeneration(t.Context(), "chat")
				tc.read(brokle.Deltas(o, source(tc.fail), func(s string) string { return s }, brokle.Model("m")))
				closeClient(t, c)
				got := ended(t, srv)
				if string(got.Output) != tc.output || got.Level != tc.level || got.Status != tc.status || got.Model != "m" || *got.TimeToFirstTokenMS != 100 {
					t.Errorf("%+v", got)
				}
			})
		})
	}
	for v, err := range brokle.Deltas(nil, source(false), func(s string) string { return s }) { // telemetry is off
		if v == "" || err != nil {
			t.Error(v, err)
		}
	}
}

func TestDoReturnsTheValueAndEndsOnPanic(t *testing.T) {
	t.Parallel()
	srv := brokletest.NewServer(t)
	c := open(t, srv, nil)
	ctx := brokle.WithClient(t.Context(), c)
	n, err := brokle.Do(ctx, "count", func(ctx context.Context) (int, error) {
		brokle.ObservationFromContext(ctx).Update(brokle.Output(7))
		return 7, nil
	}, brokle.Type(brokle.TypeTool))
	if n != 7 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	sad := &json.SyntaxError{}
	s, err := brokle.Do(ctx, "fails", func(context.Context) (string, error) { return "half", sad })
	if s != "half" || err != sad {
		t.Errorf("%q, %v", s, err)
	}
	func() {
		defer func() {
			if recover() != "no" {
				t.Error("the panic did not go on")
			}
		}()
		_, _ = brokle.Do(ctx, "panics", func(context.Context) (int, error) { panic("no") })
	}()
	closeClient(t, c)
	var got []string
	for _, ev := range srv.Require(10) {
		var o brokle.Observation
		if err := json.Unmarshal(ev.Payload, &o); err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.TrimRight(strings.Join([]string{string(ev.Type), o.Type, o.Name, o.Level, o.StatusMessage, o.ErrorType}, " "), " "))
	}
	want := []string{
		"trace_create  count", "observation_create tool count", "observation_update", "observation_complete",
		"trace_create  fails", "observation_create span fails", "observation_complete   ERROR  json.SyntaxError",
		"trace_create  panics", "observation_create span panics", "observation_complete   ERROR panicked",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}
