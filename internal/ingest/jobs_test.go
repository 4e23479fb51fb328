package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/formats"
)

// running runs in until the test's end.
func running(t *testing.T, in *ingest.Ingest) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- in.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run ended with %v", err)
		}
	})
}

func async(t *testing.T, in *ingest.Ingest, body string) string {
	t.Helper()
	r, err := decode(body, "prod")
	if err != nil {
		t.Fatal(err)
	}
	resp, err := in.SubmitAsync(t.Context(), "p", "", r, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if resp.JobID == "" || resp.BatchID == "" || resp.Errors == nil || resp.DuplicateEventIDs == nil ||
		resp.ProcessedEvents+resp.DuplicateEvents+resp.FailedEvents != 0 {
		t.Errorf("answered %+v", resp)
	}
	return resp.JobID
}

// A job is what Submit would have done: stored under the environment and batch
// id that were answered, counted, and its waiter woken.
func TestJobIsDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := newMemLog()
		in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
		running(t, in)
		id := async(t, in, batch("", "a", "!b", "a"))
		if err := in.WaitJob(t.Context(), "p", id); err != nil {
			t.Fatal(err)
		}
		recs := log.stored()
		if log.result(id) != "completed" || len(recs) != 1 || recs[0].Environment != "prod" {
			t.Errorf("job %q, stored %+v", log.result(id), recs)
		}
		if s := in.Stats(); s.Processed != 1 || s.Duplicate != 1 || s.Failed["missing_field"] != 1 || s.JobsCompleted != 1 || s.JobsPending != 0 {
			t.Errorf("counted %+v", s)
		}
	})
}

// What was read when a job was accepted is not read again, but after a failure, and after a restart.
func TestJobIsReadOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, read := newMemLog(), 0
		counting := func(j store.Job) (*ingest.Request, error) { read++; return jobs()(j) }
		in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: counting})
		async(t, in, batch("", "a", "!b", "a"))
		running(t, in)
		synctest.Wait()
		if s := in.Stats(); read != 0 || s.Processed != 1 || s.Duplicate != 1 || s.Failed["missing_field"] != 1 {
			t.Errorf("read %d times, counted %+v", read, s)
		}
		tries := 0
		log.fault = func(b *store.Batch) error {
			if tries++; tries == 2 { // the first is AddJob
				return store.ErrUnavailable
			}
			return nil
		}
		id := async(t, in, batch("", "c", "!d", "c"))
		if err := in.WaitJob(t.Context(), "p", id); err != nil {
			t.Fatal(err)
		}
		if s := in.Stats(); read != 1 || s.Processed != 2 || s.Duplicate != 2 || s.Failed["missing_field"] != 2 {
			t.Errorf("after a failure: read %d times, counted %+v", read, s)
		}
		log.fault = nil
		async(t, ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()}), batch("", "e"))
		running(t, ingest.New(ingest.Options{Log: log, Jobs: log, Decode: counting}))
		synctest.Wait()
		if n := len(log.stored()); read != 2 || n != 3 {
			t.Errorf("after a restart: read %d times, %d stored", read, n)
		}
	})
}

// What an earlier run left counts as pending from the moment it is adopted, before anybody can ask.
func TestLeftJobsArePending(t *testing.T) {
	t.Parallel()
	log := newMemLog()
	async(t, ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()}), batch("", "a"))
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
	if err := in.Adopt(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := in.Audit("p"); a.PendingJobs != 1 || in.Stats().JobsPending != 1 {
		t.Errorf("%d jobs are pending, want 1", a.PendingJobs)
	}
}

// A node that dies between accepting and finishing jobs finishes them when it
// starts again, each once, and before those that come then.
func TestJobsSurviveTheirNode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := newMemLog()
		dead := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
		var ids []string
		for i := range 20 {
			ids = append(ids, async(t, dead, batch("", fmt.Sprintf("e%d", i))))
		}
		in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
		ids = append(ids, async(t, in, batch("", "new")))
		running(t, in)
		synctest.Wait()
		for _, id := range ids {
			if log.result(id) != "completed" {
				t.Errorf("job %s is %q", id, log.result(id))
			}
		}
		if log.done != 21 || len(log.stored()) != 21 || in.Stats().JobsCompleted != 21 {
			t.Errorf("%d results, %d stored, counted %+v", log.done, len(log.stored()), in.Stats())
		}
		if last := log.stored()[20].Event.ID; last != "new" {
			t.Errorf("the last was %s", last)
		}
	})
}

