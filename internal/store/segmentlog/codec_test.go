package segmentlog

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/klauspost/compress/s2"
)

// Both compressions give back what went in, and say damaged for what is not
// theirs or claims another length: before memory is taken for it.
func TestCompressions(t *testing.T) {
	c, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	raw := []byte(strings.Repeat(`{"name":"chat","model":"gpt"}`, 100))
	for name, form := range map[string]struct {
		compress compressor
		isS2     bool
	}{"S2": {fast, true}, "zstd": {c.dense, false}} {
		stored := form.compress(raw, nil)
		if len(stored)*4 > len(raw) {
			t.Errorf("%s: %d bytes of %d", name, len(stored), len(raw))
		}
		if got, err := c.inflate(stored, len(raw), form.isS2); err != nil || !bytes.Equal(got, raw) {
			t.Errorf("%s: %d bytes came back, %v", name, len(got), err)
		}
		for what, bad := range map[string][]byte{"cut": stored[:len(stored)/2], "of the other form": stored} {
			isS2 := form.isS2 == (what == "cut")
			if _, err := c.inflate(bad, len(raw), isS2); !errors.Is(err, errDamaged) {
				t.Errorf("%s %s: %v", name, what, err)
			}
		}
		if _, err := c.inflate(stored, len(raw)+1, form.isS2); !errors.Is(err, errDamaged) {
			t.Errorf("%s of another length: %v", name, err)
		}
	}
	huge := append([]byte{0xff, 0xff, 0xff, 0xff, 0x0f}, s2.Encode(nil, raw)...)
	if _, err := c.inflate(huge, len(raw), true); !errors.Is(err, errDamaged) {
		t.Errorf("a length of 4 GiB: %v", err)
	}
	if got := fast([]byte("short"), nil); string(got) != "short" {
		t.Errorf("a short section became %q", got)
	}
}
