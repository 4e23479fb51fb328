package textsearch_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/textsearch"
)

// written joins pieces, those that match in brackets.
func written(pieces []textsearch.Piece) string {
	var b strings.Builder
	for _, p := range pieces {
		if p.Match {
			b.WriteString("[" + p.Text + "]")
		} else {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

func TestMarker(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("lorem ipsum ", 20)
	for _, c := range []struct{ search, value, want string }{
		{"order refund", `{"role":"user","content":"Where is ORDER 4711? A refund, please."}`, "Where is [ORDER] 4711? A [refund], please."},
		{"cafe", `"Im Café gegessen"`, "Im [Café] gegessen"}, {"strasse", `"Hauptstraße"`, ""}, {"straße", `["STRASSE 1"]`, "[STRASSE] 1"},
		{"明日", `"注文は明日です"`, "注文は[明][日]です"}, {"4711", `[1,4711]`, "[4711]"}, {"a", `"say \"a\"\n<b>"`, "say \"[a]\"\n<b>"},
		{"none", `"nothing"`, ""}, {"x", `"`, ""},
		{"needle", `"` + long + "needle " + long + `"`, "… "},
	} {
		q, err := textsearch.Parse(c.search)
		if err != nil {
			t.Fatal(err)
		}
		got := written(textsearch.NewMarker(q).JSON(c.value))
		if c.search == "needle" {
			if !strings.HasPrefix(got, "…") || !strings.HasSuffix(got, "…") || !strings.Contains(got, "[needle]") || len(got) > 200 {
				t.Errorf("of a long text: %q", got)
			}
		} else if got != c.want {
			t.Errorf("%s in %s: %q, want %q", c.search, c.value, got, c.want)
		}
	}
}

// FuzzMarker: whatever the text is, the pieces are parts of it in their order, in UTF-8 when it is, and one of them matches.
func FuzzMarker(f *testing.F) {
	for _, text := range []string{"Where is order 4711?", "注文は明日", "e\u0301 é", "\xff order", strings.Repeat("é", 200) + "order" + strings.Repeat("日", 200)} {
		f.Add("order 明日 é", text)
	}
	f.Fuzz(func(t *testing.T, search, text string) {
		q, err := textsearch.Parse(search)
		if err != nil {
			return
		}
		pieces := textsearch.NewMarker(q).Text(text)
		rest, matches := text, 0
		for _, p := range pieces {
			if utf8.ValidString(text) && !utf8.ValidString(p.Text) {
				t.Fatalf("%q of %q", p.Text, text)
			}
			if p.Text == "…" && !p.Match {
				continue
			}
			_, after, ok := strings.Cut(rest, p.Text)
			if !ok {
				t.Fatalf("%q is not behind the others in %q", p.Text, text)
			}
			rest = after
			if p.Match {
				matches++
			}
		}
		if pieces != nil && matches == 0 {
			t.Fatalf("%v of %q has no match", pieces, text)
		}
	})
}
