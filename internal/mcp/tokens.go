package mcp

import "unicode/utf8"

// Tokens estimates how many tokens a model makes of a text. Models differ; this counts words of five letters, numbers of three digits, signs by two,
// and of other scripts each character or two. Of answers here that is 8 to 50 % more than o200k_base and cl100k_base make of them.
func Tokens(text string) int {
	var m meter
	for _, r := range text {
		m.add(r)
	}
	return m.total()
}

// meter counts the tokens of a text that comes character by character.
type meter struct {
	done int  // tokens of what has ended
	kind byte // of the run that has not
	run  int  // its characters
}

// The kinds of characters that make runs.
const (
	noRun byte = iota
	letters
	digits
	signs
	spaces
)

func (m *meter) add(r rune) {
	kind, weight := noRun, 1
	switch {
	case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
		kind = letters
	case r >= '0' && r <= '9':
		kind = digits
	case r == ' ' || r == '\n' || r == '\t' || r == '\r':
		kind = spaces
	case r < utf8.RuneSelf:
		kind = signs
	case r >= 0x2E80: // scripts of the East, pictures
		weight = 2
	}
	if kind != m.kind || kind == noRun {
		m.done += runTokens(m.kind, m.run)
		m.kind, m.run = kind, 0
	}
	if kind == noRun {
		m.done += weight
		return
	}
	m.run++
}

func (m *meter) total() int { return m.done + runTokens(m.kind, m.run) }

func runTokens(kind byte, n int) int {
	switch kind {
	case letters:
		return (n + 4) / 5
	case digits:
		return (n + 2) / 3
	case signs:
		return (n + 1) / 2
	case spaces:
		return (n + 7) / 8 // one belongs to the word behind it
	}
	return 0
}

// cut is the longest beginning of text that has at most so many tokens, never less than one character of a text that has any.
func cut(text string, most int) string {
	var m meter
	for at, r := range text {
		if m.add(r); m.total() > most && at > 0 {
			return text[:at]
		}
	}
	return text
}
