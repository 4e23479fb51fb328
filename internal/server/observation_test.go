package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Observations of 60 MB, of events that are each as large as they may be, are answered in little room: what one event says that
// another has the last word of is not held, and metadata that merge are written while they are read.
func TestLargeObservations(t *testing.T) {
	skipBulk(t) // not parallel: it looks at the heap of the process
	h := open(t, setup{options: func(o *Options) { o.MaxAnswerBytes = leastAnswers }})
	const updates, size = 60, 1<<20 - 400
	post := func(id string, n int, payload string) {
		t.Helper()
		// The last word has the first that comes.
		h.accept(at(fmt.Sprint(id, n), "observation_update", 1700000000-n, fmt.Sprintf(`{"id":%q,"trace_id":"t",%s}`, id, payload)))
	}
	text := strings.Repeat("words of an answer ", size/19+1)[:size]
	h.accept(at("c1", "observation_create", 1600000000, `{"id":"grown","trace_id":"t","name":"n","input":{"a":1}}`),
		at("c2", "observation_create", 1600000000, `{"id":"merged","trace_id":"t","name":"n","metadata":{"first":0,"each":-1}}`))
	for n := range updates {
		post("grown", n, fmt.Sprintf(`"output":"%d %s"`, n, text))
		var members []string
		for k := range 16 {
			members = append(members, fmt.Sprintf(`"k%d.%d":%q`, n, k, text[:size/16-50]))
		}
		post("merged", n, fmt.Sprintf(`"metadata":{%s,"each":%d}`, strings.Join(members, ","), n))
	}
	h.settle()

	grown := h.light("/v1/observations/grown", 40<<20)
	if o := decoded[wire.Observation](t, grown); string(o.Output) != fmt.Sprintf(`"0 %s"`, text) || string(o.Input) != `{"a":1}` || !o.Counted {
		t.Errorf("%d bytes of output, %s", len(o.Output), o.Input)
	}
	merged := h.light("/v1/observations/merged", 40<<20)
	o := decoded[wire.Observation](t, merged)
	if members := decoded[map[string]json.RawMessage](t, reply{body: o.Metadata}); len(members) != 16*updates+2 || string(members["each"]) != "0" || string(members["first"]) != "0" {
		t.Errorf("%d members, each %s", len(members), members["each"])
	}
	if keys := [...]string{`{"first":0,"each":0,"k59.0":"words`, `"k0.15":"words`}; !bytes.HasPrefix(o.Metadata, []byte(keys[0])) || !bytes.Contains(o.Metadata[len(o.Metadata)-size/16:], []byte(keys[1])) {
		t.Errorf("another order: %.60s", o.Metadata)
	}
	if len(o.Metadata) < updates*(size-1000) {
		t.Errorf("%d bytes of metadata", len(o.Metadata))
	}

	h.accept(at("other", "observation_create", 1500000000, `{"id":"merged","trace_id":"before","name":"n"}`), at("nowhere", "observation_update", 0, `{"id":"merged","level":"ERROR"}`))
	if got := decoded[wire.EventReceipt](t, h.light("/v1/telemetry/events/nowhere", 40<<20)); len(got.Notes) != 1 || !strings.Contains(got.Notes[0], `of trace "t"`) {
		t.Errorf("the receipt's notes: %q", got.Notes)
	}
	if st := h.srv.answers.stats(); st.used != 0 || st.large {
		t.Errorf("left behind: %+v", st)
	}
}

// light asks for a path, and fails when the answer is made in more memory than most bytes, beside what the client has of it.
func (h *house) light(path string, most uint64) reply {
	h.tb.Helper()
	w := &peak{tb: h.tb, floor: inUse()}
	req, err := http.NewRequest(http.MethodGet, h.url+path, nil)
	if err != nil {
		h.tb.Fatal(err)
	}
	req.Header.Set("X-API-Key", h.key)
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		h.tb.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := w.body.ReadFrom(&sampled{w, res}); err != nil {
		h.tb.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		h.tb.Fatalf("%s: %d %.300s", path, res.StatusCode, w.body.Bytes())
	}
	h.tb.Logf("%s: %d bytes, the heap grew by %d MiB", path, w.body.Len(), w.most>>20)
	if w.most > most {
		h.tb.Errorf("%s: the heap grew by %d MiB", path, w.most>>20)
	}
	return reply{status: res.StatusCode, header: res.Header, body: w.body.Bytes()}
}

// peak is the most that the heap held above floor, without body.
type peak struct {
	tb    testing.TB
	floor uint64
	most  uint64
	body  bytes.Buffer
}

// sampled looks at the heap while an answer comes.
type sampled struct {
	*peak
	res *http.Response
}

func (s *sampled) Read(b []byte) (int, error) {
	n, err := s.res.Body.Read(b)
	if s.body.Len()/(4<<20) != (s.body.Len()+n)/(4<<20) || s.body.Len() == 0 {
		if now := inUse(); now > s.floor+uint64(s.body.Cap()) {
			s.most = max(s.most, now-s.floor-uint64(s.body.Cap()))
		}
	}
	return n, err
}

// inUse is what is reachable on the heap, in bytes.
func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
