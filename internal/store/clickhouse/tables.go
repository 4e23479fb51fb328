package clickhouse

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// settledTable is the table of one kind of entity: a column for each that the field table gives the kind, which a member of R holds.
type settledTable[R any] struct {
	name    string
	key     string // behind the project, what tells rows apart
	indexes []string
	columns []column
	members []entity.Member[R]
	idAt    int // of members
}

// id is the id of a row.
func (t *settledTable[R]) id(row *R) string { return *t.members[t.idAt].In(row).(*string) }

func newSettledTable[R any](name, key string, kind entity.Kind, members []entity.Member[R], indexes ...string) *settledTable[R] {
	t := &settledTable[R]{name: name, key: key, indexes: indexes}
	for _, c := range entity.Columns(kind) {
		if c.Name == "newest" { // of which another row decides: see ownTraces
			continue
		}
		at := slices.IndexFunc(members, func(m entity.Member[R]) bool { return m.Field == c.Field })
		if at < 0 {
			panic("clickhouse: rows of " + name + " have no member " + c.Name)
		}
		m := members[at]
		may := false
		switch m.In(new(R)).(type) {
		case **int64, **float64, **time.Time:
			may = true
		}
		if c.Name == "id" {
			t.idAt = len(t.members)
		}
		t.columns, t.members = append(t.columns, fieldColumn(c, may)), append(t.members, m)
	}
	return t
}

// The previews of observations are made of the events: see previews.go.
var (
	observationTable = newSettledTable("observations", "trace_id, id", entity.ObservationKind, entity.ObservationMembers,
		"INDEX by_id id TYPE bloom_filter(0.01) GRANULARITY 1", "INDEX by_response response_id TYPE bloom_filter(0.01) GRANULARITY 1",
		"INDEX by_prompt prompt_key TYPE bloom_filter(0.01) GRANULARITY 1", timeIndex("start_time"), "INDEX by_twin duplicate_of TYPE minmax GRANULARITY 1")
	scoreTable = newSettledTable("scores", "id", entity.ScoreKind, entity.ScoreMembers,
		// A page asks for the scores of as many traces as it has, and their observations: of the pieces of the table one in fifty, and one in ten, is read in vain.
		// What is scored lately is mostly of lately: where ids rise with time, between which ids a piece lies says most, and is read before.
		"INDEX by_trace_range trace_id TYPE minmax GRANULARITY 1",
		"INDEX by_trace trace_id TYPE bloom_filter(0.0005) GRANULARITY 1", "INDEX by_observation observation_id TYPE bloom_filter(0.0005) GRANULARITY 1",
		"INDEX by_loose "+looseObservation+" TYPE minmax GRANULARITY 1", timeIndex("timestamp"))
	traceTable = newSettledTable("traces", "id", entity.TraceKind, entity.TraceMembers, timeIndex("start_time"))
)

// timeIndex says between which times rows lie, by the expression that statements have for them: ids mostly rise with time.
func timeIndex(column string) string {
	return "INDEX by_time " + us(column) + " TYPE minmax GRANULARITY 1"
}

// tableOf is the table of a kind's entities.
func tableOf(kind entity.Kind) string {
	switch kind {
	case entity.TraceKind:
		return traceTable.name
	case entity.ScoreKind:
		return scoreTable.name
	}
	return observationTable.name
}

// placed are the columns before those of the fields.
//
//	project, and with the table's key what a row is of
//	row_version  of two rows of one entity that with the greater one is in force: see clock.go
//	row_deleted  the entity is no more
//	seqs     its own events
var placed = []column{
	{"project", "LowCardinality(String)", "ZSTD(1)"}, {"row_version", "UInt64", "ZSTD(1)"}, {"row_deleted", "UInt8", "ZSTD(1)"}, {"seqs", "Array(UInt64)", "ZSTD(1)"},
}

func (t *settledTable[R]) ddl() string {
	return "CREATE TABLE IF NOT EXISTS " + t.name + " (" + definitions(append(slices.Clone(placed), t.columns...), t.indexes) + ")" +
		" ENGINE = ReplacingMergeTree(row_version, row_deleted) ORDER BY (project, " + t.key + ") SETTINGS " + settings(1024)
}

func definitions(columns []column, more []string) string {
	var all []string
	for _, c := range columns {
		all = append(all, c.ddl())
	}
	return strings.Join(append(all, more...), ", ")
}

// only is the table as far as it has these columns.
func (t *settledTable[R]) only(names ...string) *settledTable[R] {
	rest := &settledTable[R]{name: t.name, key: t.key}
	for i, c := range t.columns {
		if slices.Contains(names, c.name) {
			rest.columns, rest.members = append(rest.columns, c), append(rest.members, t.members[i])
		}
	}
	return rest
}

// settled is a row of R, and where it stands.
type settled[R any] struct {
	project string
	deleted bool
	seqs    []uint64
	row     R
}

