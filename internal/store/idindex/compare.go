package idindex

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/varint"
)

// Difference is one entry in which an index is not what the Log says.
type Difference struct {
	Entry   string // what it is about: "mark", "failed event", "batch", "job" or "pending job"
	Project string
	ID      string     // "" of a pending job
	Seq     entity.Seq // that the index has; 0 when it has none
	What    string     // "is missing", "is not in the log", "has …"
}

var entryNames = map[byte]string{
	kindMark: "mark", kindFailed: "failed event", kindBatch: "batch", kindJob: "job", kindPending: "pending job",
}

// Compare goes through all entries of x that have not expired at now, and through those of want, which was
// filled from the Log up to x's cursor. first is the first Seq of the Log: what lies before
// it was trimmed, and x may remember it until it expires. found gets each difference, in order, until it
// returns false.
func (x *Index) Compare(want *Index, first entity.Seq, now time.Time, found func(Difference) bool) error {
	c := comparison{first: first, now: now.UnixMicro(), found: found}
	for _, kinds := range [][2]byte{{kindMark, kindJob}, {kindPending, kindPending}} {
		more, err := c.kinds(x, want, kinds[0], kinds[1])
		if err != nil {
			return fmt.Errorf("compare id index: %w", err)
		}
		if !more {
			return nil
		}
	}
	return nil
}

type comparison struct {
	first entity.Seq
	now   int64
	found func(Difference) bool
}

func (c *comparison) kinds(x, want *Index, from, to byte) (more bool, err error) {
	bounds := &pebble.IterOptions{LowerBound: []byte{format, from}, UpperBound: kindEnd(to)}
	a, err := x.db.NewIter(bounds)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	b, err := want.db.NewIter(bounds)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	a.First()
	b.First()
	for a.Valid() || b.Valid() {
		order := 0
		switch {
		case !a.Valid():
			order = 1
		case !b.Valid():
			order = -1
		default:
			order = bytes.Compare(a.Key(), b.Key())
		}
		more, err := c.pair(a, b, order)
		if err != nil || !more {
			return more, err
		}
		if order <= 0 {
			a.Next()
		}
		if order >= 0 {
			b.Next()
		}
	}
	return true, errors.Join(a.Error(), b.Error())
}

// pair compares one entry: order is negative for one that only a has, positive for one that only b has.
func (c *comparison) pair(a, b *pebble.Iterator, order int) (more bool, err error) {
	var has, wants entryValue
	key := a.Key
	if order <= 0 {
		if has, err = readEntry(a); err != nil {
			return false, err
		}
	}
	if order >= 0 {
		key = b.Key
		if wants, err = readEntry(b); err != nil {
			return false, err
		}
	}
	if what := c.differ(key()[1], has, wants); what != "" {
		return c.found(describe(key(), has.seq, what)), nil
	}
	return true, nil
}

// entryValue is what an entry says; the zero one is of an entry that is not there.
type entryValue struct {
	there   bool
	expires int64
	seq     entity.Seq // of the event, the block, or the end of a job
	request entity.Seq
	status  JobChange
}

func readEntry(it *pebble.Iterator) (e entryValue, err error) {
	e.there = true
	v, err := it.ValueAndErr()
	if err != nil {
		return e, err
	}
	switch k := it.Key(); k[1] {
	case kindPending:
		if len(k) != pendingKeyLen {
			return e, fmt.Errorf("pending job: %w", errCorrupt)
		}
		e.seq = entity.Seq(binary.BigEndian.Uint64(k[2:]))
	case kindJob:
		j, err := parseJob(v)
		if err != nil {
			return e, err
		}
		e.expires, e.seq, e.request, e.status = j.expires, j.result, j.request, j.status
	default:
		if e.expires, e.seq, err = parseMark(v); err != nil {
			return e, err
		}
	}
	return e, nil
}

// differ says how an entry is not what it should be; "" when it is.
func (c *comparison) differ(kind byte, has, wants entryValue) string {
	hasIt, wantsIt := has.there && live(has.expires, c.now), wants.there && live(wants.expires, c.now)
	switch {
	case !hasIt && !wantsIt:
		return ""
	case !hasIt:
		return "is missing"
	case !wantsIt:
		// Recompression drops the requests of jobs that have ended, and with them what only these said.
		if has.seq < c.first || kind == kindBatch || kind == kindJob {
			return ""
		}
		return "is not in the log"
	case has.seq != wants.seq:
		return fmt.Sprintf("has Seq %d instead of %d", has.seq, wants.seq)
	case has.expires != wants.expires:
		return fmt.Sprintf("expires at %s instead of %s", stamp(has.expires), stamp(wants.expires))
	case has.status != wants.status:
		return "has another state than in the log"
	case wants.request != 0 && has.request != wants.request:
		return fmt.Sprintf("has its request at Seq %d instead of %d", has.request, wants.request)
	}
	return ""
}

func stamp(us int64) string { return time.UnixMicro(us).UTC().Format(time.RFC3339) }

func describe(key []byte, seq entity.Seq, what string) Difference {
	d := Difference{Entry: entryNames[key[1]], Seq: seq, What: what}
	if key[1] == kindPending {
		return d
	}
	r := varint.Reader{B: key[2:]}
	d.Project = string(r.Bytes())
	d.ID = string(r.B)
	return d
}
