package brokle

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzStreamMessages: whatever a server streams, the reader ends, never panics, gives
// only events with an id, and goes on behind the last message that was whole.
func FuzzStreamMessages(f *testing.F) {
	for _, text := range []string{"", "retry: 1000\nid: a\n\n", "id: b\nevent: event\ndata: {\"event_id\":\"e\",\"event_type\":\"trace_create\",\"payload\":{}}\n\n", ": alive\nid: c\n\n",
		"event: end\ndata: {\"code\":\"stopping\"}\n\n", "data: {\n\n", "data: {\"event_id\":\ndata: \"e\"}\n\n", "id: \x00\n\n", "retry: -1\n\n", "retry: 99999999999999999999\n\n", "data\n\n", "\r\n\r\n", "id:x\r\ndata:{}\r\n\r\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := &stream{last: "before"}
		events := 0
		more, err := s.messages(bytes.NewReader(text), func(ev StoredEvent, err error) bool {
			if err != nil || ev.EventID == "" {
				t.Fatalf("an event without an id, %v", err)
			}
			events++
			return true
		})
		if !more || events != s.seen || s.retry < 0 {
			t.Fatalf("more %v, %d events, %d seen, retry %v, %v", more, events, s.seen, s.retry, err)
		}
		if s.last != "before" && !bytes.Contains(text, []byte("id")) {
			t.Fatalf("goes on behind %q, which nobody sent", s.last)
		}
	})
}

// FuzzSpoolFile: a file of the spool that was damaged is an error, never a panic
// and never a batch of another number of events.
func FuzzSpoolFile(f *testing.F) {
	good := `{"events":[{"event_id":"01K0ZV6B3T8M5Q2Y7R4N1W9XCD","event_type":"trace_create","payload":{"name":"n"}}],"environment":"default"}`
	two := strings.Replace(good, `}}]`, `}},{"event_id":"a\"b","event_type":"event_create","payload":{}}]`, 1)
	for _, text := range []string{good, two, "", "{}", `{"events":[]}`, good[:len(good)-3], strings.Replace(good, `{"event_id"`, `{ "event_id"`, 1), strings.Replace(good, `XCD"`, `XCD`, 1),
		`{"events":[1],"environment":1}`, `{"events":[{"event_id":1}],"environment":""}`, `{"events":[{"event_id":"\`, `{"events":[null],"environment":"x"}`, `{"events":[{"event_id":"","event_type":"x"}],"environment":"x"}`} {
		f.Add([]byte(text), 1)
		f.Add([]byte(text), 2)
	}
	path := filepath.Join(f.TempDir(), "file.json")
	f.Fuzz(func(t *testing.T, text []byte, events int) {
		if events < 0 || events > 1000 {
			return
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		file := &spoolFile{path: path, events: events, epochs: make([]*epoch, events)}
		b, err := file.load()
		if err != nil {
			return
		}
		if len(b.items) != events {
			t.Fatalf("%d events, its name says %d", len(b.items), events)
		}
		for i := range b.items {
			_ = b.id(&b.items[i])
		}
		if context.Cause(t.Context()) != nil {
			t.Fatal("ended")
		}
	})
}
