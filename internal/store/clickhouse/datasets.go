package clickhouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// The table datasets has what projects have of datasets and experiments, as entries of lines. The first who inserts an entry of a number has it, as with documents: the token of an insert is
// made of project and number, and what is inserted at once is one part, there whole or not at all. Of two entries of one number, should the server have forgotten the token, that which came first
// counts.

var _ store.DatasetLines = (*Warehouse)(nil)

func datasetsDDL() string {
	return "CREATE TABLE IF NOT EXISTS datasets (project String, entry UInt64, n UInt32, writer String, dataset String, item String CODEC(ZSTD(1)), trace String CODEC(ZSTD(1)), erased UInt8, text String CODEC(ZSTD(3)), at " + timeType +
		" DEFAULT now64(6)) ENGINE = MergeTree ORDER BY (project, entry, at, writer, n) SETTINGS " + settings(256)
}

// datasetColumns are the columns of lines on their way from the server, or to it.
type datasetColumns struct {
	project, writer, dataset, item, trace, text proto.ColStr
	entry                                       proto.ColUInt64
	n                                           proto.ColUInt32
	erased                                      proto.ColUInt8
}

const selectedLines = "SELECT entry, n, writer, dataset, item, trace, erased, text FROM datasets WHERE project = "

func (c *datasetColumns) result() proto.Results {
	return proto.Results{
		{Name: "entry", Data: &c.entry}, {Name: "n", Data: &c.n}, {Name: "writer", Data: &c.writer}, {Name: "dataset", Data: &c.dataset},
		{Name: "item", Data: &c.item}, {Name: "trace", Data: &c.trace}, {Name: "erased", Data: &c.erased}, {Name: "text", Data: &c.text},
	}
}

func (c *datasetColumns) line(i int) *store.DatasetLine {
	return &store.DatasetLine{
		DatasetPlace: store.DatasetPlace{Entry: c.entry.Row(i), N: c.n.Row(i)}, Writer: c.writer.Row(i), Dataset: c.dataset.Row(i), Item: c.item.Row(i),
		Trace: c.trace.Row(i), Erased: c.erased.Row(i) > 0, Text: c.text.Row(i),
	}
}

// input are lines as one entry of a project.
func (c *datasetColumns) input(project string, entry uint64, lines []store.DatasetLine) proto.Input {
	for i := range lines {
		l := &lines[i]
		c.project.Append(project)
		c.entry.Append(entry)
		c.n.Append(uint32(i))
		c.writer.Append(l.Writer)
		c.dataset.Append(l.Dataset)
		c.item.Append(l.Item)
		c.trace.Append(l.Trace)
		gone := uint8(0)
		if l.Erased {
			gone = 1
		}
		c.erased.Append(gone)
		c.text.Append(l.Text)
	}
	return proto.Input{
		{Name: "project", Data: &c.project}, {Name: "entry", Data: &c.entry}, {Name: "n", Data: &c.n}, {Name: "writer", Data: &c.writer}, {Name: "dataset", Data: &c.dataset},
		{Name: "item", Data: &c.item}, {Name: "trace", Data: &c.trace}, {Name: "erased", Data: &c.erased}, {Name: "text", Data: &c.text},
	}
}

// ReadDatasets calls each for the lines of a project from an entry on, in order. After an error of each the rest is read for nobody: it is no fault of the server.
func (w *Warehouse) ReadDatasets(ctx context.Context, project string, from uint64, each func(*store.DatasetLine) error) error {
	if err := w.unready(); err != nil {
		return err
	}
	c, q := &datasetColumns{}, &builder{}
	text := selectedLines + q.arg(project) + " AND entry >= " + q.arg(from) + " ORDER BY entry, at, writer, n"
	var of uint64
	var first string
	var refused error
	err := w.askFirst(ctx, q, text, c.result(), func(i int) {
		l := c.line(i)
		if l.Entry != of {
			of, first = l.Entry, l.Writer
		}
		if refused == nil && l.Writer == first {
			refused = each(l)
		}
	})
	if err != nil {
		return fmt.Errorf("read datasets: %w", err)
	}
	return refused
}

