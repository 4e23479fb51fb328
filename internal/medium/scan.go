package medium

// Least is how many characters of base64 a medium must have to be taken out: 6 KiB of bytes. Smaller ones stay
// in their payload, where they cost less than a file.
const Least = 8 << 10

// The classes of bytes.
const (
	digit = 1 << iota // of base64, in one of its two alphabets
	run               // of a run as it may be written in JSON: digits, padding, and what escapes are made of
)

var classOf = func() (table [256]byte) {
	for c := range 256 {
		switch b := byte(c); {
		case 'a' <= b|' ' && b|' ' <= 'z', '0' <= b && b <= '9', b == '+', b == '/', b == '-', b == '_':
			table[c] = digit | run
		case b == '=', b == '\\':
			table[c] = run
		}
	}
	return table
}()

// Has says whether b may hold a medium: whether Least bytes in a row are of base64 or of escapes. It
// looks at few of the bytes of text that people write.
func Has(b []byte) bool {
	_, _, found := nextRun(b, 0, Least)
	return found
}

// nextRun is the first run from i on of at least least bytes.
func nextRun(b []byte, i, least int) (start, end int, found bool) {
	// The last byte that a run from start on must have is looked at first, so that a byte that is of none
	// passes over all before it.
	for start = i; start+least <= len(b); {
		at := start + least - 1
		for at >= start && classOf[b[at]]&run != 0 {
			at--
		}
		if at >= start {
			start = at + 1
			continue
		}
		end = start + least
		for end < len(b) && classOf[b[end]]&run != 0 {
			end++
		}
		return start, end, true
	}
	return 0, 0, false
}

// Beside is how many bytes of b are in no run that may be a medium.
func Beside(b []byte) int {
	n := len(b)
	for i := 0; ; {
		start, end, found := nextRun(b, i, Least)
		if !found {
			return n
		}
		n -= end - start
		i = end
	}
}
