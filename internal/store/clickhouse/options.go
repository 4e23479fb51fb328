package clickhouse

import (
	"crypto/tls"
	"io"
	"log/slog"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Options are the settings of a Warehouse. The zero value of a field is its default.
type Options struct {
	// HTTP says that servers are asked over HTTP. Default: the native protocol.
	HTTP bool
	// Addresses are host:port of that, of servers that hold the same data: what one does not answer the next one
	// is asked. At least one.
	Addresses []string
	// Further are the same of further shards, in their order, of which Addresses are the first. Cluster is by which name the servers know all of them. Default: one shard.
	Further [][]string
	Cluster string
	// Database has the tables. It must exist. Default "default".
	Database string
	// User and Password are the account. Default "default", without a password.
	User, Password string
	// TLS is how connections are made safe. Default: they are not.
	TLS *tls.Config
	// Node tells the nodes that share the tables apart, 0 to 32767; no two have the same one. It is in the upper bits of the Seqs that
	// the Warehouse keeps and answers with: see Shared. Default 0.
	Node uint16
	// Identity is of the node's data directory, and no other's. With it the number is given by the tables, and Node is not used. Default: none.
	Identity string
	// Head is the last Seq of the node's Log: a node of which the tables know more than its Log has is another one. Default: nobody asks.
	Head func() entity.Seq
	// Known is the cursor as the node knew it last: what Cursor says before the tables have been asked. Default 0.
	Known entity.Seq
	// Extract reads the Fields of a record whose row was written by another version. Default: such a record is an error.
	Extract func(rec *entity.Record)
	// Prices says what calls cost. Default: what was sent.
	Prices entity.Pricer
	// Refresh has Prices know what other nodes have said of them up to now. It is called with the clock read and before rows are made. Default: nothing.
	Refresh func() error
	// QuestionTime bounds a question whose context has no deadline. Default 30 s.
	QuestionTime time.Duration
	// QuestionMemory bounds what the server may use for one question, in bytes. Default 1 GiB.
	QuestionMemory int64
	// QuestionRows bounds the rows of one statement's answer. Default 10 000 000.
	QuestionRows int
	// Logger is told what nobody waits for. Default: nobody.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Database == "" {
		o.Database = "default"
	}
	if o.User == "" {
		o.User = "default"
	}
	if o.QuestionTime <= 0 {
		o.QuestionTime = 30 * time.Second
	}
	if o.QuestionMemory <= 0 {
		o.QuestionMemory = 1 << 30
	}
	if o.QuestionRows <= 0 {
		o.QuestionRows = 10_000_000
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	return o
}

// at are the options as those of one shard alone.
func (o Options) at(shard int) Options {
	if shard > 0 {
		o.Addresses = o.Further[shard-1]
	}
	o.Further, o.Cluster = nil, ""
	return o
}
