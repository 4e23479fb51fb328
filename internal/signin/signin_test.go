package signin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/document"
)

func TestSignInsAreBounded(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newSignIns(func() time.Time { return now }, nil, slog.New(slog.DiscardHandler))
	first, link := s.start("k"), s.link("k")
	now = now.Add(time.Second)
	many := kept{}
	for i := range maxSignIns - 1 {
		many[fmt.Sprint(i)] = entry{Hash: fmt.Sprint(i), KeyID: "k", Ends: now.Add(Idle)}
	}
	s.all = s.all.with(many, now)
	last := s.start("k")
	if _, _, ok := s.use(first); ok {
		t.Error("the oldest sign-in is still there")
	}
	if _, _, ok := s.use(last); !ok || len(s.all) != maxSignIns+1 {
		t.Errorf("the newest is there: %v, %d sign-ins and links", ok, len(s.all))
	}
	if _, err := s.redeem(link); err != nil {
		t.Errorf("the link: %v", err)
	}
	now = now.Add(2 * Idle)
	s.start("k")
	if len(s.all) != 1 {
		t.Errorf("%d sign-ins after all others ended", len(s.all))
	}
}

// Sign-ins and links outlive the process, by their hashes alone: a link works once, who signed out stays so, and one that was used lately lives on.
func TestSignInsAreKept(t *testing.T) {
	t.Parallel()
	now := time.Now()
	path := filepath.Join(t.TempDir(), "signins.json")
	open := func() *signIns {
		return newSignIns(func() time.Time { return now }, &document.File{Path: path}, slog.New(slog.DiscardHandler))
	}
	s := open()
	stays, leaves, link, unused := s.start("k"), s.start("k"), s.link("k"), s.link("k")
	s.end(leaves)
	if key, err := s.redeem(link); key != "k" || err != nil {
		t.Fatalf("%q, %v", key, err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{stays, leaves, link, unused} {
		if strings.Contains(string(raw), token) {
			t.Error("the file has a token")
		}
	}
	s = open()
	if key, _, ok := s.use(stays); !ok || key != "k" {
		t.Error("who was signed in is not")
	}
	if _, _, ok := s.use(leaves); ok {
		t.Error("who signed out is signed in")
	}
	if _, err := s.redeem(link); !errors.Is(err, errGone) {
		t.Errorf("a used link: %v", err)
	}
	if _, err := s.redeem(unused); err != nil {
		t.Errorf("a link: %v", err)
	}
	now = now.Add(Idle - time.Minute)
	if _, _, ok := s.use(stays); !ok {
		t.Fatal("it ended early")
	}
	s.saveLate()
	now = now.Add(Idle - time.Minute)
	if s = open(); !s.alive(stays) {
		t.Error("that it was used was not written")
	}
	if err := os.WriteFile(path, []byte("no text of ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	s = open()
	again := s.start("k")
	if s = open(); s.alive(stays) || !s.alive(again) {
		t.Error("a damaged file")
	}
}

// nowhere is what nodes share, away.
type nowhere struct{}

var errNowhere = errors.New("away")

func (nowhere) DocumentVersions(context.Context) (map[string]uint64, error) { return nil, errNowhere }

func (nowhere) Document(context.Context, string, uint64) ([]byte, uint64, error) {
	return nil, 0, errNowhere
}

func (nowhere) PutDocument(context.Context, string, uint64, []byte) (bool, error) {
	return false, errNowhere
}

// Who signs in or out while nothing can be told to the other nodes has done so after a restart of this one, too.
func TestSignInsOutliveANodeThatIsAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	quiet := slog.New(slog.DiscardHandler)
	open := func(shares bool) *signIns {
		all, err := document.NewShared(dir, time.Now, quiet)
		if err != nil {
			t.Fatal(err)
		}
		place := all.Place("signins", document.File{Path: filepath.Join(dir, "signins.json"), Others: true}, Join)
		if shares {
			ended, end := context.WithCancel(t.Context())
			end()
			if err := all.Run(ended, nowhere{}); err != nil {
				t.Fatal(err)
			}
		}
		return newSignIns(time.Now, place, quiet)
	}
	before := open(false).start("k") // which all nodes know
	s := open(true)
	during := s.start("k")
	s.end(before)
	s = open(true)
	if s.alive(before) || !s.alive(during) {
		t.Errorf("behind a restart: who signed out is signed in (%t), who signed in is (%t)", s.alive(before), s.alive(during))
	}
}

// Addresses do not count for one another, and there are only so many of them.
func TestGuessersAreBounded(t *testing.T) {
	t.Parallel()
	now := time.Now()
	g := newThrottle(1)
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range 3 * maxAddresses {
		if wait := g.fail(addr(i), now); wait != 0 {
			t.Fatalf("the first failure of %v waits %v", addr(i), wait)
		}
		g.prove(proof{addr: addr(i)})
	}
	if g.failing.Len() != maxAddresses || g.proofs.Len() != maxAddresses {
		t.Errorf("%d addresses and %d proofs are remembered", g.failing.Len(), g.proofs.Len())
	}
	if g.wait(addr(3*maxAddresses-1), now) != time.Minute || g.wait(addr(0), now) != 0 || g.proved(proof{addr: addr(0)}) {
		t.Error("the latest is remembered and the first is not: it is not so")
	}
}

func TestClientAddr(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{
		"192.0.2.7:80": "192.0.2.7", "[::ffff:192.0.2.7]:80": "192.0.2.7", "[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::",
		"[2001:db8:1:2::9]:81": "2001:db8:1:2::", "[fe80::1%eth0]:80": "fe80::", "@": "invalid IP", "": "invalid IP",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = remote
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		if got := clientAddr(r).String(); got != want {
			t.Errorf("%s: %s, want %s", remote, got, want)
		}
	}
}
