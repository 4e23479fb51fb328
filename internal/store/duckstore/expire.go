package duckstore

import (
	"context"
	"fmt"
	"math"

	"github.com/brokle-ai/brokle-go/internal/store"
)

const (
	// expireAtOnce is how many events one transaction of Expire removes. What comes meanwhile is in memory.
	expireAtOnce = 50_000
	// stepsAhead is for how many transactions the events are looked for at once, and how many there are in one turn at most.
	stepsAhead = 4
	// reclaimAfter is how many events must have been removed before their room is made free.
	reclaimAfter = 200_000
	// forgetAfter is how many events must have been removed, and at least half as many as
	// remain, before the filter of seen ids is made anew.
	forgetAfter = 500_000
)

// Expire removes the rows of all events that have expired, oldest Seq first, in
// transactions of a bounded size in which what they were folded into is folded anew, and
// returns how many it removed. Inserts go on between two of its turns, in each of which it removes as many as were inserted since
// the one before, as far as there is: so it is not behind for longer and longer. What is left of
// an entity is what its remaining events fold into. The space is used again.
func (w *Warehouse) Expire(ctx context.Context, c store.Cutoffs) (removed int64, err error) {
	if err := w.Flush(ctx); err != nil {
		return 0, fmt.Errorf("expire events: %w", err)
	}
	projects, err := w.projects(ctx)
	if err == nil {
		err = w.locked(ctx, func() error { w.owed = 0; return nil })
	}
	for i := 0; err == nil && i < len(projects); i++ {
		var n int64
		n, err = w.expireProject(ctx, projects[i], c.Before(projects[i]))
		removed += n
	}
	if err == nil {
		err = w.locked(ctx, w.reclaim)
	}
	if err != nil {
		return removed, fmt.Errorf("expire events: %w", err)
	}
	return removed, nil
}

// projects are those that have events.
func (w *Warehouse) projects(ctx context.Context) (projects []string, err error) {
	read := w.read.Load()
	if read == nil {
		return nil, store.ErrClosed
	}
	rows, err := read.QueryContext(ctx, "SELECT DISTINCT project FROM events ORDER BY 1")
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // its error is that of rows.Err
	for rows.Next() {
		var p string
		if err := rows.Scan(&p); err != nil {
			return nil, err
		}
		projects = append(projects, p)
	}
	return projects, rows.Err()
}

// expireProject removes the project's events from before a time, Unix µs.
func (w *Warehouse) expireProject(ctx context.Context, project string, before int64) (removed int64, err error) {
	if before == math.MinInt64 {
		return 0, nil
	}
	of := fmt.Sprintf(" WHERE project = $1 AND least(ts, received) < %d", before)
	for {
		steps, err := w.expireSteps(ctx, project, of)
		if err != nil {
			return removed, err
		}
		for next := steps; len(next) > 0; {
			err := w.locked(ctx, func() error {
				for least := w.expireAtOnce; len(next) > 0 && (least > 0 || w.owed > 0); next = next[1:] {
					gone, err := w.expire(project, fmt.Sprintf("%s AND seq <= %d", of, next[0]))
					if err != nil {
						return err
					}
					removed, least, w.owed = removed+gone, least-w.expireAtOnce, w.owed-gone
				}
				return nil
			})
			if err != nil {
				return removed, err
			}
		}
		if len(steps) < stepsAhead {
			return removed, nil
		}
	}
}

// expireSteps finds the first events that satisfy a condition, for at most stepsAhead transactions: the Seqs up to which each of them goes.
func (w *Warehouse) expireSteps(ctx context.Context, project, of string) (steps []int64, err error) {
	read := w.read.Load()
	if read == nil {
		return nil, store.ErrClosed
	}
	rows, err := read.QueryContext(ctx, fmt.Sprintf("SELECT max(seq) FROM (SELECT seq, row_number() OVER (ORDER BY seq) - 1 AS place FROM (SELECT seq FROM events%s ORDER BY seq LIMIT %d)) GROUP BY place // %d ORDER BY 1",
		of, stepsAhead*w.expireAtOnce, w.expireAtOnce), project)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // its error is that of rows.Err
	for rows.Next() {
		var upto int64
		if err := rows.Scan(&upto); err != nil {
			return nil, err
		}
		steps = append(steps, upto)
	}
	return steps, rows.Err()
}

// expire removes the events of the project $1 that satisfy a condition.
func (w *Warehouse) expire(project, of string) (gone int64, err error) {
	gone, err = w.remove(removal{project: project, where: of, args: []any{project}})
	w.forgotten += gone
	w.removed += gone
	return gone, err
}

// reclaim makes the room of removed rows free to be used again, when they are many: it takes its time.
// Fewer are reclaimed with others, with a checkpoint that comes for another reason, or when there is nothing to insert.
func (w *Warehouse) reclaim() error {
	if w.removed >= reclaimAfter {
		if err := w.checkpointOrCompact(false); err != nil {
			return err
		}
	}
	return w.forgetRemoved()
}

// forgetRemoved makes the filter of seen ids anew when there are many in it that were removed.
func (w *Warehouse) forgetRemoved() error {
	if w.forgotten < forgetAfter {
		return nil
	}
	left, err := w.write.int64s("SELECT count(*) FROM events")
	if err != nil || w.forgotten < left[0]/2 {
		return err
	}
	w.seen = newSeen(w.options.IDMemory)
	if err := w.loadSeen(); err != nil {
		w.lost = true // without its keys an insert would put events in twice
		return err
	}
	w.forgotten = 0
	return nil
}
