package server

import (
	"io"
	"net/http"
	"time"
)

// Many clients send all of their request before they look for an answer. One that is refused
// meanwhile, on a connection that then ends, finds a reset in the place of the reason. So what
// it still sends is read and thrown away first, within these bounds.
const (
	// restGrace is how long a rest that does not come is waited for, and restRate how many
	// bytes earn a second more.
	restGrace = 2 * time.Second
	restRate  = 512 << 10
	// mostRest and restTime bound the whole of it.
	mostRest = 64 << 20
	restTime = 30 * time.Second
)

// dropRest reads what the client still sends of a body that the answer does not need.
func (c *call) dropRest(control *http.ResponseController) {
	r := c.r
	if r.ContentLength == 0 || c.bodyRead || r.Body == nil {
		return
	}
	if r.ProtoMajor != 1 || r.Header.Get("Expect") != "" || c.bodyFailed {
		// HTTP/2 ends the one stream, and who asks before it sends has not begun: net/http
		// must not wait for either. A body that has failed has no rest.
		_ = control.SetReadDeadline(time.Now().Add(restGrace))
		return
	}
	start, n := time.Now(), int64(0)
	buffer := make([]byte, 32<<10)
	for n < mostRest {
		until := start.Add(min(restTime, restGrace+time.Duration(n)*time.Second/restRate))
		if control.SetReadDeadline(until) != nil {
			return
		}
		m, err := r.Body.Read(buffer)
		n += int64(m)
		if err == io.EOF {
			c.bodyRead = true
			_ = control.SetReadDeadline(time.Time{})
			return
		}
		if err != nil {
			return
		}
	}
	_ = control.SetReadDeadline(time.Now()) // net/http would read on
}
