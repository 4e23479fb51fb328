package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/brokle-ai/brokle-go"
)

// recorder is a server that keeps the types of the events it gets.
type recorder struct {
	mu    sync.Mutex // guards types
	types map[brokle.EventType]int
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var batch brokle.BatchRequest
	if err := json.NewDecoder(req.Body).Decode(&batch); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	for _, ev := range batch.Events {
		r.types[ev.Type]++
	}
	r.mu.Unlock()
	io.WriteString(w, `{"batch_id":"b1"}`)
}

func TestChatRecordsEachQuestionAsATrace(t *testing.T) {
	rec := &recorder{types: make(map[brokle.EventType]int)}
	srv := httptest.NewServer(rec)
	defer srv.Close()
	t.Setenv("BROKLE_API_KEY", "bk_chat")
	t.Setenv("BROKLE_HOST", srv.URL)
	var out strings.Builder
	if err := run(t.Context(), nil, strings.NewReader("Where is my order?\n\nCan I return it?\n"), &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "arrive within three") || !strings.Contains(out.String(), "nothing was asked") {
		t.Errorf("output:\n%s", out.String())
	}
	for typ, n := range map[brokle.EventType]int{brokle.TraceCreate: 3, brokle.ObservationCreate: 6, brokle.ObservationComplete: 6, brokle.QualityScoreCreate: 2} {
		if got := rec.types[typ]; got != n {
			t.Errorf("%d %s, want %d", got, typ, n)
		}
	}
}

func TestChatWorksWithoutAKey(t *testing.T) {
	t.Setenv("BROKLE_API_KEY", "")
	var out strings.Builder
	if err := run(t.Context(), []string{"How do I pay?"}, nil, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "cards") || strings.Contains(out.String(), "recorded") {
		t.Errorf("output:\n%s", out.String())
	}
}
