package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go"
)

// lineBytes is about how large a line of OTLP becomes: servers bound a request's body.
const lineBytes = 4 << 20

// otlpSignal is what OpenTelemetry calls the parts of a request, and where one is sent.
type otlpSignal struct{ path, resources, scopes, items string }

// signals are those that are exported and imported.
var signals = []otlpSignal{
	{"/v1/traces", "resourceSpans", "scopeSpans", "spans"},
	{"/v1/logs", "resourceLogs", "scopeLogs", "logRecords"},
}

// members is a JSON object whose values stay as they are written.
type members map[string]json.RawMessage

// lines makes one line of what a request has of the signal; of more than lineBytes several, each whole by itself.
func (s otlpSignal) lines(request members, yield func(line []byte) error) error {
	list := request[s.resources]
	switch {
	case len(list) == 0 || string(list) == "[]":
		return nil
	case len(list) <= lineBytes:
		return yieldJSON(members{s.resources: list}, yield)
	}
	return s.walk(request, func(resource, scope members, items []json.RawMessage) error {
		for len(items) > 0 {
			n, size := 0, 0
			for n < len(items) && (n == 0 || size+len(items[n]) <= lineBytes) {
				size += len(items[n])
				n++
			}
			scope[s.items] = encoded(items[:n])
			resource[s.scopes] = encoded([]members{scope})
			if err := yieldJSON(members{s.resources: encoded([]members{resource})}, yield); err != nil {
				return err
			}
			items = items[n:]
		}
		return nil
	})
}

// walk calls each for the scopes of a request.
func (s otlpSignal) walk(request members, each func(resource, scope members, items []json.RawMessage) error) error {
	var resources []members
	if list := request[s.resources]; list != nil {
		if err := json.Unmarshal(list, &resources); err != nil {
			return fmt.Errorf("%s: %w", s.resources, err)
		}
	}
	for _, resource := range resources {
		var scopes []members
		if err := json.Unmarshal(orNone(resource[s.scopes]), &scopes); err != nil {
			return fmt.Errorf("%s: %w", s.scopes, err)
		}
		for _, scope := range scopes {
			var items []json.RawMessage
			if err := json.Unmarshal(orNone(scope[s.items]), &items); err != nil {
				return fmt.Errorf("%s: %w", s.items, err)
			}
			if err := each(resource, scope, items); err != nil {
				return err
			}
		}
	}
	return nil
}

func orNone(list json.RawMessage) json.RawMessage {
	if list == nil {
		return json.RawMessage("[]")
	}
	return list
}

// count is how many spans or log records a request has.
func (s otlpSignal) count(request members) (n int, err error) {
	err = s.walk(request, func(_, _ members, items []json.RawMessage) error {
		n += len(items)
		return nil
	})
	return n, err
}

func encoded(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // spans stay as they are
	if e.Encode(v) != nil {
		return nil // what was decoded always encodes
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

func yieldJSON(v any, yield func([]byte) error) error { return yield(encoded(v)) }

// exportOTLP writes traces as OTLP, a request a line, and returns how many traces they were.
func (x *exporter) exportOTLP(ctx context.Context, c *cli.Command, out io.Writer, each func()) (n int, err error) {
	err = x.traceIDs(ctx, func(id string) error {
		answer, err := ask(ctx, c, http.MethodGet, "/v1/traces/-?"+url.Values{"id": {id}, "format": {"otlp"}}.Encode())
		var re *brokle.RequestError
		if errors.As(err, &re) && re.StatusCode == http.StatusNotFound {
			return nil // it has no spans, or was erased meanwhile
		}
		if err != nil {
			return err
		}
		var request members
		err = json.NewDecoder(answer).Decode(&request)
		_ = answer.Close() // it was read
		if err != nil {
			return fmt.Errorf("read trace %s: %w", id, err)
		}
		for _, s := range signals {
			err := s.lines(request, func(line []byte) error {
				_, err := out.Write(append(line, '\n'))
				return err
			})
			if err != nil {
				return fmt.Errorf("write trace %s: %w", id, err)
			}
		}
		n++
		each()
		return nil
	})
	return n, err
}

// traceIDs calls each for the traces that the export is made of, oldest first; without --trace and --user for all.
func (x *exporter) traceIDs(ctx context.Context, each func(id string) error) error {
	for _, id := range x.traces {
		if err := each(id); err != nil {
			return err
		}
	}
	if len(x.traces) > 0 && x.user == "" {
		return nil
	}
	q := brokle.TraceQuery{
		Filter: brokle.Filter{UserID: x.user, From: x.query.From, To: x.query.To, Environment: x.query.Environment},
		Order:  brokle.Order{Sort: "start_time", Limit: exportPage},
	}
	for tr, err := range x.client.Traces.List(ctx, q) {
		if err != nil {
			return err
		}
		if err := each(tr.ID); err != nil {
			return err
		}
	}
	return nil
}
