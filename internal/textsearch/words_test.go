package textsearch_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// wordsOf are the words of an event, the end of each text as "|".
func wordsOf(typ wire.EventType, payload string) []string {
	var out []string
	w := textsearch.Words{Found: func(word []byte) {
		if word == nil {
			out = append(out, "|")
		} else {
			out = append(out, string(word))
		}
	}}
	w.Event(&wire.Event{Type: typ, Payload: []byte(payload)})
	return out
}

func TestWords(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		`{"name":"Hello, World"}`:                                "hello world |",
		`{"input":"don't re-use"}`:                               "don t re use |",
		`{"input":"a\nb\tc\"d\\e\/f"}`:                           "a b c d e f |",
		`{"input":"C:\\temp\\new"}`:                              "c temp new |",
		`{"input":"caf\u00e9 \u00C9t\u00e9"}`:                    "cafe ete |",
		`{"input":"\u0041\u0062c"}`:                              "abc |",
		`{"input":"x\ud83d\ude42y\ud83dz"}`:                      "x y z |",
		`{"input":"日本語 GPT4模型"}`:                                 "日 本 語 gpt4 模 型 |",
		`{"input":"한국어"}`:                                        "한 국 어 |",
		`{"input":"ΟΔΟΣ οδος ſtraße ΜµμK"}`:                      "οδοσ οδοσ strasse μμμk |",
		`{"input":"हिन्दी"}`:                                     "हिन्दी |",
		`{"input":"e\u0301t"}`:                                   "et |",
		`{"input":[{"role":"user","content":"Hi"}]}`:             "user | hi |",
		`{"input":{"Order":4711,"x":-1.5e3,"y":[true,null,""]}}`: "4711 | 1 5e3 | |",
		`{"na\u006de":"n","output":"o","metadata":"m"}`:          "n | o | m |",
		`{ "input" : { "k" : "v" , "l" : [ "w" ] } }`:            "v | w |",
		`{"input":7}`: "7 |",
		`{"input":"STRASSE Straße ﬁle Ｆｕｌｌ İstanbul ½"}`:                                      "strasse strasse file full istanbul 1 2 |",
		`{"input":"が か\u3099 한"}`:                                                             "が が 한 |",
		`{"status_message":"Timed out","tags":["beta x"],"metadata":{"k":{"region":"eu-1"}}}`: "timed out | beta x | eu 1 |",
		`{"input":"サーバーabc 検索エンジン"}`:                                                          "サ ー バ ー abc 検 索 エ ン ジ ン |",
		`{"input":"〆切ﾊﾞｰx あ\u3099b"}`:                                                         "〆 切 バ ー x あ \u3099 b |",
		`{"input":null}`:       "",
		`{}`:                   "",
		`[1]`:                  "",
		``:                     "",
		`{"input":"broken`:     "",
		`{"input":"a"`:         "",
		`{"input":"\u12"}`:     "12 |",
		`{"input":"٣٤ x²"}`:    "٣٤ x2 |",
		"{\"input\":\"\xff\"}": "|",
	} {
		if got := strings.Join(wordsOf(wire.TraceCreate, payload), " "); got != want {
			t.Errorf("%s: %q, want %q", payload, got, want)
		}
	}
	const begin, end = `{"otlp":{"door":"door","resource":{"attributes":[{"key":"r","value":{"stringValue":"resource"}}]},"scope":{"name":"scope"},`, `}}`
	for item, want := range map[string]string{
		`"span":{"traceId":"0a","name":"Chat Gpt","kind":3,"attributes":[]}`:                                                                                                                                                               "chat gpt |",
		`"span":{"attributes":[{"key":"k","value":{"stringValue":"caf\u00e9\nbar"}},{"value":{"string_value":"snake"},"key":"s"}]}`:                                                                                                        "cafe bar | snake |",
		`"span":{"attributes":[{"key":"k","value":{"intValue":"12"}},{"key":"k","value":{"intValue":13}},{"key":"k","value":{"doubleValue":-1.5e3}},{"key":"k","value":{"boolValue":true}},{"key":"k","value":{"bytesValue":"AAAA"}}]}`:    "12 | 13 | 1 5e3 |",
		`"span":{"attributes":[{"key":"k","value":{"arrayValue":{"values":[{"stringValue":"a"},{"kvlistValue":{"values":[{"key":"b","value":{"stringValue":"c"}}]}}]}}}]}`:                                                                 "a | c |",
		`"span":{"events":[{"timeUnixNano":"9","name":"e f","attributes":[{"key":"k","value":{"stringValue":"g"}}]}],"links":[{"traceId":"0b","attributes":[{"key":"k","value":{"stringValue":"h"}}]}],"status":{"code":2,"message":"i"}}`: "e f | g | h | i |",
		`"log":{"severityNumber":9,"severityText":"INFO","body":{"stringValue":"line one"},"eventName":"an.event"}`:                                                                                                                        "line one | an event |",
		`"span":{"attributes":[{"key":"k","value":{"stringValue":"{\"role\":\"user\",\"content\":\"a\\nb \\u00e9 {\\\"c\\\":1}\",\"n\":[1,true,null]}"}}]}`:                                                                                "user | a b e c 1 | 1 |",
		`"span":{"attributes":[{"key":"k","value":{"stringValue":"[\n {\"content\" : \"cut o"}}]}`:                                                                                                                                         "cut o |",
		`"span":{"attributes":[{"key":"k","value":{"stringValue":"[1] see {x} \"y\": z"}}]}`:                                                                                                                                               "1 see x y z |",
		`"span":{"attributes":[{"key":"k","value":{"stringValue":"{'a': 'b'}"}}]}`:                                                                                                                                                         "a b |",
		`"span":{"string\u0056alue":"escaped"}`: "escaped |",
		`"span":{"name":"broken`:                "",
		`"span":7`:                              "",
		`"other":{"name":"n"}`:                  "",
	} {
		if got := strings.Join(wordsOf(wire.ObservationCreate, begin+item+end), " "); got != want {
			t.Errorf("%s: %q, want %q", item, got, want)
		}
	}
	if got := wordsOf(wire.QualityScoreCreate, `{"name":"quality"}`); got != nil {
		t.Errorf("a score has words: %q", got)
	}
}

