package brokle

import "strings"

// The levels of an observation.
const (
	LevelDebug   = "DEBUG"
	LevelInfo    = "INFO"
	LevelWarn    = "WARN"
	LevelError   = "ERROR"
	LevelDefault = "DEFAULT"
)

// Level is one of LevelDebug … LevelError, or a logger's word for one in any case: CRITICAL, FATAL,
// EMERGENCY, SEVERE, ALERT and PANIC mean ERROR, WARNING means WARN, NOTICE means INFO, TRACE and VERBOSE mean DEBUG. The
// word itself goes along as "severity_text". Any other word is sent as it is, for the server to decide.
func Level(level string) Option {
	return func(d *details) { d.level, d.levelWord = levelOf(level) }
}

// levelOf returns the level that a word stands for, and the word where it is another.
func levelOf(word string) (level, original string) {
	switch upper := strings.ToUpper(strings.TrimSpace(word)); upper {
	case LevelDebug, LevelInfo, LevelWarn, LevelError, LevelDefault:
		return upper, ""
	case "CRITICAL", "FATAL", "EMERGENCY", "SEVERE", "ALERT", "PANIC":
		return LevelError, word
	case "WARNING":
		return LevelWarn, word
	case "NOTICE":
		return LevelInfo, word
	case "TRACE", "VERBOSE":
		return LevelDebug, word
	}
	return word, ""
}

// worded is an observation whose level was said in a logger's word.
type worded struct {
	*Observation
	word string
}

func (v *worded) payload(b []byte) *object {
	o := observationPayload(b, v.Observation)
	o.text("severity_text", v.word)
	return o
}
