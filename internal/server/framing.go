package server

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"sync/atomic"
)

// A request with a Content-Length and with chunks ends at two places, and a proxy that
// goes by the length lets one client hide a request in the body of another. net/http
// goes by the chunks, drops the length without a word, and reads on behind them; but
// the connection must end with such a request (RFC 9112, section 6.3). So
// connections of Listener remember whether a length ever came, and a chunked request on
// one where it did is the last: clients use one of the two. Where nobody can
// tell, under TLS, every chunked request of HTTP/1 is the last.

// Listener is l for Serve: give a server of HTTPServer nothing else, unless it speaks TLS.
func (s *Server) Listener(l net.Listener) net.Listener { return &framingListener{l} }

type framingListener struct{ net.Listener }

func (l *framingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &framedConn{Conn: c}, nil
}

// framedConn looks for a line that begins with Content-Length in all that comes, bodies
// too: what is found there by mistake costs a connection and nothing else.
type framedConn struct {
	net.Conn
	length atomic.Bool // a length came: there is nothing more to look for
	at     int         // how much of the name stands at the beginning of this line; -1: something else does
}

const lengthName = "content-length"

func (c *framedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.length.Load() && c.scan(p[:n]) {
		c.length.Store(true)
	}
	return n, err
}

// scan goes on where the last read ended.
func (c *framedConn) scan(b []byte) bool {
	for len(b) > 0 {
		if c.at < 0 {
			i := bytes.IndexByte(b, '\n')
			if i < 0 {
				return false
			}
			b, c.at = b[i+1:], 0
			continue
		}
		switch x := b[0]; {
		case x == lengthName[c.at] || x >= 'A' && x <= 'Z' && x+'a'-'A' == lengthName[c.at]:
			if c.at++; c.at == len(lengthName) {
				c.at = -1
				return true
			}
		case x == '\n':
			c.at = 0
		case c.at == 0 && (x == ' ' || x == '\t' || x == '\r'): // a folded line, for those who unfold it otherwise
		default:
			c.at = -1
		}
		b = b[1:]
	}
	return false
}

// CloseWrite is what net/http uses before it ends a connection whose request it did not read.
func (c *framedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

type framedKey struct{}

func connContext(ctx context.Context, c net.Conn) context.Context {
	if framed, ok := c.(*framedConn); ok {
		return context.WithValue(ctx, framedKey{}, framed)
	}
	return ctx
}

// endsConnection says whether nothing behind this request may be read as another.
func endsConnection(r *http.Request) bool {
	if r.ProtoMajor != 1 || len(r.TransferEncoding) == 0 {
		return false
	}
	c, ok := r.Context().Value(framedKey{}).(*framedConn)
	return !ok || c.length.Load()
}
