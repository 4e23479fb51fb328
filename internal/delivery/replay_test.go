package delivery

import (
	"strings"
	"testing"
)

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
	f.Fuzz(func(t *testing.T, text []byte, events int) {
		if events < 0 || events > 1000 {
			return
		}
		file := &spooled{epochs: make([]*epoch, events)}
		b, err := file.parse(text)
		if err != nil {
			return
		}
		if len(b.items) != events {
			t.Fatalf("%d events, its name says %d", len(b.items), events)
		}
		for i := range b.items {
			_ = b.id(&b.items[i])
		}
	})
}
