package textsearch_test

import (
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/textsearch"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

func TestTextQuery(t *testing.T) {
	t.Parallel()
	const payload = `{"name":"refund-agent","input":[{"role":"user","content":"Where is my Order 4711?"}],"output":"It's on its way, be patient. 注文は明日"}`
	for text, want := range map[string]bool{
		"order": true, "ORDER 4711": true, "4711 order": true, "ord": false, "orders": false, "refund patient": true,
		"refund absent": false, `"order 4711"`: true, `"4711 order"`: false, `"is my order"`: true, `"my my"`: false,
		`"on its way be patient"`: true, `"way, be"`: true, `"user where"`: false, // a phrase stays in one text
		`"refund agent" patient`: true, "refund-agent": true, "agent-refund": true, `"agent refund"`: false,
		"content": false, "role": false, "user": true, "注文": true, "文注": false, "注 明": true, "明日": true, "注日": false,
		`order "`: true, `"order`: true, `"order 4711`: true, "it's": true, "its": true, "IT": true, `"" order`: true,
		"is is is": true, `"it s on"`: true, "order\x00": true,
	} {
		q, err := textsearch.Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		m := textsearch.NewMatcher(q)
		ev := wire.Event{Type: wire.ObservationCreate, Payload: []byte(payload)}
		for range 2 { // nothing of one event stays for the next
			if got := m.Matches(&ev); got != want {
				t.Errorf("%q: %t, want %t", text, got, want)
			}
			if m.Matches(&wire.Event{Type: wire.ObservationCreate, Payload: []byte(`{"input":"nothing"}`)}) {
				t.Errorf("%q matches nothing", text)
			}
		}
	}
}

// Scripts without spaces: two characters that follow one another are found, whatever words
// they are of, and also over a line break. Latin words stay whole.
func TestTextQueryPairsCrossWords(t *testing.T) {
	t.Parallel()
	const payload = `{"input":"検索エンジンの検\n証をサーバーAPIで。ab cd 〆切 한국\r\n어"}`
	for text, want := range map[string]bool{
		"索エ": true, "索ｴ": true, "エ索": false, "検証": true, "ンの": true, "サーバー": true, "サーバーapi": true, "バー": true, "ーバ": true,
		"サバ": false, "〆切": true, "국어": true, "bc": false, "abcd": false, "b c": false, `"ab cd"`: true, "で。ab": true, "でab": true, "ap": false,
	} {
		q, err := textsearch.Parse(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if got := textsearch.NewMatcher(q).Matches(&wire.Event{Type: wire.TraceCreate, Payload: []byte(payload)}); got != want {
			t.Errorf("%q: %t, want %t", text, got, want)
		}
	}
}

func TestTextQueryLimits(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"":                             "word",
		"?! \t- \"\" ":                 "word",
		"\U0001f642":                   "word",
		"\xff":                         "UTF-8",
		strings.Repeat("x", 1<<20):     "1024 bytes",
		strings.Repeat("a ", 33):       "32 words",
		strings.Repeat("字", 33):        "32 words",
		`"` + strings.Repeat("a ", 33): "32 words",
	} {
		_, err := textsearch.Parse(text)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.20q: %v, want %q", text, err, says)
		}
	}
	words := strings.Fields(strings.Repeat("w ", 30) + "a b")
	q, err := textsearch.Parse(strings.Join(words, " "))
	if err != nil {
		t.Fatal(err)
	}
	for payload, want := range map[string]bool{`{"input":"b a w"}`: true, `{"input":"b w"}`: false} {
		if got := textsearch.NewMatcher(q).Matches(&wire.Event{Type: wire.TraceCreate, Payload: []byte(payload)}); got != want {
			t.Errorf("32 words, %s: %t", payload, got)
		}
	}
	if n := len(q.Hashes()); n != 3 {
		t.Errorf("%d hashes of 3 distinct words", n)
	}
}

func BenchmarkMatch(b *testing.B) {
	text := strings.Repeat("the model answers a question about prices and delivery ", 16)
	ev := wire.Event{Type: wire.ObservationCreate, Payload: []byte(`{"trace_id":"01K0ZV6B3T8M5Q2Y7R4N1W9XCD","name":"call","input":"` + text + `"}`)}
	q, err := textsearch.Parse("absent question")
	if err != nil {
		b.Fatal(err)
	}
	m := textsearch.NewMatcher(q)
	b.SetBytes(int64(len(ev.Payload)))
	for b.Loop() {
		if m.Matches(&ev) {
			b.Fatal("it matches")
		}
	}
}
