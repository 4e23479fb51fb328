package textsearch

import (
	"testing"
)

// FuzzParseText: a search is words within its limits, or an error for people.
func FuzzParseText(f *testing.F) {
	for _, text := range []string{"refund", `"not found" error`, `"`, `""`, "日本語", `a"b"c"d`, "é e\u0301", "\xff", "a\x00b", "!!!", "a b c d e f g h i j k l m n o p q r s t u v w x y z 1 2 3 4 5 6 7", "\u0301", "İstanbul", "ﬁ ǅ"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := Parse(text)
		if err != nil {
			if err.Error() == "" {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if len(text) > MaxBytes || len(q.words) == 0 || len(q.words) > MaxWords || len(q.masks) != len(q.words) || q.starts == 0 || q.ends == 0 {
			t.Fatalf("%q: %+v", text, q)
		}
		var places uint32
		for i, mask := range q.masks {
			if mask == 0 || places&mask != 0 || len(q.words[i]) == 0 {
				t.Fatalf("%q: word %d is at %b, others at %b", text, i, mask, places)
			}
			places |= mask
		}
		if places&(places+1) != 0 || q.starts&^places != 0 || q.ends&^places != 0 {
			t.Fatalf("%q: places %b, starts %b, ends %b", text, places, q.starts, q.ends)
		}
		if len(q.Hashes()) != len(q.words) {
			t.Fatalf("%q: %d hashes", text, len(q.Hashes()))
		}
	})
}
