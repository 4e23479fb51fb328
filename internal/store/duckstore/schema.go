package duckstore

import (
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// SchemaVersion is written into each file. A file with a newer one is refused;
// one with an older one, or with other columns, is put aside and built again from the Log. So it
// rises when rows mean something else, and need not when the field table has another column.
const SchemaVersion = 9

// The columns that every row of events has, before those of the field table.
const (
	colProject = iota
	colSeq
	colEventType
	colTS // microseconds since 1970
	colReceived
	colBatchEnvironment
	colFact // see fact.go
	numFixed
)

var fixedColumns = [numFixed]column{
	colProject:          {"project", "VARCHAR"},
	colSeq:              {"seq", "BIGINT"},
	colEventType:        {"event_type", "VARCHAR"},
	colTS:               {"ts", "BIGINT"},
	colReceived:         {"received", "BIGINT"},
	colBatchEnvironment: {"batch_environment", "VARCHAR"},
	colFact:             {"fact", "UBIGINT"},
}

type column struct{ name, typ string }

// layout is the events table: its columns in order, and where each field goes.
type layout struct {
	columns []column
	// of is the column of a field, or -1 for one that only the payload has.
	of [entity.NumFields]int
}

func newLayout() *layout {
	l := &layout{columns: append([]column(nil), fixedColumns[:]...)}
	for f := range l.of {
		l.of[f] = -1
	}
	for _, c := range entity.EventColumns() {
		switch c.Field {
		case entity.Clear, entity.Twin, entity.PromptKey: // only the fold reads them
			continue
		}
		l.of[c.Field] = len(l.columns)
		l.columns = append(l.columns, column{c.Name, sqlType(c.Type)})
	}
	return l
}

// sqlType is the type of a column. Times are microseconds since 1970 in a BIGINT: exact, and
// compared and subtracted without conversion.
func sqlType(t entity.FieldType) string {
	switch t {
	case entity.Integer, entity.Time, entity.Order:
		return "BIGINT"
	case entity.Float:
		return "DOUBLE"
	case entity.List:
		return "VARCHAR[]"
	case entity.Flag:
		return "BOOLEAN"
	}
	return "VARCHAR"
}

// tables are the tables that hold rows, by name.
func (l *layout) tables() []tableLayout {
	return []tableLayout{
		{"events", l.columns}, {observationTable.name, observationTable.all()},
		{scoreTable.name, scoreTable.all()}, {traceTable.name, traceTable.all()},
	}
}

type tableLayout struct {
	name    string
	columns []column
}

// ddl creates the tables of an empty file.
func (l *layout) ddl() []string {
	statements := []string{"CREATE TABLE meta (schema_version BIGINT, cursor BIGINT)"}
	for _, t := range l.tables() {
		statements = append(statements, createTable(t.name, t.columns))
	}
	return statements
}

// inFile asks for what signature returns, of the tables that a file has.
const inFile = `SELECT string_agg(table_name || '.' || column_name || ' ' || data_type, ', ' ORDER BY table_name, column_index)
	FROM duckdb_columns() WHERE NOT internal AND table_name <> 'meta'`

// signature is all columns of all tables, in their order.
func (l *layout) signature() string {
	var all []string
	for _, t := range l.tables() {
		for _, c := range t.columns {
			all = append(all, t.name+"."+c.name+" "+c.typ)
		}
	}
	return strings.Join(all, ", ")
}

func createTable(name string, columns []column) string {
	defined := make([]string, len(columns))
	for i, c := range columns {
		defined[i] = `"` + c.name + `" ` + c.typ
	}
	return "CREATE TABLE " + name + " (" + strings.Join(defined, ", ") + ")"
}

// names are the columns' names, for a SELECT.
func names(columns []column) string {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = `"` + c.name + `"`
	}
	return strings.Join(quoted, ", ")
}

// blank sets every text of the columns to NULL.
func blank(columns []column) string {
	var set []string
	for _, c := range columns {
		if c.typ == "VARCHAR" {
			set = append(set, `"`+c.name+`" = NULL`)
		}
	}
	return strings.Join(set, ", ")
}
