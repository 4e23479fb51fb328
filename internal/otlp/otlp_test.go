package otlp_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/brokle-ai/brokle-go/internal/otel"
	"github.com/brokle-ai/brokle-go/internal/otlp"
)

// bodies are recorded requests.
func bodies(t testing.TB, pattern string) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("../otel/testdata/otlp/" + pattern)
	if err != nil || len(names) == 0 {
		t.Fatal(err, "no recorded requests")
	}
	all := map[string][]byte{}
	for _, name := range names {
		if all[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// written is a message in JSON, as our encoder writes the bytes of the official package.
func written(t testing.TB, m proto.Message, appendTo func(to, b []byte) ([]byte, error)) string {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	out, err := appendTo(nil, b)
	if err != nil || !json.Valid(out) {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// inJSON is a request in JSON with the spans of one in protobuf, made by the official package's decoder and our encoder.
func inJSON(t testing.TB, body []byte) []byte {
	t.Helper()
	var data tracepb.TracesData
	if err := proto.Unmarshal(body, &data); err != nil {
		t.Fatal(err)
	}
	var resources []string
	for _, rs := range data.ResourceSpans {
		var scopes []string
		for _, ss := range rs.ScopeSpans {
			var spans []string
			for _, s := range ss.Spans {
				spans = append(spans, written(t, s, otlp.AppendSpan))
			}
			scopes = append(scopes, `{"scope":`+written(t, ss.Scope, otlp.AppendScope)+`,"spans":[`+strings.Join(spans, ",")+`]}`)
		}
		resources = append(resources, `{"resource":`+written(t, rs.Resource, otlp.AppendResource)+`,"scopeSpans":[`+strings.Join(scopes, ",")+`]}`)
	}
	return []byte(`{"resourceSpans":[` + strings.Join(resources, ",") + `]}`)
}

func readProtobuf(t testing.TB, body []byte) (spans []*otel.Span) {
	t.Helper()
	err := spansOf(false, body, func(s *otel.Span, err error) {
		if err != nil {
			t.Error(err)
		}
		spans = append(spans, s)
	})
	if err != nil {
		t.Fatal(err)
	}
	return spans
}

// A request says the same in both encodings, and the JSON of a span says all that its protobuf said.
func TestBothEncodingsSayTheSame(t *testing.T) {
	t.Parallel()
	for name, body := range bodies(t, "*.traces.pb") {
		want := readProtobuf(t, body)
		var got []*otel.Span
		err := spansOf(true, inJSON(t, body), func(s *otel.Span, err error) {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			got = append(got, s)
		})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v: the encodings differ", name, err)
		}
	}
}

// Log records say the same in both encodings too, with the times and names that some send elsewhere.
func TestLogsInBothEncodings(t *testing.T) {
	t.Parallel()
	records := 0
	for name, body := range bodies(t, "*.logs.pb") {
		var data logspb.LogsData
		if err := proto.Unmarshal(body, &data); err != nil {
			t.Fatal(err)
		}
		var resources []string
		for _, rl := range data.ResourceLogs {
			for _, sl := range rl.ScopeLogs {
				for _, l := range sl.LogRecords {
					resources = append(resources, `{"resource":`+written(t, rl.Resource, otlp.AppendResource)+`,"scopeLogs":[{"scope":`+
						written(t, sl.Scope, otlp.AppendScope)+`,"logRecords":[`+written(t, l, otlp.AppendLog)+`]}]}`)
				}
			}
		}
		request := []byte(`{"resourceLogs":[` + strings.Join(resources, ",") + `]}`)
		var want, got []*otlp.Log
		if err := logsOf(false, body, func(l *otlp.Log, err error) {
			if err != nil || l.Time == 0 || l.Name == "" {
				t.Errorf("%s: %+v, %v", name, l, err)
			}
			want = append(want, l)
		}); err != nil {
			t.Fatal(err)
		}
		if err := logsOf(true, request, func(l *otlp.Log, err error) {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			got = append(got, l)
		}); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v: the encodings differ", name, err)
		}
		records += len(want)
	}
	if records == 0 {
		t.Error("no records")
	}
}

// What a record leaves out is taken from where some send it.
func TestLogOfJSON(t *testing.T) {
	t.Parallel()
	var l otlp.Log
	if err := otlp.LogOfJSON([]byte(`{"observedTimeUnixNano":"7","severityNumber":17,"severityText":"ERROR","attributes":[{"key":"event.name","value":{"stringValue":"e"}}]}`), &l); err != nil ||
		l.Time != 7 || l.Name != "e" || l.SeverityNumber != 17 || l.Severity != "ERROR" || l.TraceID != "" {
		t.Errorf("%+v, %v", l, err)
	}
	if err := otlp.LogOfJSON([]byte(`{"traceId":"01"}`), &l); err == nil {
		t.Error("an id of one byte was taken")
	}
}

// A bad span fails alone.
func TestABadSpanFailsAlone(t *testing.T) {
	t.Parallel()
	span := func(change func(*tracepb.Span)) *tracepb.Span {
		s := &tracepb.Span{TraceId: bytes.Repeat([]byte{1}, 16), SpanId: bytes.Repeat([]byte{2}, 8), Name: "ok"}
		if change != nil {
			change(s)
		}
		return s
	}
	deep := &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: "x"}}
	for range 100 {
		deep = &commonpb.AnyValue{Value: &commonpb.AnyValue_ArrayValue{ArrayValue: &commonpb.ArrayValue{Values: []*commonpb.AnyValue{deep}}}}
	}
	for says, bad := range map[string]*tracepb.Span{
		"trace id: must be 16 bytes":   span(func(s *tracepb.Span) { s.TraceId = s.TraceId[:15] }),
		"span id: must be 8 bytes":     span(func(s *tracepb.Span) { s.SpanId = append(s.SpanId, 1) }),
		"an id is missing or all zero": span(func(s *tracepb.Span) { s.TraceId = make([]byte, 16) }),
		"is missing or all zero":       span(func(s *tracepb.Span) { s.SpanId = nil }),
		"parent span id: must be":      span(func(s *tracepb.Span) { s.ParentSpanId = []byte{1} }),
		"nested deeper than 64 levels": span(func(s *tracepb.Span) { s.Attributes = []*commonpb.KeyValue{{Key: "k", Value: deep}} }),
	} {
		req, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{Resource: &resourcepb.Resource{},
			ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{span(nil), bad, span(nil)}}}}}})
		if err != nil {
			t.Fatal(err)
		}
		var errs []error
		if err := spansOf(false, req, func(_ *otel.Span, err error) { errs = append(errs, err) }); err != nil {
			t.Errorf("%s: the request failed: %v", says, err)
		}
		if len(errs) != 3 || errs[0] != nil || errs[2] != nil || errs[1] == nil || !strings.Contains(errs[1].Error(), says) {
			t.Errorf("%s: %v", says, errs)
		}
	}
}

