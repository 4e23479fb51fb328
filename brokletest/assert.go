package brokletest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go"
)

// Wait returns when at least n events are stored, or ctx's error, which says how many are.
func (s *Server) Wait(ctx context.Context, n int) error {
	for {
		s.mu.Lock()
		have, change := len(s.events), s.change
		s.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return fmt.Errorf("brokletest: %d of %d events stored: %w", have, n, ctx.Err())
		}
	}
}

// Find returns the stored events that match.
func (s *Server) Find(match func(brokle.Event) bool) []brokle.Event {
	var found []brokle.Event
	for _, ev := range s.Events() {
		if match(ev) {
			found = append(found, ev)
		}
	}
	return found
}

// OfType returns the stored events of one type.
func (s *Server) OfType(t brokle.EventType) []brokle.Event {
	return s.Find(func(ev brokle.Event) bool { return ev.Type == t })
}

// RequireStored fails the test unless exactly n events are stored.
func (s *Server) RequireStored(t testing.TB, n int) {
	t.Helper()
	if have := len(s.Events()); have != n {
		t.Fatalf("%d events stored, want %d", have, n)
	}
}

// Require is RequireStored for the test that NewServer was given, and returns the events. It panics after New, which was given none.
func (s *Server) Require(n int) []brokle.Event {
	if s.t == nil {
		panic("brokletest: Require needs a Server of NewServer: New knows no test")
	}
	s.t.Helper()
	s.RequireStored(s.t, n)
	return s.Events()
}

// RequireIDs fails the test unless exactly these events are stored, in any order.
func (s *Server) RequireIDs(t testing.TB, ids ...string) {
	t.Helper()
	want := make(map[string]bool, len(ids))
	for _, id := range ids {
		want[id] = true
	}
	var extra []string
	for _, ev := range s.Events() {
		if !want[ev.ID] {
			extra = append(extra, ev.ID)
		}
		delete(want, ev.ID)
	}
	var lacking []string
	for id := range want {
		lacking = append(lacking, id)
	}
	if len(lacking)+len(extra) > 0 {
		t.Fatalf("stored events differ: %d missing (%s), %d not expected (%s)", len(lacking), few(lacking), len(extra), few(extra))
	}
}

func few(ids []string) string {
	if len(ids) > 5 {
		return strings.Join(ids[:5], " ") + " …"
	}
	return strings.Join(ids, " ")
}
