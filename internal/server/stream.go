package server

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/keyring"
)

// Why a stream ends, as its last message says; codeUnavailable and codeUnauthorized too.
const (
	endTooSlow  = "too_slow" // the client reads more slowly than events come
	endStopping = "stopping" // the server stops
)

// keyCheck is how often a stream looks whether its key still counts.
const keyCheck = 250 * time.Millisecond

// getStream is GET /v1/telemetry/stream: the project's events as they are
// accepted, as Server-Sent Events (WHATWG HTML, section 9.2).
func getStream(_ context.Context, s *Server, c *call) (*answer, error) {
	q := query{values: c.params}
	st := &stream{Server: s, call: c, filter: q.eventFilter(), at: s.o.Log.Head()}
	last := c.r.Header.Get("Last-Event-ID")
	if last == "" {
		last = q.text("last_event_id")
	}
	if last != "" {
		at, ok := s.parseStreamID(c.caller.Project, last)
		if !ok || at > st.at {
			q.fail("last_event_id", "is no id of this node's stream; begin without one")
		}
		st.at = at
	}
	if q.err != nil {
		return nil, q.err
	}
	if s.stopping.Err() != nil || s.live.streams() >= s.o.MaxStreams {
		p := s.unavailable(nil)
		p.code = codeOverloaded
		p.message = "there are as many streams as there may be"
		if s.stopping.Err() != nil {
			p.code, p.message = codeUnavailable, "the server stops"
		}
		return nil, p
	}
	return &answer{status: http.StatusOK, stream: st.run}, nil
}

// stream is one connection.
type stream struct {
	*Server
	*call
	filter  eventFilter
	at      entity.Seq // everything up to here was sent, or did not pass the filter
	control *http.ResponseController
	buf     []byte

	mu      sync.Mutex // guards stopped and the write deadline
	stopped bool
}

// run sends until the client leaves, the key ends or the server stops.
func (st *stream) run() {
	st.control = http.NewResponseController(st.w)
	_ = st.control.SetReadDeadline(time.Time{})
	defer context.AfterFunc(st.stopping, st.hurry)()
	ctx, cancel := context.WithCancel(st.r.Context())
	defer cancel()
	defer context.AfterFunc(st.stopping, cancel)()
	if !st.send("retry: 1000\nid: " + st.streamID(st.caller.Project, st.at) + "\n\n") {
		return
	}
	why := st.follow(ctx)
	if why == "" && st.stopping.Err() != nil {
		why = endStopping
	}
	if why != "" {
		st.send("event: end\ndata: {\"code\":\"" + why + "\"}\n\n")
	}
}

// hurry gives a write that is under way one more second, so that a client
// that does not read cannot hold up the shutdown.
func (st *stream) hurry() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.stopped = true
	_ = st.control.SetWriteDeadline(time.Now().Add(time.Second))
}

// send writes text and flushes; false when the client is gone or does not read.
func (st *stream) send(text string) bool { return st.write([]byte(text)) == nil && st.flush() == nil }

func (st *stream) write(b []byte) error {
	st.mu.Lock()
	if !st.stopped {
		_ = st.control.SetWriteDeadline(time.Now().Add(st.o.WriteTimeout))
	}
	st.mu.Unlock()
	_, err := st.w.Write(b)
	return err
}

func (st *stream) flush() error { return st.control.Flush() }

// follow sends what came since st.at, then what comes. It returns why it ended, "" when there
// is nobody left to tell.
func (st *stream) follow(ctx context.Context) (why string) {
	if why, ok := st.catchUp(ctx, st.o.Log.Head()); !ok {
		return why
	}
	sub := st.live.join(st.caller.Project)
	if sub == nil {
		return codeOverloaded
	}
	defer st.live.leave(sub)
	if why, ok := st.catchUp(ctx, sub.from); !ok {
		return why
	}
	beat := time.NewTicker(st.o.StreamHeartbeat)
	defer beat.Stop()
	check := time.NewTicker(keyCheck)
	defer check.Stop()
	for {
		select {
		case c, ok := <-sub.chunks:
			if !ok {
				return sub.why
			}
			sub.queued.Add(-c.bytes)
			if !st.pass(c.events) {
				return ""
			}
		case <-beat.C:
			if at, drained := st.live.position(sub); drained {
				st.at = max(st.at, at)
			}
			if !st.beat() {
				return ""
			}
		case <-check.C:
			if !st.allowed() {
				return codeUnauthorized
			}
		case <-ctx.Done():
			return ""
		}
	}
}

// catchUp sends what lies between st.at and upto, read on this stream's own goroutine.
func (st *stream) catchUp(ctx context.Context, upto entity.Seq) (why string, ok bool) {
	for st.at < upto {
		if !st.allowed() {
			return codeUnauthorized, false
		}
		recs, next, err := st.o.Log.Read(ctx, st.at, liveRead)
		if err != nil {
			if ctx.Err() == nil {
				st.o.Logger.Error("a stream cannot read the log", "project", st.caller.Project, "error", err)
				return codeUnavailable, false
			}
			return "", false
		}
		var events []*liveEvent
		for i := range recs {
			if recs[i].Project == st.caller.Project {
				events = append(events, &liveEvent{rec: &recs[i]})
			}
		}
		if !st.pass(events) {
			return "", false
		}
		st.at = max(st.at, next)
	}
	return "", true
}

// pass sends those of the events that are new and pass the filter.
func (st *stream) pass(events []*liveEvent) bool {
	const most = 256 << 10 // bytes in one write
	st.buf = st.buf[:0]
	for _, e := range events {
		if e.rec.Seq <= st.at {
			continue
		}
		st.at = e.rec.Seq
		e.prepare(st.Server)
		if e.message == nil || !st.filter.takes(e) {
			continue
		}
		st.buf = append(st.buf, e.message...)
		if len(st.buf) >= most {
			if st.write(st.buf) != nil {
				return false
			}
			st.buf = st.buf[:0]
		}
	}
	if len(st.buf) == 0 {
		return true
	}
	return st.write(st.buf) == nil && st.flush() == nil
}

// beat keeps the connection alive, and tells how far a stream has come that shows
// nothing. It tells that every time: an id that came only when other projects
// had sent something would tell of them.
func (st *stream) beat() bool {
	return st.send(": alive\nid: " + st.streamID(st.caller.Project, st.at) + "\n\n")
}

// allowed says whether the key, and the session if there is one, still count.
func (st *stream) allowed() bool {
	key, ok := st.o.Keys.Active(st.caller.KeyID)
	if !ok || !(keyring.Caller{Scopes: key.Scopes}).Has(keyring.ScopeRead) {
		return false
	}
	return st.session == "" || st.sessions.alive(st.session)
}
