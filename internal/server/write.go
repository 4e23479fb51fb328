package server

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	// heldBack is how much of an answer is made before its status is sent: one that fails
	// in there is still an error, and one that ends in there has its length told.
	heldBack = 64 << 10
	// writePiece is how much of an answer goes out under one deadline, and slowPiece how much when the client was slow to take the last: it
	// is about the least that it must take in Options.WriteTimeout.
	writePiece = 64 << 10
	slowPiece  = 2 << 10
	// pressedRate is how many bytes a second a client must take, over all of an answer, while
	// others wait for the room that the answer has.
	pressedRate = 256 << 10
)

// errOutstays ends an answer that others wait for.
var errOutstays = errors.New("the client takes its answer too slowly while others wait")

// answerWriter sends one answer as it is encoded. A client has Options.WriteTimeout for each
// piece, so that one that reads slowly gets all of it and one that reads nothing does not
// last. An answer that cannot be ended breaks its connection: what is short must not look whole.
type answerWriter struct {
	s     *Server
	c     *call
	rt    route
	ans   *answer
	held  []byte
	begun bool // status and headers are out
	// broken is why an answer that has begun could not be ended, where that is not its client's doing.
	broken error
	// working says that the answer holds a slot of work.
	working bool
	start   time.Time
	sent    int64
	slow    bool  // the client was slow to take the last piece
	err     error // the client's end: nothing more can be sent
}

// send writes the answer. An error says that nothing was sent yet; whether all of it was is
// in a.err.
func (a *answerWriter) send() error {
	if a.ans.file != nil {
		a.sendFile()
		return nil
	}
	if a.ans.body != nil {
		if err := a.encode(a); err != nil {
			if !a.begun && a.err == nil {
				return err
			}
			if a.err == nil {
				a.err, a.broken = err, err
			}
			return nil
		}
	} else {
		out := a.ans.bytes
		if out == nil {
			out = []byte(a.ans.text)
		}
		a.begin(int64(len(out)))
		a.piecewise(out)
	}
	if !a.begun {
		a.begin(int64(len(a.held)))
		a.piecewise(a.held)
	}
	return nil
}

func (a *answerWriter) encode(to io.Writer) error {
	body, is := a.ans.body.(*streamed)
	if !is {
		return json.MarshalWrite(to, a.ans.body, a.s.encoding)
	}
	body.ctx = a.c.r.Context()
	if !body.light && !a.working {
		if err := a.s.work.take(body.ctx); err != nil {
			return err
		}
		a.working = true
		defer func() {
			if a.working {
				a.working = false
				a.s.work.give()
			}
		}()
	}
	pieces := bufio.NewWriterSize(to, writePiece)
	if err := json.MarshalWrite(pieces, body, a.s.encoding); err != nil {
		return err
	}
	return pieces.Flush()
}

// Write takes a piece of the body from the encoder.
func (a *answerWriter) Write(b []byte) (int, error) {
	if !a.begun {
		if len(a.held)+len(b) <= heldBack {
			a.held = append(a.held, b...)
			return len(b), nil
		}
		length := int64(-1)
		if !a.c.r.ProtoAtLeast(1, 1) { // it knows the end by the length alone
			var n counted
			if err := a.encode(&n); err != nil {
				return 0, err
			}
			length = int64(n)
		}
		a.begin(length)
		a.piecewise(a.held)
		a.held = nil
	}
	a.piecewise(b)
	return len(b), a.err
}

// counted counts what is written.
type counted int64

func (n *counted) Write(b []byte) (int, error) {
	*n += counted(len(b))
	return len(b), nil
}

// begin sends status and headers; a length of -1 is not known.
func (a *answerWriter) begin(length int64) {
	a.begun, a.start = true, time.Now()
	h, ans := a.c.w.Header(), a.ans
	for name, values := range ans.header {
		h[name] = values
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if a.rt.format != nil {
		h.Set("Accept-Encoding", acceptEncoding)
	}
	if hangsUp(a.c.r.UserAgent()) {
		h.Set("Connection", "close")
	}
	switch {
	case ans.status == http.StatusNoContent:
	case ans.stream != nil:
		if h.Get("Content-Type") == "" {
			h.Set("Content-Type", "text/event-stream")
		}
		h.Set("X-Accel-Buffering", "no") // a proxy that collects answers would hold events back
	case ans.media != "":
		h.Set("Content-Type", ans.media)
	case ans.text != "":
		h.Set("Content-Type", "text/plain; charset=utf-8")
	default:
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	if ans.status != http.StatusNoContent && ans.stream == nil && length >= 0 {
		h.Set("Content-Length", strconv.FormatInt(length, 10))
	}
	a.deadline()
	a.c.w.WriteHeader(ans.status)
}

func (a *answerWriter) deadline() {
	// A writer without deadlines (a test's recorder) has no slow client either.
	_ = http.NewResponseController(a.c.w).SetWriteDeadline(time.Now().Add(a.s.o.WriteTimeout))
}

// piecewise sends b, with time for each piece of it.
func (a *answerWriter) piecewise(b []byte) {
	for len(b) > 0 && a.err == nil {
		if a.outstays() {
			a.err = errOutstays
			return
		}
		n := min(len(b), writePiece)
		if a.slow {
			n = min(n, slowPiece)
		}
		began := time.Now()
		a.deadline()
		if a.working {
			a.s.work.give()
		}
		_, a.err = a.c.w.Write(b[:n])
		a.slow = time.Since(began) > a.s.o.WriteTimeout/16
		a.sent += int64(n)
		b = b[n:]
		if a.working {
			if err := a.s.work.take(a.c.r.Context()); err != nil {
				a.working, a.err = false, cmp.Or(a.err, err)
			}
		}
	}
}

// outstays says whether the client takes the answer so slowly that others wait for its room too long.
func (a *answerWriter) outstays() bool {
	q := a.c.question
	if q == nil {
		return false
	}
	may := a.s.o.WriteTimeout + time.Duration(a.sent)*time.Second/pressedRate
	return time.Since(a.start) > may && a.s.answers.pressed(q.bytes)
}
