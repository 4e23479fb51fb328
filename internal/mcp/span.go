package mcp

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// span is when something is asked for, and where an answer goes on.
type span struct {
	from, to string // as the API reads them; "" for no end
	cursor   string // of the API
	moving   bool   // from or to were said as how long ago
}

var ago = regexp.MustCompile(`^-?(\d{1,5})(s|m|h|d|w)$`)

// span reads when. How long ago something was is another time when the next page is asked for: the cursor holds the times of the first one.
func (a *asking) span(from, to, cursor string) span {
	s := span{cursor: cursor}
	var moved [2]bool
	s.from, moved[0] = a.when(from)
	s.to, moved[1] = a.when(to)
	s.moving = moved[0] || moved[1]
	if parts := strings.Split(cursor, "@"); s.moving && len(parts) == 3 {
		s.cursor, s.from, s.to = parts[0], parts[1], parts[2]
	}
	return s
}

// next is the cursor of a tool for one of the API.
func (s span) next(cursor string) string {
	if !s.moving {
		return cursor
	}
	return strings.Join([]string{cursor, s.from, s.to}, "@")
}

// when reads a time as the API does, or how long ago something was.
func (a *asking) when(text string) (at string, moving bool) {
	m := ago.FindStringSubmatch(text)
	if m == nil {
		return text, false
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return text, false // the API says what is wrong with it
	}
	units := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	return a.now().Add(-time.Duration(n) * units[m[2]]).UTC().Format(time.RFC3339), true
}