// A text that is not UTF-8 fails its span only. The official package refuses to write one, so the bytes are changed.
func TestTextThatIsNotUTF8(t *testing.T) {
	t.Parallel()
	req, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{
		{TraceId: bytes.Repeat([]byte{1}, 16), SpanId: bytes.Repeat([]byte{2}, 8), Name: "MARK"},
		{TraceId: bytes.Repeat([]byte{1}, 16), SpanId: bytes.Repeat([]byte{3}, 8), Name: "fine"}}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	var errs []error
	err = spansOf(false, bytes.Replace(req, []byte("MARK"), []byte("MA\xff\xfe"), 1), func(_ *otel.Span, err error) { errs = append(errs, err) })
	if err != nil || len(errs) != 2 || errs[0] == nil || !strings.Contains(errs[0].Error(), "UTF-8") || errs[1] != nil {
		t.Errorf("%v: %v", err, errs)
	}
}

// What clients write in JSON beside the plain form.
func TestFormsOfJSON(t *testing.T) {
	t.Parallel()
	const head = `{"traceId":"0102030405060708090A0B0C0D0E0F10","spanId":"0102030405060708",`
	for name, c := range map[string]struct {
		span string
		is   func(*otel.Span) bool
	}{
		"base64 ids": {`{"traceId":"AQIDBAUGBwgJCgsMDQ4PEA==","spanId":"AQIDBAUGBwg="}`, func(s *otel.Span) bool {
			return s.TraceID == "0102030405060708090a0b0c0d0e0f10" && s.SpanID == "0102030405060708"
		}},
		"upper case":            {head + `"name":"n"}`, func(s *otel.Span) bool { return s.TraceID == "0102030405060708090a0b0c0d0e0f10" }},
		"snake case":            {`{"trace_id":"0102030405060708090a0b0c0d0e0f10","span_id":"0102030405060708","start_time_unix_nano":"7"}`, func(s *otel.Span) bool { return s.Start == 7 }},
		"numbers":               {head + `"startTimeUnixNano":1795884557776260182,"kind":3}`, func(s *otel.Span) bool { return s.Start == 1795884557776260182 && s.Kind == otel.Client }},
		"enums by name":         {head + `"kind":"SPAN_KIND_CLIENT","status":{"code":"STATUS_CODE_ERROR"}}`, func(s *otel.Span) bool { return s.Kind == otel.Client && s.Failed }},
		"a root's parent":       {head + `"parentSpanId":""}`, func(s *otel.Span) bool { return s.ParentID == "" }},
		"a parent of zeros":     {head + `"parentSpanId":"0000000000000000"}`, func(s *otel.Span) bool { return s.ParentID == "" }},
		"unknown and null":      {head + `"future":{"a":[1]},"events":null,"name":"n"}`, func(s *otel.Span) bool { return s.Name == "n" }},
		"an int with exponent":  {head + `"attributes":[{"key":"k","value":{"intValue":1e+21}}]}`, func(s *otel.Span) bool { return s.Attributes[0].Value == otel.Value{Type: otel.Double, Num: 1e21} }},
		"an int as a text":      {head + `"attributes":[{"key":"k","value":{"intValue":"-5"}}]}`, func(s *otel.Span) bool { return s.Attributes[0].Value == otel.Value{Type: otel.Int, Int: -5} }},
		"an int that is whole":  {head + `"attributes":[{"key":"k","value":{"intValue":1.0e2}}]}`, func(s *otel.Span) bool { return s.Attributes[0].Value == otel.Value{Type: otel.Int, Int: 100} }},
		"no value":              {head + `"attributes":[{"key":"k","value":{}},{"key":"l"}]}`, func(s *otel.Span) bool { return len(s.Attributes) == 2 && s.Attributes[0].Value.Type == otel.Null }},
		"a double that is null": {head + `"attributes":[{"key":"k","value":{"doubleValue":null}}]}`, func(s *otel.Span) bool { return s.Attributes[0].Value.Type == otel.Null }},
		"lists and maps":        {head + `"attributes":[{"key":"k","value":{"kvlistValue":{"values":[{"key":"a","value":{"arrayValue":{"values":[{"intValue":"1"},{"stringValue":"\u00e9\""},{}]}}}]}}}]}`, func(s *otel.Span) bool { return s.Attributes[0].Value.Text == `{"a":[1,"é\"",null]}` }},
	} {
		var s otel.Span
		if err := otlp.SpanOfJSON([]byte(c.span), &s); err != nil || !c.is(&s) {
			t.Errorf("%s: %v: %+v", name, err, s)
		}
	}
	for name, span := range map[string]string{
		"a list":       `[]`,
		"no ids":       `{"name":"n"}`,
		"odd hex":      `{"traceId":"01","spanId":"0102030405060708"}`,
		"no hex":       `{"traceId":"zz02030405060708090a0b0c0d0e0f10","spanId":"0102030405060708"}`,
		"a number":     `{"traceId":5,"spanId":"0102030405060708"}`,
		"zeros":        `{"traceId":"00000000000000000000000000000000","spanId":"0102030405060708"}`,
		"no attribute": head + `"attributes":{}}`,
		"no integer":   head + `"attributes":[{"key":"k","value":{"intValue":"five"}}]}`,
	} {
		var s otel.Span
		if err := otlp.SpanOfJSON([]byte(span), &s); err == nil {
			t.Errorf("%s was taken: %+v", name, s)
		}
	}
}

