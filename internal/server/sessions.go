package server

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"
)

const (
	// sessionIdle is how long a session lives after its last request.
	sessionIdle = 12 * time.Hour
	// linkLife is how long a sign-in link can be used, once.
	linkLife = 10 * time.Minute
	// maxSessions bounds the memory of sessions and links: over it the one that would end first goes.
	maxSessions = 10_000
)

// sessions are the people signed in to the web page, and the links that sign
// in. Only hashes of the tokens are kept, in memory: a restart signs everyone out.
type sessions struct {
	now func() time.Time

	mu     sync.Mutex // guards what follows
	active map[tokenHash]*session
	links  map[tokenHash]*session
}

type tokenHash [sha256.Size]byte

// session belongs to a key and ends with it at the latest.
type session struct {
	keyID string
	ends  time.Time
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, active: map[tokenHash]*session{}, links: map[tokenHash]*session{}}
}

// start returns the token of a new session of the key.
func (s *sessions) start(keyID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(s.active, keyID, sessionIdle)
}

// link returns a token that redeem takes once.
func (s *sessions) link(keyID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(s.links, keyID, linkLife)
}

// add makes an entry under a new token of 256 random bits. The caller holds mu.
func (s *sessions) add(to map[tokenHash]*session, keyID string, life time.Duration) string {
	now := s.now()
	var first tokenHash
	for h, e := range to {
		if !now.Before(e.ends) {
			delete(to, h)
		} else if f := to[first]; f == nil || e.ends.Before(f.ends) {
			first = h
		}
	}
	if len(to) >= maxSessions {
		delete(to, first)
	}
	var random [32]byte
	rand.Read(random[:]) //nolint:errcheck // never fails (crypto/rand)
	token := base64.RawURLEncoding.EncodeToString(random[:])
	to[sha256.Sum256([]byte(token))] = &session{keyID: keyID, ends: now.Add(life)}
	return token
}

// use finds the key of a session and lets the session live on.
func (s *sessions) use(token string) (keyID string, ends time.Time, ok bool) {
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
	e.ends = now.Add(sessionIdle)
	return e.keyID, e.ends, true
}

// alive says whether a session has not ended, and does not let it live on.
func (s *sessions) alive(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.active[sha256.Sum256([]byte(token))]
	return e != nil && s.now().Before(e.ends)
}

// redeem takes a link's token, which is worth nothing afterwards.
func (s *sessions) redeem(token string) (keyID string, ok bool) {
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

// end forgets a session.
func (s *sessions) end(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.active, sha256.Sum256([]byte(token)))
}
