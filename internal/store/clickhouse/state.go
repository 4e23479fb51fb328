package clickhouse

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ClickHouse/ch-go/proto"
)

// State is what the tables lack: nothing is left to do when all is empty.
type State struct {
	Version int      `json:"version"` // 0: there are no tables
	Absent  []string `json:"absent"`  // tables
	Columns []string `json:"columns"` // table.column
	Indexes []string `json:"indexes"` // table.index
	Wrong   []string `json:"wrong"`   // what columns and settings are, and must be
	// Unmarked are the shards that do not know yet which one they are.
	Unmarked []string `json:"unmarked,omitempty"`

	misplaced string // what is there and cannot be what the URL names: nothing is made then
}

// whole says that nothing is to be done.
func (s *State) whole() bool {
	return s.Version == SchemaVersion && len(s.Absent)+len(s.Columns)+len(s.Indexes)+len(s.Wrong)+len(s.Unmarked) == 0
}

// add adds what a shard lacks.
func (s *State) add(shard *State, name string) {
	named := func(all []string) []string {
		for i := range all {
			all[i] = name + all[i]
		}
		return all
	}
	s.Absent, s.Columns, s.Indexes = append(s.Absent, named(shard.Absent)...), append(s.Columns, named(shard.Columns)...), append(s.Indexes, named(shard.Indexes)...)
	s.Wrong, s.Unmarked = append(s.Wrong, named(shard.Wrong)...), append(s.Unmarked, shard.Unmarked...)
	s.Version, s.misplaced = max(s.Version, shard.Version), cmp.Or(s.misplaced, shard.misplaced)
}

// State compares the tables with what they must be.
func (w *Warehouse) State(ctx context.Context) (*State, error) {
	all := &State{}
	err := w.each(func(n int, _ *pool) error {
		s, err := w.stateAt(ctx, n)
		if err != nil {
			return err
		}
		name := ""
		if w.sharded() {
			name = fmt.Sprintf("shard %d: ", n+1)
		}
		all.add(s, name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if all.Version > SchemaVersion {
		return nil, fmt.Errorf("%w: they have version %d, this one knows %d", ErrNewer, all.Version, SchemaVersion)
	}
	return all, nil
}

// stateAt is State of one shard.
func (w *Warehouse) stateAt(ctx context.Context, n int) (*State, error) {
	s, p := &State{}, w.shards[n]
	has, err := w.engines(ctx, p)
	if err != nil {
		return nil, err
	}
	columns, err := w.columns(ctx, p)
	if err != nil {
		return nil, err
	}
	indexes, err := w.indexes(ctx, p)
	if err != nil {
		return nil, err
	}
	for _, t := range w.tablesAt(n) {
		if engine, there := has[t.name]; there {
			t.compare(s, engine, columns, indexes, w.options.Cluster)
		} else {
			s.Absent = append(s.Absent, t.name)
		}
	}
	if slices.Contains(s.Absent, "marks") {
		return s, nil
	}
	if w.sharded() {
		wrong, marked, err := w.misplaced(ctx, n)
		if err != nil {
			return nil, err
		}
		if wrong != "" {
			s.misplaced, s.Wrong = wrong, append(s.Wrong, wrong)
		}
		if !marked {
			s.Unmarked = append(s.Unmarked, w.position(n))
		}
	}
	if n > 0 {
		return s, nil
	}
	all, err := w.marks(ctx, schemaMarks)
	for _, m := range all {
		s.Version = int(m.turn)
	}
	return s, err
}

// compare notes what a table that is there lacks.
func (t *tableSpec) compare(s *State, is engine, columns map[string]string, indexes map[string]bool, cluster string) {
	if (is.name == "Distributed") != (t.over != "") {
		names := "no shards"
		if t.over != "" {
			names = "several shards"
		}
		s.misplaced = fmt.Sprintf("%s: the table is %s, which is not what it is where the URL names %s; the rows that are there would stay behind", t.name, is.name, names)
		s.Wrong = append(s.Wrong, s.misplaced)
		return
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
	for _, index := range t.indexes {
		if of := t.name + "." + indexName(index); !indexes[of] {
			s.Indexes = append(s.Indexes, of)
		}
	}
	if t.over != "" {
		if !is.over(cluster, t.over) {
			s.Wrong = append(s.Wrong, fmt.Sprintf("%s: it is %s, must be Distributed over %s in the cluster %s", t.name, is.name, t.over, cluster))
		}
		return
	}
	for _, what := range is.wrong() {
		s.Wrong = append(s.Wrong, t.name+": "+what)
	}
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

func (w *Warehouse) engines(ctx context.Context, p *pool) (map[string]engine, error) {
	var name, short, full proto.ColStr
	has := map[string]engine{}
	result := proto.Results{{Name: "name", Data: &name}, {Name: "engine", Data: &short}, {Name: "engine_full", Data: &full}}
	err := w.askAt(ctx, p, &builder{}, "SELECT name, engine, engine_full FROM system.tables WHERE database = currentDatabase()", nil, result, func(i int) {
		has[name.Row(i)] = engine{short.Row(i), full.Row(i)}
	})
	if err != nil {
		return nil, fmt.Errorf("read which tables there are: %w", err)
	}
	return has, nil
}

// columns are the types of all columns, by table.column.
func (w *Warehouse) columns(ctx context.Context, p *pool) (map[string]string, error) {
	var table, name, typ proto.ColStr
	types := map[string]string{}
	result := proto.Results{{Name: "table", Data: &table}, {Name: "name", Data: &name}, {Name: "type", Data: &typ}}
	err := w.askAt(ctx, p, &builder{}, "SELECT table, name, type FROM system.columns WHERE database = currentDatabase()", nil, result, func(i int) {
		types[table.Row(i)+"."+name.Row(i)] = typ.Row(i)
	})
	if err != nil {
		return nil, fmt.Errorf("read which columns there are: %w", err)
	}
	return types, nil
}

// indexName is the name of an index, of its DDL.
func indexName(index string) string { return strings.Fields(index)[1] }

// indexes are all that tables have, by table.index.
func (w *Warehouse) indexes(ctx context.Context, p *pool) (map[string]bool, error) {
	var table, name proto.ColStr
	has := map[string]bool{}
	result := proto.Results{{Name: "table", Data: &table}, {Name: "name", Data: &name}}
	err := w.askAt(ctx, p, &builder{}, "SELECT table, name FROM system.data_skipping_indices WHERE database = currentDatabase()", nil, result, func(i int) {
		has[table.Row(i)+"."+name.Row(i)] = true
	})
	if err != nil {
		return nil, fmt.Errorf("read which indexes there are: %w", err)
	}
	return has, nil
}
