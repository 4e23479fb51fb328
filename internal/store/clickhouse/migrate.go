package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
)

// SchemaVersion is the version of the tables. Columns that a release adds to the field table are added without another one.
const SchemaVersion = 1

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
}

func tables() []tableSpec {
	said, _ := saidColumns()
	return []tableSpec{
		{"marks", marksDDL(), nil, nil},
		{"nodes", nodesDDL(), nil, nil},
		{"erasures", erasuresDDL(), againColumns, nil},
		{"documents", documentsDDL(), nil, nil},
		{"events", eventsDDL(), slices.Concat(eventColumns, said), []string{wordIndex}},
		{observationTable.name, observationTable.ddl(), observationTable.columns, observationTable.indexes},
		{scoreTable.name, scoreTable.ddl(), scoreTable.columns, scoreTable.indexes},
		{traceTable.name, traceTable.ddl(), traceTable.columns, traceTable.indexes},
	}
}

// DDL is the statements that make the tables, in order.
func DDL() (statements []string) {
	for _, t := range tables() {
		statements = append(statements, t.ddl)
	}
	return statements
}

// errReplicatedByHand says that tables are not there which a node must not make: it would make them on one of several servers, and the others would not have them.
var errReplicatedByHand = errors.New("the URL names several servers, which must hold the same data, and the tables are not there: make replicated ones with what `brokle warehouse init --print --cluster NAME` prints")

// ErrNewer says that a later release made the tables.
var ErrNewer = errors.New("the tables were made by a later release")

// State is what the tables lack: nothing is left to do when all is empty.
type State struct {
	Version int      `json:"version"` // 0: there are no tables
	Absent  []string `json:"absent"`  // tables
	Columns []string `json:"columns"` // table.column
	Indexes []string `json:"indexes"` // table.index
	Wrong   []string `json:"wrong"`   // what columns and settings are, and must be
}

// whole says that nothing is to be done.
func (s *State) whole() bool {
	return s.Version == SchemaVersion && len(s.Absent)+len(s.Columns)+len(s.Indexes)+len(s.Wrong) == 0
}

