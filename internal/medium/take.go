package medium

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// TooLarge is the error of a payload with a medium that has more bytes than one may have.
type TooLarge struct {
	Type        string
	Bytes, Most int64
}

func (e *TooLarge) Error() string {
	return fmt.Sprintf("a medium (%s) has %d bytes, the most is %d", e.Type, e.Bytes, e.Most)
}

// Taker takes media out of payloads.
type Taker struct {
	// Most is how many bytes a medium may have.
	Most int64
	// Room makes room for what is made beside the payload, in bytes. nil: there is enough.
	Room func(bytes int) error
}

// Take returns payload, which is valid JSON, with a reference in the place of each medium, and the media. Their
// text may share the payload's memory. Without media it is payload itself. The error is a *TooLarge or that of Room.
func (t *Taker) Take(payload []byte) (rest []byte, media []Medium, err error) {
	if !Has(payload) {
		return payload, nil, nil
	}
	w := walk{Taker: t, b: payload}
	if rest, err = w.run(); err != nil || len(w.cuts) == 0 {
		return payload, nil, err
	}
	return rest, w.media, nil
}

// deepest is how many texts of JSON may stand in one another.
const deepest = 3

// walk goes through one text of JSON from its start to its end, without recursion but for texts of JSON in it.
type walk struct {
	*Taker
	b     []byte
	level int // of texts in texts
	open  []holder
	cuts  []cut
	media []Medium
}

// holder is an object or a list that is open.
type holder struct {
	key    string // of the member that is read; "" in a list
	said   string // the media type that a member says
	format string // the type by the name of a format, which counts without the other
	bare   []bare // texts that are nothing but base64: what they are, other members may say
}

// bare is a text of base64, from quote to quote.
type bare struct {
	start, end int
	m          Medium
}

// cut is a piece of the text, and what comes in its place.
type cut struct {
	start, end int
	with       []byte
}

// run returns the text with the cuts, which are none when it is no JSON.
func (w *walk) run() ([]byte, error) {
	for i := 0; i < len(w.b); i++ {
		switch w.b[i] {
		case '{', '[':
			w.open = append(w.open, holder{})
		case '}', ']':
			if len(w.open) == 0 {
				return w.b, nil
			}
			if err := w.close(); err != nil {
				return nil, err
			}
		case ',':
			if n := len(w.open); n > 0 {
				w.open[n-1].key = ""
			}
		case '"':
			end := rawjson.SkipString(w.b, i)
			if end < 0 {
				w.cuts = nil
				return w.b, nil
			}
			if next := rawjson.SkipSpace(w.b, end); next < len(w.b) && w.b[next] == ':' && len(w.open) > 0 {
				w.open[len(w.open)-1].key = string(w.b[i+1 : min(end-1, i+1+longestKey)])
				i = next
				continue
			}
			if err := w.text(i+1, end-1); err != nil {
				return nil, err
			}
			i = end - 1
		}
	}
	return w.joined(), nil
}

// longestKey is more than any key that says something here has.
const longestKey = 32

// close ends the innermost object or list: now it is known what its members say.
func (w *walk) close() error {
	h := &w.open[len(w.open)-1]
	said := h.said
	if said == "" {
		said = h.format
	}
	for i := range h.bare {
		b := &h.bare[i]
		if b.m.settle(said); b.m.Type == Unknown && said == "" {
			continue // it may be a text that happens to look like base64
		}
		if err := w.take(b.start, b.end, b.m, nil, nil); err != nil {
			return err
		}
	}
	w.open = w.open[:len(w.open)-1]
	return nil
}

// take cuts a medium out, between what stays before and behind it.
func (w *walk) take(start, end int, m Medium, before, behind []byte) error {
	if m.Size > w.Most {
		return &TooLarge{Type: m.Type, Bytes: m.Size, Most: w.Most}
	}
	w.media = append(w.media, m)
	w.cuts = append(w.cuts, cut{start, end, append(m.Append(bytes.Clone(before)), behind...)})
	return nil
}

// joined is the text with the cuts.
func (w *walk) joined() []byte {
	if len(w.cuts) == 0 {
		return w.b
	}
	slices.SortFunc(w.cuts, func(a, b cut) int { return a.start - b.start })
	size := len(w.b)
	for _, c := range w.cuts {
		size += len(c.with) - (c.end - c.start)
	}
	out, kept := make([]byte, 0, size), 0
	for _, c := range w.cuts {
		out = append(append(out, w.b[kept:c.start]...), c.with...)
		kept = c.end
	}
	return append(out, w.b[kept:]...)
}

