package idindex

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/varint"
)

// Key layout. Every key starts with the format byte and the kind byte.
//
//	cursor           format kindCursor
//	of an id         format kind len(project) project id     kindMark, kindFailed, kindBatch, kindJob
//	pending job      format kindPending request(8)
//	due marks        format kindMarkDue minute(8) block(8)
//	due receipts     format kindReceiptDue minute(8) block(8)
//
// len(project) is a uvarint, so that no two (project, id) share a key and no
// project's keys lie among another's; the id is the rest. (8) is big endian:
// these keys are walked in order.
//
// Values:
//
//	cursor           uvarint seq, uvarint marks not yet swept
//	mark, failed, batch   varint expiry, uvarint seq
//	job              varint expiry, uvarint request, uvarint result, status byte, varint created, varint completed, batch id
//	pending job      empty
//	due              len(project) project, then per id: kind byte, len(id) id
//
// Times are microseconds since 1970; expiry 0 is never.
const format = FormatVersion

// FormatVersion is the version of the layout that this package reads and writes.
const FormatVersion = 1

const (
	kindCursor     = 0x01
	kindMark       = 0x10
	kindFailed     = 0x11
	kindBatch      = 0x12
	kindJob        = 0x13
	kindPending    = 0x20
	kindMarkDue    = 0x30
	kindReceiptDue = 0x31
)

const minuteMicros = int64(time.Minute / time.Microsecond)

// errCorrupt is a key or value that this package did not write.
var errCorrupt = errors.New("corrupt index entry")

// appendPrefix appends what all keys of one kind and project begin with.
func appendPrefix(b []byte, kind byte, project string) []byte {
	b = append(b, format, kind)
	return varint.AppendString(b, project)
}

// appendKey appends the key of an id.
func appendKey(b []byte, kind byte, project, id string) []byte {
	return append(appendPrefix(b, kind, project), id...)
}

func appendPendingKey(b []byte, request entity.Seq) []byte {
	return binary.BigEndian.AppendUint64(append(b, format, kindPending), uint64(request))
}

func appendDueKey(b []byte, kind byte, minute int64, block entity.Seq) []byte {
	b = binary.BigEndian.AppendUint64(append(b, format, kind), uint64(minute))
	return binary.BigEndian.AppendUint64(b, uint64(block))
}

// dueMinute is the first full minute at which everything that expires at
// micros has expired.
func dueMinute(micros int64) int64 {
	return max(0, (micros+minuteMicros-1)/minuteMicros)
}

// kindEnd is the first key behind those of kind.
func kindEnd(kind byte) []byte { return []byte{format, kind + 1} }

// appendMark appends the value of a mark or receipt.
func appendMark(b []byte, expires int64, seq entity.Seq) []byte {
	return binary.AppendUvarint(binary.AppendVarint(b, expires), uint64(seq))
}

func parseMark(v []byte) (expires int64, seq entity.Seq, err error) {
	r := varint.Reader{B: v}
	expires, seq = r.Varint(), entity.Seq(r.Uvarint())
	return expires, seq, bad(&r, "mark")
}

// parseExpiry reads what every value of an id begins with.
func parseExpiry(v []byte) (int64, error) {
	r := varint.Reader{B: v}
	e := r.Varint()
	return e, bad(&r, "expiry")
}

func live(expires, now int64) bool { return expires == 0 || expires > now }

// bad is the error of a reader that did not find what it read.
func bad(r *varint.Reader, what string) error {
	if r.Bad {
		return fmt.Errorf("%s: %w", what, errCorrupt)
	}
	return nil
}
