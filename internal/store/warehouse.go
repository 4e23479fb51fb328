package store

import (
	"context"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Warehouse is the queryable view of the Log. It may lag, stop, or be rebuilt;
// nothing is lost by that.
type Warehouse interface {
	// Insert adds the records and moves the cursor to upto, in one transaction.
	// It is idempotent by (project, event id, Fields.Content): of a replayed or re-accepted
	// event the row with the lowest Seq counts; the id with other content is another event. A *PoisonError names the records that can never be inserted;
	// then nothing was inserted.
	Insert(ctx context.Context, recs []entity.Record, upto entity.Seq) error
	// Cursor is the position up to which everything has been inserted.
	Cursor(ctx context.Context) (entity.Seq, error)

	Traces(ctx context.Context, project string, q TraceQuery) (*TracePage, error)
	// TraceEvents returns the Seqs of all events that fold into the trace: its own,
	// those of its observations and of its scores. Of an observation whose id other traces
	// have too, they are ObservationRow.Seqs of this trace. ErrNotFound when there is no such trace.
	TraceEvents(ctx context.Context, project, traceID string) ([]entity.Seq, error)
	// Observations has a row for each (trace, id); rows of one place in the sort are in the
	// order of (id, trace id). A score is of the observation that it names in the trace
	// that it names, and without a trace of the newest (ObservationRow.Newest).
	Observations(ctx context.Context, project string, q ObservationQuery) (*ObservationPage, error)
	Scores(ctx context.Context, project string, q ScoreQuery) (*ScorePage, error)
	Sessions(ctx context.Context, project string, q SessionQuery) (*SessionPage, error)
	Users(ctx context.Context, project string, q UserQuery) (*UserPage, error)
	Environments(ctx context.Context, project string, q EnvironmentQuery) (*EnvironmentPage, error)
	// EntityEvents returns, by entity of the kind, the Seqs of its own events, in order:
	// of a trace without those of its observations and scores, of an observation id those of
	// all traces. Those that have none are not in it.
	EntityEvents(ctx context.Context, project string, kind entity.Kind, ids []string) (map[string][]entity.Seq, error)
	Stats(ctx context.Context, project string, q StatsQuery) (*StatsPage, error)
	// EventSeqs finds the stored events of that id, in order: several when the id was
	// accepted again with other content. ErrNotFound when there is none.
	EventSeqs(ctx context.Context, project, eventID string) ([]entity.Seq, error)
	// UserEvents returns the ids, in order, of the traces that have to do with a user: the
	// fold or any event of the trace or of one of its observations names that user. Empty
	// when there are none.
	UserEvents(ctx context.Context, project, userID string) (traceIDs []string, err error)

	// Erase removes the rows of these events of the project, and what was kept of them
	// elsewhere; entities are as if the events had never come. The cursor stays. Seqs
	// without a row, or of another project, are passed over. When it returns without an
	// error, their bytes are free to be written over.
	Erase(ctx context.Context, project string, seqs []entity.Seq) error

	// Expire removes the rows of all events that have expired, and says how many; entities are
	// as if those events had never come. It works in steps, between which Insert gets its turn.
	Expire(ctx context.Context, c Cutoffs) (removed int64, err error)

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
