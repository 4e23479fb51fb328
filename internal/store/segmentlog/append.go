package segmentlog

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

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
	ids    []string
	failed []string // their ids
	header blockHeader
	meta   []byte // sections as stored
	body   []byte
	zbuf   []byte // memory that body may lie in

	outcomes []store.Outcome // the caller's
	recs     []entity.Record // the tail's; all events, until the committer takes the duplicates out
	cost     int64           // of recs

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
	r.kind = kind
	return r
}

// free gives the request's memory to the next one.
func (l *Log) free(r *request) {
	clear(r.ids)
	clear(r.failed)
	clear(r.keep)
	*r = request{
		ids: r.ids[:0], failed: r.failed[:0], meta: r.meta[:0], zbuf: r.zbuf[:0],
		seqs: r.seqs[:0], entry: r.entry[:0], keep: r.keep[:0], done: r.done,
	}
	const most = 4 << 20
	if cap(r.zbuf)+cap(r.meta) < most {
		l.requests.Put(r)
	}
}

// Append implements store.Log. The Log keeps no reference to payloads after it
// returned; it keeps the strings and the Fields of b.
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
	if b.Fields != nil && len(b.Fields) != n {
		return fmt.Errorf("%d events but %d fields", n, len(b.Fields))
	}
	size := bodySize(b.Events)
	if n > maxEvents || size > maxBody {
		return fmt.Errorf("batch of %d events and %d bytes is larger than a block", n, size)
	}
	r.dedup = b.Dedup
	r.batch = batch{
		events: n, received: b.ReceivedAt.UnixMicro(), project: b.Project, env: b.Environment, id: b.ID,
		job: b.Job, dedup: b.Dedup.Enabled, ttl: b.Dedup.TTL, failed: b.Failed, notes: b.Notes,
	}
	if b.Job != "" {
		r.job = idindex.JobCompleted
	}
	for i := range b.Events {
		r.ids = append(r.ids, b.Events[i].ID)
	}
	for i := range b.Failed {
		r.failed = append(r.failed, b.Failed[i].EventID)
	}
	raw, payloads := appendBody(make([]byte, 0, size), b.Events)
	r.setBody(raw)
	r.records(b, raw[payloads:])
	r.outcomes = make([]store.Outcome, n)
	return r.setMeta()
}

func (r *request) setMeta() error {
	r.meta = appendMeta(r.meta[:0], 0, 0, []batch{r.batch}, r.ids)
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

// records makes what followers will read, with payloads in the Log's own memory.
func (r *request) records(b *store.Batch, payloads []byte) {
	const recordSize, valueSize = 192, 64
	received := time.UnixMicro(r.batch.received).UTC()
	r.recs = make([]entity.Record, len(b.Events))
	r.cost = int64(len(payloads)) + 256
	for i := range b.Notes {
		r.cost += 64 + int64(len(b.Notes[i].Note))
	}
	for i := range b.Events {
		e := b.Events[i]
		n := len(e.Payload)
		e.Payload, payloads = payloads[:n:n], payloads[n:]
		e.Timestamp = wire.At(e.Timestamp.Time)
		r.recs[i] = entity.Record{
			Project: b.Project, Environment: b.Environment, BatchID: b.ID, ReceivedAt: received, Event: e,
		}
		if len(b.Notes) > 0 {
			r.recs[i].Notes = r.batch.notesOf(e.ID)
		}
		r.cost += recordSize + int64(len(e.ID))
		if b.Fields != nil && b.Fields[i] != nil {
			r.recs[i].Fields = b.Fields[i]
			r.cost += recordSize + valueSize*int64(cap(b.Fields[i].Values))
		}
	}
}

// submit queues r and waits until the committer has decided it. ctx bounds the
// wait for a place in the queue.
func (l *Log) submit(ctx context.Context, r *request) error {
	if err := l.enter(); err != nil {
		return err
	}
	err := l.send(ctx, r)
	l.exit()
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
		received: j.ReceivedAt.UnixMicro(), project: j.Project, env: j.Environment, id: j.BatchID, job: j.ID, format: j.Format,
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
