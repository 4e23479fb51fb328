package payload

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// FuzzAppendString: whatever the text, encoding/json reads back what it would
// have written itself.
func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", "é\u2028\u0000\x1f\"\\\n\r\t\x7f", "bad \xff\xfe utf8", "1234567\"", "12345678\\", "1234567\x80", strings.Repeat("a", 15) + "\x01", "<&>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ours := AppendString(nil, s)
		theirs, _ := json.Marshal(s)
		var a, b string
		if err := json.Unmarshal(ours, &a); err != nil {
			t.Fatalf("%q: %v", ours, err)
		}
		if err := json.Unmarshal(theirs, &b); err != nil {
			t.Fatal(err)
		}
		if a != b {
			t.Errorf("%q: ours reads %q, theirs %q", s, a, b)
		}
	})
}

func TestMapsAreEncodedAsEncodingJSONDoes(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 2, 29, 12, 0, 0, 123456789, time.UTC)
	m := map[string]any{
		"s": "text", "i": -3, "i64": int64(1) << 60, "u": uint64(math.MaxUint64), "f": 0.1, "f2": 1e20, "tiny": 1e-9, "big": 1e300,
		"b": true, "n": nil, "t": at, "m": map[string]any{"x": []any{1, "2", nil, map[string]string{"k": "v"}}}, "l": []string{"a", "\""},
		"raw": json.RawMessage(`{"k":[1]}`), "struct": struct {
			A int `json:"a"`
		}{1}, "nilmap": map[string]any(nil), "nillist": []any(nil),
	}
	for k, v := range m {
		var a, b any
		ours, ok := appendValue(nil, v, 0)
		theirs, err := json.Marshal(v)
		if !ok { // left to encoding/json: that is right for any value
			continue
		}
		if err != nil || json.Unmarshal(ours, &a) != nil || json.Unmarshal(theirs, &b) != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("%s: ours %s, theirs %s", k, ours, theirs)
		}
	}
	if b, ok := appendValue(nil, math.NaN(), 0); ok {
		t.Errorf("NaN became %s", b)
	}
	cycle := map[string]any{}
	cycle["me"] = cycle
	if _, ok := appendValue(nil, cycle, 0); ok {
		t.Error("a cycle was encoded")
	}
}

func TestEachIDFindsTopLevelIDsOnly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"trace_id":"t1","id":"o1","x":{"trace_id":"no"}}`:                      "t1 o1",
		`{"metadata":[{"id":"no"}],"name":"trace_id", "trace_id" :  "a\"b" }`:    `a\"b`,
		`{"id":7,"observation_id":"o","score_id":"s","s":"\\\"}{","span_id":""}`: "o s",
		`{"trace_id":"cut`: "",
		`{}`:               "",
	} {
		var got []string
		EachID([]byte(text), func(_ Name, v []byte) { got = append(got, string(v)) })
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %q, want %q", text, s, want)
		}
	}
}

func FuzzEachID(f *testing.F) {
	f.Add([]byte(`{"trace_id":"t1","id":"o1","x":{"trace_id":"no"}}`))
	f.Add([]byte(`"\`))
	f.Fuzz(func(t *testing.T, b []byte) { EachID(b, func(Name, []byte) {}) })
}
