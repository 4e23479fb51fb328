package server

import (
	"bytes"
	"errors"
	"io"
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
	pooledSizes  = 4 // 4 KiB, 32 KiB, 256 KiB, 2 MiB; larger ones are left to the collector

	largestPooled = firstBuffer * bufferGrowth * bufferGrowth * bufferGrowth
)

var errTooLarge = errors.New("more bytes than the limit")

// scratch keeps the buffers of pooledSizes for the next request.
type scratch struct{ pools [pooledSizes]sync.Pool }

// class is the pool for buffers of n bytes, or -1.
func (*scratch) class(n int) int {
	for c, size := 0, firstBuffer; c < pooledSizes; c, size = c+1, size*bufferGrowth {
		if n == size {
			return c
		}
	}
	return -1
}

func (s *scratch) get(n int) []byte {
	if c := s.class(n); c >= 0 {
		if b, ok := s.pools[c].Get().(*[]byte); ok {
			return *b
		}
	}
	return make([]byte, n)
}

func (s *scratch) put(b []byte) {
	if c := s.class(len(b)); c >= 0 {
		s.pools[c].Put(&b)
	}
}

// filled is a whole body and the buffer it lies in.
type filled struct {
	data   []byte
	buffer []byte // goes back to scratch; nil when data is not in one of its buffers
}

// own returns the data in memory that nothing will reuse: payloads point into it
// for as long as the Log caches them.
func (f filled) own(s *scratch, h *hold) ([]byte, error) {
	if f.buffer == nil && 2*len(f.data) >= cap(f.data) {
		return f.data, nil
	}
	if err := h.take(int64(len(f.data))); err != nil {
		return nil, err
	}
	data := bytes.Clone(f.data)
	f.drop(s, h)
	return data, nil
}

// drop gives the buffer back; the data is no longer valid.
func (f filled) drop(s *scratch, h *hold) {
	if f.buffer != nil {
		h.give(int64(len(f.buffer)))
		s.put(f.buffer)
	}
}

// fill reads r to its end. expect is the size that somebody claims (-1: nobody);
// it is believed when evidence, or what has been read, is at least the
// bufferGrowth-th part of it. errTooLarge when there are more than limit bytes;
// other errors are r's.
func (s *scratch) fill(r io.Reader, expect, evidence, limit int64, h *hold) (filled, error) {
	var f filled
	var buf []byte
	n := 0
	for {
		if n == len(buf) {
			next, pooled := nextSize(int64(n), expect, evidence, limit)
			if err := h.take(next); err != nil {
				f.drop(s, h)
				return filled{}, err
			}
			var grown []byte
			if pooled {
				grown = s.get(int(next))
			} else {
				grown = make([]byte, next)
			}
			copy(grown, buf)
			if f.buffer == nil {
				h.give(int64(len(buf)))
			}
			f.drop(s, h)
			f.buffer = nil
			if pooled {
				f.buffer = grown
			}
			buf = grown
		}
		m, err := r.Read(buf[n:])
		n += m
		switch {
		case int64(n) > limit:
			err = errTooLarge
		case err == io.EOF:
			f.data = buf[:n]
			return f, nil
		}
		if err != nil {
			f.drop(s, h)
			return filled{}, err
		}
	}
}

// nextSize is how large the buffer after one of n full bytes is: one more than
// what is expected (to see the end without growing again) or than the limit.
func nextSize(n, expect, evidence, limit int64) (size int64, pooled bool) {
	if expect > n-1 && expect <= limit && expect <= bufferGrowth*max(n, evidence) {
		return expect + 1, false
	}
	if n == 0 {
		return firstBuffer, true
	}
	next := int64(firstBuffer)
	for next <= n {
		next *= bufferGrowth
	}
	if next > limit {
		return limit + 1, false
	}
	return next, next <= largestPooled
}

// readBody returns the request's body with its Content-Encoding undone. The
// bytes belong to the caller for good; the hold keeps them counted until it is
// released. Errors are problems.
func (s *Server) readBody(c *call, h *hold) ([]byte, error) {
	r := c.r
	coding, err := contentCoding(r.Header)
	if err != nil {
		return nil, err
	}
	if r.ContentLength > s.o.MaxBodyBytes {
		return nil, s.bodyTooLarge()
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
		return nil, s.readProblem(err)
	}
	_ = control.SetReadDeadline(time.Time{})
	c.bodyRead = true
	if coding == codingIdentity {
		s.metrics.bytesDecoded.Add(float64(len(sent.data)))
		return sent.own(&s.scratch, h)
	}
	defer sent.drop(&s.scratch, h)
	decoded, err := s.decode(coding, sent.data, h)
	if err != nil {
		return nil, err
	}
	s.metrics.bytesDecoded.Add(float64(len(decoded)))
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
