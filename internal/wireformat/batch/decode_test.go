package batch_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/batch"
)

func decode(l wireformat.Limits, body string) (*ingest.Request, error) {
	return batch.Format{}.Decode(&wireformat.Incoming{Limits: l.WithDefaults(), Body: []byte(body)})
}

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
		"least":                {`{"events":[` + oneEvent + `]}`, "default", false, defaults},
		"all":                  {`{"events":[` + oneEvent + `],"environment":"prod-1_a.b","metadata":{"x":1},"deduplication":{"enabled":false,"ttl":60,"use_redis_cache":false,"fail_on_duplicate":true},"async_mode":true}`, "prod-1_a.b", true, store.Dedup{TTL: time.Minute, FailOnDuplicate: true, LocalOnly: true}},
		"nulls":                {`{"events":[` + oneEvent + `],"environment":null,"metadata":null,"deduplication":null,"async_mode":null}`, "default", false, defaults},
		"nulls inside":         {`{"events":[` + oneEvent + `],"deduplication":{"enabled":null,"ttl":null,"use_redis_cache":null,"fail_on_duplicate":null}}`, "default", false, defaults},
		"unknown fields":       {`{"x":[{}],"events":[` + oneEvent + `],"deduplication":{"y":1}}`, "default", false, defaults},
		"longest ttl":          {`{"events":[` + oneEvent + `],"deduplication":{"ttl":86400.0}}`, "default", false, store.Dedup{Enabled: true, TTL: 24 * time.Hour}},
		"async":                {`{"async":true,"events":[` + oneEvent + `]}`, "default", true, defaults},
		"async_mode beats it":  {`{"async":true,"async_mode":false,"events":[` + oneEvent + `]}`, "default", false, defaults},
		"the last of a name":   {`{"events":[],"events":[` + oneEvent + `]}`, "default", false, defaults},
		"metadata of any kind": {`{"events":[` + oneEvent + `],"metadata":"x"}`, "default", false, defaults},
		"deep metadata":        {`{"events":[` + oneEvent + `],"metadata":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, "default", false, defaults},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := decode(wireformat.Limits{}, c.body)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Events) != 1 || len(r.Faults) != 0 || r.Events[0].ID != "e1" || string(r.Events[0].Payload) != "{}" {
				t.Errorf("events are %+v, faults %+v", r.Events, r.Faults)
			}
			if r.Environment != c.env || r.Async != c.async || r.Dedup != c.dedup {
				t.Errorf("read %q %v %+v", r.Environment, r.Async, r.Dedup)
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
			r, err := decode(wireformat.Limits{}, c.body)
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
	if r, err := decode(wireformat.Limits{}, body); err != nil || len(r.Events) != 1000 || len(r.Faults) != 1000 {
		t.Errorf("1000 events: %v", err)
	}
	_, err := decode(wireformat.Limits{MaxEvents: 999}, body)
	refused := (*ingest.RequestError)(nil)
	if !errors.As(err, &refused) || refused.Code != wireformat.CodeBatchTooLarge || !strings.Contains(refused.Message, "999") ||
		refused.Details != (wireformat.CountLimit{Limit: 999}) {
		t.Errorf("one more: %+v", refused)
	}
}

func TestDecodeMends(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 20000) + strings.Repeat("]", 20000)
	for name, c := range map[string]struct{ payload, want string }{
		"at the ends":         {`{"a":NaN,"b":Infinity}`, `{"a":null,"b":null}`},
		"minus":               {`{"a": -Infinity , "b":-NaN}`, `{"a": null , "b":null}`},
		"in a list":           {`{"a":[NaN,NaN, [NaN]]}`, `{"a":[null,null, [null]]}`},
		"not in texts":        {`{"NaN":"Infinity","b":"\\","c":NaN,"d":"\"NaN"}`, `{"NaN":"Infinity","b":"\\","c":null,"d":"\"NaN"}`},
		"beside what is deep": {`{"a":NaN}},{"event_id":"e2","event_type":"event_create","payload":{"a":` + deep + `}`, `{"a":null}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := decode(wireformat.Limits{}, `{"metadata":{"m":NaN},"events":[{"event_id":"e1","event_type":"event_create","payload":`+c.payload+`}]}`)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(r.Events[0].Payload); got != c.want || len(r.Notes) != 1 || r.Notes[0].Index != 0 {
				t.Errorf("payload %.100s, notes %+v; want %s", got, r.Notes, c.want)
			}
		})
	}
	for name, body := range map[string]string{
		"half a word": `{"a":Na}`, "a word more": `{"a":NaNs}`, "as a key": `{NaN:1}`, "a number before": `{"a":1NaN}`, "in lower case": `{"a":nan}`, "None": `{"a":None}`,
	} {
		if r, err := decode(wireformat.Limits{}, `{"events":[{"event_id":"e1","event_type":"event_create","payload":`+body+`}]}`); err == nil {
			t.Errorf("%s: read %s", name, r.Events[0].Payload)
		}
	}
}
