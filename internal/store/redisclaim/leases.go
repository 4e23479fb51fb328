package redisclaim

import (
	"slices"
	"sync"
	"time"
)

// leases remembers what was claimed until it is committed: where the ids are, and
// until when the owner is sure of them, so that a commit needs one command per
// id. It is only a short cut; a commit of anything else looks first.
type leases struct {
	mu sync.Mutex // guards of
	of map[leaseKey]*leased
}

type leaseKey struct{ project, token string }

// leased is what one claim gave.
type leased struct {
	ids    []string
	places []place
	digits []byte
	lapse  [tagCount]int64
	until  time.Time // after that it is of no use
}

// put remembers w, if it has anything, until its leases have lapsed.
func (l *leases) put(w *wait, ids []string, now time.Time) {
	if slices.Index(w.digits, digitClaimed) < 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		l.of = map[leaseKey]*leased{}
	}
	l.of[leaseKey{w.project, w.owner}] = &leased{slices.Clone(ids), w.places, w.digits, w.lapse, now.Add(w.lease)}
}

// take gives the places of ids, and when the leases on them lapse: zero unless
// all of them were claimed. The ids are expected in the order of the claim.
func (l *leases) take(project, token string, ids []string) (places []place, lapse [tagCount]int64) {
	key := leaseKey{project, token}
	l.mu.Lock()
	had := l.of[key]
	delete(l.of, key)
	l.mu.Unlock()
	if had == nil {
		return placesOf(ids), lapse
	}
	places = make([]place, 0, len(ids))
	at := 0
	for _, id := range ids {
		for at < len(had.ids) && had.ids[at] != id {
			at++
		}
		if at == len(had.ids) || had.digits[at] != digitClaimed {
			return placesOf(ids), lapse
		}
		places = append(places, had.places[at])
		at++
	}
	return places, had.lapse
}

// forget drops what nobody came back for.
func (l *leases) forget(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, had := range l.of {
		if now.After(had.until) {
			delete(l.of, key)
		}
	}
}
