package duckstore

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// folds are entities folded anew: of the events that their rows name, and of those that a row should name.
type folds struct {
	of   map[string]*entity.Fold
	skip map[string]bool // what cannot be compared, because events of it are on their way out
}

// folds folds the entities of a kind whose ids a condition finds, with its parameters from $2 on.
func (f *folder) folds(kind entity.Kind, of func(column string) string, args ...any) (*folds, error) {
	args = append([]any{f.project}, args...)
	claimed, err := f.claims(kind, of, args)
	if err != nil {
		return nil, err
	}
	made := &folds{map[string]*entity.Fold{}, map[string]bool{}}
	err = f.events(fmt.Sprintf("project = $1 AND kind = %d AND %s", kind, of("entity_id")), args, func(rec *entity.Record) {
		id := rec.Fields.EntityID
		seq := int64(rec.Seq)
		if !claimed[id][seq] && f.Passed != nil && f.Passed(EventOf(rec, rec.Fields.Content)) {
			return
		}
		delete(claimed[id], seq)
		if made.of[id] == nil {
			made.of[id] = &entity.Fold{}
		}
		made.of[id].Add(rec, rec.Fields)
	})
	if err != nil {
		return nil, err
	}
	return made, f.unknown(kind, claimed, made)
}

// claims are the Seqs that the rows of entities say they were folded from.
func (f *folder) claims(kind entity.Kind, of func(string) string, args []any) (map[string]map[int64]bool, error) {
	claimed := map[string]map[int64]bool{}
	statement := fmt.Sprintf("SELECT id, first_seq, last_seq, seqs FROM %s WHERE project = $1 AND %s", tableOf(kind), of("id"))
	err := f.native.scan(statement, args, func(b block) {
		listed := b.valid(3)
		for i := range b.rows {
			id := b.text(0, i)
			if claimed[id] == nil {
				claimed[id] = map[int64]bool{}
			}
			switch {
			case listed.has(i):
				for _, seq := range b.numbers(3, i) {
					claimed[id][seq] = true
				}
			case kind != entity.TraceKind:
				claimed[id][b.number(1, i)], claimed[id][b.number(2, i)] = true, true
			}
		}
	})
	return claimed, err
}

// unknown looks at the claims that are left: of events that are not in the Log, or not of that entity.
func (f *folder) unknown(kind entity.Kind, claimed map[string]map[int64]bool, made *folds) error {
	var left []int64
	for _, seqs := range claimed {
		for seq := range seqs {
			left = append(left, seq)
		}
	}
	if len(left) == 0 {
		return nil
	}
	at := map[int64]int64{}
	err := f.native.scan("SELECT seq, least(ts, received) FROM events WHERE project = $1 AND seq IN (SELECT unnest($2::BIGINT[]))", []any{f.project, left}, func(b block) {
		for i := range b.rows {
			at[b.number(0, i)] = b.number(1, i)
		}
	})
	for id, seqs := range claimed {
		for seq := range seqs {
			row := Row{Project: f.project, Seq: entity.Seq(seq), At: math.MaxInt64}
			if t, ok := at[seq]; ok {
				row.At = t
			}
			switch {
			case f.Gone != nil && f.Gone(row):
				made.skip[id] = true
			case made.of[id] != nil && !made.skip[id]:
				made.skip[id] = true
				f.say(kind, id, fmt.Sprintf("was folded from Seq %d, which is no event of it in the log", seq))
			}
		}
	}
	return err
}

// stored is a row as its table should have it.
type stored[R any] struct {
	at   span
	seqs []int64 // nil is NULL
	hash sql.NullInt64
	row  *R
	// ahead is what the row may be instead; nil: nothing else.
	ahead *R
}

// storedOf is a row of these events, in any order. seqs is as that of observations and scores.
func storedOf[R any](seqs []entity.Seq, row *R) *stored[R] {
	s := &stored[R]{row: row}
	if len(seqs) == 0 {
		return s
	}
	all := rising(nil, seqs)
	s.at, s.seqs = span{all[0], all[len(all)-1]}, listed(all)
	return s
}

// seqsOf are the Seqs of what a fold reads.
func seqsOf(fold *entity.Fold) []entity.Seq {
	if fold == nil {
		return nil
	}
	var seqs []entity.Seq
	for _, rec := range fold.Facts() {
		seqs = append(seqs, rec.Seq)
	}
	return seqs
}

// compare finds the rows of a window that differ from want, are too many, or are missing.
func compare[R any](ctx context.Context, f *folder, kind entity.Kind, t *entityTable[R], in window, folds *folds, want map[[2]string]*stored[R], of func(*R) [2]string, but ...string) error {
	err := eachStored(ctx, f, t, in.of("id"), []any{in.first, in.end}, func(row *stored[R]) {
		f.compared++
		key := of(row.row)
		fresh := want[key]
		delete(want, key)
		switch {
		case folds.skip[key[0]]:
		case fresh == nil:
			f.say(kind, key[0], "has a row and no event")
		case fresh.at != row.at:
			f.say(kind, key[0], "first_seq or last_seq is not that of its events")
		case !slices.Equal(fresh.seqs, row.seqs):
			f.say(kind, key[0], "seqs are not those of its events")
		case row.hash != t.hashOf(row.row):
			f.say(kind, key[0], "trace_hash is not that of its trace")
		default:
			column := t.differ(row.row, fresh.row, but)
			if column != "" && fresh.ahead != nil && t.differ(row.row, fresh.ahead, but) == "" {
				column = ""
			}
			if column != "" {
				f.say(kind, key[0], column+" is not the fold of its events")
			}
		}
	})
	for key := range want {
		if !folds.skip[key[0]] {
			f.compared++
			f.say(kind, key[0], "has no row")
		}
	}
	return err
}

// eachStored hands out the rows of a table that a condition finds, with its parameters from $2 on.
func eachStored[R any](ctx context.Context, f *folder, t *entityTable[R], condition string, args []any, each func(*stored[R])) error {
	rows, err := f.conn.QueryContext(ctx, "SELECT first_seq, last_seq, seqs, trace_hash, "+t.list()+" FROM "+t.name+" WHERE project = $1 AND "+condition, append([]any{f.project}, args...)...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // only read
	for rows.Next() {
		s := &stored[R]{row: new(R)}
		if err := rows.Scan(append([]any{&s.at.first, &s.at.last, seqScanner{&s.seqs}, &s.hash}, t.targets(s.row)...)...); err != nil {
			return err
		}
		each(s)
	}
	return rows.Err()
}

// seqScanner reads a BIGINT[]; NULL is nil.
type seqScanner struct{ seqs *[]int64 }

var _ sql.Scanner = seqScanner{}

func (s seqScanner) Scan(v any) error {
	*s.seqs = nil
	list, ok := v.([]any)
	if v != nil && !ok {
		return fmt.Errorf("a %T is no list of Seqs", v)
	}
	for _, e := range list {
		seq, ok := e.(int64)
		if !ok {
			return fmt.Errorf("a %T is no Seq", e)
		}
		*s.seqs = append(*s.seqs, seq)
	}
	return nil
}
