package verify

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/store/idindex"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
)

// indexCheck compares the id index with one that is made anew of the log.
type indexCheck struct {
	*verifier
	now         time.Time
	has, want   *idindex.Index
	differences []idindex.Difference
	more        int
	part        *Part
}

func (x *indexCheck) open(temp string) (err error) {
	x.part = newPart(datadir.PartIndex)
	now := func() time.Time { return x.now }
	x.has, err = idindex.OpenReadOnly(x.path(datadir.LogDir, datadir.PartIndex), idindex.Options{Now: now, CacheBytes: x.IndexCache})
	switch {
	case errors.Is(err, os.ErrNotExist):
		x.part.Detail = "is not there"
		x.part.note("the next start makes it")
		return nil
	case errors.Is(err, idindex.ErrNewer):
		x.part.unchecked("%v", err)
		return nil
	case err != nil:
		x.part.problem(datadir.LogDir+"/"+datadir.PartIndex, remedyIndex, "cannot be opened: %v", err)
		return nil
	}
	x.want, err = idindex.Open(filepath.Join(temp, datadir.PartIndex), idindex.Options{Now: now, CacheBytes: x.IndexCache, Like: x.has})
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
		if !x.gone(report, d.Seq) {
			x.keep(d)
		}
		return true
	})
	if err != nil {
		x.part.problem(datadir.LogDir+"/"+datadir.PartIndex, remedyIndex, "cannot be read: %v", err)
		return nil
	}
	x.part.Detail = fmt.Sprintf("up to Seq %d, %d ids", x.has.Cursor(), x.has.Stats().Entries)
	if behind := report.Last - x.has.Cursor(); behind > 0 {
		x.part.note("it is %d Seqs behind the log; the next start applies them", behind)
	}
	return nil
}

// keep keeps the first differences by Seq, and before them what is too much: it keeps events out.
func (x *indexCheck) keep(d idindex.Difference) {
	tooMuch := func(d idindex.Difference) int { return strings.Index(d.What, "not in the log") }
	i, _ := slices.BinarySearchFunc(x.differences, d, func(a, b idindex.Difference) int {
		return cmp.Or(cmp.Compare(tooMuch(b), tooMuch(a)), cmp.Compare(a.Seq, b.Seq))
	})
	x.differences = slices.Insert(x.differences, i, d)
	if len(x.differences) > maxProblems {
		x.differences = x.differences[:maxProblems]
		x.more++
	}
}

// conclude adds the part. A damaged log has no index to be compared with.
func (x *indexCheck) conclude() {
	defer func() { x.parts = append(x.parts, x.part) }()
	if x.has == nil || x.part.State != Whole {
		return
	}
	if x.segments.State != Whole {
		x.part.unchecked("was not compared: mend the log first")
		return
	}
	for _, d := range x.differences {
		x.part.problem(datadir.LogDir+"/"+datadir.PartIndex, remedyIndex, "the %s of Seq %d %s", d.Entry, d.Seq, d.What)
	}
	if x.more > 0 {
		x.part.Detail += fmt.Sprintf("; %d more differences", x.more)
	}
}
