package redistest

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
)

// Fault is what happens to one reply of the server.
type Fault uint8

// The faults.
const (
	None    Fault = iota
	Cut           // the connection ends instead
	CutHalf       // half of it arrives, then the connection ends
	Delay         // it arrives after Proxy.Late
	Swallow       // it never arrives; the connection stays
	Corrupt       // it arrives with some bytes changed
	Repeat        // it arrives twice
)

// Proxy stands between a client and a server, of whatever protocol, and passes bytes on. A reply is
// what one read from the server gives.
type Proxy struct {
	Addr string
	// Late is how long a Delay takes; set it before use.
	Late time.Duration

	to       string
	listener net.Listener
	ctx      context.Context
	work     sync.WaitGroup

	mu      sync.Mutex // guards the rest
	replies int
	plan    func(reply int) Fault
	severed bool
	open    map[net.Conn]bool // to clients
}

// NewProxy listens in front of addr.
func NewProxy(t testing.TB, addr string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &Proxy{Addr: l.Addr().String(), to: addr, listener: l, ctx: ctx, open: map[net.Conn]bool{}}
	p.work.Go(p.accept)
	t.Cleanup(func() {
		stop()
		_ = l.Close()
		p.work.Wait()
	})
	return p
}

// URL is what a node is given.
func (p *Proxy) URL() string { return "redis://" + p.Addr }

// Plan sets what becomes of replies from now on, counted from 1.
func (p *Proxy) Plan(plan func(reply int) Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.replies, p.plan = 0, plan
}

// Replies is how many replies there were since Plan.
func (p *Proxy) Replies() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.replies
}

// Sever cuts all connections, and those that come until Mend: the server is not asked.
func (p *Proxy) Sever() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.severed = true
	for c := range p.open {
		_ = c.Close()
	}
}

// Mend lets connections through again.
func (p *Proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.severed = false
}

// enter says whether a client may come.
func (p *Proxy) enter(client net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.severed {
		p.open[client] = true
	}
	return !p.severed
}

func (p *Proxy) leave(client net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, client)
}

func (p *Proxy) next() Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.replies++
	if p.plan == nil {
		return None
	}
	return p.plan(p.replies)
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.work.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	if !p.enter(client) {
		_ = client.Close()
		return
	}
	defer p.leave(client)
	server, err := net.DialTimeout("tcp", p.to, time.Second)
	if err != nil {
		_ = client.Close()
		return
	}
	both := func() { _, _ = client.Close(), server.Close() }
	defer context.AfterFunc(p.ctx, both)()
	p.work.Go(func() {
		defer both()
		pass(server, client, func(b []byte) ([]byte, bool) { return b, true })
	})
	defer both()
	pass(client, server, p.damage)
}

// pass copies until an end, or until damage says to stop.
func pass(to, from net.Conn, damage func([]byte) ([]byte, bool)) {
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		out, on := damage(b[:n])
		if _, err := to.Write(out); err != nil || !on {
			return
		}
	}
}

func (p *Proxy) damage(b []byte) (out []byte, on bool) {
	switch p.next() {
	case Cut:
		return nil, false
	case CutHalf:
		return b[:len(b)/2], false
	case Swallow:
		return nil, true
	case Delay:
		_ = clock.Sleep(p.ctx, p.Late) // an end cuts the connections, too
	case Corrupt:
		// The states of a claim are digits: changing them keeps the reply well-formed.
		for i := range b {
			if b[i] == '1' {
				b[i] = '2'
			} else if i%7 == 0 && b[i] >= 'a' {
				b[i] ^= 1
			}
		}
	case Repeat:
		return append(append([]byte{}, b...), b...), true
	}
	return b, true
}