// naiveWords is what Words promises, written the other way round: decode, then cut.
func naiveWords(t *testing.T, payload []byte) [][]string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		t.Fatal(err)
	}
	var texts [][]string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			texts = append(texts, naiveCut(v))
		case json.Number:
			texts = append(texts, naiveCut(string(v)))
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	for _, key := range []string{"name", "input", "output", "status_message", "tags", "metadata"} {
		walk(object[key])
	}
	return texts
}

func naiveCut(s string) []string {
	s = norm.NFKD.String(cases.Fold().String(norm.NFKD.String(s)))
	s = norm.NFC.String(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Inherited, r) && unicode.Is(unicode.Mn, r) && r != 0x3099 && r != 0x309a && (r < 0x600 || r > 0x1ab0-1) {
			return -1
		}
		return r
	}, s))
	var spaced strings.Builder
	for _, r := range s {
		wordly := unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)
		single := slices.Contains([]rune("\u3099\u309aー〆"), r) || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
		switch {
		case !wordly || r == utf8.RuneError:
			spaced.WriteByte(' ')
		case single:
			spaced.WriteString(" " + string(r) + " ")
		default:
			spaced.WriteRune(r)
		}
	}
	return strings.Fields(spaced.String())
}

func sorted(texts [][]string) []string {
	var out []string
	for _, words := range texts {
		if len(words) > 0 {
			out = append(out, strings.Join(words, " "))
		}
	}
	slices.Sort(out)
	return out
}

