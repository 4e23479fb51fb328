package ingest_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/store"
)

const oneEvent = `{"event_id":"e1","event_type":"event_create","payload":{}}`

func TestDecodeReads(t *testing.T) {
	t.Parallel()
	defaults := store.Dedup{Enabled: true, TTL: time.Hour}
	for name, c := range map[string]struct {
		body  string
		env   string
		async bool
		dedup store.Dedup
	}{
		"least":                {`{"events":[` + oneEvent + `]}`, "", false, defaults},
		"all":                  {`{"events":[` + oneEvent + `],"environment":"prod-1_a.b","metadata":{"x":1},"deduplication":{"enabled":false,"ttl":60,"use_redis_cache":false,"fail_on_duplicate":true},"async_mode":true}`, "prod-1_a.b", true, store.Dedup{TTL: time.Minute, FailOnDuplicate: true, LocalOnly: true}},
		"nulls":                {`{"events":[` + oneEvent + `],"environment":null,"metadata":null,"deduplication":null,"async_mode":null}`, "", false, defaults},
		"nulls inside":         {`{"events":[` + oneEvent + `],"deduplication":{"enabled":null,"ttl":null,"use_redis_cache":null,"fail_on_duplicate":null}}`, "", false, defaults},
		"unknown fields":       {`{"x":[{}],"events":[` + oneEvent + `],"deduplication":{"y":1}}`, "", false, defaults},
		"longest ttl":          {`{"events":[` + oneEvent + `],"deduplication":{"ttl":86400.0}}`, "", false, store.Dedup{Enabled: true, TTL: 24 * time.Hour}},
		"async":                {`{"async":true,"events":[` + oneEvent + `]}`, "", true, defaults},
		"async_mode beats it":  {`{"async":true,"async_mode":false,"events":[` + oneEvent + `]}`, "", false, defaults},
		"the last of a name":   {`{"events":[],"events":[` + oneEvent + `]}`, "", false, defaults},
		"metadata of any kind": {`{"events":[` + oneEvent + `],"metadata":"x"}`, "", false, defaults},
		"deep metadata":        {`{"events":[` + oneEvent + `],"metadata":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, "", false, defaults},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := ingest.Limits{}.Decode([]byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Events) != 1 || len(r.Faults) != 0 || r.Events[0].ID != "e1" || string(r.Events[0].Payload) != "{}" {
				t.Errorf("events are %+v, faults %+v", r.Events, r.Faults)
			}
			if r.Environment != c.env || r.AsyncMode != c.async || r.Dedup != c.dedup {
				t.Errorf("read %q %v %+v", r.Environment, r.AsyncMode, r.Dedup)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	with := func(more string) string { return `{"events":[` + oneEvent + `],` + more + `}` }
	for name, c := range map[string]struct{ body, code string }{
		"nothing":                 {``, "invalid_json"},
		"spaces":                  {` `, "invalid_json"},
		"half":                    {`{"events":[`, "invalid_json"},
		"more behind":             {`{} {}`, "invalid_json"},
		"a list":                  {`[]`, "invalid_json"},
		"a number":                {`1`, "invalid_json"},
		"deep and broken":         {`{"events":` + strings.Repeat("[", 100000), "invalid_json"},
		"no events":               {`{}`, "empty_batch"},
		"null events":             {`{"events":null}`, "empty_batch"},
		"empty events":            {`{"events":[]}`, "empty_batch"},
		"events is an object":     {`{"events":{}}`, "invalid_field"},
		"too many":                {`{"events":[` + strings.Repeat("0,", 1000) + `0]}`, "batch_too_large"},
		"environment: number":     {with(`"environment":1`), "invalid_environment"},
		"environment: upper case": {with(`"environment":"Prod"`), "invalid_environment"},
		"environment: reserved":   {with(`"environment":"brokle-x"`), "invalid_environment"},
		"environment: space":      {with(`"environment":"a b"`), "invalid_environment"},
		"environment: long":       {with(`"environment":"` + strings.Repeat("a", 41) + `"`), "invalid_environment"},
		"environment: no UTF-8":   {with("\"environment\":\"\xff\""), "invalid_environment"},
		"deduplication: list":     {with(`"deduplication":[]`), "invalid_deduplication"},
		"ttl: low":                {with(`"deduplication":{"ttl":59}`), "invalid_deduplication"},
		"ttl: high":               {with(`"deduplication":{"ttl":86401}`), "invalid_deduplication"},
		"ttl: fraction":           {with(`"deduplication":{"ttl":60.5}`), "invalid_deduplication"},
		"ttl: negative":           {with(`"deduplication":{"ttl":-60}`), "invalid_deduplication"},
		"ttl: list":               {with(`"deduplication":{"ttl":[]}`), "invalid_deduplication"},
		"enabled: text":           {with(`"deduplication":{"enabled":"yes"}`), "invalid_deduplication"},
		"use_redis_cache: number": {with(`"deduplication":{"use_redis_cache":1}`), "invalid_deduplication"},
		"fail_on_duplicate: text": {with(`"deduplication":{"fail_on_duplicate":"x"}`), "invalid_deduplication"},
		"async_mode: text":        {with(`"async_mode":"true"`), "invalid_field"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := ingest.Limits{}.Decode([]byte(c.body))
			refused := (*ingest.RequestError)(nil)
			if !errors.As(err, &refused) || refused.Code != c.code || refused.Message == "" {
				t.Errorf("got %+v, %v; want %s", r, err, c.code)
			}
		})
	}
}

// 1000 events are taken, and the error of one more says the limit.
func TestDecodeCountLimit(t *testing.T) {
	t.Parallel()
	body := `{"events":[` + strings.Repeat("0,", 999) + `0]}`
	if r, err := (ingest.Limits{}).Decode([]byte(body)); err != nil || len(r.Events) != 1000 || len(r.Faults) != 1000 {
		t.Errorf("1000 events: %v", err)
	}
	_, err := ingest.Limits{MaxEvents: 999}.Decode([]byte(body))
	refused := (*ingest.RequestError)(nil)
	if !errors.As(err, &refused) || refused.Code != ingest.CodeBatchTooLarge || !strings.Contains(refused.Message, "999") ||
		refused.Details != (ingest.CountLimit{Limit: 999}) {
		t.Errorf("one more: %+v", refused)
	}
}

func TestLimitsValidate(t *testing.T) {
	t.Parallel()
	if err := (ingest.Limits{}).Validate(); err != nil {
		t.Error(err)
	}
	err := ingest.Limits{MaxEvents: -1, MaxPayloadBytes: 1, MaxDepth: 1001}.Validate()
	for _, field := range []string{"MaxEvents", "MaxPayloadBytes", "MaxDepth"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%v does not name %s", err, field)
		}
	}
}

func TestDecodeBulk(t *testing.T) {
	t.Parallel()
	decode := func(project, body string) *ingest.Request {
		t.Helper()
		r, err := ingest.Limits{}.DecodeBulk(project, []byte(body))
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
		if _, err := (ingest.Limits{}).DecodeBulk("p", []byte(body)); !errors.As(err, &refused) || refused.Code != code {
			t.Errorf("%.40s: %v, want %s", body, err, code)
		}
	}
}
