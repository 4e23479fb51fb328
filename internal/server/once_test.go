package server

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Property 9: n events sent twice, split any way, in any order: n processed, then n duplicates, n stored.
func TestSentTwiceInAnySplit(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	r := chance.Of(t)
	total := int64(0)
	for round := range chance.Rounds(3) {
		n := 1 + r.IntN(1000)
		events := make([]string, n)
		for i := range events {
			events[i] = event(fmt.Sprintf("p9-%d-%d", round, i), "event_create", `{"i":`+strconv.Itoa(i)+`}`)
		}
		processed, duplicate := 0, 0
		send := func() {
			processed, duplicate = 0, 0
			r.Shuffle(n, func(i, j int) { events[i], events[j] = events[j], events[i] })
			for rest := events; len(rest) > 0; {
				k := 1 + r.IntN(len(rest))
				res := h.post(rest[:k]...)
				processed, duplicate, rest = processed+res.ProcessedEvents, duplicate+res.DuplicateEvents, rest[k:]
			}
		}
		if send(); processed != n || duplicate != 0 {
			t.Fatalf("first: %d processed, %d duplicates of %d", processed, duplicate, n)
		}
		if send(); processed != 0 || duplicate != n {
			t.Fatalf("again: %d processed, %d duplicates of %d", processed, duplicate, n)
		}
		total += int64(n)
	}
	if got := h.stored(); got != total {
		t.Errorf("%d are stored, want %d", got, total)
	}
}

// Property 10: the same batch from 200 connections at once.
func TestSameBatchAtOnce(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	const posts, n = 200, 50
	events := make([]string, n)
	for i := range events {
		events[i] = event(fmt.Sprintf("p10-%d", i), "event_create", `{}`)
	}
	body := batch(events...)
	var mu sync.Mutex
	processed := 0
	duplicates := map[string]int{}
	var all sync.WaitGroup
	start := make(chan struct{})
	for range posts {
		all.Go(func() {
			<-start
			rep, err := h.try("POST", "/v1/telemetry/batch", bytes.NewReader(body))
			if err != nil || rep.status != 200 {
				t.Errorf("%d %s %v", rep.status, rep.body, err)
				return
			}
			res := checked(t, rep)
			mu.Lock()
			defer mu.Unlock()
			processed += res.ProcessedEvents
			for _, id := range res.DuplicateEventIDs {
				duplicates[id]++
			}
		})
	}
	close(start)
	all.Wait()
	if processed != n || len(duplicates) != n {
		t.Errorf("%d processed, %d ids duplicate, of %d", processed, len(duplicates), n)
	}
	for id, k := range duplicates {
		if k != posts-1 {
			t.Errorf("%s was a duplicate %d times of %d", id, k, posts-1)
		}
	}
	if got := h.stored(); got != n {
		t.Errorf("%d are stored, want %d", got, n)
	}
}

// Property 13: projects share ids and see nothing of each other.
func TestProjectsDoNotMeet(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	two := h.newKey("two", "ingest", "read")
	as := []string{"X-API-Key", "", "X-API-Key", two}
	mine := h.send("POST", "/v1/telemetry/batch", batch(
		event("shared", "trace_create", `{"name":"secret-of-one","id":"tr"}`),
		event("obs", "observation_create", `{"id":"ob","trace_id":"tr","name":"secret-of-one"}`),
		event("score", "quality_score_create", `{"trace_id":"tr","name":"secret-of-one","value":1}`)))
	first := checked(t, mine)
	job := decoded[wire.BatchResponse](t, h.send("POST", "/v1/telemetry/batch", []byte(`{"async_mode":true,"events":[`+event("as", "event_create", `{}`)+`]}`)))
	h.get("/v1/telemetry/jobs/" + job.JobID + "?wait=20s")
	h.settle()
	for _, path := range []string{"/v1/traces/tr", "/v1/observations/ob", "/v1/telemetry/events/shared", "/v1/telemetry/batch/" + first.BatchID,
		"/v1/telemetry/jobs/" + job.JobID, "/v1/telemetry/jobs/" + job.JobID + "?wait=1s"} {
		theirs, absent := h.get(path, as...), h.get("/v1/telemetry/batch/absent", as...)
		if theirs.status != 404 || !bytes.Equal(theirs.body, absent.body) {
			t.Errorf("%s: %d %s", path, theirs.status, theirs.body)
		}
	}
	for _, path := range []string{"/v1/traces", "/v1/observations", "/v1/scores", "/v1/stats?of=events&group_by=event_type"} {
		if rep := h.get(path, as...); rep.status != 200 || bytes.Contains(rep.body, []byte("secret")) || !bytes.Contains(rep.body, []byte(`"data":[]`)) {
			t.Errorf("%s: %d %s", path, rep.status, rep.body)
		}
	}
	// The same ids are new to the other project, also when it asks to fail on duplicates.
	rep := h.send("POST", "/v1/telemetry/batch", []byte(`{"events":[`+event("shared", "trace_create", `{"name":"of-two","id":"tr"}`)+`],"deduplication":{"fail_on_duplicate":true}}`), as...)
	if rep.status != 200 || checked(t, rep).ProcessedEvents != 1 {
		t.Errorf("the other project: %d %s", rep.status, rep.body)
	}
	h.settle()
	if rep := h.get("/v1/traces/tr"); !bytes.Contains(rep.body, []byte("secret-of-one")) || bytes.Contains(rep.body, []byte("of-two")) {
		t.Errorf("the first project afterwards: %s", rep.body)
	}
}