// ReadDatasetsAt calls each for the lines at these places.
func (w *Warehouse) ReadDatasetsAt(ctx context.Context, project string, at []store.DatasetPlace, each func(i int, l *store.DatasetLine) error) error {
	if err := w.unready(); err != nil {
		return err
	}
	entries, places, index := []uint64{}, make([]uint64, len(at)), map[store.DatasetPlace]int{}
	for i, p := range at {
		if len(entries) == 0 || entries[len(entries)-1] != p.Entry {
			entries = append(entries, p.Entry)
		}
		places[i], index[p] = p.Entry<<32|uint64(p.N), i
	}
	c, q := &datasetColumns{}, &builder{}
	text := selectedLines + q.arg(project) + " AND entry IN " + q.arg(entries) + " AND bitOr(bitShiftLeft(entry, 32), n) IN " + q.arg(places) + " ORDER BY entry, n, at, writer LIMIT 1 BY entry, n"
	var refused error
	err := w.askFirst(ctx, q, text, c.result(), func(i int) {
		if l := c.line(i); refused == nil {
			refused = each(index[l.DatasetPlace], l)
		}
	})
	if err != nil {
		return fmt.Errorf("read datasets: %w", err)
	}
	return refused
}

// AppendDatasets makes lines an entry of a project; false: another one was first.
func (w *Warehouse) AppendDatasets(ctx context.Context, project string, entry uint64, lines []store.DatasetLine) (won bool, err error) {
	if err := w.unready(); err != nil {
		return false, err
	}
	writer := lines[0].Writer
	in := (&datasetColumns{}).input(project, entry, lines)
	insert := func(settings []ch.Setting) error { return w.insertBlock(ctx, "datasets", in, settings) }
	there := func() (some bool, err error) {
		var first proto.ColStr
		q := &builder{}
		statement := "SELECT writer FROM datasets WHERE project = " + q.arg(project) + " AND entry = " + q.arg(entry) + " ORDER BY at, writer LIMIT 1"
		err = w.askFirst(ctx, q, statement, proto.Results{{Name: "writer", Data: &first}}, func(i int) { some, won = true, first.Row(i) == writer })
		return some, err
	}
	if err := w.keep(ctx, w.pool, fmt.Sprintf("datasets %s %d", project, entry), insert, there); err != nil {
		return false, fmt.Errorf("write datasets: %w", err)
	}
	return won, nil
}

// EraseDatasets erases the lines that were made of traces, also those that come meanwhile.
func (w *Warehouse) EraseDatasets(ctx context.Context, project string, traces []string) (n, all int, err error) {
	if err := w.unready(); err != nil {
		return 0, 0, err
	}
	for {
		q := &builder{}
		of := "project = " + q.arg(project)
		these := of + " AND trace IN " + q.arg(traces)
		var some, gone proto.ColUInt64
		found := 0
		result := proto.Results{{Name: "found", Data: &some}, {Name: "gone", Data: &gone}}
		err := w.askFirst(ctx, q, "SELECT countIf("+these+") AS found, countIf(erased = 1) AS gone FROM datasets WHERE "+of, result, func(i int) {
			found, all = int(some.Row(i)), int(gone.Row(i))
		})
		if err == nil && found > 0 {
			err = w.mutate(ctx, w.pool, q, "ALTER TABLE datasets UPDATE text = '', trace = '', erased = 1 WHERE "+these)
		}
		if err != nil {
			return n, all, fmt.Errorf("erase items of datasets: %w", err)
		}
		if found == 0 {
			return n, all, nil
		}
		n += found
	}
}

// trimmed is what erased says of the first line of an entry that was trimmed.
const trimmed = 2

// TrimDataset empties the entries about a dataset that come before another one. The first line of each stays, with nothing in it: else a node that is about to write one of that number, because it has not heard of it, would find
// none, and take its own for kept, before what others have read.
func (w *Warehouse) TrimDataset(ctx context.Context, project, dataset string, before uint64) error {
	if err := w.unready(); err != nil {
		return err
	}
	q := &builder{}
	of := "project = " + q.arg(project) + " AND dataset = " + q.arg(dataset) + " AND entry < " + q.arg(before)
	statement := fmt.Sprintf("ALTER TABLE datasets DELETE WHERE %s AND n > 0, UPDATE text = '', item = '', trace = '', erased = %d WHERE %[1]s AND n = 0", of, trimmed)
	if err := w.mutate(ctx, w.pool, q, statement); err != nil {
		return fmt.Errorf("remove a dataset: %w", err)
	}
	return nil
}

// DatasetProjects are the projects that have entries.
func (w *Warehouse) DatasetProjects(ctx context.Context) (projects []string, err error) {
	if err := w.unready(); err != nil {
		return nil, err
	}
	var project proto.ColStr
	err = w.askFirst(ctx, &builder{}, "SELECT DISTINCT project FROM datasets ORDER BY project", proto.Results{{Name: "project", Data: &project}}, func(i int) {
		projects = append(projects, project.Row(i))
	})
	if err != nil {
		return nil, fmt.Errorf("read which projects have datasets: %w", err)
	}
	return projects, nil
}
