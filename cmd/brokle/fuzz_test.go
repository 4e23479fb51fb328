package main

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go"
)

// FuzzWhere: a condition is a filter or an error that repeats it, whatever is typed.
func FuzzWhere(f *testing.F) {
	for _, text := range []string{"latency_ms>500", "score:quality>=0.8", "model=gpt-4o", `name="a b"`, "has_error=true", "start_time>=24h", "start_time<2026-01-02",
		"cost>=NaN", "latency_ms>1e400", "a==b", "=", "!", "score:=1", "score:a!=-0", "start_time>9999999h", "level=\xff", "text=a=b", "cost>>1", "trace_id=\x00", "level:error", "-a:b c", "x:"} {
		f.Add("traces", text)
		f.Add("stats", text)
		f.Add("no list", text)
	}
	f.Fuzz(func(t *testing.T, list, text string) {
		q := &query{}
		if err := q.where(list, text); err != nil {
			if !strings.Contains(err.Error(), "--where is ") {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if possible[list] == nil {
			t.Fatalf("a filter of %q, which is no list", list)
		}
		for _, n := range []*float64{q.filter.MinLatencyMS, q.filter.MaxLatencyMS, q.filter.MinCost} {
			if n != nil && (math.IsNaN(*n) || math.IsInf(*n, 0)) {
				t.Fatalf("%q is the number %v", text, *n)
			}
		}
		again := &query{}
		if err := again.where(list, text); err != nil {
			t.Fatalf("%q is a filter once and then: %v", text, err)
		}
	})
}

// FuzzReadLines: every line that is not blank becomes one event or one fault; an event's
// payload is what stands in the line, and the same line has the same id.
func FuzzReadLines(f *testing.F) {
	for _, text := range []string{"", "\n\n", `{"a":1}`, `{"event_id":"e","event_type":"trace_create","payload":{"name":"n"},"timestamp":1.5,"environment":"x"}` + "\n{}\r\n[]\nnull\n", `{"event_type":1,"payload":{}}`,
		`{"event_type":"trace","payload":{},"environment":1}`, `{"event_type":"trace","payload":{},"timestamp":"lately"}`, "{\xff}", `{"a":1}{"b":2}`, "\ufeff{}", `{"payload":null,"event_type":null}`, "{\"a\":\"\x00\"}"} {
		f.Add([]byte(text), "event_create")
		f.Add([]byte(text), "")
	}
	f.Fuzz(func(t *testing.T, text []byte, wrap string) {
		want := 0
		for line := range bytes.Lines(text) {
			if len(bytes.TrimSpace(line)) > 0 {
				want++
			}
		}
		read := func() (events []lineEvent, faults int) {
			err := readLines(bytes.NewReader(text), brokle.EventType(wrap),
				func(e lineEvent) error { events = append(events, e); return nil }, func(int, error) { faults++ }, nil)
			if err != nil {
				t.Fatal(err)
			}
			return events, faults
		}
		events, faults := read()
		if len(events)+faults != want {
			t.Fatalf("%d lines became %d events and %d faults", want, len(events), faults)
		}
		again, _ := read()
		for i, e := range events {
			if e.event.ID == "" || e.event.ID != again[i].event.ID {
				t.Fatalf("line %d has the ids %q and %q", e.line, e.event.ID, again[i].event.ID)
			}
			if !json.Valid(e.event.Payload) {
				t.Fatalf("line %d has a payload that is no JSON: %q", e.line, e.event.Payload)
			}
		}
	})
}
