package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
)

// secret stands in everything of the user who is erased.
const secret = "Mneme77"

// userEvents are events of a user, of every kind and in every relation, and of nobody else.
func userEvents() []string {
	return []string{
		event("u1", "trace_create", `{"id":"t1","name":"Mneme77 chat","user_id":"Mneme77/a b","input":"Mneme77 in"}`),
		event("u2", "observation_create", `{"id":"o1","name":"n","trace_id":"t1","type":"generation","output":"Mneme77 out"}`),
		event("u3", "observation_update", `{"id":"o1","output":"Mneme77 again"}`),
		event("u4", "quality_score", `{"id":"s1","observation_id":"o1","trace_id":"t1","name":"q","value":1,"comment":"Mneme77 note"}`),
		event("u5", "event_create", `{"name":"Mneme77 click","user_id":"Mneme77/a b"}`),
		event("u6", "event_create", `{"name":"Mneme77 of the trace","trace_id":"t1"}`),
		event("u7", "trace_create", `{"id":"t2","name":"n","user_id":"Mneme77/a b"}`),
		event("u8", "trace_update", `{"id":"t2","user_id":"another","metadata":{"x":"Mneme77"}}`),
	}
}

func others() []string {
	return []string{
		event("k1", "trace_create", `{"id":"keep","name":"kept","user_id":"another"}`),
		event("k2", "observation_create", `{"id":"ok","name":"n","trace_id":"keep","type":"span"}`),
		event("k3", "event_create", `{"name":"kept too"}`),
	}
}

// accept sends events, of which none may be refused.
func (h *house) accept(events ...string) {
	h.tb.Helper()
	if got := h.post(events...); got.ProcessedEvents != len(events) {
		h.tb.Fatalf("%+v", got)
	}
}

// haystack is everything that the data directory of a closed house says.
func haystack(t *testing.T, dir string) []byte {
	t.Helper()
	var all bytes.Buffer
	segments, err := filepath.Glob(filepath.Join(dir, "log", "*"))
	if err != nil {
		t.Fatal(err)
	}
	dumped := 0
	for _, path := range segments {
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			continue
		}
		if segmentlog.Dump(&all, nil, path, true) == nil {
			dumped++
		}
	}
	if dumped == 0 {
		t.Fatal("no segment was dumped")
	}
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path) // the warehouse's pages are not compressed when they are few
		all.Write(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.Bytes()
}