// migrate makes what is not there, one node at a time, and sets what the tables need.
func (w *Warehouse) migrate(ctx context.Context) error {
	s, err := w.State(ctx)
	if err != nil {
		return err
	}
	if s.whole() {
		return nil
	}
	if len(s.Absent) > 0 && len(w.options.Addresses) > 1 {
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
	s, err := w.State(ctx)
	if err != nil {
		return err
	}
	for _, t := range tables() {
		if slices.Contains(s.Absent, t.name) {
			if err := w.pool.do(ctx, ch.Query{Body: t.ddl}); err != nil {
				return fmt.Errorf("create table %s: %w", t.name, err)
			}
			continue
		}
		for _, c := range t.columns {
			if slices.Contains(s.Columns, t.name+"."+c.name) {
				if err := w.pool.do(ctx, ch.Query{Body: "ALTER TABLE " + t.name + " ADD COLUMN IF NOT EXISTS " + c.ddl()}); err != nil {
					return fmt.Errorf("add column %s.%s: %w", t.name, c.name, err)
				}
			}
		}
		for _, index := range t.indexes {
			if name := t.name + "." + indexName(index); slices.Contains(s.Indexes, name) { // of what is there already it knows nothing, and hides nothing
				if err := w.pool.do(ctx, ch.Query{Body: "ALTER TABLE " + t.name + " ADD " + strings.Replace(index, "INDEX ", "INDEX IF NOT EXISTS ", 1)}); err != nil {
					return fmt.Errorf("add index %s: %w", name, err)
				}
			}
		}
		if !replicated(s, t.name) && slices.ContainsFunc(s.Wrong, func(what string) bool { return strings.HasPrefix(what, t.name+": ") }) {
			if err := w.pool.do(ctx, ch.Query{Body: "ALTER TABLE " + t.name + " MODIFY SETTING " + needed()}); err != nil {
				return fmt.Errorf("set what %s needs: %w", t.name, err)
			}
		}
	}
	if s.Version < SchemaVersion {
		if _, err := w.claim(ctx, mark{name: schemaMarks, turn: SchemaVersion, owner: w.process}, 0); err != nil {
			return err
		}
	}
	if s, err = w.State(ctx); err != nil {
		return err
	}
	if len(s.Wrong) > 0 {
		return fmt.Errorf("the tables are not as they must be: %s", strings.Join(s.Wrong, "; "))
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

// State compares the tables with what they must be.
func (w *Warehouse) State(ctx context.Context) (*State, error) {
	s := &State{}
	has, err := w.engines(ctx)
	if err != nil {
		return nil, err
	}
	columns, err := w.columns(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range tables() {
		engine, there := has[t.name]
		if !there {
			s.Absent = append(s.Absent, t.name)
			continue
		}
		for _, c := range t.columns {
			typ, there := columns[t.name+"."+c.name]
			switch {
			case !there:
				s.Columns = append(s.Columns, t.name+"."+c.name)
			case typ != c.typ:
				s.Wrong = append(s.Wrong, fmt.Sprintf("column %s.%s is %s, must be %s", t.name, c.name, typ, c.typ))
			}
		}
		for _, what := range engine.wrong() {
			s.Wrong = append(s.Wrong, t.name+": "+what)
		}
	}
	if s.Indexes, err = w.absentIndexes(ctx, s.Absent); err != nil {
		return nil, err
	}
	if !slices.Contains(s.Absent, "marks") {
		all, err := w.marks(ctx, schemaMarks)
		if err != nil {
			return nil, err
		}
		for _, m := range all {
			s.Version = int(m.turn)
		}
	}
	if s.Version > SchemaVersion {
		return nil, fmt.Errorf("%w: they have version %d, this one knows %d", ErrNewer, s.Version, SchemaVersion)
	}
	return s, nil
}

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

// engine is a table's, with its settings.
type engine struct{ name, full string }

// wrong is which settings are not what they must be. The name of the engine is said in full, with all settings that are not the server's own.
func (e engine) wrong() (all []string) {
	if strings.HasPrefix(e.name, "Replicated") || strings.HasPrefix(e.name, "Shared") {
		if e.setting("replicated_deduplication_window") == 0 {
			all = append(all, replicatedWindow)
		}
		return all
	}
	if e.setting(plainWindow) <= 0 {
		all = append(all, plainWindow+" is 0, with which repeated inserts are not known")
	}
	if e.setting("fsync_after_insert") != 1 {
		all = append(all, "fsync_after_insert is not 1, so what is confirmed may be lost with the power")
	}
	return all
}

// setting is the value of a whole number among the settings of the table; -1: it is not set.
func (e engine) setting(name string) int {
	_, all, _ := strings.Cut(e.full, " SETTINGS ")
	for one := range strings.SplitSeq(all, ",") {
		if key, value, ok := strings.Cut(one, "="); ok && strings.TrimSpace(key) == name {
			n, err := strconv.Atoi(strings.TrimSpace(value))
			if err == nil {
				return n
			}
		}
	}
	return -1
}

func (w *Warehouse) engines(ctx context.Context) (map[string]engine, error) {
	var name, short, full proto.ColStr
	has := map[string]engine{}
	result := proto.Results{{Name: "name", Data: &name}, {Name: "engine", Data: &short}, {Name: "engine_full", Data: &full}}
	err := w.ask(ctx, &builder{}, "SELECT name, engine, engine_full FROM system.tables WHERE database = currentDatabase()", result, func(i int) {
		has[name.Row(i)] = engine{short.Row(i), full.Row(i)}
	})
	if err != nil {
		return nil, fmt.Errorf("read which tables there are: %w", err)
	}
	return has, nil
}

// columns are the types of all columns, by table.column.
func (w *Warehouse) columns(ctx context.Context) (map[string]string, error) {
	var table, name, typ proto.ColStr
	types := map[string]string{}
	result := proto.Results{{Name: "table", Data: &table}, {Name: "name", Data: &name}, {Name: "type", Data: &typ}}
	err := w.ask(ctx, &builder{}, "SELECT table, name, type FROM system.columns WHERE database = currentDatabase()", result, func(i int) {
		types[table.Row(i)+"."+name.Row(i)] = typ.Row(i)
	})
	if err != nil {
		return nil, fmt.Errorf("read which columns there are: %w", err)
	}
	return types, nil
}

// indexName is the name of an index, of its DDL.
func indexName(index string) string { return strings.Fields(index)[1] }

// absentIndexes are those that a release added later to tables that are there.
func (w *Warehouse) absentIndexes(ctx context.Context, absentTables []string) (absent []string, err error) {
	var table, name proto.ColStr
	has := map[string]bool{}
	result := proto.Results{{Name: "table", Data: &table}, {Name: "name", Data: &name}}
	err = w.ask(ctx, &builder{}, "SELECT table, name FROM system.data_skipping_indices WHERE database = currentDatabase()", result, func(i int) {
		has[table.Row(i)+"."+name.Row(i)] = true
	})
	if err != nil {
		return nil, fmt.Errorf("read which indexes there are: %w", err)
	}
	for _, t := range tables() {
		for _, index := range t.indexes {
			if of := t.name + "." + indexName(index); !has[of] && !slices.Contains(absentTables, t.name) {
				absent = append(absent, of)
			}
		}
	}
	return absent, nil
}

// errNoDatabase says that the database is not there.
var errNoDatabase = errors.New("clickhouse has no database of that name; `brokle warehouse init` makes it")

// database looks whether the database is there, and may make it. It connects to another one: a connection to one that is not there is refused, and
// ends the engine as a library.
func (w *Warehouse) database(ctx context.Context, create bool) error {
	o := w.options
	o.Database = "default"
	p := newPool(o)
	defer p.close()
	q := &builder{}
	var n proto.ColUInt64
	text := "SELECT count() AS n FROM system.databases WHERE name = " + q.arg(w.options.Database)
	if err := p.do(ctx, ch.Query{Body: text, Parameters: q.params, Result: proto.Results{{Name: "n", Data: &n}}}); err != nil {
		return err
	}
	switch {
	case n.Rows() == 1 && n.Row(0) > 0:
		return nil
	case !create:
		return errNoDatabase
	}
	if err := p.do(ctx, ch.Query{Body: "CREATE DATABASE IF NOT EXISTS `" + strings.ReplaceAll(w.options.Database, "`", "``") + "`"}); err != nil {
		return fmt.Errorf("there is no database %s, and it cannot be made: %w", w.options.Database, err)
	}
	return nil
}
