package payload

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

// object writes m but for long texts, which are left for later; ok is false when encoding/json has to do it.
func (s *Scratch) object(m map[string]any) (w Written, ok bool) {
	b := append(s.mem[:0], '{')
	for name, v := range m {
		b = appendName(b, name)
		if text, is := v.(string); is && len(text) > shortText {
			s.rest = append(s.rest, Held{text, int32(len(b))})
			continue
		}
		if b, ok = appendValue(b, v, 1); !ok {
			return w, false
		}
	}
	w = Written{Text: append(b, '}'), Rest: s.rest}
	if len(s.rest) == 0 {
		return w.whole(), true
	}
	return w.held(), true
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
	return append(AppendString(b, name), ':')
}
