package server

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

func TestPositionsAreSealed(t *testing.T) {
	t.Parallel()
	sealing := func(b byte) *positions {
		p, err := newPositions(bytes.Repeat([]byte{b}, PositionKeySize))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p, same, other := sealing(1), sealing(1), sealing(2)
	var at, until entity.Seq
	id := p.seal(ofStream, "shop", 1<<40)
	if !same.open(id, ofStream, "shop", &at) || at != 1<<40 {
		t.Errorf("after a restart %s is %d", id, at)
	}
	if again := p.seal(ofStream, "shop", 1<<40); again == id {
		t.Error("one place has one id: two of them tell that nothing happened between")
	}
	if small := p.seal(ofStream, "shop", 1); len(small) != len(id) {
		t.Errorf("%s and %s: the length tells of the place", small, id)
	}
	cursor := p.seal(ofEvents, "shop", 3, 9)
	if !p.open(cursor, ofEvents, "shop", &at, &until) || at != 3 || until != 9 {
		t.Errorf("%d %d", at, until)
	}
	for name, opened := range map[string]bool{
		"of another key":     other.open(id, ofStream, "shop", &at),
		"of another project": p.open(id, ofStream, "sho", &at),
		"for another use":    p.open(id, ofEvents, "shop", &at),
		"of another length":  p.open(id, ofStream, "shop", &at, &until),
		"empty":              p.open("", ofStream, "shop", &at),
		"no base64":          p.open("%"+id[1:], ofStream, "shop", &at),
		"with loose bits":    p.open(id+"=", ofStream, "shop", &at),
	} {
		if opened {
			t.Errorf("a place %s was taken", name)
		}
	}
	raw, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 * len(raw) {
		bad := bytes.Clone(raw)
		bad[i/8] ^= 1 << (i % 8)
		if p.open(base64.RawURLEncoding.EncodeToString(bad), ofStream, "shop", &at) {
			t.Errorf("taken with bit %d changed", i)
		}
	}
	if _, err := newPositions([]byte("short")); err == nil {
		t.Error("a short key was taken")
	}
}

// FuzzPositions: whatever a client makes up is no place.
func FuzzPositions(f *testing.F) {
	p, err := newPositions(bytes.Repeat([]byte{3}, PositionKeySize))
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{"", "0", "2s", "ZXYxIDUgNDAw", strings.Repeat("A", 48), strings.Repeat("_", 59), p.seal(ofStream, "else", 5), p.seal(ofEvents, "else", 5, 6)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var a, b entity.Seq
		if p.open(text, ofStream, "shop", &a) || p.open(text, ofEvents, "shop", &a, &b) {
			t.Fatalf("%q is a place: %d %d", text, a, b)
		}
	})
}

// Property 13: neither the ids of the stream nor the cursors of the events tell
// how much other projects send; a client cannot ask for it by places it makes up either.
func TestPlacesTellNothingOfOtherProjects(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) { o.StreamHeartbeat = 20 * time.Millisecond }})
	two := h.newKey("two", "ingest", "read")
	h.post(event("a", "event_create", `{}`), event("b", "event_create", `{}`), event("c", "event_create", `{}`))
	s := h.stream("")
	var quiet, busy []string
	shapes := func(n int) (ids []string) {
		for len(ids) < n {
			m, err := s.next()
			if err != nil {
				t.Fatal(err)
			}
			if m.id == "" || m.data != "" {
				t.Fatalf("a heartbeat without a place: %+v", m)
			}
			ids = append(ids, m.id)
		}
		return ids
	}
	quiet = shapes(5)
	for i := range 50 {
		if rep := h.send("POST", "/v1/telemetry/batch", batch(event(fmt.Sprint("of-two-", i), "event_create", `{}`)), "X-API-Key", "", "X-API-Key", two); rep.status != 200 {
			t.Fatalf("%d %s", rep.status, rep.body)
		}
	}
	busy = shapes(5)
	slices.Sort(quiet)
	slices.Sort(busy)
	if len(slices.Compact(quiet)) != 5 || len(slices.Compact(busy)) != 5 {
		t.Errorf("places are told apart by being the same: %q %q", quiet, busy)
	}
	head := uint64(h.log.Head())
	for _, made := range []string{fmt.Sprint(head), "1h", "zzzz"} { // as they were once
		if s := h.stream("?last_event_id=" + made); s.status != 400 {
			t.Errorf("the place %s: %d", made, s.status)
		}
		cursor := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "ev1 0 %s", made))
		if rep := h.get("/v1/telemetry/events?cursor=" + cursor); rep.status != 400 || rep.code(t) != "invalid_parameter" {
			t.Errorf("the cursor %s: %d %s", made, rep.status, rep.body)
		}
	}
	page := decoded[wire.Page[wire.StoredEvent]](t, h.get("/v1/telemetry/events?limit=1"))
	if page.NextCursor == nil {
		t.Fatal("no cursor")
	}
	if rep := h.get("/v1/telemetry/events?cursor="+*page.NextCursor, "X-API-Key", "", "X-API-Key", two); rep.status != 400 {
		t.Errorf("another project's cursor: %d %s", rep.status, rep.body)
	}
	if s := h.stream("?last_event_id="+busy[0], "X-API-Key", two); s.status != 400 {
		t.Errorf("another project's place: %d", s.status)
	}
}

// A place is good after a restart, and behind it comes what was accepted since.
func TestPlacesOutliveARestart(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(event("a", "event_create", `{}`), event("b", "event_create", `{}`))
	s := h.stream("")
	hello, err := s.next()
	if err != nil {
		t.Fatal(err)
	}
	page := decoded[wire.Page[wire.StoredEvent]](t, h.get("/v1/telemetry/events?limit=1"))
	dir, key := h.dir, h.key
	s.close()
	h.close()
	h = open(t, setup{dir: dir})
	as := []string{"X-API-Key", "", "X-API-Key", key}
	rest := decoded[wire.Page[wire.StoredEvent]](t, h.get("/v1/telemetry/events?cursor="+*page.NextCursor, as...))
	if eventIDs(rest.Data) != "b" {
		t.Errorf("%+v", rest.Data)
	}
	h.post(event("c", "event_create", `{}`))
	if _, ev := h.stream("", append(as, "Last-Event-ID", hello.id)...).event(); ev.ID != "c" {
		t.Errorf("behind the place came %s", ev.ID)
	}
}
