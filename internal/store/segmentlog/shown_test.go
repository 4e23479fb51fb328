package segmentlog

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/idindex"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

func addJob(t *testing.T, l *Log, id string) {
	t.Helper()
	if err := l.AddJob(t.Context(), store.Job{ID: id, Project: "p1", ReceivedAt: time.Now(), Body: []byte(`{"a":"b"}`)}); err != nil {
		t.Fatal(err)
	}
}

// The index knows what was written a moment before readers do. Who asks in that moment waits for it: a job that was
// accepted is never unknown.
func TestReceiptBetweenIndexAndLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := openTest(t, vfs.NewMem(), "log", Options{})
		addJob(t, l, "j")
		end := l.Head() + 1
		if err := l.index.Apply([]idindex.Change{{Project: "p1", JobID: "j", Block: end, At: time.Now(), Job: idindex.JobCompleted}}, end); err != nil {
			t.Fatal(err)
		}
		type answer struct {
			job *wire.Job
			err error
		}
		answers := make(chan answer, 1)
		go func() {
			job, err := l.JobReceipt(t.Context(), "p1", "j")
			answers <- answer{job, err}
		}()
		synctest.Wait()
		select {
		case a := <-answers:
			t.Fatalf("answered before the log shows it: %+v, %v", a.job, a.err)
		default:
		}
		b := testBatch("x", 1, 100)
		b.Job = "j"
		if _, err := l.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if a := <-answers; a.err != nil || a.job.Status != wire.JobCompleted {
			t.Errorf("%+v, %v", a.job, a.err)
		}
	})
}

// While the index does not take what was written, it does not know the newest jobs: their requests are not packed away.
func TestJobThatTheIndexDoesNotKnow(t *testing.T) {
	t.Parallel()
	l := openTest(t, vfs.NewMem(), "log", Options{})
	addJob(t, l, "j")
	l.mu.Lock()
	l.head++ // written, and refused by the index
	l.mu.Unlock()
	p := &packer{Log: l}
	if !p.pends(l.Head()) {
		t.Error("a request that the index does not know is not kept")
	}
	if _, err := l.Append(t.Context(), testBatch("a", 1, 100)); err != nil { // takes that place
		t.Fatal(err)
	}
	if p.pends(l.Head()) {
		t.Error("once the index knows that it is none it is kept")
	}
}
