package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// FullLog is what a backend of the event path has to offer.
type FullLog interface {
	store.Log
	store.Receipts
	store.Jobs
}

// OpenLog opens the Log that lies in fs, always in the same directory of it, with now as its clock.
type OpenLog func(fs vfs.FS, now func() time.Time) (FullLog, error)

// Log is the conformance suite of a store.Log with its receipts and jobs: what
// must hold whatever the backend. Crashes are in LogCrash.
func Log(t *testing.T, open OpenLog) {
	for name, test := range map[string]func(*testing.T, *logBench){
		"Payloads":        testLogPayloads,
		"SplitAnyWay":     testLogSplitAnyWay,
		"SameBatchAtOnce": testLogSameBatchAtOnce,
		"TwiceInOneBatch": testLogTwiceInOneBatch,
		"TTL":             testLogTTL,
		"Projects":        testLogProjects,
		"FailOnDuplicate": testLogFailOnDuplicate,
		"DedupOff":        testLogDedupOff,
		"AbortedAttempts": testLogAbortedAttempts,
		"Fields":          testLogFields,
		"ReadWaits":       testLogReadWaits,
		"ReadPages":       testLogReadPages,
		"Get":             testLogGet,
		"Trim":            testLogTrim,
		"Erase":           testLogErase,
		"EraseJob":        testLogEraseJob,
		"BatchReceipt":    testLogBatchReceipt,
		"EventReceipt":    testLogEventReceipt,
		"Notes":           testLogNotes,
		"NoEvents":        testLogNoEvents,
		"Jobs":            testLogJobs,
		"Closed":          testLogClosed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &logBench{fs: vfs.NewMem(), open: open, clock: newClock()}
			b.start(t)
			test(t, b)
			b.stop(t)
		})
	}
}

// newClock stands at a round moment.
func newClock() *clock.Stopped { return clock.NewStopped(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)) }

// logBench holds one Log under test.
type logBench struct {
	fs    vfs.FS
	open  OpenLog
	clock *clock.Stopped
	log   FullLog
}

func (b *logBench) start(t *testing.T) {
	t.Helper()
	l, err := b.open(b.fs, b.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	b.log = l
}

func (b *logBench) stop(t *testing.T) {
	t.Helper()
	if err := b.log.Close(); err != nil {
		t.Fatal(err)
	}
}

func (b *logBench) reopen(t *testing.T) {
	t.Helper()
	b.stop(t)
	b.start(t)
}

// batch makes a batch of project "p" whose events have these ids.
func (b *logBench) batch(ids ...string) *store.Batch {
	now := b.clock.Now()
	batch := &store.Batch{
		Project: "p", Environment: "production", ID: wire.NewID(), ReceivedAt: now,
		Dedup: store.Dedup{Enabled: true, TTL: time.Hour},
	}
	for _, id := range ids {
		batch.Events = append(batch.Events, wire.Event{
			ID: id, Type: wire.EventCreate, Payload: payloadOf(id), Timestamp: wire.At(now),
		})
	}
	return batch
}

// payloadOf is the payload that every test gives the event id.
func payloadOf(id string) []byte {
	return fmt.Appendf(nil, `{"name":"of %s","text":"%s"}`, id, strings.Repeat(id+" ", len(id)%13))
}

func ids(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s-%03d", prefix, i)
	}
	return out
}

// append sends the batch and returns how many were stored and how many duplicates.
func (b *logBench) append(t *testing.T, batch *store.Batch) (stored, duplicates int) {
	t.Helper()
	out, err := b.log.Append(context.Background(), batch)
	if err != nil {
		t.Fatal(err)
	}
	return tally(t, batch, out)
}

func tally(t *testing.T, batch *store.Batch, out []store.Outcome) (stored, duplicates int) {
	t.Helper()
	if len(out) != len(batch.Events) {
		t.Fatalf("%d outcomes for %d events", len(out), len(batch.Events))
	}
	for _, o := range out {
		switch o {
		case store.Stored:
			stored++
		case store.Duplicate:
			duplicates++
		default:
			t.Fatalf("outcome %d", o)
		}
	}
	return stored, duplicates
}

func (b *logBench) expect(t *testing.T, batch *store.Batch, stored, duplicates int) {
	t.Helper()
	if s, d := b.append(t, batch); s != stored || d != duplicates {
		t.Fatalf("stored %d, duplicates %d; want %d and %d", s, d, stored, duplicates)
	}
}

// all reads the whole Log.
func (b *logBench) all(t *testing.T) []entity.Record {
	t.Helper()
	recs, err := ReadAll(b.log)
	if err != nil {
		t.Fatal(err)
	}
	return recs
}

// ReadAll reads everything up to the Log's head, and checks that Seqs rise.
func ReadAll(l store.Log) ([]entity.Record, error) {
	var all []entity.Record
	head := l.Head()
	for at := entity.Seq(0); at < head; {
		recs, upto, err := l.Read(context.Background(), at, 37)
		if err != nil {
			return nil, err
		}
		if upto <= at {
			return nil, fmt.Errorf("read after %d got to %d", at, upto)
		}
		for _, r := range recs {
			if r.Seq <= at || r.Seq > upto {
				return nil, fmt.Errorf("record %d in a read from %d to %d", r.Seq, at, upto)
			}
			at = r.Seq
		}
		all, at = append(all, recs...), upto
	}
	return all, nil
}

// storedIDs are the ids of all records, in the Log's order.
func (b *logBench) storedIDs(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, r := range b.all(t) {
		out = append(out, r.Event.ID)
	}
	return out
}

// expectIDs checks that the Log holds just these ids, each once.
func (b *logBench) expectIDs(t *testing.T, want []string) {
	t.Helper()
	got := b.storedIDs(t)
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Fatalf("the log holds %d events %.300q, want %d", len(got), got, len(want))
	}
}