// text reads the string between two places, which stand within its quotes.
func (w *walk) text(start, end int) error {
	raw := w.b[start:end]
	if len(raw) < Least {
		w.hint(raw)
		return nil
	}
	if !Has(raw) {
		return nil
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return w.plain(raw, start, end)
	}
	if w.Room != nil {
		if err := w.Room(len(raw)); err != nil {
			return err
		}
	}
	plain := rawjson.Unescape(raw)
	inner := walk{Taker: w.Taker, b: plain, level: w.level + 1}
	var with []byte
	var err error
	if first := rawjson.SkipSpace(plain, 0); inner.level <= deepest && first < len(plain) && (plain[first] == '{' || plain[first] == '[') && rawjson.Valid(rawjson.Alias(plain)) {
		with, err = inner.run()
	} else if whole, err := w.whole(plain, start, end); whole || err != nil {
		return err
	} else if err := inner.within(); err != nil {
		return err
	} else {
		with = inner.joined()
	}
	if err != nil || len(inner.cuts) == 0 {
		return err
	}
	quoted := rawjson.AppendString(nil, rawjson.Alias(with))
	w.media = append(w.media, inner.media...)
	w.cuts = append(w.cuts, cut{start, end, quoted[1 : len(quoted)-1]})
	return nil
}

// plain reads a string in which nothing is escaped.
func (w *walk) plain(raw []byte, start, end int) error {
	if whole, err := w.whole(raw, start, end); whole || err != nil {
		return err
	}
	inner := walk{Taker: w.Taker, b: raw}
	if err := inner.within(); err != nil {
		return err
	}
	for _, c := range inner.cuts {
		w.cuts = append(w.cuts, cut{start + c.start, start + c.end, c.with})
	}
	w.media = append(w.media, inner.media...)
	return nil
}

// whole keeps a text that is nothing but base64 until it is known what its object says of it.
func (w *walk) whole(text []byte, start, end int) (is bool, err error) {
	from, to, found := nextBase64(text, 0)
	if !found || from > 0 || to < len(text) || len(w.open) == 0 {
		return false, nil
	}
	if m, ok := read(text); ok {
		h := &w.open[len(w.open)-1]
		h.bare = append(h.bare, bare{start, end, m})
	}
	return true, nil
}

// within takes the data URIs out of a text that may have others around them.
func (w *walk) within() error {
	for i := 0; ; {
		start, end, found := nextBase64(w.b, i)
		if !found {
			return nil
		}
		i = end
		said, is := dataURI(w.b[:start])
		if !is {
			continue
		}
		m, ok := read(w.b[start:end])
		if !ok {
			continue
		}
		m.settle(said)
		if err := w.take(start, end, m, nil, nil); err != nil {
			return err
		}
	}
}

// hint takes in what a short member says of the type of its object.
func (w *walk) hint(raw []byte) {
	if len(w.open) == 0 || len(raw) > longestType {
		return
	}
	h := &w.open[len(w.open)-1]
	switch h.key {
	case "media_type", "mime_type", "mimeType", "mediaType", "contentType", "content_type":
		text, _ := rawjson.Unquote(append(append([]byte{'"'}, raw...), '"'))
		if said := typeSaid(text); said != "" {
			h.said = said
		}
	case "format":
		h.format = typeSaid(string(raw))
	}
}

// dataURI says whether before ends with the head of a data URI (RFC 2397) in base64, and which type it says; "" when it says none.
func dataURI(before []byte) (said string, is bool) {
	const mark, scheme, longest = ";base64,", "data:", 256
	before = before[max(0, len(before)-longest):]
	if len(before) < len(mark) || !bytes.EqualFold(before[len(before)-len(mark):], []byte(mark)) {
		return "", false
	}
	head := before[:len(before)-len(mark)]
	i := len(head) - len(scheme) // in lower case head could have another length
	for i >= 0 && !bytes.EqualFold(head[i:i+len(scheme)], []byte(scheme)) {
		i--
	}
	if i < 0 || bytes.ContainsAny(head[i:], " \t\r\n\"'`<>(),\\") {
		return "", false
	}
	return typeSaid(string(head[i+len(scheme):])), true
}

// ends says whether what stands behind base64 is no part of it, nor could be one of a reference in its place.
func ends(b []byte, at int) bool {
	return at == len(b) || classOf[b[at]]&digit == 0 && b[at] != '=' && b[at] != ';'
}

// nextBase64 is the first stretch of at least Least characters of base64 from i on, its padding with it.
func nextBase64(b []byte, i int) (start, end int, found bool) {
	for {
		from, to, found := nextRun(b, i, Least)
		if !found {
			return 0, 0, false
		}
		for at := from; at < to; {
			start = at
			for at < to && classOf[b[at]]&digit != 0 {
				at++
			}
			for pad := 0; at < to && b[at] == '=' && pad < 2 && at > start; pad++ {
				at++
			}
			if at-start >= Least && ends(b, at) {
				return start, at, true
			}
			at = max(at, start+1)
		}
		i = to
	}
}
