package server

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"
)

// Property 26: shapes of compressed bodies that lie, nest, repeat or go on behind
// their end. Each has its answer, and allocates no more than the limits allow.
func TestHostileCodings(t *testing.T) {
	skipBulk(t)
	h := open(t, setup{})
	good := batch(event("coded", "event_create", `{}`))
	zeros := make([]byte, 80<<20)
	twice := func(c string, b []byte) []byte { return compressed(t, c, compressed(t, c, b)) }
	members := func(n int, of []byte) []byte { return bytes.Repeat(compressed(t, "gzip", of), n) }
	with := func(b []byte, at int, v ...byte) []byte {
		b = bytes.Clone(b)
		copy(b[at:], v)
		return b
	}
	gz := compressed(t, "gzip", good)
	zs := compressed(t, "zstd-sized", good)
	// A zstd frame: magic, descriptor with a size of 8 bytes in a single segment, the size, one raw empty block.
	frame := func(size uint64) []byte {
		b := append([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0}, make([]byte, 8)...)
		binary.LittleEndian.PutUint64(b[5:], size)
		return append(b, 1, 0, 0)
	}
	// A frame with a window descriptor: the exponent is in the upper five bits.
	window := func(exponent byte) []byte { return []byte{0x28, 0xb5, 0x2f, 0xfd, 0, exponent << 3, 1, 0, 0} }
	skippable := append([]byte{0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0}, "skip"...)
	bigComment := func() []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Name, w.Comment, w.Extra = strings.Repeat("n", 1<<20), strings.Repeat("c", 5<<20), bytes.Repeat([]byte{1}, 65_000)
		if _, err := w.Write(good); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}()
	for _, c := range []struct {
		name, coding string
		body         []byte
		status       int
		code         string
	}{
		{"gzip of 80 MiB", "gzip", compressed(t, "gzip", zeros), 413, "decoded_body_too_large"},
		{"gzip of gzip of 80 MiB, one coding said", "gzip", twice("gzip", zeros), 400, "invalid_json"},
		{"zstd of zstd of 80 MiB, one coding said", "zstd", twice("zstd", zeros), 400, "invalid_json"},
		{"gzip twice, as said", "gzip, gzip", twice("gzip", good), 415, "unsupported_content_encoding"},
		{"gzip in zstd, as said", "gzip, zstd", compressed(t, "zstd", gz), 415, "unsupported_content_encoding"},
		{"a thousand codings", strings.Repeat("gzip,", 1000), gz, 415, "unsupported_content_encoding"},
		{"a thousand identities", strings.Repeat("identity,", 1000), good, 200, ""},
		{"gzip said, zstd sent", "gzip", zs, 400, "invalid_content_encoding"},
		{"zstd said, gzip sent", "zstd", gz, 400, "invalid_content_encoding"},
		{"gzip said, JSON sent", "gzip", good, 400, "invalid_content_encoding"},
		{"80 000 members of 1 KiB", "gzip", members(80_000, zeros[:1<<10]), 413, "decoded_body_too_large"},
		{"300 000 empty members", "gzip", members(300_000, nil), 400, "invalid_json"},
		{"300 000 empty members and a batch", "gzip", append(members(300_000, nil), gz...), 200, ""},
		{"300 000 empty zstd frames", "zstd", bytes.Repeat(frame(0), 300_000), 400, "invalid_json"},
		{"skippable frames only", "zstd", bytes.Repeat(skippable, 100_000), 400, "invalid_json"},
		{"a skippable frame of 4 GiB", "zstd", []byte{0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0xff}, 400, "invalid_content_encoding"},
		{"skippable frames around a batch", "zstd", append(append(bytes.Clone(skippable), zs...), skippable...), 200, ""},
		{"a frame that says 2^64-1 bytes", "zstd", frame(1<<64 - 1), 400, "invalid_content_encoding"},
		{"a frame that says 2^40 bytes", "zstd", frame(1 << 40), 400, "invalid_content_encoding"},
		{"a frame that says 64 MiB", "zstd", frame(64 << 20), 400, "invalid_content_encoding"},
		{"a frame that says one byte less", "zstd", with(zs, 5, zs[5]-1), 400, "invalid_content_encoding"},
		{"a window of 2^41", "zstd", window(31), 400, "invalid_content_encoding"},
		{"a window of 16 MiB", "zstd", window(14), 400, "invalid_content_encoding"},
		{"a dictionary that nobody has", "zstd", []byte{0x28, 0xb5, 0x2f, 0xfd, 0x23, 1, 2, 3, 4, 0, 1, 0, 0}, 400, "invalid_content_encoding"},
		{"gzip with 6 MiB of name and comment", "gzip", bigComment, 400, "invalid_content_encoding"},
		{"gzip, cut", "gzip", gz[:len(gz)-1], 400, "invalid_content_encoding"},
		{"gzip, its header only", "gzip", gz[:10], 400, "invalid_content_encoding"},
		{"gzip, wrong checksum", "gzip", with(gz, len(gz)-8, 0), 400, "invalid_content_encoding"},
		{"gzip, garbage behind it", "gzip", append(bytes.Clone(gz), "garbage"...), 400, "invalid_content_encoding"},
		{"gzip, zeros behind it", "gzip", append(bytes.Clone(gz), make([]byte, 1000)...), 400, "invalid_content_encoding"},
		{"zstd, garbage behind it", "zstd", append(bytes.Clone(zs), "garbage"...), 400, "invalid_content_encoding"},
		{"zstd, cut", "zstd", zs[:len(zs)-1], 400, "invalid_content_encoding"},
		{"deflate, garbage behind it", "deflate", append(compressed(t, "deflate", good), "garbage"...), 400, "invalid_content_encoding"},
		{"raw deflate, garbage behind it", "deflate", append(compressed(t, "raw-deflate", good), "garbage"...), 400, "invalid_content_encoding"},
		{"deflate, another request behind it", "deflate", append(compressed(t, "deflate", good), compressed(t, "deflate", good)...), 400, "invalid_content_encoding"},
		{"deflate, cut", "deflate", compressed(t, "deflate", good)[:20], 400, "invalid_content_encoding"},
		{"nothing as gzip", "gzip", []byte{}, 400, "invalid_content_encoding"},
		{"nothing as deflate", "deflate", []byte{}, 400, "invalid_content_encoding"},
		{"nothing as zstd", "zstd", []byte{}, 400, "invalid_json"},
	} {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		rep := h.send("POST", "/v1/telemetry/batch", c.body, "Content-Encoding", c.coding)
		runtime.ReadMemStats(&after)
		if rep.status != c.status || c.status != 200 && rep.code(t) != c.code {
			t.Errorf("%s: %d %.200s, want %d %s", c.name, rep.status, rep.body, c.status, c.code)
		}
		if rep.status == 200 {
			if res := checked(t, rep); res.ProcessedEvents+res.DuplicateEvents != 1 {
				t.Errorf("%s: %+v", c.name, res)
			}
		}
		most := uint64(2 * (DefaultMaxBodyBytes + DefaultMaxDecodedBytes))
		if raceDetector {
			most *= 2
		}
		if grew := after.TotalAlloc - before.TotalAlloc; grew > most {
			t.Errorf("%s: %d MiB were allocated for a body of %d bytes", c.name, grew>>20, len(c.body))
		}
	}
	if used := h.srv.inFlight.used.Load(); used != 0 {
		t.Errorf("%d bytes are still in flight", used)
	}
}