// Property 15: one duplicate among 1000 and fail_on_duplicate: nothing stored, nothing marked.
func TestFailOnDuplicateStoresNothing(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(event("p15-500", "event_create", `{}`))
	events := make([]string, 1000)
	for i := range events {
		events[i] = event(fmt.Sprintf("p15-%d", i), "event_create", `{}`)
	}
	body := []byte(`{"events":[` + strings.Join(events, ",") + `],"deduplication":{"fail_on_duplicate":true}}`)
	for range 2 {
		rep := h.send("POST", "/v1/telemetry/batch", body)
		res := checked(t, rep)
		if rep.status != 409 || res.ProcessedEvents != 0 || !slices.Equal(res.DuplicateEventIDs, []string{"p15-500"}) {
			t.Fatalf("%d %.300s", rep.status, rep.body)
		}
	}
	if got := h.stored(); got != 1 {
		t.Errorf("%d are stored, want 1", got)
	}
	if res := h.post(events...); res.ProcessedEvents != 999 || res.DuplicateEvents != 1 {
		t.Errorf("without the flag: %d processed, %d duplicates", res.ProcessedEvents, res.DuplicateEvents)
	}
}

// Property 14: n aborted attempts do not make attempt n+1 a duplicate.
func TestAbortedAttemptsMarkNothing(t *testing.T) {
	t.Parallel()
	var broken *faulty
	h := open(t, setup{log: holding(&broken)})
	body := batch(event("p14", "trace_create", `{"name":"n"}`))
	broken.set(func(*store.Batch) error { return errors.New("disk") })
	for range 20 {
		if rep := h.send("POST", "/v1/telemetry/batch", body); rep.status != 503 {
			t.Fatalf("%d %s", rep.status, rep.body)
		}
	}
	broken.set(nil)
	if res := checked(t, h.send("POST", "/v1/telemetry/batch", body)); res.ProcessedEvents != 1 {
		t.Errorf("attempt 21: %+v", res)
	}
}

// Property 17: k invalid of n: n − k stored, exactly the k named. And property 19: a failed
// event leaves its receipt and its count, nothing else.
func TestInvalidFailAlone(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	r := chance.Of(t)
	n, want := 0, int64(0)
	for range 10 {
		size := 1 + r.IntN(200)
		var events, failed []string
		for range size {
			n++
			id := fmt.Sprintf("p17-%d", n)
			if r.IntN(3) == 0 {
				failed = append(failed, id)
				bad := []string{event(id, "trace_create", `{}`), event(id, "no_such", `{}`), event(id, "observation_create", `{"trace_id":"t"}`),
					event(id, "event_create", `[]`), event(id, "observation_create", `{"trace_id":7,"name":"n"}`)}
				events = append(events, bad[r.IntN(len(bad))])
				continue
			}
			events = append(events, event(id, "trace_create", `{"name":"n"}`))
		}
		res := checked(t, h.send("POST", "/v1/telemetry/batch", batch(events...)))
		var named []string
		for _, e := range res.Errors {
			named = append(named, e.EventID)
		}
		if !slices.Equal(named, failed) || res.ProcessedEvents != size-len(failed) || res.DuplicateEvents != 0 {
			t.Fatalf("%d events, failed %v, named %v: %+v", size, failed, named, res)
		}
		want += int64(size - len(failed))
		if len(failed) > 0 {
			rec := decoded[wire.EventReceipt](t, h.get("/v1/telemetry/events/"+failed[0]))
			if rec.Status != "failed" || rec.Error == nil || rec.BatchID != res.BatchID {
				t.Errorf("receipt of %s: %+v", failed[0], rec)
			}
		}
	}
	if got := h.stored(); got != want {
		t.Errorf("%d are stored, want %d", got, want)
	}
}

// Properties 1 and 18: a payload of nearly 1 MB of any Unicode comes back as it was sent.
func TestPayloadComesBackIdentical(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	r := chance.Of(t)
	var text strings.Builder
	for text.Len() < 1<<20-8<<10 {
		c := rune(r.IntN(0x10ffff))
		if c < 0x20 || c == '"' || c == '\\' || c >= 0xd800 && c < 0xe000 {
			continue
		}
		text.WriteRune(c)
	}
	input := `{"prompt":"` + text.String() + `","escapes":"\u00e9\/\ud83d\ude00\n","number":1.50e+2,"b":1,"a":[],"a":{},"empty":""}`
	for _, coding := range []string{"", "zstd", "gzip"} {
		id := "p18" + coding
		body := batch(event(id, "trace_create", `{"name":"n","input":`+input+`,"output":"","metadata":{}}`))
		if rep := h.send("POST", "/v1/telemetry/batch", compressed(t, coding, body), "Content-Encoding", coding); rep.status != 200 {
			t.Fatalf("%d %s", rep.status, rep.body)
		}
		h.settle()
		got := h.get("/v1/traces/" + id)
		for _, want := range []string{`"input":` + input, `"output":""`, `"metadata":{}`} {
			if !bytes.Contains(got.body, []byte(want)) {
				t.Errorf("%q: %.60s… is not in the %d bytes of the answer: %.300s", coding, want, len(got.body), got.body)
			}
		}
	}
}
