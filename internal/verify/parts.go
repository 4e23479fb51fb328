package verify

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"path"

	"github.com/brokle-ai/brokle-go/internal/alert"
	"github.com/brokle-ai/brokle-go/internal/budget"
	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/dataset"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/indexer"
	"github.com/brokle-ai/brokle-go/internal/judge"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/prompt"
	"github.com/brokle-ai/brokle-go/internal/removal"
	"github.com/brokle-ai/brokle-go/internal/saved"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
)

func (v *verifier) keys() {
	p := v.part(datadir.PartKeys)
	file := v.path(datadir.KeysFile)
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		p.problem(datadir.KeysFile, remedyKeys, "is missing: no client's key will be known")
		return
	}
	k, err := keyring.Open(file, keyring.Options{})
	if errors.Is(err, keyring.ErrNewer) {
		p.unchecked("%v", err)
		return
	}
	if err != nil {
		p.problem(datadir.KeysFile, remedyKeys, "%v", err)
		return
	}
	p.Detail = fmt.Sprintf("%d keys of %d projects", len(k.List()), len(k.Projects()))
}

func (v *verifier) erasures() {
	p := v.part(datadir.PartErasing)
	list, err := removal.ReadErasures(v.path(datadir.JournalFile))
	if errors.Is(err, removal.ErrNewerJournal) {
		p.unchecked("%v", err)
		return
	}
	if err != nil {
		p.problem(datadir.JournalFile, "delete it, and repeat the last DELETE or `brokle erase` that did not end", "%v", err)
		return
	}
	p.Detail = "no erasure is under way"
	v.erasing = map[entity.Seq]bool{}
	for _, e := range list {
		for _, s := range e.Seqs {
			v.erasing[s] = true
		}
		p.Detail = "an erasure is under way"
		p.note("an erasure of %d events of project %q has not ended; the next start, or the restore, ends it", len(e.Seqs), e.Project)
	}
}

// retention reads what may have been removed: then a row or an event may lack the other.
func (v *verifier) retention() {
	p := v.part(datadir.PartExpired)
	var err error
	v.expired, err = removal.ReadExpired(v.path(datadir.ExpiredFile))
	switch {
	case err != nil:
		p.problem(datadir.ExpiredFile, "delete it; the next pass of retention writes it anew", "%v", err)
	case v.expired.Version > removal.ExpiredVersion:
		p.unchecked("%s has format version %d and this program reads up to %d", datadir.ExpiredFile, v.expired.Version, removal.ExpiredVersion)
	case v.expired.Default == math.MinInt64 && len(v.expired.Projects) == 0:
		p.Detail = "nothing has expired"
	default:
		p.Detail = "events have expired"
	}
}

func (v *verifier) listQuarantine() {
	p := v.part(datadir.PartQuarantine)
	v.quarantine = p
	list, err := indexer.Listed(v.path(datadir.QuarantineDir))
	if err != nil {
		p.problem(path.Join(datadir.QuarantineDir, indexer.QuarantineFile), "delete this file and "+remedyStore+", and quarantine with it", "%v", err)
	}
	p.Detail = fmt.Sprintf("%d records", len(list))
	v.quarantined, v.seen = map[uint64]indexer.Quarantined{}, map[entity.Seq]bool{}
	for _, q := range list {
		v.quarantined[q.Seq] = q
	}
}

// listPrices reads the journal by which calls are priced.
func (v *verifier) listPrices() {
	p := v.part(datadir.PartPrices)
	v.priced = p
	var err error
	v.prices, err = pricing.Read(v.path(datadir.PricesDir))
	switch {
	case errors.Is(err, pricing.ErrNewer):
		p.unchecked("%v", err)
	case err != nil:
		p.problem(path.Join(datadir.PricesDir, pricing.JournalFile), remedyPrices, "%v", err)
	case v.prices == nil:
		p.Detail = "is not there"
		p.note("the next start begins it: the built-in book holds for all calls, and the warehouse is built anew")
	default:
		p.Detail = v.prices.Describe()
		if u, ok := v.prices.Underway(); ok {
			p.note("a repricing of project %q has not ended; the next start goes on with it", u.Project)
		}
	}
}

