package server

import (
	"bytes"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Answers say how far they may be behind other nodes, in whole seconds that are not too few.
func TestFreshnessHeader(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		behind  time.Duration
		missing entity.Seq
		want    string
	}{{0, 0, "0"}, {time.Millisecond, 0, "1"}, {3 * time.Second, 0, "3"}, {2500 * time.Millisecond, 120, "3; missing=120"}} {
		s := &Server{o: Options{Freshness: func() (time.Duration, entity.Seq) { return c.behind, c.missing }}}
		a := &answer{}
		s.freshness(a)
		s.freshness(nil) // a question that failed
		if got := a.header.Get(headerFreshness); got != c.want {
			t.Errorf("%v and %d missing are told as %q, want %q", c.behind, c.missing, got, c.want)
		}
	}
	alone := &answer{}
	(&Server{}).freshness(alone)
	if len(alone.header) > 0 {
		t.Errorf("a node alone says %v", alone.header)
	}
}

// A cursor of events goes on at another node once both have the same key; a place of the stream, which is of one node's log, does not.
func TestCursorsAreSharedAndStreamsAreNot(t *testing.T) {
	t.Parallel()
	node := func(own byte) *Server {
		p, err := newPositions(bytes.Repeat([]byte{own}, PositionKeySize))
		if err != nil {
			t.Fatal(err)
		}
		return &Server{positions: p}
	}
	one, other := node(1), node(2)
	var at, until entity.Seq
	opens := func() bool {
		return other.places().open(one.places().seal(ofEvents, "p", 7, 9), ofEvents, "p", &at, &until)
	}
	if opens() {
		t.Error("a cursor is good on a node with another key")
	}
	for _, s := range []*Server{one, other} {
		if err := s.SharePositions(bytes.Repeat([]byte{3}, PositionKeySize)); err != nil {
			t.Fatal(err)
		}
	}
	if !opens() || at != 7 || until != 9 {
		t.Errorf("with one key the place is %d, %d", at, until)
	}
	if other.positions.open(one.streamID("p", 7), ofStream, "p", &at) {
		t.Error("a place in one node's stream is good on another")
	}
	if err := one.SharePositions([]byte("short")); err == nil {
		t.Error("a key of another size is taken")
	}
}