// Cut anywhere, a request ends with an error or with fewer spans, and never with others.
func TestCutRequests(t *testing.T) {
	t.Parallel()
	body := bodies(t, "T-call18.traces.pb")["../otel/testdata/otlp/T-call18.traces.pb"]
	whole := readProtobuf(t, body)
	for n := range body {
		var spans []*otel.Span
		err := spansOf(false, body[:n], func(s *otel.Span, err error) {
			if err == nil {
				spans = append(spans, s)
			}
		})
		if err == nil && n > 0 && len(spans) == len(whole) {
			t.Fatalf("%d of %d bytes gave all spans", n, len(body))
		}
		for i := range spans {
			if !reflect.DeepEqual(spans[i], whole[i]) {
				t.Fatalf("%d bytes: span %d differs", n, i)
			}
		}
	}
}

// Fields of a message in any order, and repeated: of what should be there once the last counts.
func TestFieldsInAnyOrder(t *testing.T) {
	t.Parallel()
	one, err := proto.Marshal(&tracepb.Span{Name: "first", Attributes: []*commonpb.KeyValue{{Key: "a"}}})
	if err != nil {
		t.Fatal(err)
	}
	two, err := proto.Marshal(&tracepb.Span{Name: "second", Attributes: []*commonpb.KeyValue{{Key: "b"}}, TraceId: []byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := otlp.AppendSpan(nil, append(one, two...))
	if want := `{"traceId":"01","name":"second","attributes":[{"key":"a"},{"key":"b"}]}`; err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	if _, err := otlp.AppendSpan(nil, []byte{0x0a}); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Error("a cut message was taken")
	}
}

// FuzzSpans: whatever the bytes are, reading ends; what can be read has JSON, which reads the same.
func FuzzSpans(f *testing.F) {
	for _, body := range bodies(f, "*-call4*.traces.pb") {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		_ = spansOf(false, body, func(s *otel.Span, err error) {
			if err == nil {
				otel.Explain(s).Messages()
			}
		})
		text, err := otlp.AppendSpan(nil, body)
		if err == nil && !json.Valid(text) {
			t.Fatalf("no JSON: %s", text)
		}
	})
}

