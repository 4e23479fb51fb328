package clickhouse

import (
	"context"
	"errors"
	"fmt"

	"github.com/ClickHouse/ch-go/proto"
)

// Migrate makes what the tables lack, and sets what they need, as the first node does. With database it makes the database, too.
func Migrate(ctx context.Context, o Options, database bool) error {
	w, err := New(o)
	if err != nil {
		return err
	}
	defer w.hangUp()
	if err := w.database(ctx, database); err != nil {
		return err
	}
	if err := w.checkVersion(ctx); err != nil {
		return err
	}
	if err := w.migrate(ctx); err != nil {
		return err
	}
	return w.checkCluster(ctx)
}

// Inspection is what is found in the servers.
type Inspection struct {
	Server string `json:"server"` // its version
	State
	Nodes  []NodeState `json:"nodes"`
	Events uint64      `json:"events"` // rows, with those that two nodes took
	Bytes  uint64      `json:"bytes"`  // of all tables, on the disk
}

// Inspect looks at the tables, and changes nothing.
func Inspect(ctx context.Context, o Options) (*Inspection, error) {
	w, err := New(o)
	if err != nil {
		return nil, err
	}
	defer w.hangUp()
	if err := w.database(ctx, false); err != nil {
		return nil, err
	}
	is := &Inspection{}
	if is.Server, err = w.versionOf(ctx, w.pool); err != nil {
		return nil, err
	}
	if err := w.checkVersion(ctx); err != nil {
		return nil, err
	}
	s, err := w.State(ctx)
	if err != nil {
		return nil, err
	}
	is.State = *s
	if len(s.Absent) > 0 {
		return is, nil
	}
	switch err := w.checkCluster(ctx); {
	case errors.Is(err, errClusterDiffers):
		is.Wrong = append(is.Wrong, err.Error())
	case err != nil:
		return nil, err
	}
	if is.Nodes, err = w.Nodes(ctx); err != nil {
		return nil, err
	}
	err = w.each(func(_ int, p *pool) error {
		var events, bytes proto.ColUInt64
		q := &builder{}
		size := "SELECT sumIf(rows, table = " + q.arg(w.local("events")) + ") AS events, sum(bytes_on_disk) AS bytes FROM system.parts WHERE database = currentDatabase() AND active"
		return w.askAt(ctx, p, q, size, nil, proto.Results{{Name: "events", Data: &events}, {Name: "bytes", Data: &bytes}}, func(i int) {
			is.Events += events.Row(i)
			is.Bytes += bytes.Row(i)
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read how large the tables are: %w", err)
	}
	return is, nil
}

// Whole says that nothing is to be done.
func (is *Inspection) Whole() bool { return is.State.whole() }
