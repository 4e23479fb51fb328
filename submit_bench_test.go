package brokle_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/brokle-ai/brokle-go"
)

// swallow is a server that takes everything at once.
type swallow struct{}

func (swallow) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
	return &http.Response{StatusCode: 200, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(`{"batch_id":"b"}`))}, nil
}

// stall is a server that never answers.
type stall struct{}

func (stall) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	_ = r.Body.Close()
	return nil, r.Context().Err()
}

// call is a payload of about size bytes, as an application would send it.
type call struct {
	TraceID string         `json:"trace_id"`
	Name    string         `json:"name"`
	Type    string         `json:"type"`
	Model   string         `json:"model"`
	Input   string         `json:"input"`
	Output  string         `json:"output"`
	Usage   map[string]int `json:"usage,omitempty"`
	Tokens  int            `json:"total_tokens"`
}

func newCall(size int) *call {
	text := strings.Repeat("The quick brown fox jumps over the lazy dog, once more. ", size/56+1)
	return &call{TraceID: brokle.NewID(), Name: "chat", Type: "generation", Model: "small-1", Tokens: 321,
		Input: text[:size*4/10], Output: text[:size*4/10]}
}

func benchClient(b *testing.B, rt http.RoundTripper, queue int) *brokle.Client {
	b.Helper()
	c, err := brokle.New(brokle.Config{APIKey: testKey, Host: "http://bench.invalid", HTTPClient: &http.Client{Transport: rt},
		QueueMaxEvents: queue, QueueMaxBytes: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// payloads are the same call in the forms that a payload may have.
func payloads(size int) map[string]any {
	call := newCall(size)
	raw, _ := json.Marshal(call)
	tokens := int64(call.Tokens)
	in, _ := json.Marshal(call.Input)
	out, _ := json.Marshal(call.Output)
	return map[string]any{
		"struct": call,
		"map":    map[string]any{"trace_id": call.TraceID, "name": call.Name, "type": call.Type, "model": call.Model, "input": call.Input, "output": call.Output, "total_tokens": call.Tokens},
		"raw":    json.RawMessage(raw),
		"typed":  &brokle.Observation{TraceID: call.TraceID, Name: call.Name, Type: call.Type, Model: call.Model, TotalTokens: &tokens, Input: in, Output: out},
	}
}

func BenchmarkEnqueue(b *testing.B) {
	for name, size := range map[string]int{"1KB": 1000, "16KB": 16000} {
		for kind, payload := range payloads(size) {
			b.Run(name+"/"+kind, func(b *testing.B) {
				c := benchClient(b, swallow{}, 10_000_000)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.SubmitBatchEvent(brokle.ObservationCreate, payload); err != nil && err != brokle.ErrQueueFull {
						b.Fatal(err)
					}
				}
				b.StopTimer()
				b.ReportMetric(float64(c.ProcessorMetrics().Refused.QueueFull), "refused")
				if err := c.Close(b.Context()); err != nil {
					b.Log(err)
				}
			})
		}
	}
}

func BenchmarkEnqueueParallel(b *testing.B) {
	call := newCall(1000)
	c := benchClient(b, swallow{}, 10_000_000)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, _ = c.SubmitBatchEvent(brokle.ObservationCreate, call)
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(c.ProcessorMetrics().Refused.QueueFull), "refused")
	_ = c.Close(b.Context())
}

func BenchmarkEnqueueRefused(b *testing.B) {
	c := benchClient(b, stall{}, 10)
	call := newCall(1000)
	for range 20 {
		_, _ = c.SubmitBatchEvent(brokle.ObservationCreate, call)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.SubmitBatchEvent(brokle.ObservationCreate, call); err != brokle.ErrQueueFull {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	giveUp(c)
}

// BenchmarkEnqueueAlone has no sender at work beside it: what the caller itself pays.
func BenchmarkEnqueueAlone(b *testing.B) {
	for name, payload := range payloads(1000) {
		b.Run(name, func(b *testing.B) {
			c := benchClient(b, stall{}, 1_000_000)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = c.SubmitBatchEvent(brokle.ObservationCreate, payload)
			}
			b.StopTimer()
			b.ReportMetric(float64(c.ProcessorMetrics().Refused.QueueFull), "refused")
			giveUp(c)
		})
	}
}

// giveUp closes a client whose server will never answer.
func giveUp(c *brokle.Client) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = c.Close(ctx)
}

// BenchmarkFloor is what any client pays at least: JSON and a locked append.
func BenchmarkFloor(b *testing.B) {
	call := newCall(1000)
	var mu sync.Mutex
	var buf bytes.Buffer
	b.ReportAllocs()
	for b.Loop() {
		j, _ := json.Marshal(call)
		mu.Lock()
		buf.Write(j)
		if buf.Len() > 1<<20 {
			buf.Reset()
		}
		mu.Unlock()
	}
}
