package payload

import "github.com/brokle-ai/brokle-go/internal/rawjson"

// Held is a text that is written into an object later: nobody can change it.
type Held struct {
	Text string
	At   int32 // where in the object it belongs, whose members end there
}

// Written is a payload as far as it was written when it was taken.
type Written struct {
	// Text is JSON, but for the texts of Rest; with Whole there is one text, which is all of it.
	Text  []byte
	Rest  []Held
	Whole bool
	// Raw says that bytes of the caller are in it that were not looked into.
	Raw bool
	// Size is that of the whole as JSON, in bytes, if no text of Rest needs an escape; Max is what it is at most.
	Size, Max int
}

const (
	// shortText is up to which length a text is written at once: it costs no more than to hold it.
	shortText = 128
	// sizeEscape is what a byte of a text may become in JSON: a control character is \u00XX.
	sizeEscape = len(`\u0000`)
)

// whole fills in the sizes of what is written.
func (w Written) whole() Written {
	w.Size, w.Max = len(w.Text), len(w.Text)
	return w
}

// held fills in the sizes of an object of which texts are left for later.
func (w Written) held() Written {
	texts := 0
	for i := range w.Rest {
		texts += len(w.Rest[i].Text)
	}
	w.Size = len(w.Text) + texts + len(w.Rest)*len(`""`)
	w.Max = w.Size + texts*(sizeEscape-1)
	return w
}

// IsObject says whether w is, or will be, a JSON object, as far as that can be seen from both ends.
func (w *Written) IsObject() bool { return len(w.Rest) > 0 || isBraced(w.Text) }

// isBraced says whether text begins and ends as a JSON object does.
func isBraced[T string | []byte](text T) bool {
	return len(text) >= len(`{}`) && text[0] == '{' && text[len(text)-1] == '}'
}

// object makes w what m is but for long texts, which are left for later; false when encoding/json has to do it.
func (s *Scratch) object(w *Written, m map[string]any) (ok bool) {
	b := append(s.mem[:0], '{')
	texts := 0
	for name, v := range m {
		b = appendName(b, name)
		if text, is := v.(string); is && len(text) > shortText {
			s.rest = append(s.rest, Held{text, int32(len(b))})
			texts += len(text)
			continue
		}
		if b, ok = appendValue(b, v, 1); !ok {
			return false
		}
	}
	s.mem = append(b, '}')
	*w = Written{Text: s.mem, Rest: s.rest, Size: len(s.mem) + texts + len(s.rest)*len(`""`)}
	w.Max = w.Size + texts*(sizeEscape-1)
	return true
}

// AppendHeld appends the object text with what was left for later.
func AppendHeld(b, text []byte, rest []Held) []byte {
	from := 0
	for i := range rest {
		at := int(rest[i].At)
		b = AppendString(append(b, text[from:at]...), rest[i].Text)
		from = at
	}
	return append(b, text[from:]...)
}

// appendName appends the name of the next member of the object that b ends in.
func appendName(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	if n, ascii := rawjson.Plain(rawjson.Bytes(name)); n == len(name) && ascii {
		return append(append(append(b, '"'), name...), '"', ':')
	}
	return append(AppendString(b, name), ':')
}
