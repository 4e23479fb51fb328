package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

// batch is a body of event_creates with these ids; an id that starts with '!' is
// of an event that fails (its trace has no name).
func batch(more string, ids ...string) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		typ := "event_create"
		if strings.HasPrefix(id, "!") {
			typ = "trace_create"
		}
		fmt.Fprintf(&b, `{"event_id":%q,"event_type":%q,"payload":{"n":%d}}`, id, typ, i)
	}
	return `{"events":[` + b.String() + `]` + more + `}`
}

func names(prefix string, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%s%d", prefix, i)
	}
	return ids
}

// What reaches the log is what was sent, with its type made canonical, its time
// set, and its environment resolved.
func TestSubmitStores(t *testing.T) {
	t.Parallel()
	log := newMemLog()
	now := time.Date(2026, 1, 2, 3, 4, 5, 6789, time.UTC)
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs(), Now: func() time.Time { return now }})
	r, err := decode(`{"events":[
		{"event_id":"a","event_type":"trace","payload":{ "name" : "ü\u00fc", "x":1e400 }},
		{"event_id":"b","event_type":"event","payload":{},"timestamp":"2023-02-28T18:56:42Z"}]}`, "staging")
	if err != nil {
		t.Fatal(err)
	}
	resp, err := in.Submit(t.Context(), "p", r)
	if err != nil {
		t.Fatal(err)
	}
	recs := log.stored()
	if len(recs) != 2 || resp.ProcessedEvents != 2 || resp.BatchID == "" || recs[0].BatchID != resp.BatchID {
		t.Fatalf("answered %+v, stored %+v", resp, recs)
	}
	a, b := recs[0], recs[1]
	if a.Event.Type != "trace_create" || string(a.Event.Payload) != `{ "name" : "ü\u00fc", "x":1e400 }` ||
		!a.Event.Timestamp.Equal(now.Truncate(time.Microsecond)) || a.Environment != "staging" || string(a.Row.EntityID()) != "a" {
		t.Errorf("stored %+v", a)
	}
	if b.Event.Type != "event_create" || b.Event.Timestamp.Unix() != 1677610602 || !b.ReceivedAt.Equal(now.Truncate(time.Microsecond)) {
		t.Errorf("stored %+v", b)
	}
}

func TestSubmitEnvironment(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, header, want string }{
		{``, ``, "default"}, {``, `prod`, "prod"}, {`,"environment":"qa"`, `prod`, "qa"},
		{`,"environment":"qa"`, `NOT VALID`, "qa"}, {`,"environment":""`, `prod`, "prod"}, {``, `NOT VALID`, ""}, {``, `brokle`, ""},
	} {
		log := newMemLog()
		in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
		r, err := decode(batch(c.body, "a"), c.header)
		if err == nil {
			_, err = in.Submit(t.Context(), "p", r)
		}
		refused := (*ingest.RequestError)(nil)
		switch {
		case c.want == "":
			if !errors.As(err, &refused) || refused.Code != wireformat.CodeInvalidEnvironment || len(log.stored()) != 0 {
				t.Errorf("header %q: %v", c.header, err)
			}
		case err != nil || log.stored()[0].Environment != c.want:
			t.Errorf("body %s, header %q: %v, %+v", c.body, c.header, err, log.stored())
		}
	}
}

// Property 11.
func TestTheSameIDTwiceInOneRequest(t *testing.T) {
	t.Parallel()
	log := newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
	resp := mustPost(t, in, "p", batch("", "a", "b", "a"))
	adds(t, resp, 3)
	if resp.ProcessedEvents != 2 || !slices.Equal(resp.DuplicateEventIDs, []string{"a"}) || len(log.stored()) != 2 {
		t.Errorf("answered %+v", resp)
	}
}

// Properties 10 and 9: many at once, then again in other portions.
func TestEachEventIsProcessedOnce(t *testing.T) {
	t.Parallel()
	log := newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
	ids := names("e", 100)
	var mu sync.Mutex
	processed := 0
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			resp := mustPost(t, in, "p", batch("", ids...))
			adds(t, resp, 100)
			mu.Lock()
			defer mu.Unlock()
			processed += resp.ProcessedEvents
		})
	}
	wg.Wait()
	if processed != 100 || len(log.stored()) != 100 {
		t.Errorf("%d processed, %d stored", processed, len(log.stored()))
	}
	if s := in.Stats(); s.Batches != 64 || s.Processed != 100 || s.Duplicate != 6300 || len(s.Failed) != 0 {
		t.Errorf("counted %+v", s)
	}
}

// Property 14: an attempt that fails marks nothing, however often, and counts nowhere else.
func TestAFailedAttemptMarksNothing(t *testing.T) {
	t.Parallel()
	log := newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
	log.fault = func(*store.Batch) error { return fmt.Errorf("disk: %w", store.ErrUnavailable) }
	for range 5 {
		if resp, err := post(t, in, "p", batch("", "a", "!b")); !errors.Is(err, store.ErrUnavailable) || resp != nil {
			t.Fatalf("answered %+v, %v", resp, err)
		}
	}
	if s := in.Stats(); s.Unavailable != 5 || s.Processed+s.Duplicate+s.Batches != 0 || len(s.Failed) != 0 {
		t.Errorf("counted %+v", s)
	}
	log.fault = nil
	if resp := mustPost(t, in, "p", batch("", "a", "!b")); resp.ProcessedEvents != 1 || resp.FailedEvents != 1 {
		t.Errorf("answered %+v", resp)
	}
}

