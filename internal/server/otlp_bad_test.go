package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// attribute is field 9 of a span: a key with a text.
func attribute(key, text string) []byte {
	return sub(nil, 9, sub(sub(nil, 1, []byte(key)), 2, sub(nil, 1, []byte(text))))
}

// nestedList is a span's attribute whose value is so many lists in one another.
func nestedList(levels int) []byte {
	value := sub(nil, 1, []byte("deep"))
	for range levels {
		value = sub(nil, 5, sub(nil, 1, value))
	}
	return sub(nil, 9, sub(sub(nil, 1, []byte("nested")), 2, value))
}

// nestedTwice is one of maps in one another, each of which has its key twice, behind the value.
func nestedTwice(levels int) []byte {
	value := sub(nil, 1, []byte("deep"))
	for range levels {
		value = sub(nil, 6, sub(nil, 1, sub(sub(sub(nil, 2, value), 1, []byte("a")), 1, []byte("b"))))
	}
	return sub(nil, 9, sub(sub(nil, 1, []byte("nested")), 2, value))
}

// A span that cannot be stored fails alone, by name: in the answer, in its receipt and in the audit.
func TestBadSpansFailAlone(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	trace := []byte("0123456789abcdef")
	long := strings.Repeat("x", 1<<20)
	varint := func(num protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), v)
	}
	for i, c := range []struct {
		what string
		span []byte
		code string // "" is taken
		says string // of the details
	}{
		{"a trace id of 15 bytes", spanMessage(trace[:15], []byte("12345678"), "n"), "invalid_payload", "trace id: must be 16 bytes, not 15"},
		{"a span id of 9 bytes", spanMessage(trace, []byte("123456789"), "n"), "invalid_payload", "span id: must be 8 bytes, not 9"},
		{"no trace id", spanMessage(nil, []byte("12345678"), "n"), "invalid_payload", "trace id: an id is missing or all zero"},
		{"an all-zero span id", spanMessage(trace, make([]byte, 8), "n"), "invalid_payload", "span id: an id is missing or all zero"},
		{"nothing at all", nil, "invalid_payload", "an id is missing"},
		{"a parent id of 3 bytes", aSpan(1001, sub(nil, 4, []byte("abc"))...), "invalid_payload", "span 00000001000003e9: parent span id"},
		{"an all-zero parent", aSpan(1002, sub(nil, 4, make([]byte, 8))...), "", ""},
		{"a name that is no UTF-8", spanMessage(trace, []byte("12345678"), "a\xff"), "invalid_payload", "span 3132333435363738: a text is not UTF-8"},
		{"an attribute that is no UTF-8", aSpan(1003, attribute("k", "\xc3\x28")...), "invalid_payload", `attribute "k": a text is not UTF-8`},
		{"an attribute below a megabyte", aSpan(1004, attribute("big", long[:1<<20-1000])...), "", ""},
		{"an attribute of a megabyte", aSpan(1005, attribute("big", long)...), "payload_too_large", "span 00000001000003ed has 1048"},
		{"an attribute of a megabyte that is no text", aSpan(1006, sub(nil, 9, sub(sub(nil, 1, []byte("k")), 2, sub(nil, 7, make([]byte, 800_000))))...), "payload_too_large", "the most is 1048576"},
		{"a key of half a megabyte, no UTF-8 behind it", aSpan(1007, attribute(long[:1<<19], "\xff")...), "invalid_payload", "span 00000001000003ef: attribute"},
		{"64 levels", aSpan(1008, nestedList(64)...), "", ""},
		{"100 levels", aSpan(1009, nestedList(100)...), "invalid_payload", "nested deeper than 64 levels"},
		{"40 levels with every key twice", aSpan(1010, nestedTwice(40)...), "", ""},
		{"a group", aSpan(1011, append(append(protowire.AppendTag(nil, 100, protowire.StartGroupType), varint(1, 5)...), protowire.AppendTag(nil, 100, protowire.EndGroupType)...)...), "", ""},
		{"a group that does not end", aSpan(1012, protowire.AppendTag(nil, 100, protowire.StartGroupType)...), "invalid_payload", "cut off"},
		{"a varint of eleven bytes", aSpan(1013, append([]byte{0x30}, bytes.Repeat([]byte{0xff}, 11)...)...), "invalid_payload", "cut off"},
		{"the largest varint as kind", aSpan(1014, varint(6, 1<<64-1)...), "", ""},
		{"times over 63 bits", aSpan(1015, protowire.AppendFixed64(protowire.AppendTag(nil, 7, protowire.Fixed64Type), 1<<64-1)...), "", ""},
		{"an end before its start", aSpan(1016, protowire.AppendFixed64(protowire.AppendTag(nil, 8, protowire.Fixed64Type), 1)...), "", ""},
		{"a text in the place of a number", aSpan(1017, sub(nil, 6, []byte("kind"))...), "", ""},
		{"half a million attributes of nothing", aSpan(1018, bytes.Repeat([]byte{0x4a, 0}, 500_000)...), "payload_too_large", "the most is"},
	} {
		good := aSpan(10 + i)
		rep := h.send("POST", "/v1/traces", spansOf(c.span, good), "Content-Type", "", "Content-Type", "application/x-protobuf")
		count, text := partialOf(t, rep.body)
		want := 1
		if c.code == "" {
			want = 0
		}
		if rep.status != 200 || count != want || !strings.Contains(text, c.says) || len(text) > 400 {
			t.Errorf("%s: %d, %d rejected, %.500q", c.what, rep.status, count, text)
		}
		h.settle()
		if got := h.get(fmt.Sprintf("/v1/observations/00000001%08x", 10+i)); got.status != 200 {
			t.Errorf("%s took the good one with it: %d", c.what, got.status)
		}
		if c.code == "" {
			continue
		}
		failed := h.lastFailure(c.code)
		if !strings.Contains(failed.Error, "nvalid span") && c.code == "invalid_payload" {
			t.Errorf("%s: the audit says %+v", c.what, failed)
		}
		receipt := decoded[struct {
			Status string
			Error  wire.BatchEventError
		}](t, h.get("/v1/telemetry/events/"+failed.EventID))
		if receipt.Status != "failed" || receipt.Error.Code != c.code || !strings.Contains(receipt.Error.Details, c.says) {
			t.Errorf("%s: the receipt of %s is %+v", c.what, failed.EventID, receipt)
		}
	}
}

