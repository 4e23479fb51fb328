package ingest

import (
	"context"
	"fmt"
	"sync"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// jobTable knows the jobs that are accepted and not finished in this process.
type jobTable struct {
	maxJobs  int
	maxBytes int64
	// queue carries the jobs that workers have not taken. It has room for maxJobs,
	// and reserve lets no more in, so sending never blocks.
	queue chan *job

	mu    sync.Mutex // guards all below
	jobs  map[jobKey]*job
	bytes int64 // that they hold
}

type jobKey struct{ project, id string }

type job struct {
	store.Job
	// request is Body as it was read when the job was accepted, for the first attempt, which changes it; nil: it is
	// to be read. Only the worker that has the job uses it.
	request *Request
	bytes   int64         // that it holds
	working bool          // a worker has it; guarded by jobTable.mu
	done    chan struct{} // closed when it is finished, or was not accepted
}

func newJobTable(maxJobs int, maxBytes int64) jobTable {
	return jobTable{maxJobs: maxJobs, maxBytes: maxBytes, queue: make(chan *job, maxJobs), jobs: map[jobKey]*job{}}
}

func (t *jobTable) pending() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.jobs)
}

// reserve enters a new job, whose body says r, if there is room for it. A single job that is larger
// than the byte limit has room when nothing else is there.
func (t *jobTable) reserve(j store.Job, r *Request) (*job, error) {
	bytes := int64(len(j.Body)) + r.beside()
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.jobs) >= t.maxJobs || len(t.jobs) > 0 && t.bytes+bytes > t.maxBytes {
		return nil, fmt.Errorf("%w: %d jobs of %d bytes are pending", store.ErrUnavailable, len(t.jobs), t.bytes)
	}
	return t.enter(&job{Job: j, request: r, bytes: bytes}), nil
}

// adopt enters a job of an earlier run, unless it is known.
func (t *jobTable) adopt(j store.Job) (*job, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.jobs[jobKey{j.Project, j.ID}]; known {
		return nil, false
	}
	return t.enter(&job{Job: j, bytes: int64(len(j.Body))}), true
}

func (t *jobTable) enter(j *job) *job {
	j.done = make(chan struct{})
	t.jobs[jobKey{j.Project, j.ID}] = j
	t.bytes += j.bytes
	return j
}

func (t *jobTable) start(j *job) {
	t.mu.Lock()
	defer t.mu.Unlock()
	j.working = true
}

// remove takes a job out and wakes who waits for it.
func (t *jobTable) remove(j *job) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.jobs, jobKey{j.Project, j.ID})
	t.bytes -= j.bytes
	close(j.done)
}

// wait returns when the job is not pending here, or with ctx's error.
func (t *jobTable) wait(ctx context.Context, key jobKey) error {
	t.mu.Lock()
	j := t.jobs[key]
	t.mu.Unlock()
	if j == nil {
		return nil
	}
	select {
	case <-j.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// waitAll returns when the jobs of the project that are pending now have ended, or with ctx's error.
func (t *jobTable) waitAll(ctx context.Context, project string) error {
	for _, j := range t.of(project) {
		select {
		case <-j.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// of lists the pending jobs of a project.
func (t *jobTable) of(project string) []*job {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []*job
	for key, j := range t.jobs {
		if key.project == project {
			list = append(list, j)
		}
	}
	return list
}

func (t *jobTable) working(key jobKey) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	j := t.jobs[key]
	return j != nil && j.working
}
