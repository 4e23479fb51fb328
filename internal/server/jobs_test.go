package server

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// A job is pending or processing until it is stored; ?wait ends with the job,
// with its own time, or with the server.
func TestJobLife(t *testing.T) {
	t.Parallel()
	var held *faulty
	h := open(t, setup{log: holding(&held)})
	gate := make(chan struct{})
	held.set(func(b *store.Batch) error {
		if b.Job != "" {
			<-gate
		}
		return nil
	})
	rep := h.send("POST", "/v1/telemetry/batch", []byte(`{"async_mode":true,"events":[`+event("jl-1", "trace_create", `{"name":"n"}`)+`,{}]}`), "X-Environment", "staging")
	if rep.status != http.StatusAccepted {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	location := rep.header.Get("Location")
	h.until("the job is worked on", func() bool { return decoded[wire.Job](t, h.get(location)).Status == wire.JobProcessing })
	if job := decoded[wire.Job](t, h.get(location+"?wait=20ms")); job.Status != wire.JobProcessing || job.CompletedAt != nil || job.Result != nil {
		t.Errorf("after its own time: %+v", job)
	}
	done := make(chan wire.Job, 1)
	go func() {
		rep, err := h.try("GET", location+"?wait=20s", nil)
		if err != nil {
			t.Error(err)
		}
		done <- decoded[wire.Job](t, rep)
	}()
	close(gate)
	job := <-done
	if job.Status != wire.JobCompleted || job.Result == nil || job.Result.ProcessedEvents != 1 || job.Result.FailedEvents != 1 || job.CompletedAt == nil || job.Error != nil {
		t.Errorf("%+v", job)
	}
	if same := decoded[wire.Job](t, h.get("/v1/telemetry/batch/"+job.BatchID)); same.Status != wire.JobCompleted {
		t.Errorf("by its batch: %+v", same)
	}
	h.settle()
	page := decoded[wire.Page[wire.TraceSummary]](t, h.get("/v1/traces"))
	if len(page.Data) != 1 || page.Data[0].Environment != "staging" {
		t.Errorf("%+v", page.Data)
	}
}

// A shutdown does not wait for those who wait for jobs.
func TestShutdownEndsWaits(t *testing.T) {
	t.Parallel()
	var held *faulty
	h := open(t, setup{log: holding(&held)})
	gate := make(chan struct{})
	reached := make(chan struct{})
	held.set(func(*store.Batch) error { close(reached); <-gate; return nil })
	defer close(gate)
	location := h.send("POST", "/v1/telemetry/batch", []byte(`{"async_mode":true,"events":[`+event("sd", "event_create", `{}`)+`]}`)).header.Get("Location")
	<-reached
	waited := make(chan reply, 1)
	go func() {
		rep, err := h.try("GET", location+"?wait=30s", nil)
		if err != nil {
			t.Error(err)
		}
		waited <- rep
	}()
	h.until("the wait has begun", func() bool { return h.scrape()["brokle_http_requests_in_progress"] == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := h.servers[0].Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if rep := <-waited; rep.status != 200 {
		t.Errorf("%d %s", rep.status, rep.body)
	}
}
