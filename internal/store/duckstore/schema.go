package duckstore

import (
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// SchemaVersion is written into each file. A file with a newer one is refused;
// one with an older one is put aside and built again from the Log.
const SchemaVersion = 2

// The columns that every row has, before those of the field table.
const (
	colProject = iota
	colSeq
	colEventID
	colEventType
	colKind
	colRank
	colTie // another event of the same entity may have the same ts and rank
	colEntityID
	colTS // microseconds since 1970
	colReceived
	colBatchEnvironment
	numFixed
)

var fixedColumns = [numFixed]column{
	colProject:          {"project", "VARCHAR"},
	colSeq:              {"seq", "BIGINT"},
	colEventID:          {"event_id", "VARCHAR"},
	colEventType:        {"event_type", "VARCHAR"},
	colKind:             {"kind", "UTINYINT"},
	colRank:             {"rank", "UTINYINT"},
	colTie:              {"tie", "BOOLEAN"},
	colEntityID:         {"entity_id", "VARCHAR"},
	colTS:               {"ts", "BIGINT"},
	colReceived:         {"received", "BIGINT"},
	colBatchEnvironment: {"batch_environment", "VARCHAR"},
}

type column struct{ name, typ string }

// layout is the events table: its columns in order, and where each field goes.
type layout struct {
	columns []column
	// of is the column of a field, or -1 for one that only the payload has.
	of [store.NumFields]int
}

func newLayout() *layout {
	l := &layout{columns: fixedColumns[:]}
	l.columns = append([]column(nil), l.columns...)
	for f := range store.NumFields {
		l.of[f] = -1
		c, ok := fieldColumn(f)
		if ok {
			l.of[f] = len(l.columns)
			l.columns = append(l.columns, c)
		}
	}
	return l
}

// fieldColumn says how a field is kept. Times are microseconds since 1970 in a
// BIGINT: exact, and compared and subtracted without conversion.
func fieldColumn(f store.Field) (column, bool) {
	switch f.Type() {
	case store.Text:
		return column{f.String(), "VARCHAR"}, true
	case store.Integer, store.Time:
		return column{f.String(), "BIGINT"}, true
	case store.Float:
		return column{f.String(), "DOUBLE"}, true
	case store.List:
		return column{f.String(), "VARCHAR[]"}, true
	}
	if f == store.Input || f == store.Output {
		return column{f.String() + "_preview", "VARCHAR"}, true
	}
	return column{}, false
}

// ddl creates the tables of an empty file. late has a row for each event that
// came, or was erased, behind the frontier of the settled rows.
func (l *layout) ddl() []string {
	var b strings.Builder
	b.WriteString("CREATE TABLE events (")
	for i, c := range l.columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(`"` + c.name + `" ` + c.typ)
	}
	b.WriteString(")")
	all := []string{
		b.String(),
		"CREATE TABLE meta (schema_version BIGINT, cursor BIGINT, settled BIGINT)",
		"CREATE TABLE late (project VARCHAR, kind UTINYINT, entity_id VARCHAR, seq BIGINT)",
	}
	for _, kind := range settledKinds {
		all = append(all, settledTables[kind].ddl())
	}
	return all
}