// rowColumns is rows of a table on their way to the server. Its memory is used again.
type rowColumns[R any] struct {
	table    *settledTable[R]
	project  *proto.ColLowCardinality[string]
	versions *proto.ColUInt64
	deleted  *proto.ColUInt8
	seqs     *proto.ColArr[uint64]
	cells    []sent
	in       proto.Input
}

func newRowColumns[R any](t *settledTable[R]) *rowColumns[R] {
	c := &rowColumns[R]{
		table: t, project: new(proto.ColStr).LowCardinality(), versions: &proto.ColUInt64{}, deleted: &proto.ColUInt8{}, seqs: new(proto.ColUInt64).Array(),
		cells: make([]sent, len(t.members)),
	}
	c.in = proto.Input{{Name: "project", Data: c.project}, {Name: "row_version", Data: c.versions}, {Name: "row_deleted", Data: c.deleted}, {Name: "seqs", Data: c.seqs}}
	for i := range t.members {
		c.cells[i] = sentAs(t.members[i].In(new(R)), t.columns[i].typ)
		c.in = append(c.in, proto.InputColumn{Name: t.columns[i].name, Data: c.cells[i].data})
	}
	return c
}

// add appends a row. Its texts must not change until it is sent.
func (c *rowColumns[R]) add(project string, version uint64, deleted bool, seqs []uint64, row *R) {
	c.project.Append(project)
	c.versions.Append(version)
	gone := uint8(0)
	if deleted {
		gone = 1
	}
	c.deleted.Append(gone)
	c.seqs.Append(seqs)
	for k := range c.table.members {
		c.cells[k].add(c.table.members[k].In(row))
	}
}

// insert sends the rows into a table of these servers.
func (c *rowColumns[R]) insert(ctx context.Context, p *pool, into string) error {
	if c.versions.Rows() == 0 {
		return nil
	}
	return p.do(ctx, insertQuery(into, c.in, deduplicate(false)))
}

// selectRows reads the rows that satisfy a condition as they are in force, and calls each with one, whose memory is its own.
func selectRows[R any](ctx context.Context, w *Warehouse, t *settledTable[R], q *builder, condition string, each func(seqs []uint64, row *R)) error {
	return selectRowsWith(ctx, w, t, q, condition, "", nil, each)
}

// selectRowsWith is selectRows with a table of the caller's, which the condition names.
func selectRowsWith[R any](ctx context.Context, w *Warehouse, t *settledTable[R], q *builder, condition, name string, with proto.Input, each func(seqs []uint64, row *R)) error {
	seqs := new(proto.ColUInt64).Array()
	selected, result, get := t.selected("")
	result = append(result, proto.ResultColumn{Name: "seqs", Data: seqs})
	text := "SELECT " + selected + ", seqs FROM " + t.name + " FINAL WHERE project = {p1:String} AND " + condition
	return w.askWith(ctx, q, text, result, name, with, func(i int) { each(seqs.Row(i), get(i)) })
}

// selected selects the columns of rows, from what has this alias (with a point); get is a row of the answer, whose memory is its own.
func (t *settledTable[R]) selected(of string) (selected string, result proto.Results, get func(i int) *R) {
	cells, names := make([]read, len(t.members)), make([]string, len(t.members))
	for i := range t.members {
		cells[i] = readAs(t.members[i].In(new(R)))
		name := "c_" + t.columns[i].name
		names[i] = readable(t.columns[i], of) + " AS " + name
		result = append(result, proto.ResultColumn{Name: name, Data: cells[i].data})
	}
	return strings.Join(names, ", "), result, func(i int) *R {
		row := new(R)
		for k := range t.members {
			cells[k].get(i, t.members[k].In(row))
		}
		return row
	}
}

// insertBlock inserts one block into a table that is in the first shard alone. Without a token it may be there twice: a server that recognises it by what is in it may know it, and not have it (kept.go).
func (w *Warehouse) insertBlock(ctx context.Context, table string, in proto.Input, more []ch.Setting) error {
	if len(more) == 0 {
		more = deduplicate(false)
	}
	return w.pool.do(ctx, insertQuery(table, in, more))
}

// insertQuery inserts one block, in however many pieces it is sent: all of it or nothing. The settings that this depends on are said, whatever the server's are.
func insertQuery(table string, in proto.Input, more []ch.Setting) ch.Query {
	return ch.Query{Body: in.Into(table), Input: in, Settings: append(more,
		ch.SettingInt("async_insert", 0), // on by default; in its queue a token is of nothing
		ch.SettingInt("max_insert_block_size", 10_000_000), ch.SettingInt("min_insert_block_size_rows", 10_000_000), ch.SettingInt("min_insert_block_size_bytes", 0),
	)}
}

type observationRow = entity.ObservationRow
type scoreRow = wire.Score
type traceRow = wire.Trace
