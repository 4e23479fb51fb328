package brokle_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokletest"
)

// Clear names fields to take back in what an update sends, and Cost leaves the sum to
// the server, which adds exactly.
func TestClearOption(t *testing.T) {
	t.Parallel()
	srv := brokletest.NewServer(t)
	c := open(t, srv, nil)
	ctx, trace := c.StartTrace(t.Context(), "answer", brokle.Tags("wrong"))
	_, gen := brokle.StartGeneration(ctx, "chat")
	trace.Update(brokle.Clear("tags", "user_id"), brokle.Tags("right"))
	gen.Update(brokle.Clear("level"), brokle.Clear("model"))
	gen.End(brokle.Cost(0.1, 0.2))
	closeClient(t, c)
	for typ, want := range map[brokle.EventType]string{
		brokle.TraceUpdate: `"tags":["right"]`, brokle.ObservationUpdate: `"clear":["level","model"]`, brokle.ObservationComplete: `"output_cost":0.2`,
	} {
		got := srv.OfType(typ)
		if len(got) != 1 || !bytes.Contains(got[0].Payload, []byte(want)) || bytes.Contains(got[0].Payload, []byte("total_cost")) {
			t.Errorf("%s says %s, want %s", typ, got[0].Payload, want)
		}
		if typ == brokle.TraceUpdate && !bytes.Contains(got[0].Payload, []byte(`"clear":["tags","user_id"]`)) {
			t.Errorf("%s says %s", typ, got[0].Payload)
		}
	}
	for _, typ := range []brokle.EventType{brokle.TraceCreate, brokle.ObservationCreate, brokle.ObservationComplete} {
		if got := srv.OfType(typ); len(got) != 1 || bytes.Contains(got[0].Payload, []byte("clear")) {
			t.Errorf("%s says %s", typ, got[0].Payload)
		}
	}
}

// An observation is asked for by its trace when the caller names one.
func TestObservationInItsTrace(t *testing.T) {
	t.Parallel()
	var asked []string
	c := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RequestURI())
		io.WriteString(w, `{"id":"o","ambiguous":true,"data":[{"event_id":"e"}]}`)
	}), nil)
	if o, err := c.Observations.Get(t.Context(), "o"); err != nil || !o.Ambiguous {
		t.Errorf("%+v, %v", o, err)
	}
	if _, err := c.Observations.GetIn(t.Context(), "a b", "o"); err != nil {
		t.Error(err)
	}
	if events, err := c.Observations.HistoryIn(t.Context(), "t", "o"); err != nil || len(events) != 1 {
		t.Errorf("%+v, %v", events, err)
	}
	want := []string{"/v1/observations/o", "/v1/observations/o?trace_id=a+b", "/v1/observations/o/history?trace_id=t"}
	for i := range want {
		if len(asked) != len(want) || asked[i] != want[i] {
			t.Fatalf("asked for %v, want %v", asked, want)
		}
	}
}
