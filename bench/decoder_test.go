package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/batch"
	"github.com/brokle-ai/brokle-go/internal/wireformat/otlphttp"
)

func TestFloorDecodes(t *testing.T) {
	t.Parallel()
	const event = `{"event_id":"e1","event_type":"event_create","payload":{"a":[1,"x"]},"timestamp":1.5}`
	events, err := decodeBatch([]byte(`{"metadata":{"x":"\u00e9\n\"","y":[-1.5e+3,null,[]]},"events":[` + event + `],"environment":"x"}`))
	if err != nil || len(events) != 1 || string(events[0].id) != `"e1"` {
		t.Errorf("events %+v, %v", events, err)
	}
	for name, body := range map[string]string{
		"half": `{"events":[` + event, "more behind": `{"events":[` + event + `]} {}`, "a list": `[` + event + `]`,
		"no id": `{"events":[{"event_type":"x","payload":{}}]}`, "a payload that is no object": `{"events":[{"event_id":"e1","event_type":"x","payload":1}]}`,
		"no UTF-8": "{\"events\":[{\"event_id\":\"e1\",\"event_type\":\"x\",\"payload\":{\"a\":\"\xff\"}}]}", "an escape": `{"x":"\x","events":[` + event + `]}`, "half an escape": `{"x":"\u12g4","events":[` + event + `]}`,
		"a number": `{"x":01,"events":[` + event + `]}`, "a word": `{"events":[` + event + `],"x":nul}`,
	} {
		if events, err := decodeBatch([]byte(body)); err == nil {
			t.Errorf("%s: read %+v", name, events)
		}
	}
}

func TestFloorDecodesTheLoad(t *testing.T) {
	t.Parallel()
	l, err := newLoad(options{batch: 100}, brokleWire())
	if err != nil {
		t.Fatal(err)
	}
	for i := range l.bodies {
		if events, err := decodeBatch(l.request(i, nil)); err != nil || len(events) != 100 {
			t.Fatalf("request %d: %d ids, %v", i, len(events), err)
		}
	}
}

// BenchmarkDecoder says what the floor's decoders cost beside the server's of today, 100 events and
// 100 to 500 spans a request. The two take turns within each iteration.
func BenchmarkDecoder(b *testing.B) {
	events, err := newLoad(options{batch: 100}, brokleWire())
	if err != nil {
		b.Fatal(err)
	}
	spans, err := newSpanLoad()
	if err != nil {
		b.Fatal(err)
	}
	in := wireformat.Incoming{Limits: wireformat.Limits{}.WithDefaults()}
	inSpans := in
	inSpans.Path, inSpans.Header = "/v1/traces", http.Header{"Content-Type": {"application/x-protobuf"}}
	for _, c := range []struct {
		name          string
		floor, server func(n int) error
	}{
		{"events", func(n int) error { _, err := decodeBatch(events.bodies[n%len(events.bodies)].body); return err }, func(n int) error {
			in.Body = events.bodies[n%len(events.bodies)].body
			_, err := batch.Format{}.Decode(&in)
			return err
		}},
		{"spans", func(n int) error { _, err := decodeSpans(spans.bodies[n%len(spans.bodies)].body); return err }, func(n int) error {
			inSpans.Body = spans.bodies[n%len(spans.bodies)].body
			_, err := otlphttp.Format{}.Decode(&inSpans)
			return err
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var floor, server time.Duration
			n := 0
			for ; b.Loop(); n++ {
				begin := processCPU()
				if err := c.floor(n); err != nil {
					b.Fatal(err)
				}
				mid := processCPU()
				if err := c.server(n); err != nil {
					b.Fatal(err)
				}
				floor, server = floor+mid-begin, server+processCPU()-mid
			}
			b.ReportMetric(float64(floor.Nanoseconds())/float64(n), "floor-cpu-ns/op")
			b.ReportMetric(float64(server.Nanoseconds())/float64(n), "server-cpu-ns/op")
			b.ReportMetric(float64(floor)/float64(server), "floor/server")
		})
	}
}
