package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// A request with a Content-Length and with chunks ends at two places, and a proxy that
// goes by the length lets one client hide a request in the body of another. net/http
// goes by the chunks, drops the length without a word, and reads on behind them; but
// the connection must end with such a request (RFC 9112, section 6.3). So the connections
// of Serve count the lengths that came, and those that requests without chunks account
// for: a chunked request is the last of its connection when there is one more than these.
//
// Under TLS net/http takes a *tls.Conn only, and gives nobody its bytes. So Serve ends TLS
// itself, and net/http sees plain connections, of which it is allowed to serve HTTP/2.

// Serve is hs.Serve, over TLS when certs is not nil. Serve a server of HTTPServer in no other
// way: where the bytes of a connection are not seen, every chunked request is the last.
func Serve(hs *http.Server, l net.Listener, certs *tls.Config) error {
	if certs != nil {
		certs = certs.Clone()
		certs.NextProtos = []string{"h2", "http/1.1"}
		hs.Protocols = new(http.Protocols)
		hs.Protocols.SetHTTP1(true)
		hs.Protocols.SetUnencryptedHTTP2(true)
	}
	return hs.Serve(&framingListener{l, hs, certs})
}

type framingListener struct {
	net.Listener
	server *http.Server
	certs  *tls.Config // nil: no TLS
}

func (l *framingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	hurryOn(c)
	framed := &framedConn{Conn: c}
	if l.certs != nil {
		framed.tls = tls.Server(c, l.certs)
		framed.Conn, framed.server = framed.tls, l.server
	}
	return framed, nil
}

// framedConn counts the lines that begin with Content-Length in all that comes, bodies
// too: what is found there by mistake costs a connection and nothing else.
type framedConn struct {
	net.Conn
	tls    *tls.Conn // what Conn is; nil without TLS
	server *http.Server
	state  *tls.ConnectionState // of tls, once its handshake is done

	lengths   atomic.Int64 // that came; a read may be under way while a request is handled
	accounted int64        // of these, by requests without chunks
	at        int          // how much of the name stands at the beginning of this line; -1: something else does
}

const lengthName = "content-length"

func (c *framedConn) Read(p []byte) (int, error) {
	if c.tls != nil && c.state == nil {
		if err := c.handshake(); err != nil {
			return 0, err
		}
	}
	n, err := c.Conn.Read(p)
	if c.state == nil || c.state.NegotiatedProtocol != "h2" { // whose frames have one end each
		c.lengths.Add(c.scan(p[:n]))
	}
	return n, err
}

// handshake is done on the first read, and so on the connection's own goroutine and within
// Options.ReadHeaderTimeout.
func (c *framedConn) handshake() error {
	err := c.tls.Handshake()
	if err != nil {
		c.server.ErrorLog.Printf("TLS handshake with %v: %v", c.RemoteAddr(), err)
		var record tls.RecordHeaderError
		if errors.As(err, &record) && record.Conn != nil && looksLikeHTTP(record.RecordHeader) {
			_, _ = io.WriteString(record.Conn, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
			_ = record.Conn.Close()
		}
		return err
	}
	state := c.tls.ConnectionState()
	c.state = &state
	return nil
}

// looksLikeHTTP says whether what came in the place of a TLS record begins a plain request.
func looksLikeHTTP(header [5]byte) bool {
	switch string(header[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO":
		return true
	}
	return false
}

// scan counts the lengths in b; it goes on where the last read ended.
func (c *framedConn) scan(b []byte) (found int64) {
	for len(b) > 0 {
		if c.at < 0 {
			i := bytes.IndexByte(b, '\n')
			if i < 0 {
				return found
			}
			b, c.at = b[i+1:], 0
			continue
		}
		switch x := b[0]; {
		case x == lengthName[c.at] || x >= 'A' && x <= 'Z' && x+'a'-'A' == lengthName[c.at]:
			if c.at++; c.at == len(lengthName) {
				c.at = -1
				found++
			}
		case x == '\n':
			c.at = 0
		case c.at == 0 && (x == ' ' || x == '\t' || x == '\r'): // a folded line, for those who unfold it otherwise
		default:
			c.at = -1
		}
		b = b[1:]
	}
	return found
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

// begins accounts for the framing of a request, and says whether nothing behind it on its
// connection may be read as another. It also fills in what only the connection knows of TLS.
func begins(r *http.Request) (last bool) {
	c, framed := r.Context().Value(framedKey{}).(*framedConn)
	if framed && c.state != nil {
		r.TLS = c.state
	}
	switch {
	case r.ProtoMajor != 1:
		return false
	case len(r.TransferEncoding) > 0:
		return !framed || c.lengths.Load() > c.accounted
	case framed && r.Header["Content-Length"] != nil:
		c.accounted++
	}
	return false
}
