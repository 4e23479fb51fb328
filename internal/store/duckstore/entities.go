package duckstore

import (
	"database/sql"
	"fmt"
	"slices"
	"time"
	"unsafe"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// The entity tables keep what the Go fold made of the events, one row an entity, so
// that a question is a plain SELECT. Each transaction folds the entities that it touches
// and puts their new rows in the place of the old ones, so that rows and events never
// differ.
//
// After the project each row has:
//
//	written    the cursor of the transaction that wrote it, or the last Seq of its events. Rows are in its order, so a
//	           range of it lets DuckDB pass over the rest of the table.
//	first_seq  the first and the last of the events that its entity was folded from: of a
//	last_seq   trace, of its observations too; of an observation, of what is in its trace.
//	seqs       the entity's own events, rising: of a trace all of them, NULL without one; of an observation
//	           or a score NULL when they are first_seq and last_seq. They are what it is folded from again.
//	trace_hash finds the rows of a trace, and the trace itself, without a look at their ids. NULL: of no trace.
//
// For an observation or trace, written is not less than last_seq, and a trace's is not less than
// its observations', because they are rolled up in the transaction that writes them.

// entityTable is the table of one kind of entity: a column for each that the field table gives the
// kind, which a member of R holds. A text that is "" is NULL in the table, and so is a number
// that JSON cannot say.
type entityTable[R any] struct {
	name    string
	columns []column
	members []entity.Member[R] // of the columns
	trace   entity.Member[R]   // the id of the trace that a row is of
	cells   []cell             // the same
}

func newEntityTable[R any](name string, kind entity.Kind, members []entity.Member[R]) *entityTable[R] {
	t := &entityTable[R]{name: name}
	for _, c := range entity.Columns(kind) {
		at := slices.IndexFunc(members, func(m entity.Member[R]) bool { return m.Field == c.Field })
		if at < 0 {
			panic("duckstore: rows of " + name + " have no member " + c.Name)
		}
		t.columns = append(t.columns, column{c.Name, sqlType(c.Type)})
		t.members = append(t.members, members[at])
		if c.Field == entity.TraceID || kind == entity.TraceKind && c.Field == entity.ID {
			t.trace = members[at]
		}
		t.cells = append(t.cells, cellOf(&members[at]))
	}
	return t
}

type observationRow = entity.ObservationRow

// The previews are only in events: see previews.go.
var (
	observationTable = newEntityTable("observations", entity.ObservationKind, entity.ObservationMembers)
	scoreTable       = newEntityTable("scores", entity.ScoreKind, entity.ScoreMembers)
	traceTable       = newEntityTable("traces", entity.TraceKind, entity.TraceMembers)
)

// What a page reads of a table beside its keys.
var (
	observationPage = observationTable.without("id", "trace_id")
	scorePage       = scoreTable.without("id")
	tracePage       = traceTable.without("id")
)

// without is the table as far as it has other columns.
func (t *entityTable[R]) without(names ...string) *entityTable[R] {
	rest := &entityTable[R]{name: t.name}
	for i, c := range t.columns {
		if !slices.Contains(names, c.name) {
			rest.columns, rest.members = append(rest.columns, c), append(rest.members, t.members[i])
		}
	}
	return rest
}

// The columns before the members.
const (
	atProject = iota
	atWritten
	atFirst
	atLast
	atSeqs
	atTraceHash
	numPlaced
)

var placedColumns = [numPlaced]column{{"project", "VARCHAR"}, {"written", "BIGINT"}, {"first_seq", "BIGINT"}, {"last_seq", "BIGINT"}, {"seqs", "BIGINT[]"}, {"trace_hash", "BIGINT"}}

func (t *entityTable[R]) all() []column { return append(placedColumns[:], t.columns...) }

// list is the members' columns, for a SELECT.
func (t *entityTable[R]) list() string { return names(t.columns) }

// put writes the row into the chunk's next row; seqs is what the column has, nil for NULL.
func (t *entityTable[R]) put(c *chunk, project string, written int64, at span, seqs []int64, row *R) {
	c.setText(atProject, project)
	c.setInt(atWritten, written)
	c.setInt(atFirst, at.first)
	c.setInt(atLast, at.last)
	if seqs != nil {
		c.setInts(atSeqs, seqs)
	}
	if hash := t.hashOf(row); hash.Valid {
		c.setInt(atTraceHash, hash.Int64)
	}
	t.putMembers(c, unsafe.Pointer(row))
}

// hashOf is the column trace_hash of a row.
func (t *entityTable[R]) hashOf(row *R) (hash sql.NullInt64) {
	if id, ok := t.trace.In(row).(*string); ok && *id != "" {
		hash = sql.NullInt64{Int64: traceHash(*id), Valid: true}
	}
	return hash
}

// targets are what a row of list is scanned into.
func (t *entityTable[R]) targets(row *R) []any {
	targets := make([]any, len(t.members))
	for i := range t.members {
		targets[i] = fieldScanner{t.members[i].In(row)}
	}
	return targets
}

// fieldScanner is the reverse of putMembers.
type fieldScanner struct{ field any }

var _ sql.Scanner = fieldScanner{}

func (s fieldScanner) Scan(v any) error {
	if list, ok := s.field.(*[]string); ok {
		*list = texts(v)
		return nil
	}
	if v == nil {
		return nil // the field is as it was made
	}
	ok := false
	switch p := s.field.(type) {
	case *string:
		*p, ok = v.(string)
	case *bool:
		*p, ok = v.(bool)
	case *int64:
		*p, ok = v.(int64)
	case **int64:
		var n int64
		n, ok = v.(int64)
		*p = &n
	case *float64:
		*p, ok = v.(float64)
	case **float64:
		var f float64
		f, ok = v.(float64)
		*p = &f
	case *time.Time:
		var us int64
		us, ok = v.(int64)
		*p = microTime(us)
	case **time.Time:
		var us int64
		us, ok = v.(int64)
		at := microTime(us)
		*p = &at
	}
	if !ok {
		return fmt.Errorf("a %T does not go into a %T", v, s.field)
	}
	return nil
}
