package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
)

// SchemaVersion is the version of the tables. Columns that a release adds to the field table are added without another one.
//
//	2  the table datasets. A release that knows version 1 would erase a trace and leave the items that were made of it
const SchemaVersion = 2

const (
	schemaMarks = "schema"  // the turn is the version
	makingTable = "migrate" // the lock
)

// table is one that there is to be.
type tableSpec struct {
	name    string
	ddl     string
	columns []column // that a later release may add
	indexes []string // that one has added
	id      string   // by which shards have it, when they do: see shardOf
	over    string   // of a Distributed one: the table of the shards
}

// tables are those of one server that is all.
func tables() []tableSpec {
	said, _ := saidColumns()
	return []tableSpec{
		{name: "marks", ddl: marksDDL()},
		{name: "nodes", ddl: nodesDDL()},
		{name: "erasures", ddl: erasuresDDL(), columns: againColumns},
		{name: "documents", ddl: documentsDDL()},
		{name: "datasets", ddl: datasetsDDL()},
		{name: "events", ddl: eventsDDL(), columns: slices.Concat(eventColumns, said), indexes: []string{wordIndex, ownIndex}, id: "entity_id"},
		{name: observationTable.name, ddl: observationTable.ddl(), columns: observationTable.columns, indexes: observationTable.indexes, id: "id"},
		{name: scoreTable.name, ddl: scoreTable.ddl(), columns: scoreTable.columns, indexes: scoreTable.indexes, id: "id"},
		{name: traceTable.name, ddl: traceTable.ddl(), columns: traceTable.columns, indexes: traceTable.indexes, id: "id"},
	}
}

// errReplicatedByHand says that tables are not there which a node must not make: it would make them on one of several servers, and the others would not have them.
var errReplicatedByHand = errors.New("the URL names several servers, which must hold the same data, and the tables are not there: make replicated ones with what `brokle warehouse init --print --cluster NAME` prints")

// ErrNewer says that a later release made the tables.
var ErrNewer = errors.New("the tables were made by a later release")

// migrate makes what is not there, one node at a time, and sets what the tables need.
func (w *Warehouse) migrate(ctx context.Context) error {
	s, err := w.State(ctx)
	if err != nil {
		return err
	}
	if s.whole() {
		return nil
	}
	if s.misplaced != "" {
		return errors.New(s.misplaced)
	}
	if len(s.Absent) > 0 && slices.ContainsFunc(w.shards, func(p *pool) bool { return len(p.servers.addresses) > 1 }) {
		return errReplicatedByHand
	}
	// The table of the lock is made without it: the server makes it once, whoever asks.
	if err := w.pool.do(ctx, ch.Query{Body: marksDDL()}); err != nil {
		return fmt.Errorf("create table marks: %w", err)
	}
	return w.alone(ctx, makingTable, func() error { return w.make(ctx) })
}

// make is migrate, alone.
func (w *Warehouse) make(ctx context.Context) error {
	if err := w.each(func(n int, p *pool) error { return w.makeAt(ctx, n, p) }); err != nil {
		return err
	}
	s, err := w.State(ctx)
	if err != nil {
		return err
	}
	if s.Version < SchemaVersion {
		if _, err := w.claim(ctx, mark{name: schemaMarks, turn: SchemaVersion, owner: w.process}, 0); err != nil {
			return err
		}
	}
	if len(s.Wrong) > 0 {
		return fmt.Errorf("the tables are not as they must be: %s", strings.Join(s.Wrong, "; "))
	}
	return nil
}

// makeAt makes what a shard lacks.
func (w *Warehouse) makeAt(ctx context.Context, n int, p *pool) error {
	s, err := w.stateAt(ctx, n)
	if err != nil {
		return err
	}
	for _, t := range w.tablesAt(n) {
		if err := t.make(ctx, p, s); err != nil {
			return err
		}
	}
	if !w.sharded() {
		return nil
	}
	_, err = w.claimAt(ctx, p, mark{name: shardMarks, owner: w.process, value: w.position(n)}, 0)
	return err
}

