package sample_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/sample"
)

func noon() time.Time { return time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC) }

// ids returns every event id with its position, and fails on a repeated one.
func ids(t *testing.T, batches []*brokle.BatchRequest) map[string]int {
	t.Helper()
	seen := map[string]int{}
	for _, b := range batches {
		for _, e := range b.Events {
			if _, dup := seen[e.ID]; dup {
				t.Fatalf("id %s occurs twice", e.ID)
			}
			seen[e.ID] = len(seen)
		}
	}
	return seen
}

func TestSameDayGivesSameIDs(t *testing.T) {
	t.Parallel()
	morning := ids(t, sample.Batches(noon()))
	evening := ids(t, sample.Batches(noon().Add(9*time.Hour)))
	if len(morning) != len(evening) {
		t.Fatalf("events at noon %d, at nine in the evening %d", len(morning), len(evening))
	}
	for id := range morning {
		if _, ok := evening[id]; !ok {
			t.Fatalf("id %s is gone in the evening", id)
		}
	}
	for id := range ids(t, sample.Batches(noon().Add(24*time.Hour))) {
		if _, ok := morning[id]; ok {
			t.Fatalf("id %s is used again on the next day", id)
		}
	}
}

func TestShapeOfTheDay(t *testing.T) {
	t.Parallel()
	types := map[brokle.EventType]int{}
	obs := map[string]int{}
	errorsSeen := 0
	for _, b := range sample.Batches(noon()) {
		if n := len(b.Events); n == 0 || n > 1000 {
			t.Errorf("a batch of %d events, want 1 to 1000", n)
		}
		traces := map[string]bool{}
		for _, e := range b.Events {
			types[e.Type]++
			if age := noon().Sub(e.Timestamp.Time); age < 0 || age > 24*time.Hour {
				t.Errorf("event %s is %v old, want 0 to 24 h", e.ID, age)
			}
			var p struct {
				ID      string `json:"id"`
				TraceID string `json:"trace_id"`
				Type    string `json:"type"`
				Level   string `json:"level"`
			}
			if err := json.Unmarshal(e.Payload, &p); err != nil {
				t.Fatalf("payload of %s: %v", e.ID, err)
			}
			if e.Type == brokle.TraceCreate {
				traces[p.ID] = true
			} else if p.TraceID != "" && !traces[p.TraceID] {
				t.Errorf("%s %s is not in the batch of its trace", e.Type, e.ID)
			}
			if p.Type != "" {
				obs[p.Type]++
			}
			if p.Level == "ERROR" {
				errorsSeen++
			}
		}
	}
	if n := types[brokle.TraceCreate]; n < 200 || n > 600 {
		t.Errorf("%d traces, want a few hundred", n)
	}
	for _, kind := range []string{"agent", "generation", "tool", "retrieval", "embedding"} {
		if obs[kind] == 0 {
			t.Errorf("no observation of type %s", kind)
		}
	}
	if errorsSeen == 0 || types[brokle.QualityScoreCreate] == 0 || types[brokle.ObservationComplete] == 0 {
		t.Errorf("errors %d, scores %d, completes %d; want some of each",
			errorsSeen, types[brokle.QualityScoreCreate], types[brokle.ObservationComplete])
	}
}

type sendFunc func(*brokle.BatchRequest) (*brokle.BatchResponse, error)

func (f sendFunc) SendBatch(_ context.Context, b *brokle.BatchRequest) (*brokle.BatchResponse, error) {
	return f(b)
}

func TestLoadCountsAndStops(t *testing.T) {
	t.Parallel()
	total := len(ids(t, sample.Batches(noon())))
	ok := sendFunc(func(b *brokle.BatchRequest) (*brokle.BatchResponse, error) {
		return &brokle.BatchResponse{ProcessedEvents: len(b.Events) - 1, DuplicateEvents: 1}, nil
	})
	processed, duplicate, err := sample.Load(t.Context(), ok, noon())
	if err != nil || processed+duplicate != total || duplicate == 0 {
		t.Errorf("Load = %d, %d, %v; want %d in all and no error", processed, duplicate, err, total)
	}

	down := errors.New("down")
	calls := 0
	failing := sendFunc(func(*brokle.BatchRequest) (*brokle.BatchResponse, error) { calls++; return nil, down })
	if _, _, err := sample.Load(t.Context(), failing, noon()); !errors.Is(err, down) || calls != 1 {
		t.Errorf("Load on a dead server: %v after %d calls, want %v after 1", err, calls, down)
	}

	refusing := sendFunc(func(b *brokle.BatchRequest) (*brokle.BatchResponse, error) {
		return &brokle.BatchResponse{FailedEvents: 1, Errors: []brokle.BatchEventError{{Message: "Invalid trace_id"}}}, nil
	})
	if _, _, err := sample.Load(t.Context(), refusing, noon()); err == nil {
		t.Error("Load says nothing about refused events")
	}
}
