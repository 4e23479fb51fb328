package segmentlog

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/idindex"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// request is one block on its way to the committer. What it holds is used
// again by later requests, except what the tail and the caller keep.
type request struct {
	kind   byte // 0: seal the active segment, nothing to write
	batch  batch
	dedup  store.Dedup
	job    idindex.JobChange
	failed []string // ids of the failed events
	header blockHeader
	meta   []byte // sections as stored
	body   []byte
	zbuf   []byte // memory that body may lie in

	outcomes []store.Outcome // the caller's
	block    *block          // the tail's; whole once it was written

	seqs  []entity.Seq // of the stored events
	entry []idindex.Entry
	keep  []string // ids of the stored events, when some are not
	err   error
	done  chan struct{} // one token when the committer has decided
}

func (l *Log) newRequest(kind byte) *request {
	r, ok := l.requests.Get().(*request)
	if !ok {
		r = &request{done: make(chan struct{}, 1)}
	}
	r.kind, r.block = kind, &block{}
	return r
}

// free gives the request's memory to the next one.
func (l *Log) free(r *request) {
	clear(r.failed)
	clear(r.keep)
	*r = request{
		failed: r.failed[:0], meta: r.meta[:0], zbuf: r.zbuf[:0],
		seqs: r.seqs[:0], entry: r.entry[:0], keep: r.keep[:0], done: r.done,
	}
	const most = 4 << 20
	if cap(r.zbuf)+cap(r.meta) < most {
		l.requests.Put(r)
	}
}

// Append implements store.Log. The Log keeps no reference to payloads after it
// returned; it keeps the strings and the rows of b.
func (l *Log) Append(ctx context.Context, b *store.Batch) ([]store.Outcome, error) {
	r := l.newRequest(kindEvents)
	defer l.free(r)
	if err := l.prepare(r, b); err != nil {
		return nil, fmt.Errorf("append batch: %w", err)
	}
	if err := l.submit(ctx, r); err != nil {
		return nil, fmt.Errorf("append batch: %w", err)
	}
	if r.err != nil {
		return r.outcomes, fmt.Errorf("append batch: %w", r.err)
	}
	return r.outcomes, nil
}

// prepare encodes and compresses everything that does not depend on other
// requests, on the caller's goroutine.
func (l *Log) prepare(r *request, b *store.Batch) error {
	n := len(b.Events)
	if b.Rows != nil && len(b.Rows) != n {
		return fmt.Errorf("%d events but %d rows", n, len(b.Rows))
	}
	size := bodySize(b.Events)
	if n > maxEvents || size > maxBody {
		return fmt.Errorf("batch of %d events and %d bytes is larger than a block", n, size)
	}
	r.dedup = b.Dedup
	r.batch = batch{
		events: n, received: b.ReceivedAt.UnixMicro(), project: b.Project, env: b.Environment, id: b.ID,
		job: b.Job, key: b.KeyID, dedup: b.Dedup.Enabled, ttl: b.Dedup.TTL, failed: slices.Clone(b.Failed), notes: slices.Clone(b.Notes),
	}
	if b.Job != "" {
		r.job = idindex.JobCompleted
	}
	for i := range b.Failed {
		r.failed = append(r.failed, b.Failed[i].EventID)
	}
	raw, payloads := appendBody(make([]byte, 0, size), b.Events)
	r.setBody(raw)
	r.block = blockOf(b, raw[payloads:])
	r.outcomes = make([]store.Outcome, n)
	return r.setMeta()
}

// blockOf is the batch as followers will read it, with payloads in the Log's own memory.
func blockOf(b *store.Batch, payloads []byte) *block {
	n := len(b.Events)
	t := &block{ids: make([]string, n), events: slices.Clone(b.Events), rows: b.Rows, cost: blockSize + int64(len(payloads)) + int64(n)*eventSize}
	for i := range b.Notes {
		t.cost += 64 + int64(len(b.Notes[i].Note))
	}
	for i := range t.events {
		e := &t.events[i]
		size := len(e.Payload)
		e.Payload, payloads = payloads[:size:size], payloads[size:]
		e.Timestamp = wire.At(e.Timestamp.Time)
		t.ids[i] = e.ID
		t.cost += int64(len(e.ID))
		if b.Rows != nil {
			t.cost += int64(len(b.Rows[i]))
		}
	}
	return t
}

func (r *request) setMeta() error {
	r.meta = appendMeta(r.meta[:0], 0, 0, []batch{r.batch}, r.block.ids)
	if len(r.meta) > maxMeta {
		return fmt.Errorf("ids and errors of %d bytes are larger than a block", len(r.meta))
	}
	r.header.kind = r.kind
	r.header.span = uint32(r.batch.span())
	r.header.events = uint32(r.batch.events)
	r.header.metaLen, r.header.metaRaw = uint32(len(r.meta)), uint32(len(r.meta))
	r.header.metaCRC = checksum(r.meta)
	return nil
}

func (r *request) setBody(raw []byte) {
	r.body = fast(raw, r.zbuf)
	if r.header.s2 = len(r.body) < len(raw); r.header.s2 {
		r.zbuf = r.body
	}
	r.header.bodyLen, r.header.bodyRaw = uint32(len(r.body)), uint32(len(raw))
	r.header.bodyCRC = checksum(r.body)
}

// submit queues r and waits until the committer has decided it. ctx bounds the
// wait for a place in the queue.
func (l *Log) submit(ctx context.Context, r *request) error {
	err := l.queued(ctx, r)
	if err == nil {
		<-r.done
	}
	return err
}

func (l *Log) send(ctx context.Context, r *request) error {
	select {
	case l.queue <- r:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// AddJob implements store.Jobs.
func (l *Log) AddJob(ctx context.Context, j store.Job) error {
	r := l.newRequest(kindJob)
	r.job = idindex.JobAdded
	r.batch = batch{
		received: j.ReceivedAt.UnixMicro(), project: j.Project, env: j.Environment, id: j.BatchID, job: j.ID, key: j.KeyID, format: j.Format,
	}
	return l.submitJob(ctx, r, j.Body, "add job")
}

// jobFailure is the body of the block that ends a job which stored nothing.
type jobFailure struct {
	Result *wire.BatchResponse `json:"result"`
	Error  wire.ErrorBody      `json:"error"`
}

// FailJob implements store.Jobs.
func (l *Log) FailJob(ctx context.Context, project, jobID string, result *wire.BatchResponse, why wire.ErrorBody) error {
	body, err := json.Marshal(jobFailure{result, why})
	if err != nil {
		return fmt.Errorf("fail job: %w", err)
	}
	r := l.newRequest(kindJobFailure)
	r.job = idindex.JobFailed
	r.batch = batch{received: l.jobReceived(project, jobID), project: project, job: jobID}
	if result != nil {
		r.batch.id = result.BatchID
		for i := range result.Errors {
			r.failed = append(r.failed, result.Errors[i].EventID)
		}
		r.batch.failed = slices.Clone(result.Errors)
	}
	return l.submitJob(ctx, r, body, "fail job")
}

func (l *Log) submitJob(ctx context.Context, r *request, body []byte, what string) error {
	defer l.free(r)
	if len(body) > maxBody {
		return fmt.Errorf("%s: request of %d bytes is larger than a block", what, len(body))
	}
	r.setBody(body)
	err := r.setMeta()
	if err == nil {
		err = l.submit(ctx, r)
	}
	if err == nil {
		err = r.err
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
