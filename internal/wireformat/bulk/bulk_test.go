package bulk_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/bulk"
)

func incoming(project, body string) *wireformat.Incoming {
	return &wireformat.Incoming{Project: project, Limits: wireformat.Limits{}.WithDefaults(), Body: []byte(body)}
}

func TestDecodeBulk(t *testing.T) {
	t.Parallel()
	decode := func(project, body string) *ingest.Request {
		t.Helper()
		r, err := bulk.Format{}.Decode(incoming(project, body))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := decode("p", `{"telemetry":[{"a":1},{"a":1},3],"batch_size":3,"timestamp":1677610602.5}`)
	if len(r.Events) != 3 || string(r.Events[1].Payload) != `{"a":1}` || r.Events[0].Type != "event_create" ||
		r.Events[0].Timestamp.UnixMicro() != 1677610602_500000 || !r.Dedup.Enabled {
		t.Errorf("read %+v", r)
	}
	seen := map[string]string{}
	for name, body := range map[string]string{
		"as it is": `{"telemetry":[{"a":1}],"timestamp":1}`, "content": `{"telemetry":[{"a":2}],"timestamp":1}`,
		"timestamp": `{"telemetry":[{"a":1}],"timestamp":2}`, "no timestamp": `{"telemetry":[{"a":1}]}`,
		"position": `{"telemetry":[{"b":1},{"a":1}],"timestamp":1}`,
	} {
		for _, project := range []string{"p", "q"} {
			events := decode(project, body).Events
			id := events[len(events)-1].ID
			if other, again := seen[id]; again {
				t.Errorf("%s of %s has the id of %s", name, project, other)
			}
			seen[id] = name + " of " + project
			again := decode(project, body).Events
			if again[len(again)-1].ID != id {
				t.Errorf("%s: the id is not the same again", name)
			}
		}
	}
	for body, code := range map[string]string{
		`[]`: "invalid_json", `{}`: "empty_batch", `{"telemetry":[]}`: "empty_batch", `{"telemetry":{}}`: "invalid_field",
		`{"telemetry":[` + strings.Repeat("0,", 1000) + `0]}`: "batch_too_large",
	} {
		refused := (*ingest.RequestError)(nil)
		if _, err := (bulk.Format{}).Decode(incoming("p", body)); !errors.As(err, &refused) || refused.Code != code {
			t.Errorf("%.40s: %v, want %s", body, err, code)
		}
	}
}

// The legacy endpoint keeps its objects too.
func TestDecodeBulkMends(t *testing.T) {
	t.Parallel()
	r, err := bulk.Format{}.Decode(incoming("p", "\uFEFF"+`{"telemetry":[{"a":NaN},{}],"timestamp":"soon"}`))
	if err != nil || len(r.Events) != 2 || string(r.Events[0].Payload) != `{"a":null}` || !r.Events[0].Timestamp.IsZero() || len(r.Notes) != 3 {
		t.Errorf("%+v, %v", r, err)
	}
}
