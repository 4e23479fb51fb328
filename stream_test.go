package brokle

import (
	"bytes"
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
