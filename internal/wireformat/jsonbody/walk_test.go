package jsonbody_test

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wireformat/jsonbody"
)

// everything reads a body down to so many levels by its members and elements, and below them by
// whole values.
func everything(w *jsonbody.Walk, levels int, seen func(jsonbody.Value)) {
	switch kind := w.Kind(); {
	case levels == 0:
	case kind == '{':
		for range w.Members() {
			everything(w, levels-1, seen)
		}
		return
	case kind == '[':
		for i := range w.Elements() {
			if i%3 != 2 { // some are left to the walk
				everything(w, levels-1, seen)
			}
		}
		return
	}
	seen(w.Value())
}

// noNumber finds what Python writes for numbers that are none, and strings, in which it is text.
var noNumber = regexp.MustCompile(`(?s)"(?:\\.|[^"\\])*"|-?(?:NaN|Infinity)`)

func nulled(body []byte) []byte {
	return noNumber.ReplaceAllFunc(body, func(found []byte) []byte {
		if found[0] == '"' {
			return found
		}
		return []byte("null")
	})
}

func isJSON(body []byte) bool {
	return jsontext.Value(body).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// depthOf is how deep JSON nests, as jsontext counts.
func depthOf(t *testing.T, value []byte) (deepest int) {
	t.Helper()
	d := jsontext.NewDecoder(bytes.NewReader(nulled(value)), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for d.PeekKind() > 0 {
		if _, err := d.ReadToken(); err != nil {
			t.Fatalf("%q: %v", value, err)
		}
		deepest = max(deepest, d.StackDepth())
	}
	return deepest
}

// notedOf are the members that a walk over the value tells of, and membersOf those that are found in it afterwards.
func notedOf(t *testing.T, value []byte) (members []string) {
	t.Helper()
	if err := jsonbody.Any(value, len(value), func(w *jsonbody.Walk) error {
		members = nil
		w.Noted(func(key []byte, start, end int) { members = append(members, string(key)+"="+string(value[start:end])) })
		return nil
	}); err != nil {
		t.Fatalf("%q: %v", value, err)
	}
	return members
}

func membersOf(value []byte) (members []string) {
	for m := rawjson.MembersOf(value); ; {
		key, value, ok := m.Next()
		if !ok {
			return members
		}
		members = append(members, string(key)+"="+string(value))
	}
}

// FuzzObject: a body is taken exactly when jsontext takes it, but for NaN and Infinity and for
// what nests too deep, and what is said of each value is so.
func FuzzObject(f *testing.F) {
	for _, s := range []string{
		"", " ", "\uFEFF{}", "[]", "NaN", "{", `{}`, `{} {}`, `{"a":NaN,"b":[-Infinity,"NaN\"",{"c":-NaN}]}`, `{"a":[[[{"b":{}}]],1,2,3]}`, `{"a":1,}`, `{,}`, `{"a":[1,]}`, `{"a"}`,
		`{"a":1 "b":2}`, `{a:1}`, `{"a":NaNs}`, `{"a":1NaN}`, `{"a":--NaN}`, `{"a":01}`, `{"a":-}`, `{"a":1.}`, `{"a":1e}`, `{"a":1e+5,"b":0.5E-3,"c":-0}`, `{"a":tru}`, `{"a":true,"b":false,"c":null}`,
		`{"a":"\u00e9\ud800\\\"\/\b\f\n\r\t"}`, `{"a":"\x"}`, `{"a":"\u12"}`, "{\"a\":\"\x01\"}", "{\"a\":\"\xff\"}", "{\"\xff\":\"日本語\"}", "{\"a\":\"12345678\x1f\"}", `{"a":"1234567\"`, "\t{ \"a\"\r: [ ] ,\n\"b\" : { } } ",
		`{"a":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`, `{"a":[}]}`, `{"a":{]}`, "{\"a\":\"x\x80\x80y\"}", `{"a":"` + strings.Repeat("x", 40) + "\xe2\x82\"}",
	} {
		for levels := range 4 {
			f.Add([]byte(s), levels)
		}
	}
	const deepest = 100
	f.Fuzz(func(t *testing.T, body []byte, levels int) {
		sent := bytes.Clone(body)
		var values []jsonbody.Value
		err := jsonbody.Object(body, deepest, func(w *jsonbody.Walk) error {
			values = values[:0]
			everything(w, 1+levels&3, func(v jsonbody.Value) { values = append(values, v) })
			return nil
		})
		if refused := (*ingest.RequestError)(nil); err != nil && (!errors.As(err, &refused) || refused.Code != "invalid_json") {
			t.Fatalf("%q: %v", body, err)
		}
		plain := bytes.TrimPrefix(body, []byte("\uFEFF"))
		want := isJSON(nulled(plain)) && bytes.TrimLeft(plain, " \t\r\n")[0] == '{'
		deep := bytes.Count(body, []byte("["))+bytes.Count(body, []byte("{")) > deepest // part of it may be cut out
		if want != (err == nil) && !deep {
			t.Fatalf("%q: %v", body, err)
		}
		if !bytes.Equal(sent, body) {
			t.Fatal("the body was changed")
		}
		if err != nil {
			return
		}
		for _, v := range values {
			if depth := depthOf(t, v.Raw); v.Depth != depth || v.UTF8 != utf8.Valid(v.Raw) || v.Kind() == 0 || v.Given() == (string(v.Raw) == "null") {
				t.Fatalf("%q: said %d levels, UTF-8 %v; want %d, %v", v.Raw, v.Depth, v.UTF8, depth, utf8.Valid(v.Raw))
			}
			if got, want := notedOf(t, v.Raw), membersOf(v.Raw); !slices.Equal(got, want) {
				t.Fatalf("%q: noted %q; want %q", v.Raw, got, want)
			}
		}
	})
}

// What nests beyond any payload is cut out when it alone makes a body no JSON; the value that
// is left still nests too deep to be stored.
func TestOnlyTheDeepIsCutOut(t *testing.T) {
	t.Parallel()
	nest := func(n int, inside string) string { return strings.Repeat("[", n) + inside + strings.Repeat("]", n) }
	for name, c := range map[string]struct {
		deep string
		ok   bool
	}{
		"JSON":             {nest(50, ""), true},
		"deeper than any":  {nest(20_000, ""), true},
		"rubbish inside":   {nest(50, `rubbish "[" }{`), true},
		"NaN beside it":    {nest(50, "") + `,"n":NaN`, true},
		"other brackets":   {strings.Repeat("[", 50) + strings.Repeat("}", 50), false},
		"not closed":       {strings.Repeat("[", 20_000), false},
		"rubbish above it": {nest(50, "") + `,"n":rubbish`, false},
	} {
		var deep, fine jsonbody.Value
		const most = 5
		err := jsonbody.Object([]byte(`{"fine":{"a":[1]},"deep":`+c.deep+`}`), most, func(w *jsonbody.Walk) error {
			for key := range w.Members() {
				switch string(key) {
				case "fine":
					fine = w.Value()
				case "deep":
					deep = w.Value()
				}
			}
			return nil
		})
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		if c.ok && (string(fine.Raw) != `{"a":[1]}` || fine.Depth != 2 || deep.Depth <= most) {
			t.Errorf("%s: beside it %q, and %d levels", name, fine.Raw, deep.Depth)
		}
	}
}
