package verify

import (
	"errors"
	"os"
	"time"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/entity"
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
	w.locate(report)
	if err := x.compare(report); err != nil {
		return err
	}
	v.lost(report, x, w)
	x.conclude()
	return w.conclude(report)
}

// gone says whether a Seq is in a gap of the log, and counts it there.
func (v *verifier) gone(report *segmentlog.CheckReport, seq entity.Seq) bool {
	for _, g := range report.Gaps {
		if g.First <= seq && seq <= g.Last {
			v.inGap[g]++
			return true
		}
	}
	return false
}

// lost finds what the index or the warehouse have seen and the log has no longer.
func (v *verifier) lost(report *segmentlog.CheckReport, x *indexCheck, w *warehouseCheck) {
	p := v.segments
	if n := w.before; n > 0 {
		p.problem(datadir.LogDir, remedyLog, "the warehouse has %d events from before Seq %d, with which the first file begins: files before it are missing", n, report.First)
	}
	for _, g := range report.Gaps {
		n := v.inGap[g]
		if n == 0 {
			p.note("no file has Seq %d to %d, before log/%s; nothing else speaks of events there: they were passed over after a crash", g.First, g.Last, g.Before)
			continue
		}
		p.problem(datadir.LogDir, remedyLog, "a file with Seq %d to %d is missing before log/%s: index and warehouse know events there", g.First, g.Last, g.Before)
	}
	if x.has != nil && x.has.Cursor() > report.Last {
		p.problem(datadir.LogDir, remedyLog, "the log ends at Seq %d and the id index has seen Seq %d: the end of the log is lost", report.Last, x.has.Cursor())
	} else if w.behind > 0 {
		p.problem(datadir.LogDir, remedyLog, "the log ends at Seq %d and the warehouse has %d events behind it: the end of the log is lost", report.Last, w.behind)
	}
}