// make makes what a table lacks.
func (t *tableSpec) make(ctx context.Context, p *pool, s *State) error {
	if slices.Contains(s.Absent, t.name) {
		if err := p.do(ctx, ch.Query{Body: t.ddl}); err != nil {
			return fmt.Errorf("create table %s: %w", t.name, err)
		}
		return nil
	}
	for _, c := range t.columns {
		if slices.Contains(s.Columns, t.name+"."+c.name) {
			if err := p.do(ctx, ch.Query{Body: "ALTER TABLE " + t.name + " ADD COLUMN IF NOT EXISTS " + c.in(t).ddl()}); err != nil {
				return fmt.Errorf("add column %s.%s: %w", t.name, c.name, err)
			}
		}
	}
	for _, index := range t.indexes {
		if name := t.name + "." + indexName(index); slices.Contains(s.Indexes, name) { // of what is there already it knows nothing, and hides nothing
			if err := p.do(ctx, ch.Query{Body: "ALTER TABLE " + t.name + " ADD " + strings.Replace(index, "INDEX ", "INDEX IF NOT EXISTS ", 1)}); err != nil {
				return fmt.Errorf("add index %s: %w", name, err)
			}
		}
	}
	if t.over == "" && !replicated(s, t.name) && slices.ContainsFunc(s.Wrong, func(what string) bool { return strings.HasPrefix(what, t.name+": ") }) {
		if err := p.do(ctx, ch.Query{Body: "ALTER TABLE " + t.name + " MODIFY SETTING " + needed()}); err != nil {
			return fmt.Errorf("set what %s needs: %w", t.name, err)
		}
	}
	return nil
}

// replicated says that what is wrong with a table is of an engine whose settings its people made.
func replicated(s *State, table string) bool {
	return slices.Contains(s.Wrong, table+": "+replicatedWindow)
}

const (
	plainWindow      = "non_replicated_deduplication_window"
	replicatedWindow = "replicated_deduplication_window is 0, with which repeated inserts are not known"
)

// CheckSettings says whether the tables are there and have the settings that answers and retries rely on.
func (w *Warehouse) CheckSettings(ctx context.Context) error {
	s, err := w.State(ctx)
	switch {
	case err != nil:
		return err
	case len(s.Absent) > 0:
		return fmt.Errorf("there is no table %s: `brokle warehouse init` makes it", strings.Join(s.Absent, ", "))
	case len(s.Wrong) > 0:
		return fmt.Errorf("the tables are not as they must be (`brokle warehouse init` sets it): %s", strings.Join(s.Wrong, "; "))
	}
	return nil
}

// errNoDatabase says that the database is not there.
var errNoDatabase = errors.New("clickhouse has no database of that name; `brokle warehouse init` makes it")

// database looks whether the database is there, and may make it. It connects to another one: a connection to one that is not there is refused, and
// ends the engine as a library.
func (w *Warehouse) database(ctx context.Context, create bool) error {
	return w.each(func(n int, _ *pool) error {
		o := w.options.at(n)
		o.Database = "default"
		p := newPool(o)
		defer p.close()
		return makeDatabase(ctx, p, w.options.Database, create)
	})
}

func makeDatabase(ctx context.Context, p *pool, name string, create bool) error {
	q := &builder{}
	var n proto.ColUInt64
	text := "SELECT count() AS n FROM system.databases WHERE name = " + q.arg(name)
	if err := p.do(ctx, ch.Query{Body: text, Parameters: q.params, Result: proto.Results{{Name: "n", Data: &n}}}); err != nil {
		return err
	}
	switch {
	case n.Rows() == 1 && n.Row(0) > 0:
		return nil
	case !create:
		return errNoDatabase
	}
	if err := p.do(ctx, ch.Query{Body: "CREATE DATABASE IF NOT EXISTS `" + strings.ReplaceAll(name, "`", "``") + "`"}); err != nil {
		return fmt.Errorf("there is no database %s, and it cannot be made: %w", name, err)
	}
	return nil
}
