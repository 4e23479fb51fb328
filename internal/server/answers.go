package server

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// answers bounds the memory of all answers that are being built and sent. One key has at
// most half of it, so that its slow readers hold up nobody else. An answer larger than that half
// is large: it goes beside the others, and large ones go one at a time. So all of them
// together are never more than limit and one large one, which is at most largest.
type answers struct {
	limit, share, largest int64
	wait                  time.Duration

	mu      sync.Mutex // guards what follows
	used    int64      // by those that are not large
	keys    map[string]int64
	large   bool // one is under way
	waiting []*waitingAnswer

	refused int64 // that found no room in time, or are larger than largest
}

// largestAnswers is how many times the limit the largest answer may be.
const largestAnswers = 4

// leastAnswers is the least limit: one key's share of it holds what any list or stream needs.
const leastAnswers = 16 << 20

type waitingAnswer struct {
	key   string
	bytes int64
	given chan struct{} // closed when it has its room
}

func newAnswers(limit int64, wait time.Duration) *answers {
	return &answers{limit: limit, share: limit / 2, largest: largestAnswers * limit, wait: wait, keys: map[string]int64{}}
}

// take waits for room for an answer of so many bytes. The caller gives the same back.
// The error is a problem when there was no room in time or never will be, or ctx's.
func (a *answers) take(ctx context.Context, key string, bytes int64) error {
	if bytes > a.largest {
		a.mu.Lock()
		a.refused++
		a.mu.Unlock()
		return answerTooLarge()
	}
	w := a.ask(key, bytes)
	timer := time.NewTimer(a.wait)
	defer timer.Stop()
	var err error
	select {
	case <-w.given:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = &problem{
			status: http.StatusServiceUnavailable, code: codeOverloaded, retryAfter: 2 * time.Second,
			message: "the server builds as many bytes of answers as it may; send this request again after the seconds of Retry-After",
		}
	}
	a.giveUp(w)
	return err
}

func answerTooLarge() *problem {
	return problemf(http.StatusUnprocessableEntity, codeAnswerTooLarge,
		"the answer is larger than one may be: read the events page by page, with GET /v1/telemetry/events?trace_id=…")
}

func (a *answers) ask(key string, bytes int64) *waitingAnswer {
	a.mu.Lock()
	defer a.mu.Unlock()
	w := &waitingAnswer{key: key, bytes: bytes, given: make(chan struct{})}
	a.waiting = append(a.waiting, w)
	a.next()
	return w
}

// next gives what room there is. Who waits for room behind a larger one of a key that
// may have it waits with it, so that small ones do not keep that one waiting for ever. The
// caller holds mu.
func (a *answers) next() {
	kept, full := a.waiting[:0], false
	for _, w := range a.waiting {
		switch {
		case w.bytes > a.share && !a.large:
			a.large = true
		case w.bytes <= a.share && !full && a.keys[w.key]+w.bytes <= a.share:
			if full = a.used+w.bytes > a.limit; full {
				kept = append(kept, w)
				continue
			}
			a.used += w.bytes
			a.keys[w.key] += w.bytes
		default:
			kept = append(kept, w)
			continue
		}
		close(w.given)
	}
	clear(a.waiting[len(kept):])
	a.waiting = kept
}

// give returns what take gave.
func (a *answers) give(key string, bytes int64) {
	if bytes == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if bytes > a.share {
		a.large = false
	} else {
		a.used -= bytes
		if a.keys[key] -= bytes; a.keys[key] == 0 {
			delete(a.keys, key)
		}
	}
	a.next()
}

// shrink gives back a part of what take gave; false for a large answer, which keeps its place beside the others.
func (a *answers) shrink(key string, from, to int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if from > a.share {
		return false
	}
	a.used -= from - to
	a.keys[key] -= from - to
	a.next()
	return true
}

func (a *answers) giveUp(w *waitingAnswer) {
	a.mu.Lock()
	for i := range a.waiting {
		if a.waiting[i] == w {
			a.waiting = append(a.waiting[:i], a.waiting[i+1:]...)
			a.refused++
			a.next()
			a.mu.Unlock()
			return
		}
	}
	a.mu.Unlock()
	a.give(w.key, w.bytes) // it was given just now
}

// pressed says whether somebody waits for what a hold of so many bytes takes up.
func (a *answers) pressed(bytes int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, w := range a.waiting {
		if (w.bytes > a.share) == (bytes > a.share) {
			return true
		}
	}
	return false
}

// answersStats is how answers stands.
type answersStats struct {
	used    int64
	large   bool
	waiting int
	refused int64
}

func (a *answers) stats() answersStats {
	a.mu.Lock()
	defer a.mu.Unlock()
	return answersStats{used: a.used, large: a.large, waiting: len(a.waiting), refused: a.refused}
}
