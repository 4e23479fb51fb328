package clickhouse

import (
	"context"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
)

// session is what the pool asks of a connection, whichever protocol it speaks: one statement at a time. One that has failed is not used again.
type session interface {
	// Do runs a statement, whose parameters are texts and no literals. When it returns, nobody uses what it was given any more.
	Do(ctx context.Context, q ch.Query) error
	// Ping asks whether the server is there.
	Ping(ctx context.Context) error
	IsClosed() bool
	Close() error
}

// native is a session of the native protocol.
type native struct{ *ch.Client }

func dialNative(ctx context.Context, d *lineDialer, o *Options, address string) (session, error) {
	d.secure = o.TLS
	c, err := ch.Dial(ctx, ch.Options{
		Address: address, Dialer: d, Database: o.Database, User: o.User, Password: o.Password, ClientName: "brokle", Compression: ch.CompressionLZ4,
		HandshakeTimeout: handshakeTime, ReadTimeout: ch.NoTimeout, // see line
	})
	if err != nil {
		return nil, err
	}
	return native{c}, nil
}

// Do implements session: in this protocol the value of a parameter is a literal of SQL.
func (n native) Do(ctx context.Context, q ch.Query) error {
	literals := make([]proto.Parameter, len(q.Parameters))
	for i, p := range q.Parameters {
		literals[i] = proto.Parameter{Key: p.Key, Value: quoted(p.Value)}
	}
	q.Parameters = literals
	return n.Client.Do(ctx, q)
}
