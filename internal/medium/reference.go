package medium

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
)

// Scheme begins every reference:
//
//	brokle-media:sha256-HEX;type=image/png;size=5242880
//
// with ";base64=url", ";base64=raw" or ";base64=rawurl" behind it where the text that it stands for was
// written in the alphabet of URLs, without padding, or both (RFC 4648). HEX is the SHA-256 of the bytes and their name.
const Scheme = "brokle-media:sha256-"

// HashLength is the length of a hash in hex.
const HashLength = 64

// Reference stands in a payload for the base64 of a medium.
type Reference struct {
	Hash string // of the bytes: SHA-256, in lower-case hex
	Type string // as it was said to be, such as image/png
	Size int64  // of the bytes
	form int    // of the base64, an index of forms
}

// forms are the ways in which base64 is written, each with its name in a reference.
var forms = [...]struct {
	name string
	*base64.Encoding
}{
	{"", base64.StdEncoding.Strict()}, {"url", base64.URLEncoding.Strict()},
	{"raw", base64.RawStdEncoding.Strict()}, {"rawurl", base64.RawURLEncoding.Strict()},
}

// The words of a reference.
const (
	wordType = ";type="
	wordSize = ";size="
	wordForm = ";base64="
)

// Append appends the reference as it stands in a payload. Nothing in it is escaped in JSON, however deep in
// texts of JSON it stands.
func (r *Reference) Append(to []byte) []byte {
	to = append(append(to, Scheme...), r.Hash...)
	to = append(append(to, wordType...), r.Type...)
	to = strconv.AppendInt(append(to, wordSize...), r.Size, 10)
	if name := forms[r.form].name; name != "" {
		to = append(append(to, wordForm...), name...)
	}
	return to
}

// encodedLen is how long the base64 is that the reference stands for.
func (r *Reference) encodedLen() int { return forms[r.form].EncodedLen(int(r.Size)) }

// Each calls found for each reference in a payload, with where it stands.
func Each(payload []byte, found func(r Reference, start, end int)) {
	for at := 0; ; {
		i := bytes.Index(payload[at:], []byte(Scheme))
		if i < 0 {
			return
		}
		start := at + i
		r, n, ok := readReference(payload[start:])
		if at = start + n; ok {
			found(r, start, at)
		}
	}
}

// Hashes are those of the media that a payload refers to, each once; nil for nearly every payload.
func Hashes(payload []byte) (all []string) {
	Each(payload, func(r Reference, _, _ int) {
		for _, had := range all {
			if had == r.Hash {
				return
			}
		}
		all = append(all, r.Hash)
	})
	return all
}

// readReference reads the reference that b begins with, and says how much of b was read.
func readReference(b []byte) (r Reference, n int, ok bool) {
	rest, n := b[len(Scheme):], len(Scheme)
	if len(rest) < HashLength || !ValidHash(string(rest[:HashLength])) {
		return r, n, false
	}
	r.Hash = string(rest[:HashLength])
	rest, n = rest[HashLength:], n+HashLength
	word := func(name string, of func(byte) bool) (value string, ok bool) {
		if !bytes.HasPrefix(rest, []byte(name)) {
			return "", false
		}
		end := len(name)
		for end < len(rest) && of(rest[end]) {
			end++
		}
		value = string(rest[len(name):end])
		rest, n = rest[end:], n+end
		return value, true
	}
	if r.Type, ok = word(wordType, ofType); !ok || !validType(r.Type) {
		return r, n, false
	}
	size, ok := word(wordSize, func(c byte) bool { return '0' <= c && c <= '9' })
	var err error
	if r.Size, err = strconv.ParseInt(size, 10, 40); !ok || err != nil {
		return r, n, false
	}
	name, given := word(wordForm, func(c byte) bool { return 'a' <= c && c <= 'z' })
	for i := range forms {
		if forms[i].name == name {
			r.form = i
			return r, n, true
		}
	}
	return r, n, !given
}

// ValidHash says whether s is a hash as references have it.
func ValidHash(s string) bool {
	if len(s) != HashLength || strings.ToLower(s) != s {
		return false
	}
	_, err := hex.DecodeString(s)
	return err == nil
}

func ofType(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '/' || c == '+' || c == '.' || c == '-'
}

const longestType = 80

// validType says whether t is a media type as references have it: two words, in lower case, without parameters.
func validType(t string) bool {
	kind, of, both := strings.Cut(t, "/")
	if !both || kind == "" || of == "" || len(t) > longestType || strings.Contains(of, "/") {
		return false
	}
	for i := range len(t) {
		if !ofType(t[i]) {
			return false
		}
	}
	return true
}
