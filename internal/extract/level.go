package extract

import "strings"

// levelOf is the level that a logger's word or number means, or "" when it is none or
// when loggers differ on it.
//
// Words: those of syslog (RFC 5424 section 6.2.1), OpenTelemetry's severity text, and of
// the common loggers of Python, Java, JavaScript, Go and .NET, in any case. Numbers: those
// that mean the same to all that use them of syslog (0 to 7), OpenTelemetry (1 to 24),
// Python's logging and pino (tens).
func levelOf(text string) string {
	var upper [12]byte // longer than any word below, so that nothing is allocated
	if len(text) > len(upper) {
		return levelOfLong(text)
	}
	for i := range len(text) {
		c := text[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper[i] = c
	}
	word := upper[:len(text)]
	if n := len(word) - 1; n >= 4 && word[n] >= '1' && word[n] <= '4' {
		word = word[:n] // OpenTelemetry's ERROR2
	}
	switch string(word) {
	case "DEFAULT":
		return "DEFAULT"
	case "DEBUG", "DBG", "TRACE", "TRC", "VERBOSE", "FINE", "FINER", "FINEST", "SILLY", "7":
		return "DEBUG"
	case "INFO", "INF", "INFORMATION", "NOTICE", "SUCCESS", "9", "11", "12":
		return "INFO"
	case "WARN", "WARNING", "WRN", "13", "14", "15", "16":
		return "WARN"
	case "ERROR", "ERR", "CRITICAL", "CRIT", "FATAL", "FTL", "SEVERE", "ALERT", "EMERGENCY", "EMERG", "PANIC", "DPANIC",
		"17", "18", "19", "21", "22", "23", "24", "50", "60":
		return "ERROR"
	}
	return ""
}

func levelOfLong(text string) string {
	if strings.EqualFold(text, "INFORMATIONAL") {
		return "INFO"
	}
	return ""
}
