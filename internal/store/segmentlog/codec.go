package segmentlog

import (
	"runtime"
	"slices"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// codec compresses and decompresses sections. Each call runs on its caller's
// goroutine alone; at most one call per CPU runs at a time, the others wait for
// its encoder.
type codec struct {
	small *zstd.Encoder // of recompression; new blocks are S2
	dec   *zstd.Decoder
}

func newCodec() (*codec, error) {
	// Packing is one goroutine's work. The better levels save 2 to 3 % for 2 to 3 times the time.
	small, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithWindowSize(2*packBytes))
	if err != nil {
		return nil, err
	}
	c, err := newDecoder()
	if err != nil {
		return nil, err
	}
	c.small = small
	return c, nil
}

// newDecoder returns a codec that decompresses only.
func newDecoder() (*codec, error) {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(runtime.GOMAXPROCS(0)),
		zstd.WithDecoderMaxMemory(maxBody), zstd.WithDecodeAllCapLimit(true), zstd.IgnoreChecksum(true))
	if err != nil {
		return nil, err
	}
	return &codec{dec: dec}, nil
}

// close ends the decoder. The encoder holds nothing: only EncodeAll is used.
func (c *codec) close() { c.dec.Close() }

// compressor returns raw compressed in buf's memory, or raw itself when that is not smaller.
type compressor func(raw, buf []byte) []byte

// least is the size below which compression is not tried.
const least = 64

// fast is S2: less time than the fastest zstd, for more room. It is for new
// blocks, whose writer waits, until they are recompressed.
func fast(raw, buf []byte) []byte {
	if len(raw) < least {
		return raw
	}
	if out := s2.Encode(buf[:cap(buf)], raw); len(out) < len(raw) {
		return out
	}
	return raw
}

// dense is zstd at the level of recompression.
func (c *codec) dense(raw, buf []byte) []byte {
	if len(raw) < least {
		return raw
	}
	if out := c.small.EncodeAll(raw, buf[:0]); len(out) < len(raw) {
		return out
	}
	return raw
}

// inflate returns a section of n bytes in memory of its own. isS2 says how it
// was compressed.
func (c *codec) inflate(stored []byte, n int, isS2 bool) ([]byte, error) {
	if len(stored) == n {
		return slices.Clone(stored), nil
	}
	out, err := c.decompress(stored, n, isS2)
	if err != nil {
		return nil, damaged("section does not decompress: %v", err)
	}
	if len(out) != n {
		return nil, damaged("section holds %d bytes instead of %d", len(out), n)
	}
	return out, nil
}

func (c *codec) decompress(stored []byte, n int, isS2 bool) ([]byte, error) {
	if !isS2 {
		return c.dec.DecodeAll(stored, make([]byte, 0, n))
	}
	if claimed, err := s2.DecodedLen(stored); err != nil || claimed != n {
		return nil, damaged("S2 block of another length") // before it is allocated
	}
	return s2.Decode(make([]byte, n), stored)
}
