package live

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// checkEvery is how often a stream asks whether it may go on.
const checkEvery = 250 * time.Millisecond

// Stream is what one client asked for.
type Stream struct {
	Project string
	Filter  Filter
	After   entity.Seq // the first event that is sent lies behind it
	// Allowed is asked again and again whether the stream may go on.
	Allowed func() bool
	// Stopping ends when the server stops.
	Stopping context.Context
}

// stream is one connection.
type stream struct {
	*Hub
	Stream
	at      entity.Seq // everything up to here was sent, or did not pass the filter
	w       http.ResponseWriter
	control *http.ResponseController
	buf     []byte

	mu      sync.Mutex // guards the write deadline and what follows
	stopped bool
	over    bool // the handler returns: the connection is no longer ours
}

// Serve sends to a client, whose answer has begun, until it leaves, may no longer or the server stops. ctx is the request's.
func (h *Hub) Serve(ctx context.Context, w http.ResponseWriter, s Stream) {
	st := &stream{Hub: h, Stream: s, at: s.After, w: w, control: http.NewResponseController(w)}
	_ = st.control.SetReadDeadline(time.Time{})
	defer st.giveBack() // whom the next line stops may have begun
	defer context.AfterFunc(s.Stopping, st.hurry)()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.Stopping, cancel)()
	if !st.send("retry: 1000\nid: " + st.id() + "\n\n") {
		return
	}
	why := st.follow(ctx)
	if why == "" && s.Stopping.Err() != nil {
		why = endStopping
	}
	if why != "" {
		st.send("event: end\ndata: {\"code\":\"" + why + "\"}\n\n")
	}
}

// id tells how far the client has come.
func (st *stream) id() string { return st.o.ID(st.Project, st.at) }

// hurry gives a write that is under way one more second, so that a client
// that does not read cannot hold up the shutdown.
func (st *stream) hurry() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.stopped = true
	if !st.over {
		_ = st.control.SetWriteDeadline(time.Now().Add(time.Second))
	}
}

// giveBack is the end of the answer: net/http may not be asked for a deadline after it.
func (st *stream) giveBack() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.over = true
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
	sub := st.join(st.Project)
	if sub == nil {
		return endOverloaded
	}
	defer st.leave(sub)
	if why, ok := st.catchUp(ctx, sub.from); !ok {
		return why
	}
	beat := time.NewTicker(st.o.Heartbeat)
	defer beat.Stop()
	check := time.NewTicker(checkEvery)
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
			if at, drained := st.position(sub); drained {
				st.at = max(st.at, at)
			}
			if !st.beat() {
				return ""
			}
		case <-check.C:
			if !st.Allowed() {
				return endUnauthorized
			}
		case <-ctx.Done():
			return ""
		}
	}
}

// catchUp sends what lies between st.at and upto, read on this stream's own goroutine.
func (st *stream) catchUp(ctx context.Context, upto entity.Seq) (why string, ok bool) {
	for st.at < upto {
		if !st.Allowed() {
			return endUnauthorized, false
		}
		recs, next, err := st.o.Log.Read(ctx, st.at, readAtOnce)
		if err != nil {
			if ctx.Err() == nil {
				st.o.Logger.Error("a stream cannot read the log", "project", st.Project, "error", err)
				return endUnavailable, false
			}
			return "", false
		}
		var events []*event
		for i := range recs {
			if recs[i].Project == st.Project {
				events = append(events, &event{rec: &recs[i]})
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
func (st *stream) pass(events []*event) bool {
	const most = 256 << 10 // bytes in one write
	st.buf = st.buf[:0]
	for _, e := range events {
		if e.rec.Seq <= st.at {
			continue
		}
		st.at = e.rec.Seq
		if !e.read() || !st.Filter.takes(e) {
			continue
		}
		st.buf = append(st.buf, e.encoded(&st.o)...)
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
	return st.send(": alive\nid: " + st.id() + "\n\n")
}
