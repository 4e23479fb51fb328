package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/keyring"
)

// A client address may send so many wrong keys a minute; more are answered 429.
// Keys that are right go in all the same, but for short ones that were never seen from there.
func TestWrongKeysAreBounded(t *testing.T) {
	t.Parallel()
	now := newClock()
	h := open(t, setup{options: func(o *Options) { o.AuthFailures, o.Now = 10, now.Now }})
	const used, unused = "bk_in-use-1", "bk_not-used-1"
	for _, short := range []string{used, unused} {
		if _, err := h.keys.Put(short, "one", "short", []string{"read"}); err != nil {
			t.Fatal(err)
		}
	}
	as := func(key string) reply { return h.get("/v1/traces", "X-API-Key", "", "X-API-Key", key) }
	if rep := as(used); rep.status != 200 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	for i := range 10 {
		if rep := as(fmt.Sprintf("bk_guess-number-%d", i)); rep.status != 401 || rep.header.Get("Www-Authenticate") == "" {
			t.Fatalf("wrong key %d: %d %s", i, rep.status, rep.body)
		}
	}
	refused := func(what string, rep reply) {
		t.Helper()
		if rep.status != 429 || rep.code(t) != "too_many_failures" || rep.header.Get("Retry-After") != "6" {
			t.Errorf("%s: %d %s, Retry-After %q", what, rep.status, rep.body, rep.header.Get("Retry-After"))
		}
	}
	refused("one more", as("bk_guess-number-10"))
	refused("a long one", as("bk_"+strings.Repeat("x", 43)))
	refused("no key at all", as("nonsense"))
	refused("a right one that is guessed", as(unused))
	_, rep := h.signIn(`{"key":"bk_guess-number-11"}`)
	refused("a sign-in", rep)
	_, rep = h.signIn(`{"key":"` + unused + `"}`)
	refused("a right one that is guessed at the sign-in", rep)
	_, rep = h.signIn(`{"token":"guess"}`)
	refused("a link's token", rep)
	for _, c := range []struct{ name, key string }{{"the key of the house", h.key}, {"a short one in use", used}, {"a new one", h.newKey("one", "read")}} {
		if rep := as(c.key); rep.status != 200 {
			t.Errorf("%s: %d %s", c.name, rep.status, rep.body)
		}
	}
	if _, rep := h.signIn(fmt.Sprintf(`{"key":%q}`, h.key)); rep.status != 200 {
		t.Errorf("sign-in with a right key: %d %s", rep.status, rep.body)
	}
	if rep := h.get("/v1/traces", "X-API-Key", ""); rep.status != 401 {
		t.Errorf("without a key nothing is guessed: %d %s", rep.status, rep.body)
	}
	now.Advance(6 * time.Second)
	if rep := as(unused); rep.status != 200 {
		t.Errorf("after Retry-After: %d %s", rep.status, rep.body)
	}
	if rep := as("bk_guess-number-12"); rep.status != 401 {
		t.Errorf("a wrong one after Retry-After: %d %s", rep.status, rep.body)
	}
	refused("and one more", as("bk_guess-number-13"))
}

// A revoked key that was in use is a wrong one as any other.
func TestRevokedShortKeyIsBounded(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) { o.AuthFailures = 3 }})
	key, err := h.keys.Put("bk_in-use-1", "one", "short", []string{"read"})
	if err != nil {
		t.Fatal(err)
	}
	as := func() int { return h.get("/v1/traces", "X-API-Key", "", "X-API-Key", "bk_in-use-1").status }
	if got := as(); got != 200 {
		t.Fatal(got)
	}
	if err := h.keys.Revoke(key.ID); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{401, 401, 401, 429, 429} {
		if got := as(); got != want {
			t.Errorf("%d: %d, want %d", i, got, want)
		}
	}
}

// Keys that Create makes are never called guessable, keys that a person would type are.
func TestGuessable(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	if keyring.Guessable(h.key) || !keyring.Guessable("bk_hunter2hunter2") || !keyring.Guessable("") {
		t.Error("wrong")
	}
}