// FuzzJSONSpans: whatever valid JSON comes, reading ends, and reading messages too.
func FuzzJSONSpans(f *testing.F) {
	for _, body := range bodies(f, "*-call6*.traces.pb") {
		f.Add(inJSON(f, body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if !json.Valid(body) {
			return
		}
		_ = spansOf(true, body, func(s *otel.Span, err error) {
			if err == nil {
				otel.Explain(s).Messages()
			}
		})
	})
}

func BenchmarkReadAndUnderstand(b *testing.B) {
	var all [][]byte
	for _, body := range bodies(b, "*-call[16].traces.pb") {
		all = append(all, body)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for _, body := range all {
			_ = spansOf(false, body, func(s *otel.Span, err error) { otel.Read(s); n++ })
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/span")
}

func spansOf(inJSON bool, body []byte, each func(*otel.Span, error)) error {
	return otlp.Spans(body, inJSON, func(i *otlp.Item) {
		s := *i.Span // the next one is read into the same memory
		s.Attributes = append([]otel.Attribute(nil), s.Attributes...)
		each(&s, i.Err)
	})
}

func logsOf(inJSON bool, body []byte, each func(*otlp.Log, error)) error {
	return otlp.Logs(body, inJSON, func(i *otlp.Item) { each(i.Log, i.Err) })
}
