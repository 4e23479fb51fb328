package server

import (
	"net"

	"golang.org/x/sys/unix"
)

// unsentBytes is how much of an answer the system takes that it cannot send yet.
const unsentBytes = 128 << 10

// hurryOn has writes to c go on as soon as its client has taken a little. Otherwise the system takes up to megabytes at once, and
// a write waits until a third of them is gone: a slow reader then looks like a dead one for long.
func hurryOn(c net.Conn) {
	tcp, is := c.(*net.TCPConn)
	if !is {
		return
	}
	if raw, err := tcp.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { // without it answers come as well, in larger steps
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsentBytes)
		})
	}
}