// failedRow is an example of a failure in the audit.
type failedRow struct {
	EventID string `json:"event_id"`
	Error   string
}

func (h *house) lastFailure(code string) failedRow {
	h.tb.Helper()
	a := decoded[struct {
		Failures []struct {
			Code string
			Last []failedRow
		}
	}](h.tb, h.get("/v1/telemetry/audit"))
	for _, f := range a.Failures {
		if f.Code == code && len(f.Last) > 0 {
			newest := f.Last[len(f.Last)-1]
			return newest
		}
	}
	h.tb.Errorf("no failure %s in the audit: %+v", code, a)
	return failedRow{}
}

// A resource or a scope that cannot be read takes with it what stands under it, and nothing else.
func TestBadResourcesFailWhatIsTheirs(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	under := func(resource, scope []byte, n int) []byte {
		return sub(nil, 1, sub(sub(nil, 1, resource), 2, sub(sub(nil, 1, scope), 2, aSpan(n))))
	}
	bad := sub(nil, 1, sub(nil, 1, []byte("\xff")))
	body := under(nil, nil, 1)
	body = append(body, under(bad, nil, 2)...)
	body = append(body, under(nil, sub(nil, 1, []byte("\xff")), 3)...)
	body = append(body, under(nil, nil, 4)...)
	rep := h.send("POST", "/v1/traces", body, "Content-Type", "", "Content-Type", "application/x-protobuf")
	if count, text := partialOf(t, rep.body); count != 2 || !strings.Contains(text, "span 0000000100000002: resource") {
		t.Errorf("%d %q", count, text)
	}
	h.settle()
	for n, want := range map[int]int{1: 200, 2: 404, 3: 404, 4: 200} {
		if got := h.get(fmt.Sprintf("/v1/observations/00000001%08x", n)).status; got != want {
			t.Errorf("span %d: %d, want %d", n, got, want)
		}
	}
}