// A log that cannot store delays a job; it does not fail it. Its waiters see their own time out.
func TestJobIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := newMemLog()
		in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
		id := async(t, in, batch("", "a"))
		tries := 0
		log.fault = func(*store.Batch) error {
			if tries++; tries < 10 {
				return store.ErrUnavailable
			}
			return nil
		}
		running(t, in)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := in.WaitJob(short, "p", id); !errors.Is(err, context.DeadlineExceeded) || !in.JobWorking("p", id) || in.JobWorking("q", id) {
			t.Errorf("waiting ended with %v", err)
		}
		if err := in.WaitJob(t.Context(), "p", id); err != nil || log.result(id) != "completed" || tries != 10 || in.JobWorking("p", id) {
			t.Errorf("after %d tries: %v, job %q", tries, err, log.result(id))
		}
	})
}

func TestJobWithDuplicatesFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := newMemLog()
		in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
		mustPost(t, in, "p", batch("", "a"))
		running(t, in)
		id := async(t, in, batch(`,"deduplication":{"fail_on_duplicate":true}`, "a", "b"))
		synctest.Wait()
		if log.result(id) != ingest.CodeDuplicateEvents || len(log.stored()) != 1 || in.Stats().JobsFailed != 1 {
			t.Errorf("job %q, %d stored, counted %+v", log.result(id), len(log.stored()), in.Stats())
		}
	})
}

// A job that was accepted is done even when the limits have become tighter since,
// and one whose body cannot be read any more fails instead of standing in the way.
func TestJobsOfAnotherTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := newMemLog()
		log.jobs = []store.Job{
			{ID: "job_large", Project: "p", Environment: "default", BatchID: "b1", Body: []byte(batch("", names("e", 50)...))},
			{ID: "job_bad", Project: "p", Environment: "default", BatchID: "b2", Body: []byte(`{`)},
		}
		in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: formats.All().Jobs(wireformat.Limits{MaxEvents: 10})})
		running(t, in)
		synctest.Wait()
		if log.result("job_large") != "completed" || len(log.stored()) != 50 || log.result("job_bad") != wireformat.CodeInvalidJSON {
			t.Errorf("jobs %v, %d stored", log.results, len(log.stored()))
		}
	})
}

// Refused before acceptance: too many jobs, too many bytes, a log that does not take them.
func TestJobsAreBounded(t *testing.T) {
	t.Parallel()
	submit := func(in *ingest.Ingest, body string) error {
		r, err := decode(body, "")
		if err != nil {
			t.Fatal(err)
		}
		_, err = in.SubmitAsync(t.Context(), "p", "", r, []byte(body))
		return err
	}
	log := newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs(), MaxPendingJobs: 2})
	for i, want := range []error{nil, nil, store.ErrUnavailable} {
		if err := submit(in, batch("", "a")); !errors.Is(err, want) {
			t.Errorf("job %d: %v", i, err)
		}
	}
	in = ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs(), MaxPendingBytes: 1000})
	large := batch("", strings.Repeat("x", 1000))
	for i, want := range []error{nil, store.ErrUnavailable} { // one that is too large alone has room when it is alone
		if err := submit(in, large); !errors.Is(err, want) {
			t.Errorf("large job %d: %v", i, err)
		}
	}
	log.fault = func(*store.Batch) error { return store.ErrUnavailable }
	in = ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
	if err := submit(in, batch("", "a")); !errors.Is(err, store.ErrUnavailable) || in.Stats().JobsPending != 0 || len(log.jobs) != 3 {
		t.Errorf("with a log that does not take it: %v, %+v", err, in.Stats())
	}
}

// Stopping leaves a job that cannot be finished for the next start.
func TestStopLeavesJobsPending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := newMemLog()
		in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
		id := async(t, in, batch("", "a"))
		log.fault = func(*store.Batch) error { return store.ErrUnavailable }
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := in.Run(ctx); err != nil {
			t.Errorf("run ended with %v", err)
		}
		if pending, _ := log.PendingJobs(ctx); len(pending) != 1 || pending[0].ID != id || in.Stats().JobsPending != 1 {
			t.Errorf("pending are %v, counted %+v", pending, in.Stats())
		}
	})
}

// A closed log ends Run: waiting for it would never end.
func TestRunEndsWithItsLog(t *testing.T) {
	t.Parallel()
	log := newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
	async(t, in, batch("", "a"))
	log.fault = func(*store.Batch) error { return store.ErrClosed }
	if err := in.Run(t.Context()); !errors.Is(err, store.ErrClosed) {
		t.Errorf("run ended with %v", err)
	}
}
