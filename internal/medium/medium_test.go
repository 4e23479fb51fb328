package medium_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/medium"
)

// picture is a PNG as far as its first bytes go, and n bytes in all.
func picture(n int) []byte {
	b := append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, n-8)...)
	for i := 8; i < n; i++ {
		b[i] = byte(i*i + i>>8)
	}
	return b
}

func std(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// shelf is where the tests keep media.
type shelf map[string][]byte

func (s shelf) put(t testing.TB, media []medium.Medium) {
	t.Helper()
	for i := range media {
		var b bytes.Buffer
		n, err := media[i].WriteTo(&b)
		sum := sha256.Sum256(b.Bytes())
		if err != nil || n != media[i].Size || n != int64(b.Len()) || hex.EncodeToString(sum[:]) != media[i].Hash {
			t.Fatalf("%d bytes of %+v, %v", n, media[i].Reference, err)
		}
		s[media[i].Hash] = b.Bytes()
	}
}

func (s shelf) open(hash string) (io.ReadCloser, int64, error) {
	b, ok := s[hash]
	if !ok {
		return nil, 0, fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(b)), int64(len(b)), nil
}

// meaning is what a payload says: numbers as they are written.
func meaning(t testing.TB, payload []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%.300q: %v", payload, err)
	}
	return v
}