// Property 15.
func TestFailOnDuplicate(t *testing.T) {
	t.Parallel()
	log := newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
	mustPost(t, in, "p", batch("", "seen"))
	ids := names("e", 1000)
	ids[7], ids[500] = "!failed", "seen"
	const strict = `,"deduplication":{"fail_on_duplicate":true}`
	resp, err := post(t, in, "p", batch(strict, ids...))
	if !errors.Is(err, store.ErrDuplicate) || resp == nil || resp.ProcessedEvents != 0 ||
		!slices.Equal(resp.DuplicateEventIDs, []string{"seen"}) || resp.FailedEvents != 1 || resp.Errors[0].EventID != "!failed" {
		t.Fatalf("answered %+v, %v", resp, err)
	}
	if len(log.stored()) != 1 || in.Stats().Conflicts != 1 || in.Stats().Processed != 1 {
		t.Errorf("%d stored, counted %+v", len(log.stored()), in.Stats())
	}
	ids[500] = "new"
	if resp, err := post(t, in, "p", batch(strict, ids...)); err != nil || resp.ProcessedEvents != 999 || resp.FailedEvents != 1 {
		t.Errorf("without the duplicate: %+v, %v", resp, err)
	}
}

// Properties 17 and 19 on random batches: the bad ones are named, in order, the
// others are stored, and nothing else of the bad ones reaches a store.
func TestPartialFailure(t *testing.T) {
	t.Parallel()
	rng := chance.Of(t)
	log := newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
	failed, stored := int64(0), 0
	for round := range chance.Rounds(50) {
		ids := names(fmt.Sprintf("r%d-", round), 1+rng.IntN(200))
		var bad []string
		for i := range ids {
			if rng.IntN(4) == 0 {
				ids[i] = "!" + ids[i]
				bad = append(bad, ids[i])
			}
		}
		resp := mustPost(t, in, "p", batch("", ids...))
		adds(t, resp, len(ids))
		var named []string
		for _, e := range resp.Errors {
			named = append(named, e.EventID)
		}
		if !slices.Equal(named, bad) || resp.ProcessedEvents != len(ids)-len(bad) {
			t.Fatalf("round %d: answered %+v, want the failures %v", round, resp, bad)
		}
		failed, stored = failed+int64(len(bad)), stored+len(ids)-len(bad)
	}
	for _, rec := range log.stored() {
		if strings.HasPrefix(rec.Event.ID, "!") {
			t.Errorf("failed event %s was stored", rec.Event.ID)
		}
	}
	if s := in.Stats(); len(log.stored()) != stored || s.Failed[extract.CodeMissingField] != failed || s.Processed != int64(stored) || s.Batches != 50 {
		t.Errorf("%d stored of %d, %d failed, counted %+v", len(log.stored()), stored, failed, s)
	}
}

// Property 18.
func TestALargePayloadComesBackIdentical(t *testing.T) {
	t.Parallel()
	log := newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
	payload := `{"input":"` + strings.Repeat("日本\\u00e9😀\\n", 1<<20/20) + `"}`
	mustPost(t, in, "p", `{"events":[{"event_id":"a","event_type":"event_create","payload":`+payload+`}]}`)
	if got := string(log.stored()[0].Event.Payload); got != payload {
		t.Errorf("%d bytes came back as %d", len(payload), len(got))
	}
}

func TestABatchOfFailuresIsStillABatch(t *testing.T) {
	t.Parallel()
	log := newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
	resp := mustPost(t, in, "p", batch("", "!a", "!b"))
	adds(t, resp, 2)
	if len(log.batches) != 1 || len(log.batches[0].Failed) != 2 || log.batches[0].ID != resp.BatchID {
		t.Errorf("the log got %+v", log.batches)
	}
}

func TestARequestWithoutEventsStoresNothing(t *testing.T) {
	t.Parallel()
	log := newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
	resp, err := in.Submit(t.Context(), "p", &ingest.Request{})
	if err != nil || resp.BatchID == "" || len(log.batches) != 0 || in.Stats().Batches != 0 {
		t.Errorf("answered %+v, %v; the log got %+v", resp, err, log.batches)
	}
	adds(t, resp, 0)
}

// Property 13, and a dedup that is off.
func TestDedupScope(t *testing.T) {
	t.Parallel()
	log := newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
	for _, project := range []string{"p", "q"} {
		if resp := mustPost(t, in, project, batch("", "a")); resp.ProcessedEvents != 1 {
			t.Errorf("%s: answered %+v", project, resp)
		}
	}
	if resp := mustPost(t, in, "p", batch(`,"deduplication":{"enabled":false}`, "a")); resp.ProcessedEvents != 1 {
		t.Errorf("without dedup: answered %+v", resp)
	}
}

// A client that hangs up after its request was read has still sent its events.
func TestSubmitOutlivesTheRequest(t *testing.T) {
	t.Parallel()
	log := newMemLog()
	in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
	r, err := decode(batch("", "a"), "")
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if resp, err := in.Submit(gone, "p", r); err != nil || resp.ProcessedEvents != 1 || len(log.stored()) != 1 {
		t.Errorf("answered %+v, %v", resp, err)
	}
}
