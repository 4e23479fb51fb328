package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/brokle-ai/brokle-go"
)

// wire is how a server takes the events of one request.
type wire struct {
	path, contentType string
	encode            func([]brokle.Event) ([]byte, error)
	// accepted says whether the answer to a 2xx takes all events.
	accepted func(answer []byte, events int) bool
}

func brokleWire() wire {
	return wire{
		path: "/v1/telemetry/batch", contentType: "application/json",
		encode: func(events []brokle.Event) ([]byte, error) {
			return json.Marshal(&brokle.BatchRequest{Events: events, Environment: "production"})
		},
		accepted: func(answer []byte, events int) bool {
			return bytes.Contains(answer, []byte(`"processed_events":`+strconv.Itoa(events)+`,`))
		},
	}
}

// jsonLinesWire is a line of JSON per event: what VictoriaLogs takes.
func jsonLinesWire() wire {
	return wire{
		path: "/insert/jsonline?_stream_fields=environment&_msg_field=event_type&_time_field=time", contentType: "application/stream+json",
		encode: func(events []brokle.Event) ([]byte, error) {
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			for i := range events {
				line := map[string]any{
					"time": events[i].Timestamp.UTC().Format("2006-01-02T15:04:05.000000Z"), "environment": "production",
					"event_id": events[i].ID, "event_type": events[i].Type, "payload": events[i].Payload,
				}
				if err := enc.Encode(line); err != nil {
					return nil, err
				}
			}
			return b.Bytes(), nil
		},
		accepted: func([]byte, int) bool { return true }, // it answers nothing
	}
}

// otlpWire is an OTLP/HTTP request of log records (OTLP 1.x, binary Protobuf):
// the payload is the body, id and type are attributes.
func otlpWire() wire {
	text := func(s string) *common.AnyValue {
		return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: s}}
	}
	return wire{
		path: "/v1/logs", contentType: "application/x-protobuf",
		encode: func(events []brokle.Event) ([]byte, error) {
			records := make([]*logs.LogRecord, len(events))
			for i := range events {
				records[i] = &logs.LogRecord{
					TimeUnixNano: uint64(events[i].Timestamp.UnixNano()), Body: text(string(events[i].Payload)),
					Attributes: []*common.KeyValue{{Key: "event_id", Value: text(events[i].ID)}, {Key: "event_type", Value: text(string(events[i].Type))}},
				}
			}
			return proto.Marshal(&collogs.ExportLogsServiceRequest{ResourceLogs: []*logs.ResourceLogs{{ScopeLogs: []*logs.ScopeLogs{{LogRecords: records}}}}})
		},
		accepted: func(answer []byte, _ int) bool { // a partial success has a body that says what was refused
			var r collogs.ExportLogsServiceResponse
			return proto.Unmarshal(answer, &r) == nil && r.GetPartialSuccess().GetRejectedLogRecords() == 0
		},
	}
}

// post sends one request and checks its answer.
func (w *wire) post(client *http.Client, url string, body []byte, events int) error {
	req, err := http.NewRequest(http.MethodPost, url+w.path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", w.contentType)
	req.Header.Set("X-API-Key", benchKey)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || !w.accepted(answer, events) {
		return fmt.Errorf("answer %d: %.300s", resp.StatusCode, answer)
	}
	return nil
}
