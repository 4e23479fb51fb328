package segmentlog

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

var update = flag.Bool("update", false, "write the golden segment anew; only when the format changes on purpose")

const goldenBase, goldenSalt = 41, 0x5eed5a17

// goldenBlocks are the blocks of the golden segment: one of each kind and form.
func goldenBlocks() []blockHeaderAndSections {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)
	event := func(id string, typ wire.EventType, payload string, d time.Duration) wire.Event {
		return wire.Event{ID: id, Type: typ, Payload: []byte(payload), Timestamp: wire.At(at.Add(d))}
	}
	meta := batch{
		committed: at.Add(3 * time.Millisecond).UnixMicro(), received: at.UnixMicro(), project: "default", env: "production",
		id: "01K0ZV6C000000000000000001", dedup: true, ttl: time.Hour,
	}
	job := meta
	job.id, job.job, job.dedup, job.ttl = "01K0ZV6C000000000000000002", "job_01K0ZV6C000000000000000003", false, 0
	meta.key, job.key = "key_00112233445566ff", "a key that another program names"
	failed := meta
	failed.id = "01K0ZV6C000000000000000004"
	failed.failed = []wire.BatchEventError{{
		EventID: "bad", Message: "Missing required field 'name'", Details: "trace_create needs payload.name", Code: "missing_field", Retryable: true,
	}}
	return []blockHeaderAndSections{
		goldenBlock(kindEvents, 41, []batch{meta}, []wire.Event{
			event("01K0ZV6B3T8M5Q2Y7R4N1W9XCD", wire.TraceCreate, `{"name":"жизнь 🙂"}`, 0),
			event("dup", wire.ObservationUpdate, `{"id":"x"}`, time.Second),
			event("e3", "future_type", `{}`, -time.Hour),
		}, nil, []int{1}, nil),
		goldenBlock(kindEvents, 44, []batch{failed}, nil, nil, nil, nil),
		goldenBlock(kindJob, 45, []batch{job}, nil, []byte(`{"events":[]}`), nil, nil),
		goldenBlock(kindJobFailure, 46, []batch{job}, nil, []byte(`{"result":null,"error":{"code":"c","message":"m"}}`), nil, nil),
		// Two batches in one block, with a hole between them, as recompression makes them.
		goldenBlock(kindEvents, 50, []batch{meta, failed}, []wire.Event{
			event("p1", wire.EventCreate, `{"a":1}`, 0),
			event("p2", wire.QualityScoreCreate, ``, 0),
		}, nil, nil, []int{1}),
	}
}

type blockHeaderAndSections struct {
	h          blockHeader
	meta, body []byte
}

// goldenBlock splits the events evenly over the batches, which take 5 Seqs each when there are two.
// Sections are stored as they are, so that the bytes do not depend on a compressor's version.
func goldenBlock(kind byte, first entity.Seq, batches []batch, events []wire.Event, body []byte, dups, erased []int) blockHeaderAndSections {
	h := blockHeader{
		kind: kind, first: first, events: uint32(len(events)), committed: batches[0].committed,
		dups: bitmapOf(dups, len(events)), erased: bitmapOf(erased, len(events)),
	}
	for i := range batches {
		batches[i].first = first + entity.Seq(5*i)
		batches[i].events = len(events) / len(batches)
	}
	last := &batches[len(batches)-1]
	h.span = uint32(last.first-first) + uint32(last.span())
	if events != nil {
		body, _ = appendBody(nil, events)
	}
	var ids []string
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	meta := appendMeta(nil, first, h.committed, batches, ids)
	h.metaLen, h.metaRaw, h.metaCRC = uint32(len(meta)), uint32(len(meta)), checksum(meta)
	h.setBody(body, body)
	return blockHeaderAndSections{h, meta, body}
}

func goldenSegment() []byte {
	header := segmentHeader{salt: goldenSalt, base: goldenBase, created: 1772366400123456}
	b := header.append(nil)
	for _, blk := range goldenBlocks() {
		blk.h.salt = goldenSalt
		b = append(append(blk.h.append(b), blk.meta...), blk.body...)
	}
	return b
}

// The golden segment was written when the format was. Today's code writes the
// same bytes and reads them to the same dump. Of the version before it is only read.
func TestGolden(t *testing.T) {
	t.Parallel()
	path := filepath.Join("testdata", "v2.seg")
	if *update {
		if err := os.WriteFile(path, goldenSegment(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(goldenSegment(), want) {
		t.Error("today's code writes other bytes; a change of format needs a new version")
	}
	sameDump(t, "v1", false)
	sameDump(t, "v2", *update)
}

func sameDump(t *testing.T, version string, update bool) {
	t.Helper()
	path := filepath.Join("testdata", version+".seg")
	var out bytes.Buffer
	if err := Dump(&out, nil, path, true); err != nil {
		t.Fatal(err)
	}
	dump := strings.ReplaceAll(out.String(), path, version+".seg")
	golden := filepath.Join("testdata", version+".dump")
	if update {
		if err := os.WriteFile(golden, []byte(dump), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	wantDump, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if dump != string(wantDump) {
		t.Errorf("dump of %s differs:\n%s", version, dump)
	}
}

// A file that holds neither a segment's header nor a block is an error, not a dump of nothing.
func TestDumpOfSomethingElse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(path, []byte(strings.Repeat("no segment at all\n", 20)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Dump(&bytes.Buffer{}, nil, path, false); err == nil || !strings.Contains(err.Error(), "no segment") {
		t.Errorf("error %v", err)
	}
}
