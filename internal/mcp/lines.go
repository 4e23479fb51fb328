package mcp

import (
	"bufio"
	"context"
	"errors"
	"io"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// ServeLines speaks the protocol over in and out, a message a line, until in ends and what was asked is answered, or until ctx ends.
func (c *Catalog) ServeLines(ctx context.Context, b Backend, scopes []string, in io.Reader, out io.Writer) error {
	told := &oneWriter{to: out}
	lines := &sdk.IOTransport{Reader: io.NopCloser(&messageLines{from: bufio.NewReaderSize(in, 64<<10), refuse: told.refuse}), Writer: leftOpen{told}}
	err := c.Server(b, scopes).Run(ctx, finishing{lines})
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// leftOpen is a writer that others close.
type leftOpen struct{ io.Writer }

func (leftOpen) Close() error { return nil }

// finishing is a transport that tells of its end when all that came over it is answered: `echo … | brokle mcp` gets its answer.
type finishing struct{ sdk.Transport }

func (f finishing) Connect(ctx context.Context) (sdk.Connection, error) {
	under, err := f.Transport.Connect(ctx)
	return &finishingConn{Connection: under, answered: make(chan struct{}, 1)}, err
}

type finishingConn struct {
	sdk.Connection
	answered chan struct{} // has something after an answer

	mu   sync.Mutex // guards open
	open int        // calls that are not answered
}

func (c *finishingConn) add(n int) (open int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open += n
	return c.open
}

func (c *finishingConn) Read(ctx context.Context) (jsonrpc.Message, error) {
	m, err := c.Connection.Read(ctx)
	if r, is := m.(*jsonrpc.Request); is && err == nil && r.IsCall() {
		c.add(1)
	}
	if !errors.Is(err, io.EOF) {
		return m, err
	}
	for c.add(0) > 0 {
		select {
		case <-c.answered:
		case <-ctx.Done():
			return m, err
		}
	}
	return m, err
}

func (c *finishingConn) Write(ctx context.Context, m jsonrpc.Message) error {
	err := c.Connection.Write(ctx, m)
	if _, is := m.(*jsonrpc.Response); is {
		c.add(-1)
		select {
		case c.answered <- struct{}{}:
		default:
		}
	}
	return err
}
