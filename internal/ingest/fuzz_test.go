package ingest_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/formats"
)

// Whatever the body, Decode ends and does not change it, and what it gives can be
// submitted with counts that add up.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(batch("", "a", "!b", "a")))
	f.Add([]byte(batch(`,"environment":"x","deduplication":{"ttl":60,"fail_on_duplicate":true},"async":true`, "a")))
	f.Add([]byte(`{"events":[1,{"event_id":"\u0061","event_type":"trace","payload":{"name":"n"},"timestamp":1e9}]}`))
	f.Add([]byte(`{"telemetry":[{"a":1},2],"timestamp":1.5}`))
	f.Add([]byte(`{"events":[` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `]}`))
	f.Add([]byte("{\"events\":[{\"event_id\":\"\xff\"}]}"))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, body []byte) {
		sent := slices.Clone(body)
		log := newMemLog()
		in := ingest.New(ingest.Options{Log: log, Jobs: log, Decode: jobs()})
		for _, f := range formats.All() {
			r, err := f.Decode(&wireformat.Incoming{Project: "p", Limits: wireformat.Limits{}.WithDefaults(), Body: body})
			if err != nil {
				if refused := (*ingest.RequestError)(nil); !errors.As(err, &refused) || refused.Code == "" || refused.Message == "" {
					t.Fatalf("%q: %v", body, err)
				}
				continue
			}
			n := len(r.Events)
			resp, err := in.Submit(t.Context(), "p", r)
			if errors.Is(err, store.ErrDuplicate) {
				continue
			}
			if err != nil {
				t.Fatalf("%q: %v", body, err)
			}
			adds(t, resp, n)
		}
		if !slices.Equal(sent, body) {
			t.Fatal("the body was changed")
		}
	})
}
