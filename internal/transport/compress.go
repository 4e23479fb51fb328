package transport

import (
	"bytes"
	"compress/gzip"
	"errors"
	"strings"
	"sync"
	"sync/atomic"

	kgzip "github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// The ways to compress batches. Auto is zstd or gzip, once an answer says that the server takes it.
const (
	CompressionAuto = "auto"
	CompressionNone = "none"
	CompressionGzip = "gzip"
	CompressionZstd = "zstd"
)

// compressor encodes request bodies once it is known what the server takes.
type compressor struct {
	auto     bool
	encoding atomic.Value // string: "", "gzip" or "zstd"
	zstd     func() (*zstd.Encoder, error)
	gzip     sync.Pool
	buffers  sync.Pool
}

// minCompress is the size below which compressing costs more than it saves: it fits into one packet.
const minCompress = 1400

// zstdWindow bounds an encoder's memory; batches have few repetitions further apart.
const zstdWindow = 512 << 10

func newCompressor(setting string) *compressor {
	c := &compressor{auto: setting == CompressionAuto}
	c.encoding.Store("")
	if setting == CompressionGzip || setting == CompressionZstd {
		c.encoding.Store(setting)
	}
	c.zstd = sync.OnceValues(func() (*zstd.Encoder, error) {
		return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(MaxSenders),
			zstd.WithWindowSize(zstdWindow), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
	})
	c.gzip.New = func() any {
		w, err := kgzip.NewWriterLevel(nil, gzip.BestSpeed)
		return &gzipWriter{w, err}
	}
	c.buffers.New = func() any { return new([]byte) }
	return c
}

type gzipWriter struct {
	*kgzip.Writer
	err error
}

// learn reads an answer's Accept-Encoding: what the server takes in requests (RFC 9110 §12.5.3).
func (c *compressor) learn(accept string) {
	if !c.auto || accept == "" || c.encoding.Load() != "" {
		return
	}
	found := ""
	for part := range strings.SplitSeq(accept, ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		name, q = strings.TrimSpace(name), strings.ReplaceAll(q, " ", "")
		if q == "q=0" || q == "q=0.0" {
			continue
		}
		if name == CompressionZstd || name == CompressionGzip && found == "" {
			found = name
		}
	}
	if found != "" {
		c.encoding.Store(found)
	}
}

// forget stops compressing: the server refused it (415).
func (c *compressor) forget() { c.encoding.Store("") }

// encode returns body compressed and the encoding's name, or body itself and
// "". release gives the memory back; it may be left uncalled.
func (c *compressor) encode(body []byte) (out []byte, encoding string, release func()) {
	name := c.encoding.Load().(string)
	if name == "" || len(body) < minCompress {
		return body, "", func() {}
	}
	buf := c.buffers.Get().(*[]byte)
	var err error
	if name == CompressionZstd {
		var enc *zstd.Encoder
		if enc, err = c.zstd(); err == nil {
			*buf = enc.EncodeAll(body, (*buf)[:0])
		}
	} else {
		*buf, err = c.gzipTo((*buf)[:0], body)
	}
	if err != nil { // a wrong option, never the data: then it goes as it is
		return body, "", func() {}
	}
	return *buf, name, func() { c.buffers.Put(buf) }
}

func (c *compressor) gzipTo(dst, body []byte) ([]byte, error) {
	w := c.gzip.Get().(*gzipWriter)
	if w.err != nil {
		return dst, w.err
	}
	defer c.gzip.Put(w)
	out := bytes.NewBuffer(dst)
	w.Reset(out)
	_, err := w.Write(body)
	err = errors.Join(err, w.Close()) // which writes the rest
	return out.Bytes(), err
}
