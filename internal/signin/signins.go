package signin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"
)

const (
	// Idle is how long a sign-in lives after its last request.
	Idle = 12 * time.Hour
	// LinkLife is how long a sign-in link can be used, once.
	LinkLife = 10 * time.Minute
	// maxSignIns bounds the memory of sign-ins and links: over it the one that would end first goes.
	maxSignIns = 10_000
)

// signIns are the people signed in to the web page, and the links that sign
// in. Only hashes of the tokens are kept, in memory: a restart signs everyone out.
type signIns struct {
	now func() time.Time

	mu     sync.Mutex // guards what follows
	active map[tokenHash]*signIn
	links  map[tokenHash]*signIn
}

type tokenHash [sha256.Size]byte

// signIn belongs to a key and ends with it at the latest.
type signIn struct {
	keyID string
	ends  time.Time
}

func newSignIns(now func() time.Time) *signIns {
	return &signIns{now: now, active: map[tokenHash]*signIn{}, links: map[tokenHash]*signIn{}}
}

// start returns the token of a new sign-in with the key.
func (s *signIns) start(keyID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(s.active, keyID, Idle)
}

// link returns a token that redeem takes once.
func (s *signIns) link(keyID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(s.links, keyID, LinkLife)
}

// add makes an entry under a new token of 256 random bits. The caller holds mu.
func (s *signIns) add(to map[tokenHash]*signIn, keyID string, life time.Duration) string {
	now := s.now()
	var first tokenHash
	for h, e := range to {
		if !now.Before(e.ends) {
			delete(to, h)
		} else if f := to[first]; f == nil || e.ends.Before(f.ends) {
			first = h
		}
	}
	if len(to) >= maxSignIns {
		delete(to, first)
	}
	var random [32]byte
	rand.Read(random[:]) //nolint:errcheck // never fails (crypto/rand)
	token := base64.RawURLEncoding.EncodeToString(random[:])
	to[sha256.Sum256([]byte(token))] = &signIn{keyID: keyID, ends: now.Add(life)}
	return token
}

// use finds the key of a sign-in and lets it live on.
func (s *signIns) use(token string) (keyID string, ends time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := sha256.Sum256([]byte(token))
	e, now := s.active[h], s.now()
	if e == nil {
		return "", time.Time{}, false
	}
	if !now.Before(e.ends) {
		delete(s.active, h)
		return "", time.Time{}, false
	}
	e.ends = now.Add(Idle)
	return e.keyID, e.ends, true
}

// alive says whether a sign-in has not ended, and does not let it live on.
func (s *signIns) alive(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.active[sha256.Sum256([]byte(token))]
	return e != nil && s.now().Before(e.ends)
}

// redeem takes a link's token, which is worth nothing afterwards.
func (s *signIns) redeem(token string) (keyID string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := sha256.Sum256([]byte(token))
	e := s.links[h]
	delete(s.links, h)
	if e == nil || !s.now().Before(e.ends) {
		return "", false
	}
	return e.keyID, true
}

// end forgets a sign-in.
func (s *signIns) end(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.active, sha256.Sum256([]byte(token)))
}
