package entity_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

func TestPreview(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		raw  string
		max  int
		want string
	}{
		{`"hello"`, 10, "hello"}, {`"hello"`, 3, "hel"}, {`"hello"`, 0, ""}, {`""`, 5, ""}, {``, 5, ""}, {`null`, 5, ""},
		{`"a\nb\u00e9\ud83d\ude00c"`, 5, "a\nbé😀"}, {`"日本語テキスト"`, 4, "日本語テ"},
		{`{ "a" : [ 1 , 2 ] }`, 99, `{"a":[1,2]}`}, {`{ "a b" : "c \" d" }`, 99, `{"a b":"c \" d"}`}, {`[1, 2, 3]`, 4, `[1,2`},
		{` 12.5 `, 9, `12.5`}, {`true`, 9, `true`}, {"\"\xff\xfe\"", 9, "�"}, {`"x`, 9, "x"}, {`"\`, 9, `\`},
		{`"` + strings.Repeat(`\ud83d\ude00`, 300) + `"`, 100, strings.Repeat("😀", 100)},
		{`"` + strings.Repeat(`\\`, 5000) + `"`, 7, `\\\\\\\`},
	} {
		if got := entity.Preview(c.raw, c.max); got != c.want {
			t.Errorf("Preview(%.40q, %d) = %q, want %q", c.raw, c.max, got, c.want)
		}
	}
}

// Of what has one obvious text a list shows that, not the braces around it.
func TestPreviewIsTheText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ raw, want string }{
		{`{"message":"Where is it?"}`, "Where is it?"},
		{` { "locale" : "en" , "question" : "Wo \u00fc\n?" } `, "Wo ü\n?"},
		{`{"query":"refunds","top_k":5,"text":""}`, "refunds"},
		{`{"query":"refunds","text":"both"}`, `{"query":"refunds","text":"both"}`},
		{`{"input":{"question":"inside"}}`, "inside"},
		{`{"a":{"question":"of something else"}}`, `{"a":{"question":"of something else"}}`},
		{`{"message":7}`, `{"message":7}`}, {`{"message":null}`, `{"message":null}`}, {`{}`, `{}`}, {`[]`, `[]`}, {`[1,2]`, `[1,2]`},
		{`["a text"]`, `["a text"]`},
		{`{"role":"assistant","content":"on its way"}`, "on its way"},
		{`{"model":"m","messages":[{"role":"system","content":"Be kind."},{"role":"user","content":"Hi"},{"role":"assistant","content":null,"tool_calls":[]},{"role":"tool","content":"12"}]}`, "Hi"},
		{`[{"role":"system","content":"Be kind."},{"role":"user","content":[{"type":"text","text":"What is it?"},{"type":"image_url","image_url":{"url":"data:"}}]}]`, "What is it?"},
		{`[{"role":"assistant","content":"first"},{"role":"assistant","content":"then"}]`, "then"},
		{`[{"text":"one"},{"text":"two"}]`, `[{"text":"one"},{"text":"two"}]`},
		{`{"input":{"input":{"input":{"input":{"input":{"input":"deep"}}}}}}`, `{"input":{"input":{"input":{"input":{"input":{"input":"deep"}}}}}}`},
		{`{"message":"cut`, `{"message":"cut`}, {`[{"role":"user"`, `[{"role":"user"`}, {`[`, `[`}, {`{`, `{`},
	} {
		if got := entity.Preview(c.raw, entity.PreviewLength); got != c.want {
			t.Errorf("Preview(%s) = %q, want %q", c.raw, got, c.want)
		}
	}
	if got := entity.Beginning(`{"message":"as sent"}`, 99); got != `{"message":"as sent"}` {
		t.Errorf("Beginning: %s", got)
	}
}

// The preview of a string is the beginning of its text, whatever is escaped in it.
func FuzzPreview(f *testing.F) {
	f.Add(`"a\ud83d\ude00b"`, 2)
	f.Add(`{"a": "b"}`, 5)
	f.Add("\"\xff", 1)
	f.Fuzz(func(t *testing.T, raw string, max int) {
		max %= 300
		got := entity.Preview(raw, max)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > max && max > 0 {
			t.Fatalf("Preview(%q, %d) = %q", raw, max, got)
		}
		var text string
		if utf8.ValidString(raw) && max > 0 && strings.HasPrefix(strings.TrimSpace(raw), `"`) && json.Unmarshal([]byte(raw), &text) == nil {
			want := []rune(text)
			if want := string(want[:min(max, len(want))]); got != want {
				t.Fatalf("Preview(%q, %d) = %q, want %q", raw, max, got, want)
			}
		}
	})
}
