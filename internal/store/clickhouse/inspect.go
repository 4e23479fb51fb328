package clickhouse

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/ch-go/proto"
)

// Migrate makes what the tables lack, and sets what they need, as the first node does. With database it makes the database, too.
func Migrate(ctx context.Context, o Options, database bool) error {
	w, err := New(o)
	if err != nil {
		return err
	}
	defer w.pool.close()
	if err := w.database(ctx, database); err != nil {
		return err
	}
	if err := w.checkVersion(ctx); err != nil {
		return err
	}
	return w.migrate(ctx)
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
	defer w.pool.close()
	if err := w.database(ctx, false); err != nil {
		return nil, err
	}
	var text proto.ColStr
	is := &Inspection{}
	if err := w.ask(ctx, &builder{}, "SELECT version() AS version", proto.Results{{Name: "version", Data: &text}}, func(i int) { is.Server = text.Row(i) }); err != nil {
		return nil, err
	}
	if _, err := readableVersion(is.Server); err != nil {
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
	if is.Nodes, err = w.Nodes(ctx); err != nil {
		return nil, err
	}
	var events, bytes proto.ColUInt64
	size := "SELECT sumIf(rows, table = 'events') AS events, sum(bytes_on_disk) AS bytes FROM system.parts WHERE database = currentDatabase() AND active"
	err = w.ask(ctx, &builder{}, size, proto.Results{{Name: "events", Data: &events}, {Name: "bytes", Data: &bytes}}, func(i int) { is.Events, is.Bytes = events.Row(i), bytes.Row(i) })
	if err != nil {
		return nil, fmt.Errorf("read how large the tables are: %w", err)
	}
	return is, nil
}

// Whole says that nothing is to be done.
func (is *Inspection) Whole() bool { return is.State.whole() }

// ClusterDDL is the statements that make the tables on all servers of a cluster, replicated among them: one shard. {uuid}, {shard} and {replica} are for
// the servers to fill in.
func ClusterDDL(cluster string) []string {
	name := "`" + strings.ReplaceAll(cluster, "`", "``") + "`"
	var statements []string
	for _, t := range tables() {
		text := strings.Replace(t.ddl, "CREATE TABLE IF NOT EXISTS "+t.name+" (", "CREATE TABLE IF NOT EXISTS "+t.name+" ON CLUSTER "+name+" (", 1)
		const at = "'/clickhouse/tables/{uuid}/{shard}', '{replica}'"
		text = strings.Replace(text, " ENGINE = ReplacingMergeTree(", " ENGINE = ReplicatedReplacingMergeTree("+at+", ", 1)
		text = strings.Replace(text, " ENGINE = MergeTree ", " ENGINE = ReplicatedMergeTree("+at+") ", 1)
		text = strings.Replace(text, plainWindow+" = ", "replicated_deduplication_window = ", 1)
		statements = append(statements, text)
	}
	return statements
}
