package server

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// coding is a content coding of RFC 9110, section 8.4.1 (zstd: RFC 8878).
type coding string

const (
	codingIdentity coding = "identity"
	codingGzip     coding = "gzip"
	codingDeflate  coding = "deflate"
	codingZstd     coding = "zstd"
)

// acceptEncoding tells clients what they may start to send (RFC 9110, section 12.5.3).
const acceptEncoding = "zstd, gzip"

// maxZstdWindow is the largest window that the zstd content coding may use (RFC 9659).
const maxZstdWindow = 8 << 20

// contentCoding returns the one coding of a request, or the 415 for one that is
// unknown and for more than one.
func contentCoding(h http.Header) (coding, error) {
	found := codingIdentity
	for token := range strings.SplitSeq(strings.Join(h.Values("Content-Encoding"), ","), ",") {
		next := coding(strings.ToLower(strings.TrimSpace(token)))
		switch next {
		case "", codingIdentity:
			continue
		case "x-gzip": // the same, by RFC 9110, section 8.4.1.3
			next = codingGzip
		case codingGzip, codingDeflate, codingZstd:
		default:
			return "", problemf(http.StatusUnsupportedMediaType, codeUnsupportedCoding,
				"Content-Encoding is unknown here; use zstd, gzip, deflate or none")
		}
		if found != codingIdentity {
			return "", problemf(http.StatusUnsupportedMediaType, codeUnsupportedCoding,
				"more than one Content-Encoding; use one of zstd, gzip, deflate or none")
		}
		found = next
	}
	return found, nil
}

// decoders keeps decompressors for the next request, and bounds how many work
// at once: their windows are memory that no body accounts for.
type decoders struct {
	slots                      chan struct{}
	gzip, zlib, deflate, zstds sync.Pool
}

func newDecoders() *decoders {
	return &decoders{slots: make(chan struct{}, 2*runtime.GOMAXPROCS(0))}
}

// decode undoes c over the whole body sent.
func (s *Server) decode(c coding, sent []byte, h *hold) (filled, error) {
	s.decoders.slots <- struct{}{} // held for CPU work only, so the wait is short
	defer func() { <-s.decoders.slots }()
	var out filled
	var err error
	switch c {
	case codingZstd:
		out, err = s.unzstd(sent, h)
	case codingGzip:
		out, err = s.gunzip(sent, h)
	default:
		out, err = s.inflate(sent, h)
	}
	if err == nil {
		return out, nil
	}
	var p *problem
	switch {
	case errors.As(err, &p):
		return filled{}, p
	case errors.Is(err, errTooLarge):
		return filled{}, problemf(http.StatusRequestEntityTooLarge, codeDecodedTooLarge,
			"the decoded body is larger than the limit of %d bytes", s.o.MaxDecodedBytes)
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return filled{}, problemf(http.StatusBadRequest, codeBadCoding, "the body's zstd window is larger than %d bytes (RFC 9659)", maxZstdWindow)
	}
	return filled{}, problemf(http.StatusBadRequest, codeBadCoding, "the body is not valid %s", c)
}

// drain reads all of a decompressor's output. expect is what the body claims it
// becomes, -1 when it does not say. A claim is believed up to 64 times what was sent.
func (s *Server) drain(r io.Reader, sent []byte, expect int64, h *hold) (filled, error) {
	return s.scratch.fill(r, expect, 8*int64(len(sent)), s.o.MaxDecodedBytes, h)
}

func (s *Server) gunzip(sent []byte, h *hold) (filled, error) {
	z, ok := s.decoders.gzip.Get().(*gzip.Reader)
	if !ok {
		z = new(gzip.Reader)
	}
	defer s.decoders.gzip.Put(z)
	if err := z.Reset(bytes.NewReader(sent)); err != nil {
		return filled{}, err
	}
	expect := int64(-1)
	if len(sent) >= 18 { // header and trailer: the last four bytes are the size (RFC 1952)
		expect = int64(binary.LittleEndian.Uint32(sent[len(sent)-4:]))
	}
	return s.drain(z, sent, expect, h)
}

// inflate reads what the deflate coding is by RFC 9110, the zlib format, and
// the raw stream that some clients send under that name.
func (s *Server) inflate(sent []byte, h *hold) (filled, error) {
	src := bytes.NewReader(sent)
	if isZlib(sent) {
		z, ok := s.decoders.zlib.Get().(io.ReadCloser)
		var err error
		if ok {
			err = z.(zlib.Resetter).Reset(src, nil)
		} else {
			z, err = zlib.NewReader(src)
		}
		if err != nil {
			return filled{}, err
		}
		defer s.decoders.zlib.Put(z)
		return s.drainAll(z, src, sent, h)
	}
	z, ok := s.decoders.deflate.Get().(io.ReadCloser)
	if !ok {
		z = flate.NewReader(src)
	} else if err := z.(flate.Resetter).Reset(src, nil); err != nil {
		return filled{}, err
	}
	defer s.decoders.deflate.Put(z)
	return s.drainAll(z, src, sent, h)
}

var errBehindEnd = errors.New("there is more behind the end of the stream")

// drainAll is drain for a format that does not go on behind its end: what stands there
// would be lost without a word. src is where z reads, byte for byte as it needs them.
func (s *Server) drainAll(z io.Reader, src *bytes.Reader, sent []byte, h *hold) (filled, error) {
	out, err := s.drain(z, sent, -1, h)
	if err == nil && src.Len() > 0 {
		return filled{}, errBehindEnd
	}
	return out, err
}

// isZlib says whether b starts with a zlib header (RFC 1950, section 2.2).
func isZlib(b []byte) bool {
	return len(b) >= 2 && b[0]&0x0f == 8 && b[0]>>4 <= 7 && (int(b[0])<<8|int(b[1]))%31 == 0
}

func (s *Server) unzstd(sent []byte, h *hold) (filled, error) {
	z, ok := s.decoders.zstds.Get().(*zstd.Decoder)
	if !ok {
		var err error
		z, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxZstdWindow), zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			return filled{}, err
		}
	}
	defer s.decoders.zstds.Put(z)
	expect := int64(-1)
	var head zstd.Header
	if head.Decode(sent) == nil && head.HasFCS && head.FrameContentSize <= uint64(s.o.MaxDecodedBytes) {
		expect = int64(head.FrameContentSize)
	}
	if expect >= 0 && expect <= 64*int64(len(sent)) {
		// One frame that says its size, as nearly all do: decoded straight into its place.
		const slack = 32 // room that the fast copies of the decoder write into
		if err := h.take(sizeOf(expect + slack)); err != nil {
			return filled{}, err
		}
		out := filled{buffer: s.scratch.get(expect + slack)}
		var err error
		out.data, err = z.DecodeAll(sent, out.buffer[:0:expect+slack])
		if err == nil {
			return out, nil
		}
		out.drop(&s.scratch, h)
		if !errors.Is(err, zstd.ErrDecoderSizeExceeded) {
			return filled{}, err
		}
		// There is another frame: they are read as a stream.
	}
	if err := z.Reset(bytes.NewReader(sent)); err != nil {
		return filled{}, err
	}
	defer func() { _ = z.Reset(nil) }() // lets go of sent
	return s.drain(z, sent, -1, h)
}