// The forms in which APIs and libraries write media: all are taken out, and come back as they were.
func TestTake(t *testing.T) {
	t.Parallel()
	b := picture(9000)
	plain, escaped := std(b), strings.ReplaceAll(std(b), "/", `\/`)
	inText := func(v string) string { raw, _ := json.Marshal(v); return string(raw) }
	for name, c := range map[string]struct{ payload, kind string }{
		"OpenAI chat": {`{"input":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + plain + `"}}]}]}`, "image/png"},
		"behind letters whose lower case is longer":  {`{"text":"İİİİİİİİİİİİ data:image/png;base64,` + plain + `"}`, "image/png"},
		"behind letters whose lower case is shorter": {`{"text":"\u212a\u212a\u212a\u212a\u212a\u212a KKKKKKDATA:image/png;BASE64,` + plain + `"}`, "image/png"},
		"OpenAI audio":           {`{"input_audio":{"data":"` + plain + `","format":"wav"}}`, "audio/wav"},
		"OpenAI file":            {`{"file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,` + plain + `"}}`, "application/pdf"},
		"OpenAI images":          {`{"data":[{"b64_json":"` + plain + `"}]}`, "image/png"},
		"Anthropic":              {`{"source":{"type":"base64","media_type":"image/jpeg","data":"` + plain + `"}}`, "image/jpeg"},
		"Gemini":                 {`{"inlineData":{"data":"` + plain + `","mimeType":"audio/mp3"}}`, "audio/mp3"},
		"Gemini in Python":       {`{"inline_data":{"data":"` + base64.URLEncoding.EncodeToString(append(b, 0xff, 0xfe, 0xfb)) + `","mime_type":"image/png"}}`, "image/png"},
		"without padding":        {`{"inline_data":{"data":"` + base64.RawStdEncoding.EncodeToString(b[:8999]) + `","mime_type":"image/png"}}`, "image/png"},
		"OTel blob":              {`{"type":"blob","mime_type":"image/png","modality":"image","content":"` + plain + `"}`, "image/png"},
		"Ollama":                 {`{"images":["` + plain + `"]}`, "image/png"},
		"Bedrock":                {`{"image":{"format":"jpeg","source":{"bytes":"` + plain + `"}}}`, "image/png"},
		"escaped as PHP does":    {`{"url":"data:image\/png;base64,` + escaped + `"}`, "image/png"},
		"escaped as .NET does":   {`{"media_type":"image/png","data":"` + strings.ReplaceAll(plain, "+", `\u002B`) + `"}`, "image/png"},
		"in a text of JSON":      {`{"value":{"stringValue":` + inText(`[{"type":"image","source":{"type":"base64","data":"`+plain+`","media_type":"image/gif"}}]`) + `}}`, "image/gif"},
		"in JSON in JSON":        {`{"a":` + inText(`{"b":`+inText(`{"url":"data:image/webp;base64,`+plain+`"}`)+`}`) + `}`, "image/webp"},
		"as Python prints it":    {`{"a":` + inText(`[{'image_url': {'url': 'data:image/png;base64,`+plain+`'}}]`) + `}`, "image/png"},
		"a URI with parameters":  {`{"a":"data:audio/webm;codecs=opus;base64,` + plain + `"}`, "audio/webm"},
		"a URI without a type":   {`{"a":"data:;base64,` + plain + `"}`, "image/png"},
		"a URI within Markdown":  {`{"a":"see ![it](data:image/png;base64,` + plain + `) and go"}`, "image/png"},
		"with space between all": {"{ \"a\" : [ { \"data\" : \"" + plain + "\" ,\n\"media_type\" : \"image/png\" } ] , \"n\" : 12345678901234567890.10 }", "image/png"},
		"a type nobody knows":    {`{"mime_type":"model/gltf-binary","data":"` + std(make([]byte, 7000)) + `"}`, "model/gltf-binary"},
	} {
		taker := medium.Taker{Most: 1 << 20}
		rest, media, err := taker.Take([]byte(c.payload))
		if err != nil || len(media) != 1 || len(rest) > 500 || media[0].Type != c.kind {
			t.Errorf("%s: %d media, %.600s, %v", name, len(media), rest, err)
			continue
		}
		if got := medium.Hashes(rest); !reflect.DeepEqual(got, []string{media[0].Hash}) || !json.Valid(rest) {
			t.Errorf("%s: refers to %v in %s", name, got, rest)
		}
		all := shelf{}
		all.put(t, media)
		back, err := medium.PutBack(rest, 1<<20, all.open)
		if err != nil || !reflect.DeepEqual(meaning(t, back), meaning(t, []byte(c.payload))) {
			t.Errorf("%s: came back as %.300s, %v", name, back, err)
		}
	}
}

// What stays in a payload as it was sent.
func TestNotTaken(t *testing.T) {
	t.Parallel()
	b := picture(9000)
	plain := std(b)
	for name, payload := range map[string]string{
		"more behind the end":    `{"url":"data:image/png;base64,` + std(b[:8999]) + `0"}`,
		"a reference's word":     `{"url":"data:image/png;base64,` + plain + `;base64=url"}`,
		"small":                  `{"url":"data:image/png;base64,` + std(picture(3000)) + `"}`,
		"no base64":              `{"url":"data:image/png;base64,` + plain[:len(plain)-3] + `"}`,
		"both alphabets":         `{"media_type":"image/png","data":"+_` + plain[2:] + `"}`,
		"padding within":         `{"media_type":"image/png","data":"` + plain[:8000] + "==" + plain[:8002] + `"}`,
		"bits behind the end":    `{"media_type":"image/png","data":"` + plain[:len(plain)-4] + `AB=="}`,
		"lines":                  `{"media_type":"image/png","data":"` + plain[:6000] + `\n` + plain[6000:] + `"}`,
		"a word and no type":     `{"text":"` + strings.Repeat("spam", 4000) + `"}`,
		"not said to be base64":  `{"text":"data:image/png,` + plain + `"}`,
		"a type beside another":  `{"a":{"media_type":"image/png"},"b":{"data":"` + strings.Repeat("spam", 4000) + `"}}`,
		"a line of equals signs": `{"text":"` + strings.Repeat("=", 20_000) + `"}`,
		"a key":                  `{"` + plain + `":1}`,
		"words":                  `{"text":"` + strings.Repeat("To be, or not to be. ", 4000) + `"}`,
		"no JSON":                `"` + plain,
		"nothing open":           `]"` + plain + `"`,
	} {
		taker := medium.Taker{Most: 1 << 20}
		rest, media, err := taker.Take([]byte(payload))
		if err != nil || media != nil || string(rest) != payload {
			t.Errorf("%s: %d media, %.200s, %v", name, len(media), rest, err)
		}
	}
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	payload := []byte(`{"url":"data:image/png;base64,` + std(picture(10_000)) + `"}`)
	_, media, err := (&medium.Taker{Most: 9999}).Take(payload)
	var large *medium.TooLarge
	if !errors.As(err, &large) || large.Bytes != 10_000 || large.Most != 9999 || large.Type != "image/png" || media != nil {
		t.Fatal(err)
	}
	if _, media, err = (&medium.Taker{Most: 10_000}).Take(payload); err != nil || len(media) != 1 {
		t.Fatal(media, err)
	}
	full := errors.New("no room")
	escaped := bytes.ReplaceAll(payload, []byte("/"), []byte(`\/`))
	if _, _, err = (&medium.Taker{Most: 1 << 20, Room: func(int) error { return full }}).Take(escaped); !errors.Is(err, full) {
		t.Fatal(err)
	}
}

// References to what is not there stay, and nobody makes much of little.
func TestPutBack(t *testing.T) {
	t.Parallel()
	b := picture(9000)
	rest, media, err := (&medium.Taker{Most: 1 << 20}).Take([]byte(`{"a":"data:image/png;base64,` + std(b) + `","b":{"media_type":"image/png","data":"` + std(b) + `"}}`))
	if err != nil || len(media) != 2 || media[0].Hash != media[1].Hash || len(medium.Hashes(rest)) != 1 {
		t.Fatalf("%s %v", rest, err)
	}
	if back, err := medium.PutBack(rest, 1<<20, shelf{}.open); err != nil || string(back) != string(rest) {
		t.Errorf("nothing is there: %s %v", back, err)
	}
	all := shelf{}
	all.put(t, media)
	const whole = 2 * 12_000
	if back, err := medium.PutBack(rest, whole, all.open); err != nil || string(back) != string(rest) {
		t.Errorf("too much: %d bytes, %v", len(back), err)
	}
	if back, err := medium.PutBack(rest, whole+100, all.open); err != nil || len(back) <= whole || medium.WholeSize(rest, whole+100) != int64(len(back)) {
		t.Errorf("%d bytes, %v", len(back), err)
	}
	another := bytes.ReplaceAll(rest, []byte("size=9000"), []byte("size=9001"))
	if back, err := medium.PutBack(another, 1<<20, all.open); err != nil || string(back) != string(another) {
		t.Errorf("of another size: %d bytes, %v", len(back), err)
	}
	broken := errors.New("disk")
	if _, err := medium.PutBack(rest, 1<<20, func(string) (io.ReadCloser, int64, error) { return nil, 0, broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("0123456789abcdef", 4)
	good := medium.Scheme + hash + ";type=image/svg+xml;size=123"
	for text, want := range map[string]int{
		good: 1, good + ";base64=url": 1, `\"` + good + `\" ` + good: 2, good + good: 2, medium.Scheme + good: 1,
		medium.Scheme: 0, medium.Scheme + hash: 0, medium.Scheme + hash + ";size=1": 0, medium.Scheme + strings.ToUpper(hash) + ";type=a/b;size=1": 0,
		medium.Scheme + hash + ";type=image;size=1": 0, medium.Scheme + hash + ";type=a/b/c;size=1": 0, medium.Scheme + hash + ";type=a/b;size=": 0,
		medium.Scheme + hash + ";type=a/b;size=99999999999999": 0, good + ";base64=other": 0,
	} {
		n := 0
		medium.Each([]byte(text), func(r medium.Reference, start, end int) {
			n++
			if again := string(r.Append(nil)); again != text[start:end] {
				t.Errorf("%s is written as %s", text[start:end], again)
			}
		})
		if n != want {
			t.Errorf("%s: %d references, want %d", text, n, want)
		}
	}
}

func TestTypes(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]string{
		"\x89PNG\r\n\x1a\n....": "image/png true", "\xff\xd8\xff\xe0": "image/jpeg true", "GIF89a": "image/gif true", "RIFF1234WEBPVP8 ": "image/webp true", "RIFF1234WAVEfmt ": "audio/wav true",
		"RIFF1234AVI ": medium.Unknown + " false", "\x00\x00\x00\x20ftypavif": "image/avif true", "\x00\x00\x00\x20ftypisom": "video/mp4 true", "\x00\x00\x00\x20ftypM4A ": "audio/mp4 true",
		"ID3\x04": "audio/mpeg true", "\xff\xfb\x90\x00": "audio/mpeg true", "\xff\xf1\x50\x80": "audio/aac true", "OggS": "audio/ogg true", "fLaC": "audio/flac true", "%PDF-1.7": "application/pdf false",
		"BM6\x00\x0c\x00\x00\x00\x00\x00\x36\x00\x00\x00": "image/bmp true", "BM is a town in Germany": medium.Unknown + " false",
		`<svg xmlns="http://www.w3.org/2000/svg">`: medium.Unknown + " false", "<!doctype html>": medium.Unknown + " false", "": medium.Unknown + " false", "\xff": medium.Unknown + " false",
	} {
		if name, inline := medium.TypeOf([]byte(head)); fmt.Sprint(name, " ", inline) != want {
			t.Errorf("%q is %s %v, want %s", head, name, inline, want)
		}
	}
}

// FuzzTake: whatever a payload is, what stays of it is JSON, and with the media put back it means what it did. An @ in it becomes base64,
// a ~ the same for URLs.
func FuzzTake(f *testing.F) {
	for _, s := range []string{
		`{"a":"data:image/png;base64,@"}`, `{"media_type":"image/png","data":"@"}`, `{"data":"~","format":"wav"}`, `[{"a":"@"},"@",[["~"]],{"b":{"c":"@"},"mime_type":"a/b"}]`,
		`{"a":"{\"url\":\"data:image/png;base64,@\"}"}`, `{"a":"{\"b\":\"{\\\"data\\\":\\\"@\\\",\\\"mimeType\\\":\\\"a/b\\\"}\"}"}`, `{"a":"x@ data:a/b;base64,@) data:;base64,~== é\u00e9\ud83d\ude00\n@"}`,
		`{"a":"\u002B@","format":"mp3"}`, `{"@":"@","b":1e400,"c":[true,null,-0.0]}`, `"@"`, `{"a":"brokle-media:sha256-@"}`, `{"format":{"a":"@"},"b":"[\"@\"]"}`,
	} {
		f.Add(s, 9000, false)
		f.Add(s, 6145, true)
	}
	f.Fuzz(func(t *testing.T, text string, n int, isPicture bool) {
		n = max(8, min(n&0xffff, 20_000))
		b := make([]byte, n)
		if isPicture {
			b = picture(n)
		}
		text = strings.ReplaceAll(text, "@", std(b))
		text = strings.ReplaceAll(text, "~", base64.URLEncoding.EncodeToString(b))
		if len(text) > 1<<20 || !json.Valid([]byte(text)) {
			return
		}
		had := medium.Hashes([]byte(text))
		rest, media, err := (&medium.Taker{Most: 1 << 20}).Take([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if len(media) == 0 {
			if string(rest) != text {
				t.Fatal("nothing was taken, and it is another")
			}
			return
		}
		if len(rest) >= len(text) {
			t.Fatalf("%d bytes became %d", len(text), len(rest))
		}
		all := shelf{}
		all.put(t, media)
		for _, hash := range had {
			delete(all, hash) // it was a reference before
		}
		if len(had) > 0 {
			return
		}
		back, err := medium.PutBack(rest, 8<<20, all.open)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := meaning(t, back), meaning(t, []byte(text)); !reflect.DeepEqual(got, want) {
			t.Fatalf("came back as %.300q instead of %.300q", back, text)
		}
	})
}

// BenchmarkHas is what a payload costs that has no media: an answer of a model, 64 KB.
func BenchmarkHas(b *testing.B) {
	payload := []byte(`{"output":"` + strings.Repeat("To be, or not to be, that is the question. ", 1500) + `"}`)
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		if medium.Has(payload) {
			b.Fatal("has")
		}
	}
}

// BenchmarkTake is what a photo costs.
func BenchmarkTake(b *testing.B) {
	payload := []byte(`{"url":"data:image/png;base64,` + std(picture(5<<20)) + `"}`)
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		if _, media, err := (&medium.Taker{Most: 20 << 20}).Take(payload); err != nil || len(media) != 1 {
			b.Fatal(err)
		}
	}
}
