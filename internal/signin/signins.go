package signin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/document"
)

const (
	// Idle is how long a sign-in lives after its last request.
	Idle = 12 * time.Hour
	// LinkLife is how long a sign-in link can be used, once.
	LinkLife = 10 * time.Minute
	// maxSignIns bounds the sign-ins, and the links: over it the one that would end first goes.
	maxSignIns = 10_000
	// coarse is how much longer a sign-in lives, at least, when that is written down: a crash takes no more from it, and another node knows no more of it.
	coarse = time.Hour
	// saveEvery is how far apart tries are to write what could not be written, or need not be at once.
	saveEvery = 10 * time.Second
	// freshApart is how far apart the newest sign-ins are asked for, whoever sends tokens that nobody knows.
	freshApart = 100 * time.Millisecond
)

// errGone is that of a link that was used, or is too old.
var errGone = errors.New("there is no such link")

// signIns are the people signed in to the web page, and the links that sign in. They are kept in a document, so that neither a restart nor another node signs
// anybody out, and in memory while that cannot be written. Only hashes of tokens are kept.
type signIns struct {
	now    func() time.Time
	place  document.Place // nil: they are in memory only
	logger *slog.Logger

	mu      sync.Mutex // guards what follows
	all     kept
	unsaved bool // something in all is to be written

	fresh sync.Mutex // guards asked; held while the newest are asked for
	asked time.Time
}

func newSignIns(now func() time.Time, place document.Place, logger *slog.Logger) *signIns {
	s := &signIns{now: now, place: place, logger: logger, all: kept{}}
	if place != nil {
		s.reload()
	}
	return s
}

// start returns the token of a new sign-in with the key.
func (s *signIns) start(keyID string) string { return s.add(entry{KeyID: keyID}, Idle) }

// link returns a token that redeem takes once.
func (s *signIns) link(keyID string) string { return s.add(entry{KeyID: keyID, Link: true}, LinkLife) }

// add keeps an entry under a new token of 256 random bits.
func (s *signIns) add(e entry, life time.Duration) string {
	var random [32]byte
	rand.Read(random[:]) //nolint:errcheck // never fails (crypto/rand)
	token := base64.RawURLEncoding.EncodeToString(random[:])
	e.Hash, e.Ends = hashOf(token), s.now().Add(life).UTC()
	e.written = e.Ends
	s.put(e)
	s.save()
	return token
}

func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// put takes an entry in.
func (s *signIns) put(e entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = s.all.with(kept{e.Hash: e}, s.now())
	s.unsaved = true
}

// find is the entry of a token that has not ended.
func (s *signIns) find(token string, link bool) (entry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.all[hashOf(token)]
	return e, ok && e.Link == link && e.lives(s.now())
}

// look is find, which asks for what another node knows of a token that is unknown here.
func (s *signIns) look(token string, link bool) (entry, bool) {
	e, ok := s.find(token, link)
	if ok || token == "" || s.place == nil || s.place.Changed() == nil || s.knows(token) {
		return e, ok
	}
	came := time.Now()
	s.fresh.Lock()
	if !s.asked.After(came) {
		<-time.After(freshApart - time.Since(s.asked)) // at once when that is over
		s.asked = time.Now()
		text, _ := s.place.Fresh() // when that fails nobody knows the token
		s.take(text)
	}
	s.fresh.Unlock()
	return s.find(token, link)
}

func (s *signIns) knows(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.all[hashOf(token)]
	return known
}

// use finds the key of a sign-in and lets it live on.
func (s *signIns) use(token string) (keyID string, ends time.Time, ok bool) {
	e, ok := s.look(token, false)
	if !ok {
		return "", time.Time{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok = s.all[e.Hash]; !ok || e.Over {
		return "", time.Time{}, false
	}
	e.Ends = s.now().Add(Idle).UTC()
	if e.Ends.Sub(e.written) >= coarse {
		e.written, s.unsaved = e.Ends, true
	}
	s.all[e.Hash] = e
	return e.KeyID, e.Ends, true
}

// alive says whether a sign-in has not ended, and does not let it live on.
func (s *signIns) alive(token string) bool {
	_, ok := s.find(token, false)
	return ok
}

// redeem takes a link's token, which is worth nothing afterwards, on no node. The error is errGone, or why that cannot be made sure now.
func (s *signIns) redeem(token string) (keyID string, err error) {
	e, ok := s.look(token, true)
	if !ok {
		return "", errGone
	}
	e.Over = true
	if s.place == nil {
		s.put(e)
		return e.KeyID, nil
	}
	text, err := s.place.Change(func(old []byte) ([]byte, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		all := s.all.with(parse(old, s.logger), s.now())
		if is, ok := all[e.Hash]; !ok || is.Over {
			return nil, errGone
		}
		return all.with(kept{e.Hash: e}, s.now()).encode()
	})
	if err != nil {
		return "", err
	}
	s.take(text)
	return e.KeyID, nil
}

// end forgets a sign-in.
func (s *signIns) end(token string) {
	if e, ok := s.find(token, false); ok {
		e.Over = true
		s.put(e)
		s.save()
	}
}

// save writes what is not written, if there is something. What cannot be written for all nodes now is kept on this one, and tried again.
func (s *signIns) save() {
	if s.place == nil {
		return
	}
	text, err := s.place.Change(s.written)
	if err == nil {
		s.take(text)
		return
	}
	left := s.place.Leave(s.written)
	s.mu.Lock()
	s.unsaved = true
	s.mu.Unlock()
	if left != nil {
		s.logger.Warn("sign-ins to the page cannot be written: this node knows them until it stops", "error", errors.Join(err, left))
		return
	}
	s.logger.Warn("sign-ins to the page cannot be written for all nodes: this node keeps them until they can", "error", err)
}

// written is a text with what is known here.
func (s *signIns) written(old []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsaved = false
	return s.all.with(parse(old, s.logger), s.now()).encode()
}

// take takes in what a text has.
func (s *signIns) take(text []byte) {
	more := parse(text, s.logger)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = s.all.with(more, s.now())
}

// reload takes in what the document has now.
func (s *signIns) reload() {
	text, err := s.place.Read()
	if err != nil {
		s.logger.Warn("the sign-ins to the page cannot be read: who was signed in signs in again", "error", err)
		return
	}
	s.take(text)
}
