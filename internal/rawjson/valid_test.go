package rawjson_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// texts are valid and broken in as many ways as the grammar has.
var texts = []string{"", " ", "{}", " [ ] ", "[1,2]", "[1,]", "[,1]", "{\"a\":1,}", `{"a":{"b":[null,true,false,"x"]},"c":-1.5e+3}`, `{"a"}`, `{"a":}`,
	`{a:1}`, `{"a":1 "b":2}`, "01", "-", "1.", "1e", "0", "-0.0", "tru", "truex", "nul", `"`, `"a`, `"a\"`, `"\u12"`, `"\u12aF"`, `"\x"`, "\"\n\"", "\"\x1f\"",
	"\"\xff\"", "[1]]", "[[1]", "{\"a\":1]", "[1}", "1 2", "{} {}", "\ufeff{}", "[\v]", `{"a":1,"a":2}`, `["0123456\"89abcdef\\"]`, "NaN", "[[],{},[{}]]", "{,}",
	strings.Repeat("[", 9999) + strings.Repeat("]", 9999), strings.Repeat("[", 10001) + strings.Repeat("]", 10001)}

func TestValid(t *testing.T) {
	t.Parallel()
	for _, text := range texts {
		if got, want := rawjson.Valid(text), json.Valid([]byte(text)); got != want {
			t.Errorf("Valid(%.60q) = %t", text, got)
		}
	}
}

// FuzzValid holds Valid against encoding/json.
func FuzzValid(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, want := rawjson.Valid(text), json.Valid([]byte(text)); got != want {
			t.Errorf("Valid(%q) = %t", text, got)
		}
	})
}

// FuzzAppendString: what is written reads as what it was.
func FuzzAppendString(f *testing.F) {
	for _, text := range append(texts, "plain", "a\x00b\x01\t\r\n\b\f", `\"<&>`, "é\u2028 0123456789\"") {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "?")
		written := rawjson.AppendString([]byte("x"), text)[1:]
		var back string
		if err := json.Unmarshal(written, &back); err != nil || back != text {
			t.Errorf("%q was written as %s: %v", text, written, err)
		}
		if got, ok := rawjson.Unquote(written); !ok || got != text {
			t.Errorf("%s is read as %q", written, got)
		}
	})
}

func BenchmarkValid(b *testing.B) {
	text := `[{"role":"user","parts":[{"type":"text","content":"` + strings.Repeat("What is the capital of France? ", 20) + `"}]}]`
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if !rawjson.Valid(text) {
			b.Fatal(text)
		}
	}
}
