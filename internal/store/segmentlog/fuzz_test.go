package segmentlog

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// FuzzBlock gives the decoder of sections bytes whose checksums are right: it
// must not panic, and what it accepts must encode to the same sections again.
func FuzzBlock(f *testing.F) {
	for _, b := range goldenBlocks() {
		f.Add(b.h.kind, uint64(b.h.first), b.h.span, b.h.events, b.meta, b.body)
	}
	c, err := newDecoder()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, kind byte, first uint64, span, events uint32, meta, body []byte) {
		h := blockHeader{kind: kind, first: entity.Seq(first), span: span, events: events}
		h.metaLen, h.metaRaw, h.metaCRC = uint32(len(meta)), uint32(len(meta)), checksum(meta)
		h.setBody(body, body)
		head := h.append(nil)
		h, err := parseBlockHeader(head)
		if err != nil {
			return
		}
		if err := h.withBitmaps(head); err != nil {
			t.Fatal(err)
		}
		b, err := c.decodeSections(&h, append(bytes.Clone(meta), body...), true)
		if err != nil {
			return
		}
		recs, upto := b.appendRecords(nil, 0, 1<<30, nil)
		if upto != h.last() || len(recs) > int(h.events) {
			t.Fatalf("%d records up to %d", len(recs), upto)
		}
		for i, r := range recs {
			if r.Seq < h.first || r.Seq > h.last() || i > 0 && r.Seq <= recs[i-1].Seq {
				t.Fatalf("record %d has seq %d in %d-%d", i, r.Seq, h.first, h.last())
			}
			if tb, j := b.find(r.Seq); tb == nil || j < 0 || b.ids[j] != r.Event.ID {
				t.Fatalf("record %d is not found by its seq", r.Seq)
			}
		}
		again := appendMeta(nil, h.first, h.committed, b.batches, b.ids)
		batches, ids, err := decodeMeta(&h, again)
		if err != nil || len(batches) != len(b.batches) || len(ids) != len(b.ids) {
			t.Fatalf("encoded again it does not decode: %v", err)
		}
		if b.events != nil {
			raw, _ := appendBody(nil, b.events)
			twice, err := decodeBody(raw, b.ids)
			if err != nil || len(twice) != len(b.events) {
				t.Fatalf("encoded again the body does not decode: %v", err)
			}
		}
	})
}

// FuzzSegment gives the readers any file: no panic, an end, and no block that
// overlaps another. fix repairs the checksum of the header at that offset, so that the fuzzer
// gets past it.
func FuzzSegment(f *testing.F) {
	whole := goldenSegment()
	f.Add(whole, uint16(headerLen))
	f.Add(whole[:len(whole)-7], uint16(0))
	f.Add(append(bytes.Clone(whole), whole...), uint16(len(whole)))
	old, err := os.ReadFile(filepath.Join("testdata", "v1.seg"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(old, uint16(200))
	f.Add(bytes.Repeat([]byte("no segment"), 44), uint16(0))
	f.Add([]byte{}, uint16(0))
	c, err := newDecoder()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte, fix uint16) {
		b = bytes.Clone(b)
		if at := int(fix); at+headerLen <= len(b) {
			if h, err := parseBlockHeader(b[at:]); err == nil && at+h.headLen() <= len(b) {
				crc := crc32.Update(checksum(b[at:at+60]), crc32.MakeTable(crc32.Castagnoli), b[at+headerLen:at+h.headLen()])
				binary.LittleEndian.PutUint32(b[at+60:], crc)
			}
		}
		blocks := 0
		for _, verify := range []bool{false, true} {
			sc := newScanner(bytes.NewReader(b), int64(len(b)), 512)
			sc.verify = verify
			end, last := int64(headerLen), entity.Seq(0)
			for {
				h, off, ok := sc.next()
				if !ok {
					break
				}
				if off < end || off+h.size() > int64(len(b)) || h.first <= last {
					t.Fatalf("block at %d after %d, seqs %d-%d after %d", off, end, h.first, h.last(), last)
				}
				end, last = off+h.size(), h.last()
				blocks++
			}
			if sc.err != nil || sc.lost > int64(len(b)) {
				t.Fatalf("%d bytes lost of %d, %v", sc.lost, len(b), sc.err)
			}
		}
		d := &dumper{w: bufio.NewWriter(io.Discard), codec: c, payloads: true}
		err := d.file(bytes.NewReader(b), "x.seg", int64(len(b)))
		switch {
		case errors.Is(err, errNoSegment):
			if blocks > 0 {
				t.Fatalf("%d blocks were found in what is said to be no segment", blocks)
			}
		case err != nil && !strings.Contains(err.Error(), "format version"):
			t.Fatal(err)
		}
	})
}
