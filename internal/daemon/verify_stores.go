package daemon

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/duckstore"
	"github.com/brokle-ai/brokle-go/internal/store/idindex"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
)

// stores verifies the log, and what is derived from it against it, in one pass over the log.
func (v *verifier) stores() (err error) {
	temp, err := os.MkdirTemp("", "brokle-verify-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	x := &indexCheck{verifier: v, now: time.Now()}
	defer x.close()
	if err := x.open(temp); err != nil {
		return err
	}
	w := &warehouseCheck{verifier: v}
	defer w.close()
	w.open(temp)
	report, err := v.log(func(o *segmentlog.CheckOptions) {
		o.Now = func() time.Time { return x.now }
		if x.has != nil {
			o.Index, o.IndexUpto = x.want, x.has.Cursor()
		}
		if w.has != nil {
			o.Each, o.Erased = w.record, w.erase
		}
	})
	if err != nil || report == nil {
		return err
	}
	if err := w.rest(); err != nil {
		return err
	}
	w.place(report)
	if err := x.compare(report); err != nil {
		return err
	}
	v.lost(report, x, w)
	x.conclude()
	return w.conclude(report)
}

// lost finds what the index or the warehouse have seen and the log has no longer.
func (v *verifier) lost(report *segmentlog.CheckReport, x *indexCheck, w *warehouseCheck) {
	p := v.named(partSegments)
	if n := w.before; n > 0 {
		p.problem(logDir, remedyLog, "the warehouse has %d events from before Seq %d, with which the first file begins: files before it are missing", n, report.First)
	}
	for _, g := range report.Gaps {
		n := w.inGap[g] + x.inGap[g]
		if n == 0 {
			p.note("no file has Seq %d to %d, before log/%s; nothing else speaks of events there: they were passed over after a crash", g.First, g.Last, g.Before)
			continue
		}
		p.problem(logDir, remedyLog, "a file with Seq %d to %d is missing before log/%s: index and warehouse know events there", g.First, g.Last, g.Before)
	}
	if x.has != nil && x.has.Cursor() > report.Last {
		p.problem(logDir, remedyLog, "the log ends at Seq %d and the id index has seen Seq %d: the end of the log is lost", report.Last, x.has.Cursor())
	} else if w.behind > 0 {
		p.problem(logDir, remedyLog, "the log ends at Seq %d and the warehouse has %d events behind it: the end of the log is lost", report.Last, w.behind)
	}
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

// indexCheck compares the id index with one that is made anew of the log.
type indexCheck struct {
	*verifier
	now         time.Time
	has, want   *idindex.Index
	differences []idindex.Difference
	more        int
	inGap       map[segmentlog.Gap]int
	part        VerifiedPart
}

func (x *indexCheck) open(temp string) (err error) {
	x.part = VerifiedPart{Name: partIndex, State: PartWhole, Problems: []Problem{}, Notes: []string{}}
	x.inGap = map[segmentlog.Gap]int{}
	now := func() time.Time { return x.now }
	x.has, err = idindex.OpenReadOnly(filepath.Join(x.dir, logDir, partIndex), idindex.Options{Now: now, CacheBytes: int64(x.cfg.IndexCache)})
	switch {
	case errors.Is(err, os.ErrNotExist):
		x.part.Detail = "is not there"
		x.part.note("the next start makes it")
		return nil
	case errors.Is(err, idindex.ErrNewer):
		x.part.unchecked("%v", err)
		return nil
	case err != nil:
		x.part.problem(logDir+"/"+partIndex, remedyIndex, "cannot be opened: %v", err)
		return nil
	}
	x.want, err = idindex.Open(filepath.Join(temp, partIndex), idindex.Options{Now: now, CacheBytes: int64(x.cfg.IndexCache)})
	return err
}

func (x *indexCheck) close() {
	for _, i := range []*idindex.Index{x.has, x.want} {
		if i != nil {
			_ = i.Close() // one was only read, the other is thrown away
		}
	}
}

func (x *indexCheck) compare(report *segmentlog.CheckReport) error {
	if x.has == nil || x.has.Cursor() > report.Last {
		return nil
	}
	err := x.has.Compare(x.want, report.First, x.now, func(d idindex.Difference) bool {
		for _, g := range report.Gaps {
			if g.First <= d.Seq && d.Seq <= g.Last {
				x.inGap[g]++
				return true
			}
		}
		if len(x.differences) < maxProblems {
			x.differences = append(x.differences, d)
		} else {
			x.more++
		}
		return true
	})
	if err != nil {
		x.part.problem(logDir+"/"+partIndex, remedyIndex, "cannot be read: %v", err)
		return nil
	}
	x.part.Detail = fmt.Sprintf("up to Seq %d, %d ids", x.has.Cursor(), x.has.Stats().Entries)
	if behind := report.Last - x.has.Cursor(); behind > 0 {
		x.part.note("it is %d Seqs behind the log; the next start applies them", behind)
	}
	return nil
}

// conclude adds the part. A damaged log has no index to be compared with.
func (x *indexCheck) conclude() {
	defer func() { x.out.Parts = append(x.out.Parts, x.part) }()
	if x.has == nil || x.part.State != PartWhole {
		return
	}
	if x.named(partSegments).State != PartWhole {
		x.part.unchecked("was not compared: mend the log first")
		return
	}
	for _, d := range x.differences {
		x.part.problem(logDir+"/"+partIndex, remedyIndex, "the %s %q of project %q %s", d.Entry, d.ID, d.Project, d.What)
	}
	if x.more > 0 {
		x.part.Detail += fmt.Sprintf("; %d more differences", x.more)
	}
}

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
	missing        []duckstore.Row // events without a row, a few at a time
	erased         map[string]bool // project, NUL, event id
	hidden         int             // events with the id of an erased one, and without a row
	lacking, extra []duckstore.Row
	lacks, extras  int
	before, behind int // rows from before, and behind, all of the log
	between        []duckstore.Row
	inGap          map[segmentlog.Gap]int
	part           VerifiedPart
}

func (w *warehouseCheck) open(temp string) {
	w.part = VerifiedPart{Name: partWarehouse, State: PartWhole, Problems: []Problem{}, Notes: []string{}}
	w.inGap = map[segmentlog.Gap]int{}
	k, err := duckstore.OpenReadOnly(w.ctx, filepath.Join(w.dir, warehouseFile), temp,
		duckstore.Options{MemoryLimit: int64(w.cfg.WarehouseMemory), Threads: w.cfg.WarehouseThreads})
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
		w.part.problem(warehouseFile, remedyStore, "cannot be opened: %v", err)
	default:
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
func (w *warehouseCheck) take() error {
	r, err, ok := w.next()
	if err != nil {
		w.part.problem(warehouseFile, remedyStore, "cannot be read: %v", err)
		w.any = false
		return nil
	}
	w.row, w.any = r, ok
	if ok {
		w.rows++
	}
	return nil
}

// record is told of every event of the log, by Seq.
func (w *warehouseCheck) record(r *entity.Record) error {
	if w.first == 0 {
		w.first = r.Seq
		if err := w.take(); err != nil {
			return err
		}
	}
	for w.any && w.row.Seq < r.Seq {
		w.surplus(w.row)
		if err := w.take(); err != nil {
			return err
		}
	}
	id := duckstore.Row{
		Project: r.Project, Seq: r.Seq, EventID: r.Event.ID, Content: extract.ContentOf(&r.Event),
		At: store.EventTime(r.Event.Timestamp.UnixMicro(), r.ReceivedAt.UnixMicro()),
	}
	switch {
	case w.any && w.row.Seq == r.Seq:
		if w.row != id {
			w.surplus(w.row)
			w.miss(id)
		}
		return w.take()
	case r.Seq <= w.has.Cursor():
		w.miss(id)
	}
	const most = 10_000
	if len(w.missing) >= most {
		return w.lookUp()
	}
	return nil
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
	w.extras++
	if len(w.between) < 100_000 {
		w.between = append(w.between, r)
	}
}

func (w *warehouseCheck) miss(r duckstore.Row) {
	if _, ok := w.quarantined[uint64(r.Seq)]; !ok && !w.erasing[r.Seq] && !w.hasExpired(r) {
		w.missing = append(w.missing, r)
	}
}

// hasExpired: retention takes the row and the payload, one after the other.
func (w *warehouseCheck) hasExpired(r duckstore.Row) bool { return r.At < w.expired.Of(r.Project) }

// lookUp leaves out what has a row of its first acceptance.
func (w *warehouseCheck) lookUp() error {
	none, err := w.has.Without(w.ctx, w.missing)
	w.missing = w.missing[:0]
	if err != nil {
		return err
	}
	none = slices.DeleteFunc(none, func(r duckstore.Row) bool {
		hidden := w.erased[r.Project+"\x00"+r.EventID]
		if hidden {
			w.hidden++
		}
		return hidden
	})
	w.lacks += len(none)
	w.lacking = append(w.lacking, none[:min(len(none), maxProblems)]...)
	return nil
}

// rest takes the rows behind the last event of the log.
func (w *warehouseCheck) rest() error {
	if w.has == nil {
		return nil
	}
	if w.first == 0 {
		if err := w.take(); err != nil {
			return err
		}
	}
	for w.any {
		w.surplus(w.row)
		if err := w.take(); err != nil {
			return err
		}
	}
	return w.lookUp()
}

// place says of the surplus rows where they would be in the log.
func (w *warehouseCheck) place(report *segmentlog.CheckReport) {
rows:
	for _, r := range w.between {
		switch {
		case r.Seq < report.First:
			w.before++
			continue
		case r.Seq > report.Last:
			w.behind++
			continue
		}
		for _, g := range report.Gaps {
			if g.First <= r.Seq && r.Seq <= g.Last {
				w.inGap[g]++
				continue rows
			}
		}
		w.extra = append(w.extra, r)
	}
}

// conclude adds the part.
func (w *warehouseCheck) conclude(report *segmentlog.CheckReport) error {
	defer func() { w.out.Parts = append(w.out.Parts, w.part) }()
	if w.has == nil || w.part.State != PartWhole {
		return nil
	}
	compared, wrong, err := w.has.Folds(w.ctx, maxProblems)
	if err != nil {
		w.part.problem(warehouseFile, remedyStore, "cannot be read: %v", err)
		return nil
	}
	for _, f := range wrong {
		w.part.problem(warehouseFile, remedyStore, "%s %q of project %q: %s", kindName(f.Kind), f.ID, f.Project, f.What)
	}
	if n, err := w.has.Duplicates(w.ctx); err != nil || n > 0 {
		w.part.problem(warehouseFile, remedyStore, "%d events have more than one row (%v)", n, err)
	}
	w.part.Detail = fmt.Sprintf("%d events up to Seq %d, %d folds compared", w.rows, w.has.Cursor(), compared)
	if w.named(partSegments).State != PartWhole {
		if w.part.State == PartWhole {
			w.part.unchecked("the folds are right; the rows were not compared: mend the log first")
		}
		return nil
	}
	for _, r := range w.lacking {
		w.part.problem(warehouseFile, remedyStore, "the event %q of project %q, Seq %d, is in the log and neither here nor in quarantine", r.EventID, r.Project, r.Seq)
	}
	for _, r := range w.extra {
		w.part.problem(warehouseFile, remedyStore, "the event %q of project %q, Seq %d, is here and not in the log", r.EventID, r.Project, r.Seq)
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
