package wireformat_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/batch"
)

// lines is a format with a name: each line is the id of an event.
type lines struct{ batch.Format }

func (lines) Name() string { return "lines" }

func (lines) Decode(in *wireformat.Incoming) (*ingest.Request, error) {
	r := &ingest.Request{}
	for line := range strings.Lines(string(in.Body)) {
		if len(r.Events) == in.Limits.MaxEvents {
			return nil, in.Limits.TooMany()
		}
		r.Events = append(r.Events, wire.Event{ID: in.Project + "/" + strings.TrimSpace(line)})
	}
	return r, nil
}

// A job is read again in its own format, whatever number of events is allowed by now. One
// without a name is a batch, as all were once.
func TestJobsAreReadInTheirFormat(t *testing.T) {
	t.Parallel()
	decode := wireformat.Table{batch.Format{}, lines{}}.Jobs(wireformat.Limits{MaxEvents: 1})
	const old = `{"events":[{"event_id":"a","event_type":"event_create","payload":{}},{"event_id":"b","event_type":"event_create","payload":{}}]}`
	for _, c := range []struct{ format, body, last string }{{"", old, "b"}, {"lines", "x\ny\nz\n", "p/z"}} {
		r, err := decode(store.Job{Project: "p", Format: c.format, Body: []byte(c.body)})
		if err != nil || r.Events[len(r.Events)-1].ID != c.last {
			t.Errorf("%q: %+v, %v", c.format, r, err)
		}
	}
	refused := (*ingest.RequestError)(nil)
	if _, err := decode(store.Job{Format: "of tomorrow"}); !errors.As(err, &refused) {
		t.Errorf("an unknown format: %v", err)
	}
}
