package wire

import (
	"strings"
	"time"
)

// parseText reads the forms in which programs write an instant, as far as they leave
// no doubt about it; see readISO and readNamed. Without a zone it is UTC.
func (t *Timestamp) parseText(s string) error {
	if len(s) > 10 && s[10] == 'T' && (s[len(s)-1] == 'Z' || s[len(s)-3] == ':') {
		if at, err := time.Parse(time.RFC3339Nano, s); err == nil { // nearly always, and quickest
			return t.setMicro(at.UnixMicro())
		}
	}
	s = strings.TrimSpace(s)
	if len(s) < len("20060102T1504Z") || s[0] >= '0' && s[0] <= '9' && strings.Trim(s, "0123456789.eE+-") == "" {
		return t.parseNumber(s)
	}
	at, ok := readISO(s)
	if !ok {
		at, ok = readNamed(strings.Clone(s)) // only here may s outlive the call: the common forms cost no memory
	}
	if !ok {
		return ErrTimestamp
	}
	return t.setMicro(at.UnixMicro())
}

// readISO reads a date from the year down, a time and a zone: RFC 3339, ISO 8601 (also its
// basic form, without seconds, with a comma, with 24:00), and what databases, loggers and
// String of Go's time.Time make of it:
//
//	2026-11-28T10:00:00.5+05:30   2026-11-28 10:00:00,5 +0530   20261128T100000Z
//	2026/11/28 10:00   2026-11-28 10:00:00 +0100 CET m=+0.5   2026-11-28T10:00+01:00[Europe/Paris]
//
// A leap second (:60) is the second after it, as in Unix time.
func readISO(s string) (time.Time, bool) {
	p := &scan{s: s, ok: true}
	year := p.digits(4)
	sep := p.one("-/")
	month := p.digits(2)
	if sep != 0 && p.one("-/") != sep {
		return time.Time{}, false
	}
	day := p.digits(2)
	if p.one("Tt") == 0 && (sep == 0 || p.one(" ") == 0) {
		return time.Time{}, false
	}
	p.spaces()
	hour := p.digits(2)
	colon := p.one(":") != 0
	minute := p.digits(2)
	second, us := 0, 0
	if colon && p.one(":") != 0 || !colon && p.digit() {
		second = p.digits(2)
		if p.one(".,") != 0 {
			us = p.fraction()
		}
	}
	offset := p.zone()
	midnight := hour == 24 && minute == 0 && second == 0 && us == 0
	if !p.ok || colon != (sep != 0) || hour > 23 && !midnight || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	if date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC); date.Day() != day || int(date.Month()) != month {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, second-offset, us*1000, time.UTC), true
}

// readNamed reads dates with names of days and months: RFC 1123 (RFC 5322), RFC 850,
// ANSI C's asctime, Unix's date, Ruby, and JavaScript's Date. Of zones by name only UTC
// and GMT: other abbreviations mean several.
func readNamed(s string) (time.Time, bool) {
	if at := strings.Index(s, " ("); at > 0 && strings.HasSuffix(s, ")") {
		s = s[:at] // JavaScript: "GMT+0100 (Central European Standard Time)"
	}
	for _, name := range [...]string{" UTC", " GMT"} {
		at := strings.Index(s, name)
		if at < 0 {
			continue
		}
		if rest := s[at+len(name):]; rest == "" || rest[0] == ' ' {
			s = s[:at] + " +0000" + rest
		} else if rest[0] == '+' || rest[0] == '-' {
			s = s[:at] + " " + rest
		}
	}
	leap := time.Duration(0)
	if strings.Contains(s, ":60 ") {
		s, leap = strings.Replace(s, ":60 ", ":59 ", 1), time.Second
	}
	for _, layout := range [...]string{
		"Mon, 2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 -0700", "Monday, 02-Jan-06 15:04:05 -0700",
		time.ANSIC, "Mon Jan _2 15:04:05 -0700 2006", "Mon Jan 2 2006 15:04:05 -0700",
	} {
		if at, err := time.Parse(layout, s); err == nil {
			return at.Add(leap), true
		}
	}
	return time.Time{}, false
}

// scan takes a text apart from its beginning. After the first part that is missing ok is false.
type scan struct {
	s  string
	ok bool
}

func (p *scan) digit() bool { return p.s != "" && p.s[0] >= '0' && p.s[0] <= '9' }

// digits reads exactly n digits.
func (p *scan) digits(n int) int {
	v := 0
	for range n {
		if !p.digit() {
			p.ok = false
			return 0
		}
		v, p.s = v*10+int(p.s[0]-'0'), p.s[1:]
	}
	return v
}

// one reads one of the characters, or returns 0.
func (p *scan) one(of string) byte {
	if p.s == "" || strings.IndexByte(of, p.s[0]) < 0 {
		return 0
	}
	c := p.s[0]
	p.s = p.s[1:]
	return c
}

func (p *scan) spaces() {
	for p.s != "" && p.s[0] == ' ' {
		p.s = p.s[1:]
	}
}

// fraction reads at least one digit behind a second, in microseconds; digits beyond the sixth are cut off.
func (p *scan) fraction() int {
	us, unit := p.digits(1)*100_000, 10_000
	for p.digit() {
		us += int(p.s[0]-'0') * unit
		unit /= 10
		p.s = p.s[1:]
	}
	return us
}

// zone reads what stands behind a time to the end: nothing, Z, UTC or GMT, or an offset. What
// repeats an offset by name, and the reading of Go's monotonic clock, is passed over. It returns seconds east of UTC.
func (p *scan) zone() (offset int) {
	p.spaces()
	if at := strings.Index(p.s, " m="); at >= 0 {
		p.s = p.s[:at]
	}
	if p.s == "" {
		return 0
	}
	sign := 0
	switch p.one("+-Zz") {
	case '+':
		sign = 1
	case '-':
		sign = -1
	case 0:
		name := p.s
		p.s = ""
		p.ok = p.ok && (strings.EqualFold(name, "UTC") || strings.EqualFold(name, "GMT"))
		return 0
	}
	if sign != 0 {
		hours, minutes := p.digits(2), 0
		if p.one(":") != 0 || p.digit() {
			minutes = p.digits(2)
		}
		p.ok = p.ok && hours < 24 && minutes < 60
		offset = sign * (hours*3600 + minutes*60)
	}
	named := p.s == "" || p.s[0] == ' ' && len(p.s) <= len(" +0530 ") && !strings.Contains(p.s[1:], " ") ||
		p.s[0] == '[' && p.s[len(p.s)-1] == ']'
	p.ok = p.ok && named
	return offset
}