func TestEraseUser(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	two := h.newKey("two", "ingest", "read")
	h.accept(userEvents()...)
	h.accept(others()...)
	// A job's raw request holds payloads too, also those that were duplicates or refused.
	for _, events := range []string{
		event("u9", "event_create", `{"name":"Mneme77 job","user_id":"Mneme77/a b"}`),
		event("u9", "event_create", `{"name":"Mneme77 twice","user_id":"Mneme77/a b"}`),
		event("u10", "no_such_type", `{"name":"Mneme77 refused","user_id":"Mneme77/a b"}`),
	} {
		if job := h.send("POST", "/v1/telemetry/batch", []byte(`{"async_mode":true,"events":[`+events+`]}`)); job.status != 202 {
			t.Fatalf("%d %s", job.status, job.body)
		}
	}
	h.send("POST", "/v1/telemetry/batch", batch(event("x1", "trace_create", `{"id":"t1","name":"n","user_id":"Mneme77/a b"}`)), "X-API-Key", "", "X-API-Key", two)
	rep := h.send("DELETE", "/v1/users/Mneme77%2Fa%20b", nil)
	got := decoded[erasure](t, rep)
	if rep.status != 200 || got.Erased != (erased{Traces: 2, Observations: 1, Scores: 1, Events: 9}) || strings.Join(got.TraceIDs, " ") != "t1 t2" {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	check := func(h *house, when string) {
		t.Helper()
		h.settle()
		for _, path := range []string{"/v1/traces/t1", "/v1/traces/t2", "/v1/observations/o1", "/v1/telemetry/events/u5"} {
			if rep := h.get(path); rep.status != 404 {
				t.Errorf("%s: %s: %d %s", when, path, rep.status, rep.body)
			}
		}
		if n := h.stored(); n != 3 {
			t.Errorf("%s: %d events are left, want those of others", when, n)
		}
		if rep := h.get("/v1/traces/keep"); rep.status != 200 {
			t.Errorf("%s: another's trace: %d %s", when, rep.status, rep.body)
		}
	}
	check(h, "at once")
	if rep := h.get("/v1/traces/t1", "X-API-Key", "", "X-API-Key", two); rep.status != 200 {
		t.Errorf("the other project's trace: %d %s", rep.status, rep.body)
	}
	if rep := h.send("DELETE", "/v1/users/Mneme77%2Fa%20b", nil); rep.status != 404 {
		t.Errorf("again: %d %s", rep.status, rep.body)
	}
	if answer := h.post(userEvents()[0]); answer.DuplicateEvents != 1 {
		t.Errorf("a retry brought an erased event back: %+v", answer)
	}
	h.close()
	// The other project keeps its one event; nothing else may name the user.
	if n := bytes.Count(haystack(t, h.dir), []byte(secret+" ")); n != 0 {
		t.Errorf("the data directory has %d texts of the user", n)
	}
	again := reopened(t, h)
	check(again, "after a restart")
	again.close()
	for _, name := range []string{"warehouse.duckdb", "warehouse.duckdb.wal"} {
		if err := os.Remove(filepath.Join(h.dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	check(reopened(t, h), "after the warehouse was built again")
}

// reopened is a house on the data of one that was closed, with its key.
func reopened(t *testing.T, old *house) *house {
	t.Helper()
	h := open(t, setup{dir: old.dir})
	h.key = old.key
	return h
}

func TestEraseTrace(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.accept(append(userEvents(), others()...)...)
	theirs := h.newKey("two", "admin")
	if rep := h.send("DELETE", "/v1/traces/t1", nil, "X-API-Key", "", "X-API-Key", theirs); rep.status != 404 {
		t.Errorf("from another project: %d %s", rep.status, rep.body)
	}
	rep := h.send("DELETE", "/v1/traces/t1", nil)
	if got := decoded[erasure](t, rep); rep.status != 200 || got.Erased != (erased{Traces: 1, Observations: 1, Scores: 1, Events: 5}) {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	if n := h.stored(); n != 6 {
		t.Errorf("%d events are left", n)
	}
	if rep := h.send("DELETE", "/v1/traces/t1", nil); rep.status != 404 {
		t.Errorf("again: %d %s", rep.status, rep.body)
	}
}

// failing is a Warehouse that cannot erase while it is told so.
type failing struct {
	store.Warehouse
	fail bool
}

func (f *failing) Erase(ctx context.Context, project string, seqs []entity.Seq) error {
	if f.fail {
		return fmt.Errorf("%w: injected", store.ErrUnavailable)
	}
	return f.Warehouse.Erase(ctx, project, seqs)
}

// An erasure that ended half-way is ended by the next start.
func TestEraseIsResumed(t *testing.T) {
	t.Parallel()
	wh := &failing{fail: true}
	h := open(t, setup{options: func(o *Options) { wh.Warehouse, o.Warehouse = o.Warehouse, wh }})
	h.accept(append(userEvents(), others()...)...)
	if rep := h.send("DELETE", "/v1/users/Mneme77%2Fa%20b", nil); rep.status != 503 || rep.header.Get("Retry-After") == "" {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	journal, err := os.ReadFile(filepath.Join(h.dir, "erasing.json"))
	if err != nil || bytes.Contains(journal, []byte(secret)) {
		t.Errorf("%s %v", journal, err)
	}
	h.close()
	again := reopened(t, h)
	again.until("the erasure has ended", func() bool {
		_, err := os.Stat(filepath.Join(h.dir, "erasing.json"))
		return errors.Is(err, os.ErrNotExist)
	})
	if n := again.stored(); n != 3 {
		t.Errorf("%d events are left", n)
	}
	if rep := again.get("/v1/traces/t1"); rep.status != 404 {
		t.Errorf("%d %s", rep.status, rep.body)
	}
}
