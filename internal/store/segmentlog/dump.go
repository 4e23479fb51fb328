package segmentlog

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// errNoSegment is what Dump answers for a file of something else.
var errNoSegment = errors.New("the file is no segment: it has neither a segment header nor a block")

// Dump prints the segment file at path: a line for the file, one per block, batch and
// event, and one for each stretch of damage. With payloads it prints those
// too, quoted. A nil fs is the operating system's. The error is one of reading or
// writing, never of what the file holds, unless that is no segment at all.
func Dump(w io.Writer, fs vfs.FS, path string, payloads bool) error {
	if err := dump(w, fs, path, payloads); err != nil {
		return fmt.Errorf("dump segment: %w", err)
	}
	return nil
}

func dump(w io.Writer, fs vfs.FS, path string, payloads bool) error {
	if fs == nil {
		fs = vfs.Default
	}
	f, err := fs.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	info, err := f.Stat()
	if err != nil {
		return err
	}
	c, err := newDecoder()
	if err != nil {
		return err
	}
	defer c.close()
	d := &dumper{w: bufio.NewWriter(w), codec: c, payloads: payloads}
	if err := d.file(f, path, info.Size()); err != nil {
		return errors.Join(err, d.w.Flush())
	}
	return d.w.Flush()
}

type dumper struct {
	w        *bufio.Writer // keeps the first error for Flush
	codec    *codec
	payloads bool
}

func (d *dumper) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(d.w, format, args...) // Flush returns the error
}

func (d *dumper) file(f io.ReaderAt, path string, size int64) error {
	sc := newScanner(f, size, scanAhead)
	h, err := readHeader(f)
	headless := errors.Is(err, errDamaged)
	switch {
	case headless:
		d.printf("segment %s bytes=%d DAMAGED header: %v\n", path, size, err)
	case err != nil:
		return err
	default:
		sc.salt, sc.salted, sc.after = h.salt, true, h.base-1
		d.printf("segment %s bytes=%d base=%d last=%d packed=%t jobs=%d salt=%08x created=%s\n", path, size,
			h.base, h.last, h.flags&flagPacked != 0, h.jobs, h.salt, stamp(h.created))
	}
	blocks, events := 0, 0
	for lost := int64(0); ; {
		bh, off, ok := sc.next()
		if sc.lost > lost {
			d.printf("DAMAGED %d bytes before offset %d\n", sc.lost-lost, sc.off)
			lost = sc.lost
		}
		if !ok {
			break
		}
		blocks++
		events += int(bh.events)
		if err := d.block(sc, &bh, off); err != nil {
			return err
		}
	}
	if headless && blocks == 0 && sc.err == nil {
		return errNoSegment
	}
	d.printf("end blocks=%d events=%d damaged_bytes=%d\n", blocks, events, sc.lost)
	return sc.err
}

func (d *dumper) block(sc *scanner, h *blockHeader, off int64) error {
	kind := [...]string{kindEvents: "events", kindJob: "job-request", kindJobFailure: "job-failure"}[h.kind]
	d.printf("block offset=%d kind=%s seqs=%d-%d events=%d committed=%s meta=%d/%d body=%d/%d\n", off, kind,
		h.first, h.last(), h.events, stamp(h.committed), h.metaLen, h.metaRaw, h.bodyLen, h.bodyRaw)
	stored, err := sc.sections(h, off, true)
	if err != nil {
		return err
	}
	b, err := d.codec.decodeSections(h, stored, true)
	if err != nil {
		d.printf("  DAMAGED %v\n", err)
		if b, err = d.codec.decodeSections(h, stored, false); err != nil {
			return nil // said already
		}
	}
	for i := range b.batches {
		d.batch(b, &b.batches[i])
	}
	if d.payloads && len(b.body) > 0 {
		d.printf("  body %q\n", b.body)
	}
	return nil
}

func (d *dumper) batch(b *block, t *batch) {
	d.printf("  batch seq=%d id=%q project=%q environment=%q job=%q received=%s dedup=%t ttl=%s\n",
		t.first, t.id, t.project, t.env, t.job, stamp(t.received), t.dedup, t.ttl)
	if t.key != "" {
		d.printf("    brought by key %q\n", t.key)
	}
	for i := range t.failed {
		f := &t.failed[i]
		d.printf("    failed id=%q code=%q error=%q\n", f.EventID, f.Code, f.Message)
	}
	for i := range t.notes {
		d.printf("    note id=%q %q\n", t.notes[i].EventID, t.notes[i].Note)
	}
	for i := t.at; i < t.at+t.events; i++ {
		seq := t.seq(i)
		switch {
		case b.dups.get(i):
			d.printf("    event seq=%d id=%q duplicate\n", seq, b.ids[i])
		case b.erased.get(i):
			d.printf("    event seq=%d id=%q erased\n", seq, b.ids[i])
		case !b.live(i):
			d.printf("    event seq=%d id=%q unreadable\n", seq, b.ids[i])
		default:
			e := &b.events[i]
			d.printf("    event seq=%d id=%q type=%s at=%s bytes=%d\n", seq, e.ID, e.Type, stamp(e.Timestamp.UnixMicro()), len(e.Payload))
			if d.payloads {
				d.printf("      %q\n", e.Payload)
			}
		}
	}
}

func stamp(us int64) string { return micros(us).Format("2006-01-02T15:04:05.000000Z") }
