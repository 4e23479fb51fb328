package server

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// bare is a Server for what needs no store: the reading of bodies.
func bare(maxBody, maxDecoded, maxInFlight int64) *Server {
	s := &Server{
		o: Options{MaxBodyBytes: maxBody, MaxDecodedBytes: maxDecoded, MaxInFlightBytes: maxInFlight,
			Logger: slog.New(slog.DiscardHandler)}.withDefaults(),
		encoding: encoding(), decoders: newDecoders(), inFlight: newAllowance(maxInFlight), rates: newRates(0, 0),
	}
	s.metrics = newMetrics(s)
	return s
}

// compressed returns b under coding c, with the standard library where it has the format.
func compressed(tb testing.TB, c string, b []byte) []byte {
	tb.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch c {
	case "gzip", "x-gzip":
		w = gzip.NewWriter(&out)
	case "deflate":
		w = zlib.NewWriter(&out)
	case "raw-deflate":
		w, err = flate.NewWriter(&out, 6)
	case "zstd":
		w, err = zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
	case "zstd-sized": // one frame that states its size
		enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
		if err != nil {
			tb.Fatal(err)
		}
		return enc.EncodeAll(b, nil)
	default:
		return b
	}
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// header is the Content-Encoding for a name that compressed knows.
func header(c string) string {
	switch c {
	case "raw-deflate":
		return "deflate"
	case "zstd-sized":
		return "zstd"
	}
	return c
}

func codings() []string {
	return []string{"gzip", "deflate", "raw-deflate", "zstd", "zstd-sized"}
}

func TestDecodeRoundTrip(t *testing.T) {
	t.Parallel()
	s := bare(10<<20, 64<<20, 256<<20)
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range codings() {
		for _, n := range []int{0, 1, 100, 4095, 4096, 4097, 32 << 10, 300_000, 3 << 20} {
			want := make([]byte, n)
			for i := range want {
				want[i] = byte('a' + r.IntN(1+r.IntN(20)))
			}
			h := &hold{from: s.inFlight}
			got, err := s.decode(coding(header(c)), compressed(t, c, want), h)
			if err != nil || !bytes.Equal(got.data, want) {
				t.Errorf("%s of %d bytes: %d bytes, %v", c, n, len(got.data), err)
			}
			if h.bytes.Load() < int64(len(got.data)) {
				t.Errorf("%s of %d bytes: holds %d, less than it has", c, n, h.bytes.Load())
			}
			h.release()
		}
	}
	if used := s.inFlight.used.Load(); used != 0 {
		t.Errorf("%d bytes are still held", used)
	}
}

func TestDecodeConcatenated(t *testing.T) {
	t.Parallel()
	s := bare(1<<20, 1<<20, 16<<20)
	part := bytes.Repeat([]byte("0123456789"), 100)
	for _, c := range []string{"gzip", "zstd", "zstd-sized"} {
		one := compressed(t, c, part)
		h := &hold{from: s.inFlight}
		got, err := s.decode(coding(header(c)), append(bytes.Clone(one), one...), h)
		if err != nil || !bytes.Equal(got.data, append(bytes.Clone(part), part...)) {
			t.Errorf("two members of %s: %d bytes, %v", c, len(got.data), err)
		}
	}
}

// Property 26: what inflates beyond the limit is refused, and never held whole.
func TestDecompressionBombs(t *testing.T) {
	skipBulk(t)
	const limit = 4 << 20
	s := bare(10<<20, limit, 64<<20)
	bomb := make([]byte, 64<<20)
	for _, c := range codings() {
		sent := compressed(t, c, bomb)
		if len(sent) > 2<<20 {
			t.Fatalf("the %s bomb is %d bytes", c, len(sent))
		}
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		h := &hold{from: s.inFlight}
		_, err := s.decode(coding(header(c)), sent, h)
		runtime.ReadMemStats(&after)
		h.release()
		var p *problem
		if !errors.As(err, &p) || p.status != http.StatusRequestEntityTooLarge || p.code != codeDecodedTooLarge {
			t.Errorf("%s: %v", c, err)
		}
		if grew := after.TotalAlloc - before.TotalAlloc; grew > 64<<20 {
			t.Errorf("%s: allocated %d bytes for a limit of %d", c, grew, limit)
		}
	}
	if used := s.inFlight.used.Load(); used != 0 {
		t.Errorf("%d bytes are still held", used)
	}
}

// A frame that states an absurd size, or a size that is not its own.
func TestClaimedSizesAreNotBelieved(t *testing.T) {
	t.Parallel()
	s := bare(1<<20, 64<<20, 256<<20)
	lying := []byte{0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 3, 1, 0, 0} // single segment, content size 48 MiB, one empty raw block
	h := &hold{from: s.inFlight}
	if _, err := s.decode(codingZstd, lying, h); err == nil {
		t.Error("a zstd frame of another size than stated was taken")
	}
	if h.bytes.Load() > 1<<20 {
		t.Errorf("a body of %d bytes holds %d", len(lying), h.bytes.Load())
	}
	gz := compressed(t, "gzip", []byte("hello"))
	copy(gz[len(gz)-4:], []byte{0xff, 0xff, 0xff, 0x7f})
	if _, err := s.decode(codingGzip, gz, &hold{from: s.inFlight}); err == nil {
		t.Error("a gzip member of another size than stated was taken")
	}
}

func TestZstdWindowLimit(t *testing.T) {
	t.Parallel()
	s := bare(10<<20, 64<<20, 256<<20)
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, zstd.WithWindowSize(16<<20), zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 20 << 4 {
		b := make([]byte, 64<<10)
		for i := range b[:256] {
			b[i] = byte(r.Uint32())
		}
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = s.decode(codingZstd, out.Bytes(), &hold{from: s.inFlight})
	var p *problem
	if !errors.As(err, &p) || p.code != codeBadCoding || !strings.Contains(p.message, "window") {
		t.Errorf("a window of 16 MiB: %v", err)
	}
}

func TestContentCoding(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sent []string
		want coding
	}{
		{nil, codingIdentity}, {[]string{""}, codingIdentity}, {[]string{"identity"}, codingIdentity}, {[]string{"GZIP"}, codingGzip},
		{[]string{"x-gzip"}, codingGzip}, {[]string{" zstd "}, codingZstd}, {[]string{"deflate"}, codingDeflate}, {[]string{"identity, gzip"}, codingGzip},
		{[]string{"br"}, ""}, {[]string{"gzip, gzip"}, ""}, {[]string{"gzip", "zstd"}, ""}, {[]string{"gzip;q=1"}, ""}, {[]string{"*"}, ""},
	} {
		got, err := contentCoding(http.Header{"Content-Encoding": c.sent})
		var p *problem
		if got != c.want || (c.want == "") != (errors.As(err, &p) && p.status == http.StatusUnsupportedMediaType) {
			t.Errorf("%q: %q, %v", c.sent, got, err)
		}
	}
}

// The memory a body holds follows what arrived, not what was announced.
func TestFillHoldsWhatArrived(t *testing.T) {
	t.Parallel()
	s := bare(10<<20, 64<<20, 256<<20)
	for _, n := range []int{0, 1, 511, 512, 5000, 40_000, 300_000, 2 << 20, 9 << 20} {
		for _, expect := range []int64{-1, int64(n), 10 << 20} {
			h := &hold{from: s.inFlight}
			src := &watchedReader{n: n, check: func(read int) {
				if h.bytes.Load() > int64(firstBuffer+bufferGrowth*read+read) {
					t.Errorf("after %d of %d bytes (announced %d) it holds %d", read, n, expect, h.bytes.Load())
				}
			}}
			f, err := s.scratch.fill(src, expect, firstBuffer/bufferGrowth, 10<<20, h)
			if err != nil || len(f.data) != n {
				t.Fatalf("%d bytes, announced %d: %d, %v", n, expect, len(f.data), err)
			}
			if len(f.buffer) > 2*n+leastPooled || h.bytes.Load() != int64(len(f.buffer)) {
				t.Errorf("%d bytes, announced %d: in a buffer of %d, and holds %d", n, expect, len(f.buffer), h.bytes.Load())
			}
			h.release()
		}
	}
	if used := s.inFlight.used.Load(); used != 0 {
		t.Errorf("%d bytes are still held", used)
	}
}

// A body is never the memory of another one until it is given back.
func TestBodiesShareNoMemory(t *testing.T) {
	t.Parallel()
	s := bare(10<<20, 64<<20, 256<<20)
	type kept struct{ got, want []byte }
	var all []kept
	for round := range 4 {
		for _, n := range []int{1, 600, 5000, 40_000, 300_000} {
			want := bytes.Repeat([]byte{byte('a' + len(all)%26)}, n)
			for _, c := range append(codings(), "") {
				h := &hold{from: s.inFlight}
				var got filled
				var err error
				if c == "" {
					got, err = s.scratch.fill(bytes.NewReader(want), -1, 0, 10<<20, h)
				} else {
					got, err = s.decode(coding(header(c)), compressed(t, c, want), h)
				}
				if err != nil {
					t.Fatal(err)
				}
				if round%2 == 1 {
					got.drop(&s.scratch, h) // its buffer may be that of the next
					continue
				}
				h.release()
				all = append(all, kept{got.data, bytes.Clone(want)})
			}
		}
		for i, k := range all {
			if !bytes.Equal(k.got, k.want) {
				t.Fatalf("round %d: body %d changed under its owner", round, i)
			}
		}
	}
}

// watchedReader gives n bytes in small pieces and looks between them.
type watchedReader struct {
	n, read int
	check   func(read int)
}

func (w *watchedReader) Read(b []byte) (int, error) {
	w.check(w.read)
	if w.read == w.n {
		return 0, io.EOF
	}
	m := min(len(b), 1000, w.n-w.read)
	w.read += m
	return m, nil
}

func TestBudgetRefuses(t *testing.T) {
	t.Parallel()
	s := bare(1<<20, 1<<20, 100<<10)
	h := &hold{from: s.inFlight}
	_, err := s.scratch.fill(&watchedReader{n: 1 << 19, check: func(int) {}}, -1, 512, 1<<20, h)
	var p *problem
	if !errors.As(err, &p) || p.status != http.StatusServiceUnavailable || p.code != codeOverloaded || p.retryAfter == 0 {
		t.Errorf("over the allowance: %v", err)
	}
	h.release()
	if used := s.inFlight.used.Load(); used != 0 {
		t.Errorf("%d bytes are still held", used)
	}
}

// FuzzEncodings: whatever the bytes and the coding, there is an answer, within
// the limit, and it is never a server error other than "too much in flight".
func FuzzEncodings(f *testing.F) {
	for _, c := range codings() {
		f.Add(uint8(len(c)), compressed(f, c, []byte(`{"events":[]}`)))
	}
	s := bare(1<<20, 1<<20, 64<<20)
	f.Fuzz(func(t *testing.T, pick uint8, sent []byte) {
		c := []coding{codingGzip, codingDeflate, codingZstd}[pick%3]
		h := &hold{from: s.inFlight}
		out, err := s.decode(c, sent, h)
		h.release()
		var p *problem
		if err != nil && (!errors.As(err, &p) || p.status >= 500) {
			t.Fatalf("%s: %v", c, err)
		}
		if int64(len(out.data)) > s.o.MaxDecodedBytes {
			t.Fatalf("%s: %d bytes came out", c, len(out.data))
		}
		if used := s.inFlight.used.Load(); used != 0 {
			t.Fatalf("%d bytes are still held", used)
		}
	})
}