// FuzzWords: whatever the bytes are, Words ends; and of a payload as the server
// takes it, it finds what decoding and cutting finds.
func FuzzWords(f *testing.F) {
	for _, seed := range []string{
		`{"name":"Hello","input":[{"role":"user","content":"日本語 caf\u00e9"}],"output":{"n":-1.5e3,"t":true}}`,
		`{"input":"a\\\"b\ud83d\ude42\ud83d","output":["\u0130ſΣς",{"k":["v",null,0]}]}`,
		`{"input":"`, `{"input":{"a"`, "{\"input\":\"\xff\xfe\"}", `{"input":"\u00`, `{"na\u006de":"x","name ":"y"}`,
		`{"otlp":{"span":{"name":"n","attributes":[{"key":"k","value":{"stringValue":"[{\"a\":\"b\\n"}}]}}}`, `{"otlp":{"log":{"body":{"stringValue":"{\"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		var texts [][]string
		var words []string
		w := textsearch.Words{Found: func(word []byte) {
			if word == nil {
				texts, words = append(texts, words), nil
				return
			}
			if len(word) == 0 || !utf8.Valid(word) {
				t.Fatalf("word %q", word)
			}
			words = append(words, string(word))
		}}
		w.Event(&wire.Event{Type: wire.EventCreate, Payload: payload})
		if words != nil {
			t.Fatalf("%q after the last text", words)
		}
		var object map[string]json.RawMessage
		if otlp.Stored(payload) {
			return // TestWords and the tests of the server say what its words are
		}
		if !utf8.Valid(payload) || json.Unmarshal(payload, &object) != nil || object == nil {
			return
		}
		if m := rawjson.MembersOf(payload); repeats(m) {
			return // a map keeps one of them
		}
		if got, want := sorted(texts), sorted(naiveWords(t, payload)); !slices.Equal(got, want) {
			t.Fatalf("%s: %q, want %q", payload, got, want)
		}
	})
}

// FuzzHashes: of any bytes, what is hashed as it is read is the hash of each word, in the same order, and all of them are
// among the hashes of the event.
func FuzzHashes(f *testing.F) {
	for _, seed := range []string{
		`{"name":"Hello World","input":"a\u0062c d\ne\\f café caf\u00e9 x\","output":["日本x y","İ",1.5e3]}`, `{"input":"ab\u`, `{"input":"ab\`, "{\"input\":\"ab\xff c\"}",
		`{"otlp":{"span":{"name":"n m","attributes":[{"key":"k","value":{"stringValue":"[{\"a\":\"b\\n c"}}]}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		ev := &wire.Event{Type: wire.ObservationCreate, Payload: payload}
		var want, got []uint64
		w := textsearch.Words{Found: func(word []byte) {
			if word != nil {
				want = append(want, textsearch.WordHash(word))
			}
		}}
		w.Event(ev)
		hashed := textsearch.Words{Hashed: func(h uint64) { got = append(got, h) }}
		hashed.Event(ev)
		if !slices.Equal(got, want) {
			t.Fatalf("%q: %d hashes, %d words", payload, len(got), len(want))
		}
		all := map[uint64]bool{}
		textsearch.NewHashes(func(h uint64) { all[h] = true }).Event(ev)
		for _, h := range want {
			if !all[h] {
				t.Fatalf("%q: a word is not among the hashes", payload)
			}
		}
	})
}

// repeats says whether an object, at any depth, has a key twice.
func repeats(m rawjson.Members) bool {
	seen := map[string]bool{}
	for {
		key, value, ok := m.Next()
		if !ok {
			return false
		}
		k := string(bytes.ToValidUTF8(key, []byte("\ufffd")))
		if seen[k] || nested(value) {
			return true
		}
		seen[k] = true
	}
}

func nested(value []byte) bool {
	switch value[0] {
	case '{':
		return repeats(rawjson.MembersOf(value))
	case '[':
		e := rawjson.ElementsOf(value)
		for {
			v, ok := e.Next()
			if !ok {
				return false
			}
			if nested(v) {
				return true
			}
		}
	}
	return false
}
