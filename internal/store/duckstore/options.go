package duckstore

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Options are the settings of a Warehouse. The zero value is the default.
type Options struct {
	// MemoryLimit bounds what DuckDB's buffers use, in bytes. Default 256 MiB, at least 96 MiB:
	// a checkpoint holds a block of 256 KiB for nearly every column of every table.
	MemoryLimit int64
	// Threads is how many a query or a commit may use. Default 1: a second one waits more than it works.
	Threads int
	// IDMemory bounds the filter of event ids seen, in bytes. Default 64 MiB,
	// which is right for about 8 million events; beyond them inserts grow slower.
	IDMemory int
	// CacheMemory bounds what the writer remembers of the entities that it touched last,
	// in bytes, estimated; others it reads again. Default 16 MiB.
	CacheMemory int
	// Records reads events from the Log, with their Fields, in the order asked; those that are gone, or have no Fields,
	// may be left out. What the writer does not remember is folded again from them. Default: an error.
	Records func(ctx context.Context, seqs []entity.Seq) ([]entity.Record, error)
	// Prices says what calls cost. Default: what was sent.
	Prices entity.Pricer
	// Ahead is what the rows that OpenReadOnly compares may be priced by, too, while that changes. Default: nothing else.
	Ahead entity.Pricer
	// Now is the clock, for how long events wait to be written and for the names of files put aside. Default time.Now.
	Now func() time.Time
	// Logger is told of a damaged file. Default: nobody.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.MemoryLimit == 0 {
		o.MemoryLimit = 256 << 20
	}
	o.MemoryLimit = max(o.MemoryLimit, 96<<20)
	if o.Threads <= 0 {
		o.Threads = 1
	}
	if o.IDMemory <= 0 {
		o.IDMemory = 64 << 20
	}
	if o.CacheMemory <= 0 {
		o.CacheMemory = 16 << 20
	}
	if o.Records == nil {
		o.Records = func(context.Context, []entity.Seq) ([]entity.Record, error) {
			return nil, errors.New("the warehouse was opened without a log")
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	return o
}
