package verify

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/store/duckstore"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
)

// warehouseCheck compares the rows of the warehouse with the events of the log, both by Seq.
type warehouseCheck struct {
	*verifier
	has  *duckstore.Checker
	next func() (duckstore.Row, error, bool)
	stop func()
	row  duckstore.Row // at hand
	any  bool          // there is one at hand

	first          entity.Seq // of the log; 0 before its first event
	rows           int
	missing        []duckstore.Event // events without a row, a few at a time
	erased         map[string]bool   // project, NUL, event id
	hidden         int               // events with the id of an erased one, and without a row
	lacking        []duckstore.Event
	extra          []duckstore.Row
	before, behind int // rows from before, and behind, all of the log
	between        []duckstore.Row
	part           *Part
}

func (w *warehouseCheck) open(temp string) {
	w.part = newPart(datadir.PartWarehouse)
	o := duckstore.Options{MemoryLimit: w.WarehouseMemory, Threads: w.WarehouseThreads}
	if w.prices != nil {
		o.Prices, o.Ahead = w.prices, w.prices.Ahead()
	}
	k, err := duckstore.OpenReadOnly(w.ctx, w.path(datadir.WarehouseFile), temp, o)
	switch {
	case errors.Is(err, os.ErrNotExist):
		w.part.Detail = "is not there"
		w.part.note("the next start builds it from the log")
	case errors.Is(err, duckstore.ErrNewer):
		w.part.unchecked("%v", err)
	case errors.Is(err, duckstore.ErrOlder):
		w.part.Detail = "has the layout of an earlier release"
		w.part.note("the next start builds it anew from the log")
	case err != nil:
		w.part.problem(datadir.WarehouseFile, remedyStore, "cannot be opened: %v", err)
	default:
		if w.prices == nil && w.priced.State == Whole {
			w.priced.problem(datadir.PricesDir, remedyPrices, "is missing, and the warehouse has costs by it")
		}
		w.has = k
		w.next, w.stop = iter.Pull2(w.all())
	}
}

