package modelcall

const (
	keptBody = 4 << 20  // bytes of a body that are copied
	keptTail = 64 << 10 // and of the end of one that is longer: providers count at the end
)

// capture is a bounded copy of what passed: its beginning, and the end of what is too long.
type capture struct {
	head, tail []byte
	n          int64 // bytes that passed
}

// expect makes room for a body whose length is said; -1: it is not.
func (c *capture) expect(length int64) {
	if length > 0 && length <= keptBody && c.head == nil {
		c.head = make([]byte, 0, length)
	}
}

func (c *capture) take(p []byte) {
	c.n += int64(len(p))
	if room := keptBody - len(c.head); room > 0 {
		k := min(room, len(p))
		c.head = append(c.head, p[:k]...)
		p = p[k:]
	}
	if len(p) == 0 {
		return
	}
	c.tail = append(c.tail, p[max(0, len(p)-keptTail):]...)
	if len(c.tail) > 2*keptTail {
		c.tail = append(c.tail[:0], c.tail[len(c.tail)-keptTail:]...)
	}
}

func (c *capture) cut() bool { return c.n > int64(len(c.head)) }
