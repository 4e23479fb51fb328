package clickhouse

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Erase removes the events at these Seqs of the project, with every copy of the facts that they are, and what they were folded into is folded
// anew. The files that had them, or rows of theirs, are rewritten before it returns; the server removes the old ones a moment later.
func (w *Warehouse) Erase(ctx context.Context, project string, seqs []entity.Seq) error {
	if err := w.flush(ctx, false); err != nil {
		return fmt.Errorf("erase events: %w", err)
	}
	for some := range slices.Chunk(seqs, removeAtOnce) {
		err := w.locked(ctx, func() error { return w.remove(ctx, removal{project, uints(some), true}) })
		if err != nil {
			return fmt.Errorf("erase events: %w", err)
		}
	}
	return ctx.Err()
}

// removeAtOnce is how many events are named in one statement.
const removeAtOnce = 10_000

// removal is some events of a project that go.
type removal struct {
	project string
	seqs    []uint64
	wipe    bool // nothing must stay of them
}

func (r *removal) query() *builder {
	q := &builder{}
	q.arg(r.project)
	return q
}

// remove deletes events and settles what they were part of.
func (w *Warehouse) remove(ctx context.Context, r removal) error {
	touched, err := w.foldedFrom(ctx, &r)
	if err != nil {
		return err
	}
	copies, err := w.copies(ctx, &r)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(copies, removeAtOnce) {
		q := r.query()
		of := "project = {p1:String} AND seq IN " + q.arg(some)
		if err := w.each(func(_ int, p *pool) error {
			return w.mutate(ctx, p, q, "ALTER TABLE "+w.local("events")+" DELETE WHERE "+of)
		}); err != nil {
			return err
		}
	}
	w.recent.forget()
	if len(touched) == 0 {
		return nil
	}
	// A step, so that what is settled now is in force, and not what another node made of the events that have gone.
	if err := w.step(ctx, w.self); err != nil {
		return err
	}
	if err := w.settle(ctx, nil, touched); err != nil {
		return err
	}
	if !r.wipe {
		return nil
	}
	return w.wipe(ctx, r.project)
}

// copies are the Seqs of all rows of the facts that go. A mutation rewrites one file after the other, and so must not ask the table for them: of
// what it has deleted in one file it does not find the copy in the next.
func (w *Warehouse) copies(ctx context.Context, r *removal) (seqs []uint64, err error) {
	var seq proto.ColUInt64
	q := r.query()
	text := "SELECT seq FROM events WHERE project = {p1:String} AND (kind, entity_id, event_id, content) IN (SELECT kind, entity_id, event_id, content FROM events WHERE project = {p1:String} AND seq IN " + q.arg(r.seqs) + ")"
	err = w.ask(ctx, q, text, proto.Results{{Name: "seq", Data: &seq}}, func(i int) { seqs = append(seqs, seq.Row(i)) })
	return seqs, err
}

// mutate has servers rewrite files, and waits until that is done on all replicas.
func (w *Warehouse) mutate(ctx context.Context, p *pool, q *builder, statement string) error {
	return p.do(patiently(ctx), ch.Query{Body: statement, Parameters: q.params, Settings: []ch.Setting{ch.SettingInt("mutations_sync", 2)}})
}

// foldedFrom finds what the events are part of: by what they say, and by the rows that know them, which stay when a removal ends half-way.
func (w *Warehouse) foldedFrom(ctx context.Context, r *removal) (touched []touch, err error) {
	var id, trace proto.ColStr
	var kind proto.ColUInt8
	result := proto.Results{{Name: "kind", Data: &kind}, {Name: "entity_id", Data: &id}, {Name: "trace", Data: &trace}}
	add := func(i int) {
		touched = append(touched, touch{r.project, id.Row(i), trace.Row(i), entity.Kind(kind.Row(i))})
	}
	q := r.query()
	text := fmt.Sprintf("SELECT DISTINCT kind, entity_id, if(kind = %d, trace_id, '') AS trace FROM events WHERE project = {p1:String} AND seq IN %s", entity.ObservationKind, q.arg(r.seqs))
	if err := w.ask(ctx, q, text, result, add); err != nil {
		return nil, err
	}
	for _, kind := range settledKinds {
		trace := "''"
		if kind == entity.ObservationKind {
			trace = "trace_id"
		}
		q := r.query()
		text := fmt.Sprintf("SELECT toUInt8(%d) AS kind, id AS entity_id, %s AS trace FROM %s FINAL WHERE project = {p1:String} AND %s", kind, trace, tableOf(kind), anyOf("seqs", q.arg(r.seqs)))
		if err := w.ask(ctx, q, text, result, add); err != nil {
			return nil, err
		}
	}
	return touched, nil
}