// texts reads the files of budgets, of alerts, of what people saved, of judges and of prompts.
func (v *verifier) texts() {
	v.text(datadir.PartBudgets, datadir.BudgetsFile, remedyBudgets, budget.Read, budget.ErrNewer)
	v.text(datadir.PartAlerts, datadir.AlertsFile, remedyAlerts, alert.Read, alert.ErrNewer)
	v.text(datadir.PartSaved, datadir.SavedFile, remedySaved, saved.Read, saved.ErrNewer)
	v.text(datadir.PartJudges, datadir.JudgesFile, remedyJudges, judge.Read, judge.ErrNewer)
	v.text(datadir.PartPrompts, datadir.PromptsDir, remedyPrompts, prompt.Read, prompt.ErrNewer)
	v.text(datadir.PartDatasets, datadir.DatasetsDir, remedyDatasets, dataset.Read, dataset.ErrNewer)
}

func (v *verifier) text(part, file, remedy string, read func(path string) (string, error), newer error) {
	p := v.part(part)
	says, err := read(v.path(file))
	switch {
	case errors.Is(err, newer):
		p.unchecked("%v", err)
	case err != nil:
		p.problem(file, remedy, "%v", err)
	default:
		p.Detail = cmp.Or(says, "none")
	}
}

// log goes through the segments; more says what else it is for.
func (v *verifier) log(more func(*segmentlog.CheckOptions)) (*segmentlog.CheckReport, error) {
	p := v.part(datadir.PartSegments)
	v.segments = p
	o := segmentlog.CheckOptions{Filters: true, Read: v.Read}
	if more != nil {
		more(&o)
	}
	dir := v.path(datadir.LogDir)
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		p.problem(datadir.LogDir, "restore a backup; without one everything is lost", "is missing")
		return nil, nil
	}
	if err := segmentlog.CheckFormat(nil, dir); err != nil {
		p.unchecked("%v", err)
		return nil, nil
	}
	media, err := v.openMedia()
	if err != nil {
		return nil, err
	}
	each := o.Each
	o.Each = func(r *entity.Record) error {
		media.record(r)
		if _, ok := v.quarantined[uint64(r.Seq)]; ok {
			v.seen[r.Seq] = true
		}
		if each != nil {
			return each(r)
		}
		return nil
	}
	report, err := segmentlog.Check(v.ctx, dir, o)
	if err != nil {
		return nil, err
	}
	media.conclude()
	p.Detail = fmt.Sprintf("%d files, %d blocks, %d events, Seq %d to %d", report.Segments, report.Blocks, report.Events, report.First, report.Last)
	filters := &Part{} // of a backup, which has none
	if v.out.Kind == "data" {
		filters = v.part(datadir.PartFilters)
		filters.Detail = fmt.Sprintf("%d files", report.Filters)
	}
	for _, f := range report.Findings {
		file := path.Join(datadir.LogDir, f.File)
		switch {
		case f.Normal:
			p.note("%s %s", file, f.What)
		case f.Filter:
			filters.problem(file, remedyFilter, "%s", f.What)
		default:
			p.problem(file, remedyLog, "%s", f.What)
		}
	}
	v.strays(report)
	return report, nil
}

// strays finds quarantined records that the log does not have.
func (v *verifier) strays(report *segmentlog.CheckReport) {
	if v.segments.State != Whole {
		return
	}
	for seq, rec := range v.quarantined {
		if s := entity.Seq(seq); !v.seen[s] && s >= report.First && !v.erasing[s] {
			v.quarantine.problem(path.Join(datadir.QuarantineDir, indexer.QuarantineFile), "run `brokle quarantine replay`: it drops what the log does not have",
				"names the event %q at Seq %d, which the log does not have", rec.EventID, seq)
		}
	}
}
