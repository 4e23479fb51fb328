package server

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// turns hands out the slots in which questions are answered. One key has at most its
// share of them, and those that wait get theirs key by key, so that a key that asks
// a thousand questions makes its own slow and nobody else's.
type turns struct {
	slots   int           // questions at work at once
	share   int           // of them, those of one key
	waiters int           // questions of one key that may wait
	wait    time.Duration // how long

	mu    sync.Mutex // guards what follows
	busy  int
	keys  map[string]*turnsOf
	queue []*turnsOf // keys that have questions waiting: who comes first gets the next place

	refused int64 // questions that got no place
}

// turnsOf is what a key has in turns. It is forgotten when it has nothing.
type turnsOf struct {
	busy    int
	waiting []chan struct{} // closed by whoever gives the place
}

func newTurns(slots int, wait time.Duration) *turns {
	const waitersPerSlot = 16
	return &turns{slots: slots, share: max(1, slots/2), waiters: waitersPerSlot * slots, wait: wait, keys: map[string]*turnsOf{}}
}

// take waits for a place. The caller calls done once, when its question is answered. The
// error is a 503 when there was no place in time, or ctx's.
func (t *turns) take(ctx context.Context, key string) (done func(), err error) {
	given := t.ask(key)
	if given == nil {
		return nil, tooManyQuestions()
	}
	timer := time.NewTimer(t.wait)
	defer timer.Stop()
	select {
	case <-given:
		return sync.OnceFunc(func() { t.leave(key) }), nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = tooManyQuestions()
	}
	t.giveUp(key, given)
	return nil, err
}

func tooManyQuestions() *problem {
	return &problem{
		status: http.StatusServiceUnavailable, code: codeOverloaded, retryAfter: time.Second,
		message: "too many questions are asked at once; send this one again after the seconds of Retry-After, and fewer at a time",
	}
}

// ask returns what is closed when the key has its place; nil when too many wait already.
func (t *turns) ask(key string) chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	of := t.keys[key]
	if of == nil {
		of = &turnsOf{}
		t.keys[key] = of
	}
	if len(of.waiting) >= t.waiters {
		t.refused++
		return nil
	}
	given := make(chan struct{})
	if of.waiting = append(of.waiting, given); len(of.waiting) == 1 {
		t.queue = append(t.queue, of)
	}
	t.next()
	return given
}

// next gives what slots there are, the longest waiting key first. The caller holds mu.
func (t *turns) next() {
	for i := 0; i < len(t.queue) && t.busy < t.slots; {
		of := t.queue[i]
		if of.busy >= t.share {
			i++
			continue
		}
		close(of.waiting[0])
		of.waiting = of.waiting[1:]
		of.busy++
		t.busy++
		t.queue = append(t.queue[:i], t.queue[i+1:]...)
		if len(of.waiting) > 0 {
			t.queue = append(t.queue, of)
		}
	}
}

func (t *turns) leave(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keys[key].busy--
	t.busy--
	t.next()
	t.forget(key)
}

// giveUp takes a question back that waits no longer, or its place if it was just given one.
func (t *turns) giveUp(key string, given chan struct{}) {
	select {
	case <-given:
		t.leave(key)
		return
	default:
	}
	t.mu.Lock()
	of := t.keys[key]
	for i, w := range of.waiting {
		if w == given {
			of.waiting = append(of.waiting[:i], of.waiting[i+1:]...)
			t.refused++
			given = nil
			break
		}
	}
	if len(of.waiting) == 0 {
		for i, q := range t.queue {
			if q == of {
				t.queue = append(t.queue[:i], t.queue[i+1:]...)
				break
			}
		}
	}
	t.forget(key)
	t.mu.Unlock()
	if given != nil { // it came between the two looks
		t.leave(key)
	}
}

// forget drops a key that has nothing here. The caller holds mu.
func (t *turns) forget(key string) {
	if of := t.keys[key]; of.busy == 0 && len(of.waiting) == 0 {
		delete(t.keys, key)
	}
}

// turnsStats is how turns stands.
type turnsStats struct {
	busy, waiting int
	refused       int64 // those whose clients left while they waited, too
}

func (t *turns) stats() turnsStats {
	t.mu.Lock()
	defer t.mu.Unlock()
	st := turnsStats{busy: t.busy, refused: t.refused}
	for _, of := range t.queue {
		st.waiting += len(of.waiting)
	}
	return st
}

// errQueryTimeout is why the context of a question ended, when it took too long.
var errQueryTimeout = errors.New("the question took longer than it may")

// answerQuery runs the handler of a question: in its turn, and no longer than it may take.
// It ends when its client goes. The room for its answer is kept until it is sent. What was stored before it
// came is in it, unless the Warehouse is behind.
func (s *Server) answerQuery(ctx context.Context, rt route, c *call) (*answer, error) {
	s.o.Indexer.Refresh(ctx) // before it has a turn, which others may use meanwhile
	var err error
	if c.question, err = s.ask(ctx, c.caller.KeyID); err != nil {
		return nil, err
	}
	defer c.question.answered()
	ctx, cancel := context.WithTimeoutCause(ctx, s.o.QueryTimeout, errQueryTimeout)
	defer cancel()
	ans, err := rt.handle(ctx, s, c)
	s.freshness(ans)
	if err != nil && errors.Is(context.Cause(ctx), errQueryTimeout) {
		if p := s.problemOf(err); p.status >= http.StatusInternalServerError {
			late := problemf(http.StatusGatewayTimeout, codeQueryTimeout,
				"the question took longer than %v and was given up: ask for less, such as a shorter time, fewer metrics, groups or conditions, rarer words", s.o.QueryTimeout)
			late.cause = err
			return nil, late
		}
	}
	return ans, err
}
