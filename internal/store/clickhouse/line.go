package clickhouse

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	dialTime      = 5 * time.Second
	handshakeTime = 10 * time.Second
	// aloneSilence and silence are for how long a server may say nothing before it is given up: one alone, and one of several.
	aloneSilence = 30 * time.Second
	silence      = 10 * time.Second
	// rewriteSilence is the same while files are rewritten, of which a server says nothing before it is done.
	rewriteSilence = 10 * time.Minute
	// writeAtOnce is how much one of the writes has that must end within the silence.
	writeAtOnce = 256 << 10
)

// keepAlive finds out within half a minute that there is no machine any more at the other end, whatever it may be doing.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 4}

var (
	errSilent = errors.New("the server says nothing")
	errHungUp = errors.New("nobody waits for the answer any more")
)

// line is a connection that ends when the server says nothing for some time, or when it is hung up. The client does not see to that: it reads on after its own
// timeouts, which what stands inside a packet does not have at all; and it notices the end of a context when a packet comes.
type line struct {
	net.Conn

	mu      sync.Mutex // guards what follows
	silence time.Duration
	hungUp  bool
}

// expect says for how long the server may say nothing from now on, also to who reads already; 0: for ever.
func (l *line) expect(silence time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.silence = silence; !l.hungUp {
		_ = l.Conn.SetReadDeadline(l.until()) // a connection that has failed says so
	}
}

// until is when the server has said nothing for too long. The lock is held.
func (l *line) until() time.Time {
	if l.silence == 0 {
		return time.Time{}
	}
	return time.Now().Add(l.silence)
}

// hangUp ends what reads and writes, now and later.
func (l *line) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hungUp = true
	_ = l.Conn.SetReadDeadline(time.Unix(1, 0)) // a connection that has failed needs none
}

func (l *line) Read(b []byte) (int, error) {
	if err := l.begin(l.Conn.SetReadDeadline); err != nil {
		return 0, err
	}
	n, err := l.Conn.Read(b)
	return n, l.told(err)
}

// Write is not ended by hangUp: the client still says that it has gone.
func (l *line) Write(b []byte) (n int, err error) {
	for {
		part := b[n:min(len(b), n+writeAtOnce)]
		l.mu.Lock()
		err = l.Conn.SetWriteDeadline(l.until())
		l.mu.Unlock()
		if err != nil {
			return n, err
		}
		wrote, err := l.Conn.Write(part)
		if n += wrote; err != nil || n == len(b) {
			return n, l.told(err)
		}
	}
}

func (l *line) begin(deadline func(time.Time) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hungUp {
		return errHungUp
	}
	return deadline(l.until())
}

// told is an error as the client must not take it for one of its own timeouts.
func (l *line) told(err error) error {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hungUp {
		return errHungUp
	}
	return errSilent
}

// What the client wants to know of time, line knows better.
func (l *line) SetDeadline(time.Time) error      { return nil }
func (l *line) SetReadDeadline(time.Time) error  { return nil }
func (l *line) SetWriteDeadline(time.Time) error { return nil }

// lineDialer makes one line.
type lineDialer struct {
	secure *tls.Config // nil: without TLS
	made   atomic.Pointer[line]
}

func (d *lineDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	plain := net.Dialer{Timeout: dialTime, KeepAliveConfig: keepAlive}
	conn, err := plain.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if d.secure != nil {
		config := d.secure.Clone()
		if config.ServerName == "" {
			if config.ServerName, _, err = net.SplitHostPort(address); err != nil {
				return nil, errors.Join(err, conn.Close())
			}
		}
		over := tls.Client(conn, config)
		shake, cancel := context.WithTimeout(ctx, handshakeTime)
		defer cancel()
		if err := over.HandshakeContext(shake); err != nil {
			_ = conn.Close() // it is of no use
			return nil, err
		}
		conn = over
	}
	l := &line{Conn: conn, silence: handshakeTime}
	d.made.Store(l)
	return l, nil
}

// patience is in the context of a statement of which a server may say nothing for longer.
type patience struct{}

// patiently is the context of a statement that rewrites files.
func patiently(ctx context.Context) context.Context {
	return context.WithValue(ctx, patience{}, rewriteSilence)
}
