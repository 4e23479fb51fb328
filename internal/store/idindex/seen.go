package idindex

import (
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Entry is what the index knows of one stored event.
type Entry struct {
	Seq     entity.Seq // 0: not known
	Expires time.Time  // end of the mark, UTC, microseconds
}

// Seen looks every id up and fills out, which is as long as ids: the entry of an
// id that is marked, the zero Entry for one that is not or whose mark
// has expired at now (Expires ≤ now). now may lag behind the index's clock by less
// than a minute. After an error out says nothing.
func (x *Index) Seen(project string, ids []string, now time.Time, out []Entry) error {
	if len(out) != len(ids) {
		return fmt.Errorf("look up ids: %d ids but room for %d", len(ids), len(out))
	}
	if len(ids) == 0 {
		return nil
	}
	if err := x.work.fault(); err != nil {
		return fmt.Errorf("look up ids: %w", err)
	}
	l := lookup{x: x, now: now.UnixMicro()}
	l.cover = x.filter.covers(l.now)
	buf := x.keys.Get().(*[]byte)
	defer x.keys.Put(buf)
	key := appendPrefix((*buf)[:0], kindMark, project)
	prefix := len(key)
	var err error
	for i, id := range ids {
		key = append(key[:prefix], id...)
		if out[i], err = l.find(key); err != nil {
			break
		}
	}
	*buf = key
	if l.it != nil {
		err = errors.Join(err, l.it.Close())
	}
	if err != nil {
		return fmt.Errorf("look up ids: %w", err)
	}
	return nil
}

// lookup finds marks for one call of Seen.
type lookup struct {
	x     *Index
	now   int64            // microseconds
	cover *cover           // nil: the filter proves nothing now
	it    *pebble.Iterator // opened for the first id that needs it
}

func (l *lookup) find(key []byte) (Entry, error) {
	if l.cover != nil && l.cover.absent(l.x.filter.hash(key)) {
		return Entry{}, nil
	}
	if l.it == nil {
		// One iterator for all ids, not a Get each: it is cheaper, and Get leaves the
		// Bloom filters of the last level aside, where nearly all ids lie.
		it, err := l.x.db.NewIter(&pebble.IterOptions{UseL6Filters: true})
		if err != nil {
			return Entry{}, err
		}
		l.it = it
	}
	if !l.it.SeekPrefixGE(key) {
		return Entry{}, l.it.Error()
	}
	v, err := l.it.ValueAndErr()
	if err != nil {
		return Entry{}, err
	}
	expires, seq, err := parseMark(v)
	if err != nil || !live(expires, l.now) {
		return Entry{}, err
	}
	return Entry{Seq: seq, Expires: time.UnixMicro(expires).UTC()}, nil
}

// Event finds a stored event whose mark has not expired.
func (x *Index) Event(project, id string) (Entry, bool, error) {
	expires, seq, ok, err := x.get("event", kindMark, project, id)
	if err != nil || !ok {
		return Entry{}, false, err
	}
	return Entry{Seq: seq, Expires: time.UnixMicro(expires).UTC()}, true, nil
}

// FailedEvent finds the block that says why an event failed, for store.ReceiptTTL.
func (x *Index) FailedEvent(project, id string) (entity.Seq, bool, error) {
	_, seq, ok, err := x.get("failed event", kindFailed, project, id)
	return seq, ok, err
}

// Batch finds the block that says what became of a batch: for store.ReceiptTTL,
// and of a batch whose job is pending the block of its request.
func (x *Index) Batch(project, batchID string) (entity.Seq, bool, error) {
	_, seq, ok, err := x.get("batch", kindBatch, project, batchID)
	return seq, ok, err
}

// get reads a mark or receipt that has not expired by the index's clock.
func (x *Index) get(what string, kind byte, project, id string) (expires int64, seq entity.Seq, ok bool, err error) {
	v, closer, err := x.db.Get(appendKey(nil, kind, project, id))
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, 0, false, nil
	}
	if err == nil {
		expires, seq, err = parseMark(v)
		err = errors.Join(err, closer.Close())
	}
	if err != nil {
		return 0, 0, false, fmt.Errorf("find %s: %w", what, err)
	}
	return expires, seq, live(expires, x.now().UnixMicro()), nil
}
