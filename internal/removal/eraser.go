package removal

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// eraseWait bounds how long an erasure waits for another one, for jobs and for the indexer.
const eraseWait = 20 * time.Second

// EraserOptions are what an Eraser works on. All but Logger are required.
type EraserOptions struct {
	Log       store.Log
	Mentions  store.Mentions // of the same Log
	Warehouse store.Warehouse
	Indexer   interface {
		// CatchUp waits until everything that is in the Log now is in the Warehouse or in quarantine.
		CatchUp(ctx context.Context) error
		// Forget drops the records at seqs from the quarantine, also from its file.
		Forget(seqs []entity.Seq) error
	}
	Ingest interface {
		// WaitJobs waits until no job of the project is under way.
		WaitJobs(ctx context.Context, project string) error
		// ForgetFailures drops what is kept of the project's failed events.
		ForgetFailures(project string)
	}
	// Aside removes what was put aside of an earlier Warehouse, which nothing else reaches; nil: there is none. While it fails, an
	// erasure has not ended.
	Aside func() error
	// Media removes those of the media that erased events have referred to which no other event of the project refers to; nil: there are none.
	Media interface {
		Erased(ctx context.Context, project string, hashes []string) error
	}
	// Items erases the items of datasets that were made of traces, which store.TraceKey names, and says how many; nil: there are none. It may be asked again.
	Items interface {
		Erase(ctx context.Context, project string, traces []string) (n int, err error)
	}
	// Journal is the file of the erasure that is under way.
	Journal string
	// Local is which of these events are of the Log itself, and their Seqs there, where those of Mentions are others. Default: all are.
	Local func([]entity.Seq) []entity.Seq
	// Others are the nodes that share the Warehouse. Default: there are none.
	Others Others
	// Shared says that what it erases is named by the places of a Warehouse that nodes share, and Foreign says how it names what an erasure has left that was begun when it did not, or
	// the other way round: the node was alone, or shared. Default: it never was another.
	Shared  bool
	Foreign func(ctx context.Context, list []Erasure) ([]Erasure, error)
	// Logger is told when an interrupted erasure was ended. Default: nobody.
	Logger *slog.Logger
}

// Others are nodes that may have accepted what the Warehouse does not have yet.
type Others interface {
	// CatchUp waits until the Warehouse has all that they had accepted. late are those that are away, or take too long.
	CatchUp(ctx context.Context) (late []uint16, err error)
	// Ask has them erase what was asked for, once they are there, before the Warehouse has more of theirs.
	Ask(ctx context.Context, late []uint16, what Asked) error
}

// Asked is what is to be erased of a project: a trace or a user.
type Asked struct{ Project, TraceID, UserID string }

func (a *Asked) finder() *finder {
	if a.UserID != "" {
		return newFinder(a.Project, a.UserID)
	}
	return newFinder(a.Project, "", a.TraceID)
}

// Eraser erases telemetry, one erasure at a time. Its methods may be called concurrently.
type Eraser struct {
	o    EraserOptions
	turn chan struct{} // has room for one: who holds it erases

	mu        sync.Mutex // guards witnesses and what they have seen
	witnesses map[*Witness]bool
}

// NewEraser returns an Eraser. Its Run ends an erasure that was interrupted.
func NewEraser(o EraserOptions) *Eraser {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Local == nil {
		o.Local = slices.Clone[[]entity.Seq]
	}
	return &Eraser{o: o, turn: make(chan struct{}, 1), witnesses: map[*Witness]bool{}}
}

// Erased is what is gone.
type Erased struct {
	TraceIDs     []string // sorted
	Observations int
	Scores       int
	Events       int
}

// Trace erases a trace: its events, those of its observations and scores, and generic
// events that name it. store.ErrNotFound: there is nothing of it; store.ErrUnavailable: not now. ctx
// bounds the wait only: what has begun goes on.
func (e *Eraser) Trace(ctx context.Context, project, id string) (*Erased, error) {
	return e.erase(ctx, Asked{Project: project, TraceID: id})
}

// User erases a user as Trace does a trace: every trace that has to do with them, and
// every other event that names them.
func (e *Eraser) User(ctx context.Context, project, id string) (*Erased, error) {
	return e.erase(ctx, Asked{Project: project, UserID: id})
}

func (e *Eraser) erase(ctx context.Context, what Asked) (*Erased, error) {
	f := what.finder()
	waiting, cancel := context.WithTimeout(ctx, eraseWait)
	defer cancel()
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-waiting.Done():
		return nil, unavailable("wait for another erasure", waiting.Err())
	}
	if err := e.resume(waiting); err != nil {
		return nil, unavailable("end an earlier erasure", err)
	}
	if err := e.o.Ingest.WaitJobs(waiting, f.project); err != nil {
		return nil, unavailable("wait for jobs", err)
	}
	// What the indexer has in hand must not come after its erasure: nothing behind upto goes.
	upto := e.o.Log.Head()
	if err := e.o.Indexer.CatchUp(waiting); err != nil {
		return nil, unavailable("erase", err)
	}
	var late []uint16
	if e.o.Others != nil {
		var err error
		if late, err = e.o.Others.CatchUp(waiting); err != nil {
			return nil, unavailable("wait for other nodes", err)
		}
	}
	ctx = context.WithoutCancel(ctx)
	if len(late) > 0 { // they may have something, whether or not there is something here
		if err := e.o.Others.Ask(ctx, late, what); err != nil {
			return nil, unavailable("ask other nodes", err)
		}
	}
	if err := f.find(ctx, e.o.Mentions, upto); err != nil {
		return nil, err
	}
	if len(f.seqs) == 0 {
		return nil, store.ErrNotFound
	}
	if err := e.begin(ctx, []Erasure{f.erasure()}, 0); err != nil {
		return nil, err
	}
	return f.erased(), nil
}

