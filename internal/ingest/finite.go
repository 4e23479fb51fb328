package ingest

import "bytes"

// noteFinite is the note of an event in whose payload a number was none.
const noteFinite = "payload held NaN or Infinity, which are no JSON: each is null now"

// mend makes the payload of event i JSON again, and notes it.
func (r *Request) mend(i int) {
	if mended := finite(r.Events[i].Payload); mended != nil {
		r.Events[i].Payload = mended
		r.Notes = append(r.Notes, Note{i, noteFinite})
	}
}

// finite returns data with null in the place of NaN, Infinity and -Infinity outside strings,
// as Python's json.dumps writes them; nil when there are none. All other bytes stay. The
// caller makes sure that they stood where a value may stand.
func finite(data []byte) []byte {
	var out []byte
	kept := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case 'N', 'I':
			n := wordAt(data[i:])
			if n == 0 {
				continue
			}
			from := i
			if i > 0 && data[i-1] == '-' {
				from--
			}
			out = append(append(out, data[kept:from]...), "null"...)
			i += n - 1
			kept = i + 1
		}
	}
	if out == nil {
		return nil
	}
	return append(out, data[kept:]...)
}

// wordAt is the length of the word that data begins with, or 0.
func wordAt(data []byte) int {
	for _, word := range [...]string{"NaN", "Infinity"} {
		if bytes.HasPrefix(data, []byte(word)) {
			return len(word)
		}
	}
	return 0
}
