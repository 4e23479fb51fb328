package server

import (
	"errors"
	"io"
	"math/bits"
	"net/http"
	"os"
	"sync"
	"time"
)

// A body is read through buffers that grow with what has arrived, so that a
// client that announces much and sends little holds little: the first is
// firstBuffer bytes, each next one bufferGrowth times as large, and the full
// size is believed once 1/bufferGrowth of it is there.
const (
	firstBuffer  = 4 << 10
	bufferGrowth = 8
	// Buffers of a power of two from leastPooled to largestPooled bytes are used again; larger ones are left
	// to the collector.
	leastPooled   = 1 << 10
	pooledSizes   = 12
	largestPooled = leastPooled << (pooledSizes - 1)
)

var errTooLarge = errors.New("more bytes than the limit")

// scratch keeps buffers for the next request.
type scratch struct {
	pools [pooledSizes]sync.Pool
	// poison is for tests: what is given back is written over at once, so that whoever still reads it is seen.
	poison bool
}

// class is the pool of the smallest buffers of at least n bytes; its size is leastPooled << class.
func class(n int64) int { return bits.Len64(uint64(max(0, n-1)) / leastPooled) }

// get returns a buffer of at least n bytes, with what was in it before.
func (s *scratch) get(n int64) []byte {
	if n > largestPooled {
		return make([]byte, n)
	}
	c := class(n)
	if b, ok := s.pools[c].Get().(*[]byte); ok {
		return *b
	}
	return make([]byte, leastPooled<<c)
}

// sizeOf is how large get's buffer for n bytes is.
func sizeOf(n int64) int64 {
	if n > largestPooled {
		return n
	}
	return leastPooled << class(n)
}

// put gives a buffer of get back: nobody may read it any more.
func (s *scratch) put(b []byte) {
	if s.poison {
		for i := range b {
			b[i] = 0xA5
		}
	}
	if n := int64(len(b)); n > 0 && n <= largestPooled && n == sizeOf(n) {
		s.pools[class(n)].Put(&b)
	}
}

// filled is a whole body in the buffer of scratch that it lies in.
type filled struct{ data, buffer []byte }

// fit moves the data into a smaller buffer when half of its own is empty.
func (f filled) fit(s *scratch, h *hold) (filled, error) {
	n := int64(len(f.data))
	if int64(len(f.buffer)) <= 2*n+leastPooled {
		return f, nil
	}
	if err := h.take(sizeOf(n)); err != nil {
		f.drop(s, h)
		return filled{}, err
	}
	small := filled{buffer: s.get(n)}
	small.data = small.buffer[:copy(small.buffer, f.data)]
	f.drop(s, h)
	return small, nil
}

// drop gives the buffer back; the data is no longer valid.
func (f filled) drop(s *scratch, h *hold) {
	h.give(int64(len(f.buffer)))
	s.put(f.buffer)
}

// fill reads r to its end. expect is the size that somebody claims (-1: nobody);
// it is believed when evidence, or what has been read, is at least the
// bufferGrowth-th part of it. errTooLarge when there are more than limit bytes;
// other errors are r's.
func (s *scratch) fill(r io.Reader, expect, evidence, limit int64, h *hold) (filled, error) {
	var f filled
	n := 0
	for {
		if n == len(f.buffer) {
			next := nextSize(int64(n), expect, evidence, limit)
			if err := h.take(sizeOf(next)); err != nil {
				f.drop(s, h)
				return filled{}, err
			}
			grown := s.get(next)
			copy(grown, f.buffer)
			f.drop(s, h)
			f.buffer = grown
		}
		m, err := r.Read(f.buffer[n:])
		n += m
		switch {
		case int64(n) > limit:
			err = errTooLarge
		case err == io.EOF:
			f.data = f.buffer[:n]
			return f.fit(s, h)
		}
		if err != nil {
			f.drop(s, h)
			return filled{}, err
		}
	}
}

// nextSize is how much room there must be after n bytes that fill a buffer: one more than
// what is expected (to see the end without growing again) or than the limit.
func nextSize(n, expect, evidence, limit int64) int64 {
	if expect > n-1 && expect <= limit && sizeOf(expect+1) <= bufferGrowth*max(n, evidence) {
		return expect + 1
	}
	if n == 0 {
		return firstBuffer
	}
	next := int64(firstBuffer)
	for next <= n {
		next *= bufferGrowth
	}
	return min(next, limit+1)
}

// readBody returns the request's body with its Content-Encoding undone. The
// bytes belong to the caller, who may give them back (drop); the hold keeps them counted until it is
// released. Errors are problems.
func (s *Server) readBody(c *call, h *hold) (filled, error) {
	r := c.r
	coding, err := contentCoding(r.Header)
	if err != nil {
		return filled{}, err
	}
	if r.ContentLength > s.o.MaxBodyBytes {
		return filled{}, s.bodyTooLarge()
	}
	control := http.NewResponseController(c.w)
	paced := newPacedReader(r.Body, control, s.o.BodyTimeout, s.o.MinBodyRate)
	received := h.from.receive(paced, h)
	sent, err := s.scratch.fill(paced, r.ContentLength, firstBuffer/bufferGrowth, s.o.MaxBodyBytes, h)
	received()
	s.metrics.bytesSent.Add(float64(paced.n))
	if err != nil {
		var p *problem
		c.bodyFailed = !errors.Is(err, errTooLarge) && !errors.As(err, &p)
		return filled{}, s.readProblem(err)
	}
	_ = control.SetReadDeadline(time.Time{})
	c.bodyRead = true
	if coding == codingIdentity {
		s.metrics.bytesDecoded.Add(float64(len(sent.data)))
		return sent, nil
	}
	defer sent.drop(&s.scratch, h)
	decoded, err := s.decode(coding, sent.data, h)
	if err != nil {
		return filled{}, err
	}
	s.metrics.bytesDecoded.Add(float64(len(decoded.data)))
	return decoded, nil
}

func (s *Server) bodyTooLarge() *problem {
	return problemf(http.StatusRequestEntityTooLarge, codeBodyTooLarge,
		"the body as sent is larger than the limit of %d bytes", s.o.MaxBodyBytes)
}

// readProblem is the answer for a body that did not arrive whole.
func (s *Server) readProblem(err error) error {
	var p *problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, errTooLarge):
		return s.bodyTooLarge()
	case errors.Is(err, errCut):
		return overloaded()
	case errors.Is(err, os.ErrDeadlineExceeded):
		p = problemf(http.StatusRequestTimeout, codeBodyTimeout,
			"the body came slower than %d bytes a second, %v allowed on top", s.o.MinBodyRate, s.o.BodyTimeout)
		p.retryAfter = time.Second // for formats whose clients know no 408
		return p
	}
	return problemf(http.StatusBadRequest, codeIncompleteBody, "the body ended early or its chunks are malformed; nothing of it was kept")
}
