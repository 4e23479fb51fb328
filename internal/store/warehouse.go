package store

import (
	"context"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Warehouse is the queryable view of the Log. It may lag, stop, or be rebuilt;
// nothing is lost by that.
type Warehouse interface {
	// Insert takes the records, of which it reads Row and not Fields, and what the Log has up to upto. Every question
	// that begins afterwards knows them, but for one that comes while they cannot be written: then Flush and the next Insert say why. It is idempotent by (project, event id, Fields.Content): of a replayed or re-accepted
	// event the row with the lowest Seq counts; the id with other content is another event. A *PoisonError names the records that can never be inserted;
	// then nothing was inserted.
	Insert(ctx context.Context, recs []entity.Record, upto entity.Seq) error
	// Flush writes what was inserted. What Insert takes may be in memory only until then: a crash leaves what Cursor says, and what
	// follows is to be inserted again.
	Flush(ctx context.Context) error
	// Cursor is the position up to which everything has been written. It waits for nothing.
	Cursor(ctx context.Context) (entity.Seq, error)

	// Lists answer with the rows of a page, and with the place of the last when there are more.
	Traces(ctx context.Context, project string, p *Plan) ([]wire.TraceSummary, *Place, error)
	// Observations has a row for each (trace, id); rows of one place in the sort are in the
	// order of (id, trace id). A score is of the observation that it names in the trace
	// that it names, and without a trace of the newest (ObservationRow.Newest).
	Observations(ctx context.Context, project string, p *Plan) ([]wire.Observation, *Place, error)
	Scores(ctx context.Context, project string, p *Plan) ([]wire.Score, *Place, error)
	// Totals has a row for each session, user or environment. The filter says what traces count, but
	// for HasError, which says what sessions and users are wanted. Of environments it has From and To
	// only: From ≤ start_time < To (a score: its timestamp).
	Totals(ctx context.Context, project string, by Totaled, p *Plan) ([]Total, *Place, error)
	// Stats answers with up to Limit+1 rows in the order of the groups, NULL first: a value for each
	// group, then one for each metric.
	Stats(ctx context.Context, project string, p *StatsPlan) ([][]any, error)
	// Events returns the Seqs of the events that of means, in order, by what they are events of.
	Events(ctx context.Context, project string, of EventRef) (map[string][]entity.Seq, error)
	// Twins returns which observation is kept in the place of another, by the other, where either is one of
	// the trace or has one of the ids that of names.
	Twins(ctx context.Context, project string, of EventRef) (entity.Twins, error)

	// Erase removes the rows of these events of the project, and what was kept of them
	// elsewhere; entities are as if the events had never come. The cursor stays. Seqs
	// without a row, or of another project, are passed over. When it returns without an
	// error, their bytes are free to be written over.
	Erase(ctx context.Context, project string, seqs []entity.Seq) error

	// Expire removes the rows of all events that have expired, and says how many; entities are
	// as if those events had never come. It works in steps, between which Insert gets its turn.
	Expire(ctx context.Context, c Cutoffs) (removed int64, err error)

	// Reprice gives calls the costs that r.By says, and what is added up from them follows: in one step, so that a question knows
	// all of them as before, or all as after. It says what became of them; repeated, it changes nothing. What is inserted later is priced by
	// the Pricer of the Warehouse, which Done has told.
	Reprice(ctx context.Context, r *Repricing) (Tally, error)

	Close() error
}

// PoisonError reports records that a Warehouse can never take. The indexer
// moves them to its quarantine and goes on with the others.
type PoisonError struct {
	Seqs []entity.Seq
	Err  error
}

func (e *PoisonError) Error() string {
	return fmt.Sprintf("%d records cannot be inserted, first seq %d: %v", len(e.Seqs), e.Seqs[0], e.Err)
}

func (e *PoisonError) Unwrap() error { return e.Err }