func unavailable(doing string, err error) error {
	return fmt.Errorf("%w: %s: %w", store.ErrUnavailable, doing, err)
}

// Late is what another node was asked to erase while this one was away, as far as it was received before a time.
type Late struct {
	Asked
	Before time.Time
}

// Again erases here what others were asked to erase while this node was away. What has been read for the Warehouse must not get there afterwards: Indexer.Forget sees to
// that, of all of it before the Warehouse is asked to erase any, for what this node has besides may come there with that.
func (e *Eraser) Again(ctx context.Context, all []Late) error {
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	list, err := e.pending(ctx) // of one that was interrupted
	if err != nil {
		return err
	}
	told := len(list)
	for i := range all {
		f := all[i].finder()
		f.before = all[i].Before
		if err := f.find(ctx, e.o.Mentions, e.o.Log.Head()); err != nil {
			return err
		}
		if len(f.seqs) > 0 {
			list = append(list, f.erasure())
		}
	}
	if len(list) == 0 {
		return nil
	}
	return e.begin(context.WithoutCancel(ctx), list, told)
}

// begin erases what was found. It is written down first: whatever interrupts the
// erasure, it is ended by the next start, or by the next erasure. The first of the list were told before.
func (e *Eraser) begin(ctx context.Context, list []Erasure, told int) error {
	if err := writeJournal(e.o.Journal, list, e.o.Shared); err != nil {
		return unavailable("write the journal of erasures", err)
	}
	for _, what := range list[told:] {
		e.Tell(what)
	}
	return e.finish(ctx, list)
}

// finish erases from the Log, which is the truth, then from what was made of it, items of datasets among that, then the media that its events alone have referred to.
// Each step may be done again.
func (e *Eraser) finish(ctx context.Context, list []Erasure) error {
	for _, what := range list {
		if err := e.o.Log.Erase(ctx, what.Seqs); err != nil {
			return err
		}
		if err := e.o.Indexer.Forget(what.Seqs); err != nil {
			return err
		}
		e.o.Ingest.ForgetFailures(what.Project)
	}
	for _, what := range list {
		if err := e.o.Warehouse.Erase(ctx, what.Project, what.Seqs); err != nil {
			return err
		}
	}
	if err := e.eraseItems(ctx, list); err != nil {
		return err
	}
	for _, what := range list {
		if e.o.Media == nil || len(what.Media) == 0 {
			continue
		}
		if err := e.o.Media.Erased(ctx, what.Project, what.Media); err != nil {
			return err
		}
	}
	if e.o.Aside != nil {
		if err := e.o.Aside(); err != nil {
			return err
		}
	}
	return RemoveJournal(e.o.Journal)
}

func (e *Eraser) eraseItems(ctx context.Context, list []Erasure) error {
	for _, what := range list {
		if e.o.Items == nil || len(what.Traces) == 0 {
			continue
		}
		n, err := e.o.Items.Erase(ctx, what.Project, what.Traces)
		if n > 0 {
			e.o.Logger.Info("items of datasets were erased with their traces", "project", what.Project, "items", n)
		}
		if err != nil {
			return unavailable("erase items of datasets", err)
		}
	}
	return nil
}

// Run ends an erasure that was interrupted, and returns. One that cannot be ended now is
// tried again by the next erasure.
func (e *Eraser) Run(ctx context.Context) error {
	err := e.Resume(ctx)
	if err != nil && ctx.Err() == nil {
		e.o.Logger.Error("an interrupted erasure was not ended; the next DELETE or the next start tries again", "error", err)
	}
	return nil
}

// Resume is Run for those who want to know.
func (e *Eraser) Resume(ctx context.Context) error {
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
		return e.resume(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pending is what an erasure that was interrupted has left.
func (e *Eraser) pending(ctx context.Context) ([]Erasure, error) {
	list, shared, err := readJournal(e.o.Journal)
	if err == nil && len(list) > 0 && shared != e.o.Shared && e.o.Foreign != nil {
		list, err = e.o.Foreign(ctx, list)
	}
	return list, err
}

// resume ends an erasure that was interrupted. The caller holds the turn.
func (e *Eraser) resume(ctx context.Context) error {
	list, err := e.pending(ctx)
	if err != nil || len(list) == 0 {
		return err
	}
	// Records that the indexer has in hand must not come after their erasure.
	if err := e.o.Indexer.CatchUp(ctx); err != nil {
		return err
	}
	if err := e.finish(context.WithoutCancel(ctx), list); err != nil {
		return err
	}
	for _, what := range list {
		e.o.Logger.Info("an interrupted erasure was ended", "project", what.Project, "events", len(what.Seqs))
	}
	return nil
}
