package medium

import (
	"bytes"
	"strings"
)

// Unknown is the type of bytes of which nothing is known.
const Unknown = "application/octet-stream"

// kinds are the formats that are known by their first bytes. With safe a browser may show one in place: a picture or a
// sound that runs nothing. All others are saved, by whatever type.
var kinds = []struct {
	at   int
	head string
	then string // at 8, behind head; "": whatever
	name string
	safe bool
}{
	{0, "\x89PNG\r\n\x1a\n", "", "image/png", true},
	{0, "\xff\xd8\xff", "", "image/jpeg", true},
	{0, "GIF87a", "", "image/gif", true},
	{0, "GIF89a", "", "image/gif", true},
	{0, "RIFF", "WEBP", "image/webp", true},
	{0, "BM", "", "image/bmp", true},
	{4, "ftyp", "avif", "image/avif", true},
	{4, "ftyp", "heic", "image/heic", false},
	{0, "RIFF", "WAVE", "audio/wav", true},
	{0, "ID3", "", "audio/mpeg", true},
	{0, "OggS", "", "audio/ogg", true},
	{0, "fLaC", "", "audio/flac", true},
	{4, "ftyp", "M4A ", "audio/mp4", true},
	{4, "ftyp", "", "video/mp4", true},
	{0, "\x1a\x45\xdf\xa3", "", "video/webm", true},
	{0, "%PDF-", "", "application/pdf", false},
}

// headBytes is how much of a medium TypeOf looks at.
const headBytes = 512

// TypeOf is what the first bytes of a medium say that it is, and whether a browser may show that in place. What
// a client says of it is not asked: a document must not come as a picture. Texts, such as SVG and
// HTML, are Unknown.
func TypeOf(head []byte) (name string, inline bool) {
	for _, k := range kinds {
		if len(head) < k.at+len(k.head) || string(head[k.at:k.at+len(k.head)]) != k.head {
			continue
		}
		if k.then == "" || len(head) >= 8+len(k.then) && string(head[8:8+len(k.then)]) == k.then {
			if k.name == "image/bmp" && !isBitmap(head) {
				continue
			}
			return k.name, k.safe
		}
	}
	// Sounds without a header begin with a frame: 11 bits that are set, then what it is.
	if len(head) > 2 && head[0] == 0xff && head[1]&0xe0 == 0xe0 {
		switch head[1] & 0x06 {
		case 0:
			return "audio/aac", true
		case 2:
			return "audio/mpeg", true
		}
	}
	return Unknown, false
}

// isBitmap looks at more than two letters: four bytes behind the size are 0 in every bitmap.
func isBitmap(head []byte) bool {
	return len(head) >= 14 && bytes.Equal(head[6:10], make([]byte, 4))
}

// formats are the names by which APIs say the type of a sound, a picture or a file beside its base64.
var formats = map[string]string{
	"wav": "audio/wav", "mp3": "audio/mpeg", "mpeg": "audio/mpeg", "flac": "audio/flac", "ogg": "audio/ogg", "opus": "audio/ogg", "aac": "audio/aac", "m4a": "audio/mp4",
	"pcm16": "audio/pcm", "pcm": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma",
	"png": "image/png", "jpeg": "image/jpeg", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
	"pdf": "application/pdf", "mp4": "video/mp4", "webm": "video/webm", "mov": "video/quicktime",
}

// typeSaid is the type that a text says, without its parameters: a media type, or the name of a format. "" when it is neither.
func typeSaid(text string) string {
	text, _, _ = strings.Cut(text, ";")
	text = strings.ToLower(strings.TrimSpace(text))
	if validType(text) {
		return text
	}
	return formats[text]
}
