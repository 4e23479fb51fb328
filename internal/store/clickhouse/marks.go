package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/clock"
)

// The table marks has what only one may say: which node has which number, who makes the tables now. A mark has a name and a turn, and the first who
// inserts it has it: the token of an insert is made of both, so that the server drops what comes second, and whoever reads the mark
// afterwards sees whose it is. That is atomic where tokens are, in a server and among replicas that share them.

// mark is a row of the table.
type mark struct {
	name   string
	turn   uint64
	owner  string
	value  string
	lapsed bool // it was for a time, which is over
}

func marksDDL() string {
	return "CREATE TABLE IF NOT EXISTS marks (name String, turn UInt64, owner String, value String, lease UInt32, at " + timeType +
		" DEFAULT now64(6)) ENGINE = MergeTree ORDER BY (name, turn) SETTINGS " + settings(8192)
}

// claim makes a mark, for a time or, with 0, for ever. It returns the mark as it is there: another's when that was first.
func (w *Warehouse) claim(ctx context.Context, m mark, lease time.Duration) (mark, error) {
	return w.claimAt(ctx, w.pool, m, lease)
}

// claimAt is claim in one shard.
func (w *Warehouse) claimAt(ctx context.Context, p *pool, m mark, lease time.Duration) (mark, error) {
	name, owner, value := new(proto.ColStr), new(proto.ColStr), new(proto.ColStr)
	name.Append(m.name)
	owner.Append(m.owner)
	value.Append(m.value)
	in := proto.Input{
		{Name: "name", Data: name}, {Name: "turn", Data: &proto.ColUInt64{m.turn}}, {Name: "owner", Data: owner}, {Name: "value", Data: value},
		{Name: "lease", Data: &proto.ColUInt32{uint32(lease / time.Second)}},
	}
	insert := func(settings []ch.Setting) error { return p.do(ctx, insertQuery("marks", in, settings)) }
	var is mark
	there := func() (bool, error) {
		all, err := w.marksAt(ctx, p, m.name)
		i := slices.IndexFunc(all, func(is mark) bool { return is.turn == m.turn })
		if i >= 0 {
			is = all[i]
		}
		return i >= 0, err
	}
	if err := w.keep(ctx, p, fmt.Sprintf("mark %s %d", m.name, m.turn), insert, there); err != nil {
		return mark{}, fmt.Errorf("write a mark: %w", err)
	}
	return is, nil
}

// marks are those of a name, in the order of their turns.
func (w *Warehouse) marks(ctx context.Context, name string) (all []mark, err error) {
	return w.marksAt(ctx, w.pool, name)
}

// marksAt are those of one shard.
func (w *Warehouse) marksAt(ctx context.Context, p *pool, name string) (all []mark, err error) {
	var turn proto.ColUInt64
	var owner, value proto.ColStr
	var lapsed proto.ColUInt8
	q := &builder{}
	text := "SELECT turn, owner, value, toUInt8(lease > 0 AND at + toIntervalSecond(lease) < now64(6)) AS lapsed FROM marks WHERE name = " + q.arg(name) + " ORDER BY turn, at LIMIT 1 BY turn"
	result := proto.Results{{Name: "turn", Data: &turn}, {Name: "owner", Data: &owner}, {Name: "value", Data: &value}, {Name: "lapsed", Data: &lapsed}}
	err = w.askAt(ctx, p, q, text, nil, result, func(i int) {
		all = append(all, mark{name, turn.Row(i), owner.Row(i), value.Row(i), lapsed.Row(i) == 1})
	})
	if err != nil {
		return nil, fmt.Errorf("read marks: %w", err)
	}
	return all, nil
}

const (
	lockLease = time.Minute
	lockWait  = 200 * time.Millisecond
	// givenUp is the owner of a turn with which who had the one before says that it is done.
	givenUp = ""
)

// alone runs f while no other node runs what has the same name. A node that dies in it holds the others up for a minute.
func (w *Warehouse) alone(ctx context.Context, name string, f func() error) error {
	for {
		all, err := w.marks(ctx, name)
		if err != nil {
			return err
		}
		turn, free := uint64(0), true
		if len(all) > 0 {
			last := all[len(all)-1]
			turn, free = last.turn+1, last.owner == givenUp || last.lapsed
		}
		if free {
			is, err := w.claim(ctx, mark{name: name, turn: turn, owner: w.process}, lockLease)
			if err != nil {
				return err
			}
			if is.owner == w.process {
				break
			}
		}
		if err := clock.Sleep(ctx, lockWait); err != nil {
			return err
		}
	}
	err := f()
	if _, gaveUp := w.giveUp(ctx, name); err == nil {
		err = gaveUp
	}
	return err
}

func (w *Warehouse) giveUp(ctx context.Context, name string) (mark, error) {
	all, err := w.marks(ctx, name)
	if err != nil {
		return mark{}, err
	}
	last := all[len(all)-1]
	if last.owner != w.process { // it took longer than the lease, and another one is at it
		return last, nil
	}
	return w.claim(ctx, mark{name: name, turn: last.turn + 1, owner: givenUp}, 0)
}
