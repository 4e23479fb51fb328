package clickhouse

import (
	"context"
)

// spreadRows is rows of a table on their way to the shards where they are.
type spreadRows[R any] []*rowColumns[R]

func newSpreadRows[R any](shards int, t *settledTable[R]) spreadRows[R] {
	s := make(spreadRows[R], shards)
	for n := range s {
		s[n] = newRowColumns(t)
	}
	return s
}

// reset forgets them.
func (s spreadRows[R]) reset() {
	for _, c := range s {
		c.in.Reset()
	}
}

// add appends a row. Its texts must not change until it is sent.
func (s spreadRows[R]) add(project string, version uint64, deleted bool, seqs []uint64, row *R) {
	n := 0
	if len(s) > 1 {
		n = shardOf(len(s), project, s[0].table.id(row))
	}
	s[n].add(project, version, deleted, seqs, row)
}

// insert sends them.
func (s spreadRows[R]) insert(ctx context.Context, w *Warehouse) error {
	return w.each(func(n int, p *pool) error { return s[n].insert(ctx, p, w.local(s[n].table.name)) })
}
