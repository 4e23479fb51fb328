package server

import (
	"bytes"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Property 1: what was answered 200 is in the answer to a question that comes right behind it, beside others that send without end.
func TestWhatWasAnsweredIsInTheNextAnswer(t *testing.T) {
	t.Parallel()
	h := open(t, setup{gather: 80 * time.Millisecond})
	stop := make(chan struct{})
	var others sync.WaitGroup
	defer others.Wait()
	defer close(stop)
	others.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			id := fmt.Sprint("other", n)
			rep, err := h.try(http.MethodPost, "/v1/telemetry/batch", bytes.NewReader(batch(event(id, "trace_create", `{"id":"`+id+`","name":"other"}`))))
			if err != nil || rep.status != http.StatusOK {
				t.Errorf("%d %v", rep.status, err)
				return
			}
		}
	})
	missed := 0
	for n := range 200 {
		id := fmt.Sprint("mine", n)
		h.post(event("t"+id, "trace_create", `{"id":"`+id+`","name":"mine","user_id":"`+id+`"}`), event("o"+id, "observation_create", `{"id":"`+id+`","trace_id":"`+id+`","type":"span","name":"mine"}`))
		switch n % 4 {
		case 0:
			if h.get("/v1/traces/"+id).status != http.StatusOK {
				missed++
			}
		case 1:
			if page := decoded[wire.Page[wire.TraceSummary]](t, h.get("/v1/traces?user_id="+id)); len(page.Data) != 1 {
				missed++
			}
		case 2:
			if h.get("/v1/observations/"+id).status != http.StatusOK {
				missed++
			}
		case 3:
			page := decoded[wire.Page[struct{ Count int }]](t, h.get("/v1/stats?of=traces&name=mine"))
			if len(page.Data) != 1 || page.Data[0].Count != n+1 {
				missed++
			}
		}
	}
	if missed > 0 {
		t.Errorf("%d of 200 answers miss what was stored before the question", missed)
	}
}
