package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
	"github.com/brokle-ai/brokle-go/internal/redistest"
)

// sharePrompts makes versions on both nodes at once, moves a label on one, and finds what was made from them on both.
func (s *sharing) sharePrompts(t *testing.T) {
	t.Helper()
	const each = 3
	var work sync.WaitGroup
	for i := range s.nodes {
		work.Go(func() {
			for k := range each {
				if status, answer, _ := as(t, s.node(i), http.MethodPost, "/v1/prompts", rig.Key, "", fmt.Sprintf(`{"name":"shared","template":{"content":"%d of %d"}}`, k, i)); status != http.StatusOK {
					t.Errorf("a version: %d %s", status, answer)
				}
			}
		})
	}
	work.Wait()
	for i := range s.nodes {
		if status, answer, _ := as(t, s.node(i), http.MethodPut, "/v1/prompts/shared/labels", rig.Key, "", fmt.Sprintf(`{"label":"production","version":%d}`, i+1)); status != http.StatusOK {
			t.Errorf("a label: %d %s", status, answer)
		}
		for k := range s.nodes {
			redistest.Eventually(t, soon, func() bool {
				_, answer, _ := as(t, s.node(k), http.MethodGet, "/v1/prompts", rig.Key, "", "")
				return bytes.Contains(answer, fmt.Appendf(nil, `{"name":"production","version":%d}],"latest_version":%d,"versions":%d,`, i+1, each*len(s.nodes), each*len(s.nodes)))
			})
		}
	}
	events := []brokle.Event{{ID: "made-from", Type: brokle.ObservationCreate, Payload: raw(t, map[string]any{
		"id": "made-from-o", "trace_id": "made-from", "type": "generation", "name": "n", "prompt_name": "shared", "prompt_version": 2,
	})}}
	if _, _, err := s.node(0).Post(t.Context(), s.client, &brokle.BatchRequest{Events: events}); err != nil {
		t.Fatal(err)
	}
	for i := range s.nodes {
		redistest.Eventually(t, soon, func() bool {
			_, traces, _ := as(t, s.node(i), http.MethodGet, "/v1/traces?filter=prompt:shared+prompt_version:2", rig.Key, "", "")
			_, stats, _ := as(t, s.node(i), http.MethodGet, "/v1/stats?group_by=prompt_name,prompt_version&filter=prompt:shared", rig.Key, "", "")
			return bytes.Contains(traces, []byte(`"id":"made-from"`)) && bytes.Contains(stats, []byte(`{"count":1,"prompt_name":"shared","prompt_version":"2"}`))
		})
	}
}

// shareJudges sets a judge on one node: a trace that comes by the other one is judged once.
func (s *sharing) shareJudges(t *testing.T) {
	t.Helper()
	var asked atomic.Int64
	program := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = io.WriteString(w, `{"value":true}`)
	}))
	defer program.Close()
	judge := `{"quiet":"2s","filter":"name:to-judge","score":{"name":"judged","data_type":"BOOLEAN"},"kind":"webhook","url":"` + program.URL + `"}`
	if status, answer, _ := as(t, s.node(0), http.MethodPut, "/v1/judges/shared", rig.Key, "", judge); status != http.StatusOK {
		t.Fatalf("a judge: %d %s", status, answer)
	}
	for i := range s.nodes {
		id := fmt.Sprint("to-judge-", i)
		events := []brokle.Event{{ID: id, Type: brokle.TraceCreate, Payload: raw(t, map[string]any{"id": id, "name": "to-judge"})}}
		if _, _, err := s.node(i).Post(t.Context(), s.client, &brokle.BatchRequest{Events: events}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range s.nodes {
		redistest.Eventually(t, 2*soon, func() bool {
			_, scores, _ := as(t, s.node(i), http.MethodGet, "/v1/scores?name=judged", rig.Key, "", "")
			_, row, _ := as(t, s.node(i), http.MethodGet, "/v1/judges/shared", rig.Key, "", "")
			return bytes.Contains(scores, []byte(`"trace_id":"to-judge-0"`)) && bytes.Contains(scores, []byte(`"trace_id":"to-judge-1"`)) && bytes.Contains(row, []byte(`"judged":2`))
		})
	}
	if asked.Load() != 2 {
		t.Errorf("asked %d times about 2 traces", asked.Load())
	}
	if status, answer, _ := as(t, s.node(1), http.MethodDelete, "/v1/judges/shared", rig.Key, "", ""); status != http.StatusNoContent {
		t.Errorf("%d %s", status, answer)
	}
}
