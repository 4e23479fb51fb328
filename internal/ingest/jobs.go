package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// CodeDuplicateEvents is the code of a batch that asked to fail on duplicates and has one.
const CodeDuplicateEvents = "duplicate_events"

// SubmitAsync makes the request durable as a job, queues it for Run, and answers
// with its id; r has been decoded from body, which Options.Decode can read by the
// name of its format. Neither must be changed afterwards. The errors are those of Submit, without store.ErrDuplicate;
// store.ErrUnavailable also says that too many jobs are pending.
func (in *Ingest) SubmitAsync(ctx context.Context, project, format string, r *Request, body []byte) (*wire.BatchResponse, error) {
	started := in.o.Now()
	j, err := in.jobs.reserve(store.Job{ID: "job_" + wire.NewID(), Project: project, Environment: r.Environment, KeyID: r.KeyID,
		BatchID: wire.NewID(), ReceivedAt: micro(started), Format: format, Body: body}, r)
	if err != nil {
		return nil, err
	}
	if err := in.o.Jobs.AddJob(context.WithoutCancel(ctx), j.Job); err != nil {
		in.jobs.remove(j)
		in.counters.add(func(c *Stats) { c.Unavailable++ })
		return nil, fmt.Errorf("add job: %w", err)
	}
	in.jobs.queue <- j
	return &wire.BatchResponse{BatchID: j.BatchID, JobID: j.ID, Errors: []wire.BatchEventError{}, DuplicateEventIDs: []string{},
		ProcessingTimeMS: max(0, in.o.Now().Sub(started).Milliseconds())}, nil
}

// WaitJob returns nil as soon as the job is not pending on this node, whether it
// has been finished or was never known (its receipt tells), or ctx's error when
// that ends first.
func (in *Ingest) WaitJob(ctx context.Context, project, jobID string) error {
	return in.jobs.wait(ctx, jobKey{project, jobID})
}

// JobWorking reports whether the job is being worked on now: its receipt only
// knows that it is pending.
func (in *Ingest) JobWorking(project, jobID string) bool {
	return in.jobs.working(jobKey{project, jobID})
}

// Run finishes the jobs that an earlier run left, then those that come, until
// ctx ends. What is not finished then is left for the next run. Its error is
// that of the Jobs or the Log being closed under it; nil when ctx ended.
func (in *Ingest) Run(ctx context.Context) error {
	if !in.adopted {
		if err := in.persist(ctx, "read pending jobs", func() error { return in.Adopt(ctx) }); err != nil {
			return orEnded(ctx, err)
		}
	}
	old := make(chan *job, len(in.left))
	for _, j := range in.left {
		old <- j
	}
	in.left = nil
	close(old)
	if err := in.work(ctx, old); err != nil {
		return orEnded(ctx, err)
	}
	return orEnded(ctx, in.work(ctx, in.jobs.queue))
}

func orEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Adopt reads the jobs that an earlier run left: from then on they count as pending, and Run
// finishes them. It is called before requests are taken; when it fails, Run does it.
func (in *Ingest) Adopt(ctx context.Context) error {
	pending, err := in.o.Jobs.PendingJobs(ctx)
	for _, j := range pending {
		if entry, isNew := in.jobs.adopt(j); isNew {
			in.left = append(in.left, entry)
		}
	}
	in.adopted = err == nil
	return err
}

// work has jobWorkers goroutines take jobs until the channel is closed or ctx ends.
func (in *Ingest) work(ctx context.Context, queue <-chan *job) error {
	g, ctx := errgroup.WithContext(ctx)
	for range jobWorkers {
		g.Go(func() error {
			for {
				select {
				case j, ok := <-queue:
					if !ok {
						return nil
					}
					if err := in.runJob(ctx, j); err != nil {
						return err
					}
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		})
	}
	return g.Wait()
}

// runJob works on a job until it has a result. It returns an error, and leaves
// the job pending, only when ctx ends or the store is closed.
func (in *Ingest) runJob(ctx context.Context, j *job) error {
	in.jobs.start(j)
	var resp *wire.BatchResponse
	err := in.persist(ctx, "process job", func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		resp, err = in.attempt(ctx, j)
		return err
	})
	refused := (*RequestError)(nil)
	switch {
	case err == nil:
		in.counters.add(func(c *Stats) { c.JobsCompleted++ })
	case errors.Is(err, store.ErrDuplicate):
		err = in.failJob(ctx, j, resp, wire.ErrorBody{Code: CodeDuplicateEvents,
			Message: "the batch holds duplicates and asked to fail on them; nothing was stored"})
	case errors.As(err, &refused):
		err = in.failJob(ctx, j, nil, wire.ErrorBody{Code: refused.Code, Message: refused.Message, Details: refused.Details})
	}
	if err != nil {
		return err
	}
	in.jobs.remove(j)
	return nil
}

func (in *Ingest) failJob(ctx context.Context, j *job, resp *wire.BatchResponse, why wire.ErrorBody) error {
	err := in.persist(ctx, "fail job", func() error {
		return in.o.Jobs.FailJob(context.WithoutCancel(ctx), j.Project, j.ID, resp, why)
	})
	if err == nil {
		in.counters.add(func(c *Stats) { c.JobsFailed++ })
	}
	return err
}

// attempt is Submit for a job. What it stores names the job, and that completes
// it in the same write: a job is never stored and pending.
func (in *Ingest) attempt(ctx context.Context, j *job) (*wire.BatchResponse, error) {
	r := j.request
	if j.request = nil; r == nil {
		var err error
		if r, err = in.o.Decode(j.Job); err != nil {
			return nil, err
		}
	}
	s := &submission{started: in.o.Now(), owner: j.ID} // the same owner in each attempt and run finds its own leases
	s.batch = store.Batch{Project: j.Project, Environment: j.Environment, KeyID: j.KeyID, ID: j.BatchID, ReceivedAt: j.ReceivedAt,
		Dedup: r.Dedup, Job: j.ID}
	return in.submit(context.WithoutCancel(ctx), s, r)
}

// persist repeats do with growing pauses, 50 ms to 5 s, until it succeeds, has a
// final answer, or ctx ends.
func (in *Ingest) persist(ctx context.Context, what string, do func() error) error {
	pause := 50 * time.Millisecond
	for {
		err := do()
		refused := (*RequestError)(nil)
		if err == nil || errors.Is(err, store.ErrDuplicate) || errors.Is(err, store.ErrClosed) ||
			errors.As(err, &refused) || ctx.Err() != nil {
			return err
		}
		in.o.Logger.Warn(what+" failed, trying again", "in", pause, "error", err)
		if err := clock.Sleep(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, 5*time.Second)
	}
}