// all is the rows in the order of Seq.
func (w *warehouseCheck) all() iter.Seq2[duckstore.Row, error] {
	return func(yield func(duckstore.Row, error) bool) {
		err := w.has.Rows(w.ctx, func(r duckstore.Row) error {
			if !yield(r, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(duckstore.Row{}, err)
		}
	}
}

// errEnough ends a walk that nobody wants to go on.
var errEnough = errors.New("enough")

func (w *warehouseCheck) close() {
	if w.has != nil {
		w.stop()
		_ = w.has.Close() // it was only read
	}
}

// take makes the next row the one at hand.
func (w *warehouseCheck) take() {
	var err error
	if w.row, err, w.any = w.next(); err != nil {
		w.part.problem(datadir.WarehouseFile, remedyStore, "cannot be read: %v", err)
		w.any = false
	}
	if w.any {
		w.rows++
	}
}

// record is told of every event of the log, by Seq.
func (w *warehouseCheck) record(r *entity.Record) error {
	if w.first == 0 {
		w.first = r.Seq
		w.take()
	}
	for w.any && w.row.Seq < r.Seq {
		w.surplus(w.row)
		w.take()
	}
	e := duckstore.EventOf(r, extract.ContentOf(&r.Event))
	switch {
	case w.any && w.row.Seq == r.Seq:
		if w.row != e.Row {
			w.surplus(w.row)
			w.miss(e)
		}
		w.take()
	case r.Seq <= w.has.Cursor():
		w.miss(e)
	}
	if err := w.add(r); err != nil {
		return err
	}
	const most = 10_000
	if len(w.missing) >= most {
		return w.lookUp()
	}
	return nil
}

// add notes an event that the warehouse should have, for its folds.
func (w *warehouseCheck) add(r *entity.Record) error {
	if r.Seq > w.has.Cursor() {
		return nil
	}
	with := *r
	if with.Fields, _ = extract.Of(r); with.Fields == nil {
		return nil // it is poison
	}
	return w.has.Add(&with)
}

// erase remembers an erased event. The same one accepted again while the erasure ran has no row: it was
// no news when it came, and the erasure took only what was there when it began.
func (w *warehouseCheck) erase(project, eventID string) {
	if w.erased == nil {
		w.erased = map[string]bool{}
	}
	w.erased[project+"\x00"+eventID] = true
}

// surplus is a row that the log has no event for.
func (w *warehouseCheck) surplus(r duckstore.Row) {
	if w.erasing[r.Seq] || w.hasExpired(r) {
		return
	}
	if len(w.between) < 100_000 {
		w.between = append(w.between, r)
	}
}

func (w *warehouseCheck) miss(e duckstore.Event) {
	if !w.passed(e) {
		w.missing = append(w.missing, e)
	}
}

// passed: an event that need not be in the warehouse.
func (w *warehouseCheck) passed(e duckstore.Event) bool {
	_, quarantined := w.quarantined[uint64(e.Seq)]
	return quarantined || w.erasing[e.Seq] || w.hasExpired(e.Row)
}

// leeway is what rows and log may differ in.
func (w *warehouseCheck) leeway() duckstore.Leeway {
	return duckstore.Leeway{
		Passed: func(e duckstore.Event) bool { return w.passed(e) || w.isHidden(e) },
		Gone:   func(r duckstore.Row) bool { return w.erasing[r.Seq] || w.hasExpired(r) },
	}
}

func (w *warehouseCheck) isHidden(e duckstore.Event) bool {
	return w.erased[e.Project+"\x00"+e.EventID]
}

// hasExpired: retention takes the row and the payload, one after the other.
func (w *warehouseCheck) hasExpired(r duckstore.Row) bool { return r.At < w.expired.Of(r.Project) }

// lookUp leaves out what has a row of its first acceptance.
func (w *warehouseCheck) lookUp() error {
	if w.part.State != Whole { // what cannot be read lacks nothing that can be named
		w.missing = w.missing[:0]
		return nil
	}
	none, err := w.has.Without(w.ctx, w.missing)
	w.missing = w.missing[:0]
	if duckstore.Corrupt(err) {
		w.part.problem(datadir.WarehouseFile, remedyStore, "cannot be read: %v", err)
		return nil
	}
	if err != nil {
		return err
	}
	none = slices.DeleteFunc(none, func(e duckstore.Event) bool {
		hidden := w.isHidden(e)
		if hidden {
			w.hidden++
		}
		return hidden
	})
	w.lacking = append(w.lacking, none[:min(len(none), maxProblems)]...)
	return nil
}

// rest takes the rows behind the last event of the log.
func (w *warehouseCheck) rest() error {
	if w.has == nil {
		return nil
	}
	if w.first == 0 {
		w.take()
	}
	for w.any {
		w.surplus(w.row)
		w.take()
	}
	return w.lookUp()
}

// locate says of the surplus rows where they would be in the log.
func (w *warehouseCheck) locate(report *segmentlog.CheckReport) {
	for _, r := range w.between {
		switch {
		case r.Seq < report.First:
			w.before++
		case r.Seq > report.Last:
			w.behind++
		case !w.gone(report, r.Seq):
			w.extra = append(w.extra, r)
		}
	}
}

// conclude adds the part.
func (w *warehouseCheck) conclude(report *segmentlog.CheckReport) error {
	defer func() { w.parts = append(w.parts, w.part) }()
	if w.has == nil || w.part.State != Whole {
		return nil
	}
	if w.segments.State != Whole {
		w.part.unchecked("was not compared: mend the log first")
		return nil
	}
	if w.prices == nil {
		w.part.note("was not compared: by which prices is not known")
		return nil
	}
	compared, wrong, err := w.has.Folds(w.ctx, w.leeway(), maxProblems)
	if err != nil {
		w.part.problem(datadir.WarehouseFile, remedyStore, "cannot be read: %v", err)
		return nil
	}
	for _, f := range wrong {
		w.part.problem(datadir.WarehouseFile, remedyStore, "%s %q of project %q: %s", kindName(f.Kind), f.ID, f.Project, f.What)
	}
	if n, err := w.has.Duplicates(w.ctx); err != nil || n > 0 {
		w.part.problem(datadir.WarehouseFile, remedyStore, "%d events have more than one row (%v)", n, err)
	}
	w.part.Detail = fmt.Sprintf("%d events up to Seq %d, %d folds compared", w.rows, w.has.Cursor(), compared)
	for _, r := range w.lacking {
		w.part.problem(datadir.WarehouseFile, remedyStore, "the event %q of project %q, Seq %d, is in the log and neither here nor in quarantine", r.EventID, r.Project, r.Seq)
	}
	for _, r := range w.extra {
		w.part.problem(datadir.WarehouseFile, remedyStore, "an event of project %q, Seq %d, is here and not in the log", r.Project, r.Seq)
	}
	if w.hidden > 0 {
		w.part.note("%d events came again while they were erased; they are shown when the warehouse is built again", w.hidden)
	}
	switch cursor := w.has.Cursor(); {
	case cursor < report.Last:
		w.part.note("it is %d Seqs behind the log; the next start inserts them", report.Last-cursor)
	case cursor > report.Last:
		w.part.note("its cursor is at Seq %d and the log ends at %d, with no event between; the next start sets it back", cursor, report.Last)
	}
	return nil
}

func kindName(k entity.Kind) string {
	switch k {
	case entity.TraceKind:
		return "trace"
	case entity.ObservationKind:
		return "observation"
	}
	return "score"
}