// settledKinds are the kinds that have rows.
var settledKinds = [...]entity.Kind{entity.ObservationKind, entity.ScoreKind, entity.TraceKind}

// wipe removes the rows of a project that are not in force from the files: those before the last of each entity.
func (w *Warehouse) wipe(ctx context.Context, project string) error {
	for _, kind := range settledKinds {
		q := &builder{}
		q.arg(project)
		key := "id"
		if kind == entity.ObservationKind {
			key = "trace_id, id"
		}
		of := fmt.Sprintf("project = {p1:String} AND (%[1]s, row_version) NOT IN (SELECT %[1]s, max(row_version) FROM %[2]s WHERE project = {p1:String} GROUP BY %[1]s)", key, w.local(tableOf(kind)))
		if err := w.each(func(_ int, p *pool) error {
			return w.mutate(ctx, p, q, "ALTER TABLE "+w.local(tableOf(kind))+" DELETE WHERE "+of)
		}); err != nil {
			return err
		}
	}
	return nil
}

// expiring is the lock of retention.
const expiring = "retention"

// Expire removes the events that have expired, day by day in which they were received. All nodes look; of those that find something one removes it, and the others
// wait for that and look again. removed is what this one did.
func (w *Warehouse) Expire(ctx context.Context, c store.Cutoffs) (removed int64, err error) {
	if err := w.Flush(ctx); err != nil {
		return 0, fmt.Errorf("expire events: %w", err)
	}
	projects, err := w.projects(ctx)
	var due []string
	for i := 0; err == nil && i < len(projects); i++ {
		if before := c.Before(projects[i]); before != math.MinInt64 {
			var old []uint64
			if old, err = w.expired(ctx, projects[i], before, 1); len(old) > 0 {
				due = append(due, projects[i])
			}
		}
	}
	if err == nil && len(due) > 0 {
		err = w.alone(ctx, expiring, func() (err error) {
			for i := 0; err == nil && i < len(due); i++ {
				var n int64
				n, err = w.expireProject(ctx, due[i], c.Before(due[i]))
				removed += n
			}
			return err
		})
	}
	if err != nil {
		return removed, fmt.Errorf("expire events: %w", err)
	}
	return removed, nil
}

// projects are those that have events.
func (w *Warehouse) projects(ctx context.Context) (projects []string, err error) {
	var project proto.ColStr
	err = w.ask(ctx, &builder{}, "SELECT DISTINCT CAST(project, 'String') AS of_project FROM events ORDER BY of_project", proto.Results{{Name: "of_project", Data: &project}}, func(i int) {
		projects = append(projects, project.Row(i))
	})
	return projects, err
}

// expired are up to so many of the project's events from before a time, Unix µs: of a fact that with the lowest Seq says when it was.
func (w *Warehouse) expired(ctx context.Context, project string, before int64, most int) (seqs []uint64, err error) {
	q := &builder{}
	q.arg(project)
	old := "least(" + us("ts") + ", " + us("received") + ") < " + q.arg(before)
	var seq proto.ColUInt64
	text := fmt.Sprintf("SELECT seq FROM events FINAL WHERE project = {p1:String} AND %s ORDER BY seq LIMIT %d", old, most)
	err = w.ask(ctx, q, text, proto.Results{{Name: "seq", Data: &seq}}, func(i int) { seqs = append(seqs, seq.Row(i)) })
	return seqs, err
}

// expireProject removes the project's events from before a time.
func (w *Warehouse) expireProject(ctx context.Context, project string, before int64) (removed int64, err error) {
	for {
		seqs, err := w.expired(ctx, project, before, removeAtOnce)
		if err != nil || len(seqs) == 0 {
			return removed, err
		}
		if err := w.locked(ctx, func() error { return w.remove(ctx, removal{project, seqs, false}) }); err != nil {
			return removed, err
		}
		removed += int64(len(seqs))
		if len(seqs) < removeAtOnce {
			return removed, nil
		}
	}
}
