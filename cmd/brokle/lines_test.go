package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/brokle-ai/brokle-go"
)

func collect(t *testing.T, in string) (events []lineEvent, bad map[int]string) {
	t.Helper()
	bad = map[int]string{}
	err := readLines(strings.NewReader(in), brokle.EventCreate,
		func(e lineEvent) error { events = append(events, e); return nil },
		func(line int, err error) { bad[line] = err.Error() }, nil)
	if err != nil {
		t.Fatal(err)
	}
	return events, bad
}

func TestReadLines(t *testing.T) {
	t.Parallel()
	events, bad := collect(t, strings.Join([]string{
		`{"event_id":"a","event_type":"trace_create","payload":{"name":"n"},"timestamp":1700000000.5}`,
		``,
		`  {"name":"bare"}  `,
		`[1]`,
		`{"event_type":"trace_create"}`,
		`{broken`,
		`{"event_id":"b","event_type":"trace_create","payload":{},"timestamp":"yesterday"}`,
		`{"event_type":"trace_create","payload":{"name":"no id"}}`,
	}, "\n"))
	want := []struct {
		line    int
		id      string
		typ     brokle.EventType
		payload string
	}{
		{1, "a", brokle.TraceCreate, `{"name":"n"}`},
		{3, "", brokle.EventCreate, `{"name":"bare"}`},
		{5, "", brokle.EventCreate, `{"event_type":"trace_create"}`},
		{8, "", brokle.TraceCreate, `{"name":"no id"}`},
	}
	if len(events) != len(want) {
		t.Fatalf("%d events, want %d: %+v", len(events), len(want), events)
	}
	for i, w := range want {
		e := events[i]
		if e.line != w.line || e.event.Type != w.typ || string(e.event.Payload) != w.payload || w.id != "" && e.event.ID != w.id {
			t.Errorf("event %d: line %d %+v, want %+v", i, e.line, e.event, w)
		}
		if w.id == "" && (!strings.HasPrefix(e.event.ID, "sha256-") || !brokle.ValidID(e.event.ID)) {
			t.Errorf("event %d has id %q", i, e.event.ID)
		}
	}
	if got := events[0].event.Timestamp.UnixMilli(); got != 1700000000500 {
		t.Errorf("timestamp %d", got)
	}
	if len(bad) != 3 || bad[4] == "" || bad[6] == "" || !strings.Contains(bad[7], "timestamp") {
		t.Errorf("bad lines %v, want 4, 6 and 7", bad)
	}
}

func TestContentIDFollowsContent(t *testing.T) {
	t.Parallel()
	id := func(line string) string {
		events, bad := collect(t, line)
		if len(bad) > 0 {
			t.Fatalf("%s: %v", line, bad)
		}
		return events[0].event.ID
	}
	base := id(`{"event_type":"event_create","payload":{"a":1}}`)
	for _, same := range []string{`{"event_type":"event_create","payload":{ "a" : 1 }}`, `{"a":1}`} {
		if id(same) != base {
			t.Errorf("%s has another id", same)
		}
	}
	for _, other := range []string{
		`{"event_type":"trace_create","payload":{"a":1}}`,
		`{"event_type":"event_create","payload":{"a":2}}`,
		`{"event_type":"event_create","payload":{"a":1},"timestamp":1}`,
	} {
		if id(other) == base {
			t.Errorf("%s has the same id", other)
		}
	}
}

func TestReadLinesStops(t *testing.T) {
	t.Parallel()
	stop := errors.New("enough")
	err := readLines(strings.NewReader("{}\n{}\n"), brokle.EventCreate, func(lineEvent) error { return stop }, nil, nil)
	if !errors.Is(err, stop) {
		t.Errorf("error %v, want %v", err, stop)
	}
	torn := io.MultiReader(strings.NewReader("{}\n{"), errReader{stop})
	err = readLines(torn, brokle.EventCreate, func(lineEvent) error { return nil }, func(int, error) {}, nil)
	if !errors.Is(err, stop) || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("error %v, want %v in line 2", err, stop)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestDecompress(t *testing.T) {
	t.Parallel()
	const text = "{\"a\":1}\n"
	var gz, zs bytes.Buffer
	g := gzip.NewWriter(&gz)
	z, err := zstd.NewWriter(&zs)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []io.WriteCloser{g, z} {
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for name, in := range map[string]string{"plain": text, "gzip": gz.String(), "zstd": zs.String(), "short": "{}", "empty": ""} {
		r, err := decompress(strings.NewReader(in))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := io.ReadAll(r)
		want := text
		if len(in) < 4 {
			want = in
		}
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