// A body that is no request is refused as a whole, in the encoding in which it came, for ever; JSON that other
// clients write is read.
func TestBodiesOfOTLP(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	span := `{"traceId":"0102030405060708090A0B0C0D0E0F10","spanId":"%016x","name":"n"%s}`
	request := func(spans string) string {
		return `{"resourceSpans":[{"scopeSpans":[{"spans":[` + spans + `]}]}]}`
	}
	for i, c := range []struct {
		what, media, body string
		status            int
		rejected          int
	}{
		{"nothing", "application/x-protobuf", "", 200, 0},
		{"nothing, as JSON", "application/json", "", 200, 0},
		{"an empty object", "application/json", "{}", 200, 0},
		{"with a byte-order mark", "application/json", "\ufeff" + request(fmt.Sprintf(span, 1, "")), 200, 0},
		{"NaN and Infinity as words", "application/json", request(fmt.Sprintf(span, 2, `,"attributes":[{"key":"a","value":{"doubleValue":NaN}},{"key":"b","value":{"doubleValue":-Infinity}}]`)), 200, 0},
		{"NaN as a text", "application/json", request(fmt.Sprintf(span, 3, `,"attributes":[{"key":"a","value":{"doubleValue":"NaN"}}]`)), 200, 0},
		{"JSON labelled as protobuf", "application/x-protobuf", request(fmt.Sprintf(span, 4, "")), 200, 0},
		{"protobuf labelled as JSON", "application/json", string(spansOf(aSpan(5))), 200, 0},
		{"with parameters", "application/json; charset=utf-8", request(fmt.Sprintf(span, 6, "")), 200, 0},
		{"names in snake case, enums by name", "application/json", `{"resource_spans":[{"scope_spans":[{"spans":[` +
			fmt.Sprintf(`{"trace_id":"0102030405060708090a0b0c0d0e0f10","span_id":"%016x","name":"n","kind":"SPAN_KIND_CLIENT","start_time_unix_nano":1700000000000000000}`, 7) + `]}]}]}`, 200, 0},
		{"a span that is a number", "application/json", request(fmt.Sprintf("1,"+span, 8, "")), 200, 1},
		{"ids in base64", "application/json", request(`{"traceId":"AQIDBAUGBwgJCgsMDQ4PEA==","spanId":"AAAAAAAAAAk=","name":"n"}`), 200, 0},
		{"an id of 31 digits", "application/json", request(`{"traceId":"0102030405060708090a0b0c0d0e0f1","spanId":"000000000000000a"}`), 200, 1},
		{"bytes that are no UTF-8", "application/json", request(fmt.Sprintf(span, 11, ",\"x\":\"\xff\"")), 200, 1},
		{"unknown fields, nested 5000 deep", "application/json", request(fmt.Sprintf(span, 12, `,"x":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)) + "," + fmt.Sprintf(span, 13, "")), 200, 1},
		{"JSON, cut", "application/json", request("")[:20], 400, 0},
		{"spans that are a number", "application/json", `{"resourceSpans":[{"scopeSpans":[{"spans":5}]}]}`, 400, 0},
		{"a list", "application/json", `[]`, 400, 0},
		{"protobuf, cut", "application/x-protobuf", string(spansOf(aSpan(1))[:20]), 400, 0},
		{"text", "application/x-protobuf", "hello", 400, 0},
		{"another type", "text/plain", "hello", 415, 0},
		{"a form", "application/x-www-form-urlencoded", "a=b", 415, 0},
	} {
		rep := h.send("POST", "/otlp/v1/traces", []byte(c.body), "Content-Type", "", "Content-Type", c.media)
		inJSON := strings.HasPrefix(rep.header.Get("Content-Type"), "application/json")
		said := strings.HasPrefix(strings.TrimPrefix(c.body, "\ufeff"), "{") || c.body == "" && c.media == "application/json"
		if rep.status != c.status || c.status == 200 && inJSON != said {
			t.Errorf("%d %s: %d in %s: %.300s", i, c.what, rep.status, rep.header.Get("Content-Type"), rep.body)
			continue
		}
		if c.status != 200 {
			rep.code(t)
			continue
		}
		count, _ := 0, ""
		if inJSON {
			count, _ = partialOfJSON(t, rep.body)
		} else {
			count, _ = partialOf(t, rep.body)
		}
		if count != c.rejected {
			t.Errorf("%d %s: %d rejected, want %d: %s", i, c.what, count, c.rejected, rep.body)
		}
	}
	h.settle()
	for _, n := range []int{1, 2, 3, 4, 6, 7, 8, 9, 13} {
		rep := h.get(fmt.Sprintf("/v1/observations/%016x", n))
		if rep.status != 200 || !json.Valid(rep.body) {
			t.Errorf("span %d: %d %s", n, rep.status, rep.body)
		}
	}
}

// Ten thousand spans in one body are as good as ten thousand bodies, with a rate per key too.
func TestTenThousandSpansInOneBody(t *testing.T) {
	t.Parallel()
	h := open(t, setup{options: func(o *Options) { o.RatePerKey = 1 }})
	spans := make([][]byte, 10_000)
	for i := range spans {
		spans[i] = aSpan(i+1, attribute("text", strings.Repeat("word ", 100))...)
	}
	body := spansOf(spans...)
	for range 2 {
		rep := h.send("POST", "/v1/traces", compressed(t, "zstd", body), "Content-Type", "", "Content-Type", "application/x-protobuf", "Content-Encoding", "zstd", "X-API-Key", "", "X-API-Key", h.newKey("one", "ingest"))
		if rep.status != 200 || len(rep.body) != 0 {
			t.Fatalf("%d %s", rep.status, rep.body)
		}
	}
	if n := h.stored(); n != 10_000 {
		t.Errorf("%d events stored", n)
	}
}

// Little that becomes much, or that takes long to read, is refused within bounded memory and time.
func TestBombsOfOTLP(t *testing.T) {
	skipBulk(t)
	h := open(t, setup{})
	with := func(resource, scope []byte, spans []byte) []byte {
		return sub(nil, 1, sub(sub(nil, 1, resource), 2, append(sub(nil, 1, scope), spans...)))
	}
	tiny := sub(nil, 2, sub(sub(nil, 1, []byte("0123456789abcdef")), 2, []byte("12345678")))
	text := func(n int) []byte { // attributes of a resource
		return sub(nil, 1, sub(sub(nil, 1, []byte("k")), 2, sub(nil, 1, bytes.Repeat([]byte("x"), n))))
	}
	twice := sub(nil, 2, aSpan(1, bytes.Repeat(nestedTwice(60), 1000)...))
	for _, c := range []struct {
		what   string
		body   []byte
		status int
	}{
		{"a resource of a megabyte over 100 000 spans", with(text(1<<20-1000), nil, bytes.Repeat(tiny, 100_000)), 413},
		{"a resource of 60 MiB over 100 000 spans", with(text(58<<20), nil, bytes.Repeat(tiny, 100_000)), 200},
		{"two million spans of nothing", with(nil, nil, bytes.Repeat([]byte{0x12, 0}, 2_000_000)), 413},
		{"two million spans", with(nil, nil, bytes.Repeat(tiny, 2_000_000)), 413},
		{"30 million attributes of a resource", with(bytes.Repeat([]byte{0x0a, 0}, 30_000_000), nil, tiny), 200},
		{"a million attributes of a span", with(nil, nil, sub(nil, 2, aSpan(1, bytes.Repeat(attribute("k", "v"), 1_000_000)...))), 200},
		{"20 million resources", bytes.Repeat([]byte{0x0a, 0}, 20_000_000), 400},
		{"maps that have each key twice, 60 deep", with(nil, nil, bytes.Repeat(twice, 10)), 200},
		{"zeros", make([]byte, 80<<20), 413},
	} {
		sent := compressed(t, "zstd", c.body)
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		rep := h.send("POST", "/v1/traces", sent, "Content-Type", "", "Content-Type", "application/x-protobuf", "Content-Encoding", "zstd")
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		t.Logf("%s: %d bytes sent, %d in %v, %d MiB allocated, %.200s", c.what, len(sent), rep.status, took, (after.TotalAlloc-before.TotalAlloc)>>20, rep.body)
		if rep.status != c.status {
			t.Errorf("%s: %d %.300s, want %d", c.what, rep.status, rep.body, c.status)
		}
		if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 600<<20 {
			t.Errorf("%s: the heap grew by %d MiB", c.what, grown>>20)
		}
		if took > 20*time.Second {
			t.Errorf("%s took %v", c.what, took)
		}
	}
}
