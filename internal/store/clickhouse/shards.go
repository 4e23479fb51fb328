package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/cespare/xxhash/v2"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// The rows may be spread over shards. A table X of events or rows is then X_local in each, and X is Distributed over these. Where a row is depends on its project and the id of its entity: so all
// that is of one entity, rows and events, is in one shard, and FINAL, which each shard does for itself, is right. What nodes say of themselves is in the first shard alone.
//
// Questions go through the Distributed tables, of one server after the other. What is written does not: a node inserts into each shard, under a token there, and looks there whether it is in;
// and it has each shard rewrite its own files. A shard that is away has whatever needs it fail; nothing answers without it.

// localSuffix is of the tables that a shard itself has.
const localSuffix = "_local"

// sharded says that there are several shards.
func (w *Warehouse) sharded() bool { return len(w.shards) > 1 }

// local is the table of a shard, whose name is that of all of them.
func (w *Warehouse) local(table string) string {
	if w.sharded() {
		return table + localSuffix
	}
	return table
}

// shardOf is where what is of an entity is, of so many shards.
func shardOf(shards int, project, id string) int {
	if shards == 1 {
		return 0
	}
	var d xxhash.Digest
	d.Reset()
	d.WriteString(project) //nolint:errcheck // it never fails
	d.Write([]byte{0})     //nolint:errcheck // it never fails
	d.WriteString(id)      //nolint:errcheck // it never fails
	return int(d.Sum64() % uint64(shards))
}

// shardedBy is the same to the server.
func shardedBy(id string) string {
	return "xxHash64(concat(CAST(project, 'String'), '\\0', " + id + "))"
}

// named is an error with the shard that it is of.
func (w *Warehouse) named(shard int, err error) error {
	if err == nil || !w.sharded() {
		return err
	}
	return fmt.Errorf("shard %d of %d: %w", shard+1, len(w.shards), err)
}

// each runs f for one shard after the other.
func (w *Warehouse) each(f func(shard int, p *pool) error) error {
	for n, p := range w.shards {
		if err := w.named(n, f(n, p)); err != nil {
			return err
		}
	}
	return nil
}

// asker is the servers that are asked next of what is in all shards.
func (w *Warehouse) asker() *pool {
	if !w.sharded() {
		return w.pool
	}
	return w.shards[int(w.asked.Add(1)%uint64(len(w.shards)))]
}

// spread are the records by the shard where they are.
func (w *Warehouse) spread(recs []entity.Record) [][]entity.Record {
	if !w.sharded() {
		return [][]entity.Record{recs}
	}
	parts := make([][]entity.Record, len(w.shards))
	for i := range recs {
		n := shardOf(len(w.shards), recs[i].Project, string(recs[i].Row.EntityID()))
		parts[n] = append(parts[n], recs[i])
	}
	return parts
}

// wholeSettings have a question that goes to all shards answered by all of them or not at all, whatever the server's own settings are.
func (w *Warehouse) wholeSettings() []ch.Setting {
	if !w.sharded() {
		return nil
	}
	return []ch.Setting{
		ch.SettingInt("skip_unavailable_shards", 0), ch.SettingInt("optimize_skip_unused_shards", 0), ch.SettingInt("distributed_group_by_no_merge", 0),
		{Key: "distributed_product_mode", Value: "allow", Important: true}, // each shard asks the others for what it compares with
	}
}

// Away says which servers are away, by their places in the URL: who asks /readyz need not know their names. "": none.
func (w *Warehouse) Away() string {
	if !w.sharded() {
		return w.pool.servers.Away()
	}
	var all []string
	for n, p := range w.shards {
		text := p.servers.Away()
		if why := p.servers.gone(); why != nil {
			text = "cannot be reached, and questions are not answered without it: " + notConnected(why).Error()
		}
		if text != "" {
			all = append(all, fmt.Sprintf("shard %d of %d: %s", n+1, len(w.shards), text))
		}
	}
	return strings.Join(all, "; ")
}

// shardMarks are the marks by which each shard knows which one it is. Each has its own.
const shardMarks = "shard"

// shardsTable is Distributed over these marks.
const shardsTable = "shards"

// position is which one a shard is.
func (w *Warehouse) position(shard int) string {
	return fmt.Sprintf("%d of %d", shard+1, len(w.shards))
}

// misplaced says what is wrong with a shard that has been another one. marked is false when it was none yet.
func (w *Warehouse) misplaced(ctx context.Context, shard int) (wrong string, marked bool, err error) {
	all, err := w.marksAt(ctx, w.shards[shard], shardMarks)
	if err != nil || len(all) == 0 {
		return "", false, err
	}
	if is := all[0].value; is != w.position(shard) {
		return fmt.Sprintf("the URL names as shard %s what is shard %s: it must name all shards in the order in which they were when their tables were made", w.position(shard), is), true, nil
	}
	return "", true, nil
}

// errClusterDiffers says that the servers' configuration has other shards.
var errClusterDiffers = errors.New("the cluster that the URL names does not have these shards, in this order")

// checkCluster makes sure that every shard's servers find all shards where the URL names them.
func (w *Warehouse) checkCluster(ctx context.Context) error {
	if !w.sharded() {
		return nil
	}
	return w.each(func(_ int, p *pool) error {
		var number proto.ColUInt32
		var value proto.ColStr
		var found []string
		q := &builder{}
		text := "SELECT toUInt32(_shard_num) AS number, value FROM " + shardsTable + " WHERE name = " + q.arg(shardMarks) + " ORDER BY number, value LIMIT 1 BY number, value"
		err := w.askAt(ctx, p, q, text, nil, proto.Results{{Name: "number", Data: &number}, {Name: "value", Data: &value}}, func(i int) {
			found = append(found, fmt.Sprintf("%d is %s", number.Row(i), value.Row(i)))
		})
		if err != nil {
			return fmt.Errorf("ask where the shards are: %w", err)
		}
		var want []string
		for n := range w.shards {
			want = append(want, fmt.Sprintf("%d is %s", n+1, w.position(n)))
		}
		if got := strings.Join(found, ", "); got != strings.Join(want, ", ") {
			return fmt.Errorf("%w: there shard %s", errClusterDiffers, got)
		}
		return nil
	})
}
