package idindex

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/varint"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// JobEntry is what the index knows of one job.
type JobEntry struct {
	Request entity.Seq // block of the raw request; 0 when only the end is still in the Log
	Result  entity.Seq // block of the end; 0 while pending
	// Status is JobPending, JobCompleted or JobFailed.
	Status      wire.JobStatus
	CreatedAt   time.Time // UTC
	CompletedAt time.Time // UTC; zero while pending
}

// Job finds a job: pending ones always, ended ones for store.ReceiptTTL.
func (x *Index) Job(project, jobID string) (JobEntry, bool, error) {
	v, ok, err := x.getJob(appendKey(nil, kindJob, project, jobID))
	if err != nil {
		return JobEntry{}, false, fmt.Errorf("find job: %w", err)
	}
	if !ok || !live(v.expires, x.now().UnixMicro()) {
		return JobEntry{}, false, nil
	}
	e := JobEntry{Request: v.request, Result: v.result, CreatedAt: time.UnixMicro(v.created).UTC()}
	switch v.status {
	case JobCompleted:
		e.Status = wire.JobCompleted
	case JobFailed:
		e.Status = wire.JobFailed
	default:
		e.Status = wire.JobPending
		return e, true, nil
	}
	e.CompletedAt = time.UnixMicro(v.completed).UTC()
	return e, true, nil
}

// PendingJobs returns the request blocks of the jobs that have not ended, oldest first.
func (x *Index) PendingJobs() ([]entity.Seq, error) {
	it, err := x.db.NewIter(&pebble.IterOptions{
		LowerBound: []byte{format, kindPending}, UpperBound: kindEnd(kindPending),
	})
	if err != nil {
		return nil, fmt.Errorf("list pending jobs: %w", err)
	}
	var seqs []entity.Seq
	for it.First(); it.Valid(); it.Next() {
		if k := it.Key(); len(k) == pendingKeyLen {
			seqs = append(seqs, entity.Seq(binary.BigEndian.Uint64(k[2:])))
		}
	}
	if err := errors.Join(it.Error(), it.Close()); err != nil {
		return nil, fmt.Errorf("list pending jobs: %w", err)
	}
	return seqs, nil
}

// getJob reads a job, also one that has expired.
func (x *Index) getJob(key []byte) (jobValue, bool, error) {
	v, closer, err := x.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return jobValue{}, false, nil
	}
	if err != nil {
		return jobValue{}, false, err
	}
	job, err := parseJob(v)
	return job, err == nil, errors.Join(err, closer.Close())
}

// jobValue is a job as it is stored. Times are microseconds.
type jobValue struct {
	expires            int64 // 0 while pending
	request, result    entity.Seq
	status             JobChange
	created, completed int64
	batchID            string
}

func (j jobValue) append(b []byte) []byte {
	b = binary.AppendVarint(b, j.expires)
	b = binary.AppendUvarint(b, uint64(j.request))
	b = binary.AppendUvarint(b, uint64(j.result))
	b = append(b, byte(j.status))
	b = binary.AppendVarint(b, j.created)
	b = binary.AppendVarint(b, j.completed)
	return append(b, j.batchID...)
}

func parseJob(v []byte) (jobValue, error) {
	r := varint.Reader{B: v}
	j := jobValue{
		expires: r.Varint(),
		request: entity.Seq(r.Uvarint()), result: entity.Seq(r.Uvarint()),
		status:  JobChange(r.Byte()),
		created: r.Varint(), completed: r.Varint(),
	}
	j.batchID = string(r.B)
	return j, bad(&r, "job")
}
