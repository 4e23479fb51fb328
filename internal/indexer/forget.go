package indexer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
)

// QuarantinedOf counts the project's records in quarantine.
func (x *Indexer) QuarantinedOf(project string) int64 {
	n := int64(0)
	for _, q := range x.quarantine.all() {
		if q.Project == project {
			n++
		}
	}
	return n
}

// Forget drops the records at seqs from the quarantine. The file is written
// anew, without them and without all that has left: an id may name a person.
func (x *Indexer) Forget(seqs []entity.Seq) error {
	if err := x.quarantine.forget(seqs); err != nil {
		return fmt.Errorf("forget quarantined records: %w", err)
	}
	return nil
}

// Forget drops the records at seqs from the quarantine in dir, which no Indexer uses.
func Forget(dir string, seqs []entity.Seq) error {
	if _, err := os.Stat(filepath.Join(dir, QuarantineFile)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	q, err := openQuarantine(dir)
	if err == nil {
		err = q.forget(seqs)
	}
	if err != nil {
		return fmt.Errorf("forget quarantined records: %w", err)
	}
	return nil
}

// Listed is the records in quarantine of a node that does not run, in the order of their Seq. The
// file in dir is only read; one that is absent has none.
func Listed(dir string) ([]Quarantined, error) {
	q := &quarantine{list: map[uint64]Quarantined{}}
	f, err := os.Open(filepath.Join(dir, QuarantineFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = errors.Join(q.load(f), f.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("read quarantine: %w", err)
	}
	return q.all(), nil
}

func (q *quarantine) forget(seqs []entity.Seq) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.size == 0 {
		return nil
	}
	kept := maps.Clone(q.list)
	for _, seq := range seqs {
		delete(kept, uint64(seq))
	}
	var b bytes.Buffer
	encode := json.NewEncoder(&b)
	for _, seq := range slices.Sorted(maps.Keys(kept)) {
		if err := encode.Encode(entry{Quarantined: kept[seq]}); err != nil {
			return err
		}
	}
	if err := durable.Replace(q.path, b.Bytes()); err != nil {
		return err
	}
	q.list, q.size = kept, int64(b.Len())
	return nil
}

// ForgetGone drops the records from the quarantine that the Log does not have any
// more, because they have expired.
func (x *Indexer) ForgetGone(ctx context.Context) error {
	var seqs []entity.Seq
	for _, q := range x.quarantine.all() {
		recs, err := x.o.Log.Get(ctx, []entity.Seq{entity.Seq(q.Seq)})
		if err != nil {
			return fmt.Errorf("forget expired quarantined records: %w", err)
		}
		if len(recs) == 0 {
			seqs = append(seqs, entity.Seq(q.Seq))
		}
	}
	if len(seqs) == 0 {
		return nil
	}
	return x.Forget(seqs)
}
