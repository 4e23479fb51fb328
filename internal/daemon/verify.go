package daemon

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"

	"github.com/brokle-ai/brokle-go/internal/backup"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/indexer"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/removal"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
)

// PartState is how a part of a directory was found.
type PartState string

// The states. What could not be checked may be whole or not.
const (
	PartWhole     PartState = "whole"
	PartDamaged   PartState = "damaged"
	PartUnchecked PartState = "unchecked"
)

// Problem is one thing that is wrong, and how to mend it.
type Problem struct {
	File   string `json:"file"` // below the directory
	What   string `json:"what"`
	Remedy string `json:"remedy"`
}

// VerifiedPart is what Verify found of one part.
type VerifiedPart struct {
	Name     string    `json:"name"`
	State    PartState `json:"state"`
	Detail   string    `json:"detail"`
	Problems []Problem `json:"problems"`
	// Notes are things that are as a crash leaves them, or absent and made again by the next start.
	Notes []string `json:"notes"`
}

// Verification is the answer of Verify.
type Verification struct {
	Dir   string         `json:"dir"`
	Kind  string         `json:"kind"` // "data" or "backup"
	State PartState      `json:"state"`
	Parts []VerifiedPart `json:"parts"`
}

// maxProblems bounds how many problems of one part are listed; the rest is counted.
const maxProblems = 20

// Verify goes through everything in the data directory of a stopped server, or in a
// backup, and changes nothing. read is told of the bytes of the log that were gone
// through; nil is nobody. The error is one that kept it from looking at all.
func Verify(ctx context.Context, cfg Config, read func(n int64)) (*Verification, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	entries, err := os.ReadDir(cfg.DataDir)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("verify: %s is empty", cfg.DataDir)
	}
	v := &verifier{ctx: ctx, cfg: cfg, dir: cfg.DataDir, read: read, out: &Verification{Dir: cfg.DataDir, Kind: "data"}}
	if _, err := os.Stat(filepath.Join(v.dir, backup.ManifestName)); err == nil {
		v.out.Kind = "backup"
		err = v.backup()
		if err != nil {
			return nil, fmt.Errorf("verify: %w", err)
		}
		return v.done(), nil
	}
	unlock, err := lockStopped(filepath.Join(v.dir, logDir, "LOCK"))
	if err != nil {
		return nil, fmt.Errorf("verify: is a server running on %s? %w", v.dir, err)
	}
	defer func() { _ = unlock.Close() }() // it was only read
	if err := v.data(); err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	return v.done(), nil
}

// verifier is one Verify at work.
type verifier struct {
	ctx  context.Context
	cfg  Config
	dir  string
	read func(n int64)
	out  *Verification

	quarantined map[uint64]indexer.Quarantined
	erasing     map[entity.Seq]bool
	expired     removal.Expired
	seen        map[entity.Seq]bool // of the quarantined, those that the log has
}

// part begins the next part; it is whole until something is found.
func (v *verifier) part(name string) *VerifiedPart {
	v.out.Parts = append(v.out.Parts, VerifiedPart{Name: name, State: PartWhole, Problems: []Problem{}, Notes: []string{}})
	return &v.out.Parts[len(v.out.Parts)-1]
}

func (p *VerifiedPart) problem(file, remedy, what string, args ...any) {
	p.State = PartDamaged
	if len(p.Problems) < maxProblems {
		p.Problems = append(p.Problems, Problem{file, fmt.Sprintf(what, args...), remedy})
	}
}

func (p *VerifiedPart) note(what string, args ...any) {
	if len(p.Notes) < maxProblems {
		p.Notes = append(p.Notes, fmt.Sprintf(what, args...))
	}
}

func (p *VerifiedPart) unchecked(what string, args ...any) {
	if p.State == PartWhole {
		p.State = PartUnchecked
	}
	p.Detail = fmt.Sprintf(what, args...)
}

// done sums up: damage anywhere is damage.
func (v *verifier) done() *Verification {
	v.out.State = PartWhole
	for _, p := range v.out.Parts {
		if p.State == PartDamaged || p.State == PartUnchecked && v.out.State == PartWhole {
			v.out.State = p.State
		}
	}
	return v.out
}

// data verifies a data directory.
func (v *verifier) data() error {
	p := v.part("format")
	if err := checkDir(v.dir); err != nil {
		p.unchecked("%v", err)
		return nil
	}
	p.Detail = "written by this release or an earlier one"
	v.keys()
	v.erasures()
	v.retention()
	v.quarantine()
	return v.stores()
}

// backup verifies a backup.
func (v *verifier) backup() error {
	p := v.part("manifest")
	m, err := backup.Read(v.dir)
	var newer *backup.NewerError
	switch {
	case errors.As(err, &newer):
		p.unchecked("%v", err)
		return nil
	case err != nil:
		p.problem(backup.ManifestName, remedyBackup, "%v", err)
		return nil
	}
	if err := readable(m.Formats, backup.ManifestName+" of the backup"); err != nil {
		p.unchecked("%v", err)
		return nil
	}
	faults, err := m.Check(v.dir, nil)
	if err != nil {
		return err
	}
	for _, f := range faults {
		p.problem(f.Name, remedyBackup, "%s", f.What)
	}
	p.Detail = fmt.Sprintf("%d files, %d bytes, up to Seq %d, made %s by %s", len(m.Files), m.Bytes(), m.Head, m.Created.Format("2006-01-02 15:04:05Z"), m.Node)
	v.keys()
	v.erasures()
	v.quarantine()
	report, err := v.log(nil)
	if err != nil || report == nil {
		return err
	}
	if p := v.named(partSegments); uint64(report.Last) < m.Head {
		p.problem(logDir, remedyBackup, "the segments end at Seq %d and the manifest says %d", report.Last, m.Head)
	}
	return nil
}

const (
	remedyBackup = "make another backup, or use an older one"
	remedyLog    = "stop the server, put this file back from a backup (`brokle verify` says whether that one is whole) and delete log/index and warehouse.duckdb; without a backup what is lost stays lost, and the server goes on with the rest"
	remedyIndex  = "delete the directory log/index; the next start builds it again from the log"
	remedyStore  = "delete warehouse.duckdb and warehouse.duckdb.wal; the next start builds it again from the log"
	remedyFilter = "delete this file; it is made again in the background"
	remedyKeys   = "put keys.json back from a backup, or delete it: the next start makes a first key"
)

// named is the part that was verified under this name.
func (v *verifier) named(name string) *VerifiedPart {
	for i := range v.out.Parts {
		if v.out.Parts[i].Name == name {
			return &v.out.Parts[i]
		}
	}
	return v.part(name)
}

func (v *verifier) keys() {
	p := v.part(partKeys)
	file := filepath.Join(v.dir, keysFile)
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		p.problem(keysFile, remedyKeys, "is missing: no client's key will be known")
		return
	}
	k, err := keyring.Open(file, keyring.Options{})
	if errors.Is(err, keyring.ErrNewer) {
		p.unchecked("%v", err)
		return
	}
	if err != nil {
		p.problem(keysFile, remedyKeys, "%v", err)
		return
	}
	p.Detail = fmt.Sprintf("%d keys of %d projects", len(k.List()), len(k.Projects()))
}

func (v *verifier) erasures() {
	p := v.part(partErasing)
	list, err := removal.ReadErasures(filepath.Join(v.dir, journalFile))
	if errors.Is(err, removal.ErrNewerJournal) {
		p.unchecked("%v", err)
		return
	}
	if err != nil {
		p.problem(journalFile, "delete it, and repeat the last DELETE or `brokle erase` that did not end", "%v", err)
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
	p := v.part(partExpired)
	var err error
	v.expired, err = removal.ReadExpired(filepath.Join(v.dir, expiredFile))
	switch {
	case err != nil:
		p.problem(expiredFile, "delete it; the next pass of retention writes it anew", "%v", err)
	case v.expired.Version > removal.ExpiredVersion:
		p.unchecked("%s has format version %d and this program reads up to %d", expiredFile, v.expired.Version, removal.ExpiredVersion)
	case v.expired.Default == math.MinInt64 && len(v.expired.Projects) == 0:
		p.Detail = "nothing has expired"
	default:
		p.Detail = "events have expired"
	}
}

func (v *verifier) quarantine() {
	p := v.part(partQuarantine)
	list, err := indexer.Listed(filepath.Join(v.dir, quarantineDir))
	if err != nil {
		p.problem(path.Join(quarantineDir, indexer.QuarantineFile), "delete this file and "+remedyStore+", and quarantine with it", "%v", err)
	}
	p.Detail = fmt.Sprintf("%d records", len(list))
	v.quarantined, v.seen = map[uint64]indexer.Quarantined{}, map[entity.Seq]bool{}
	for _, q := range list {
		v.quarantined[q.Seq] = q
	}
}

// log goes through the segments; more says what else it is for.
func (v *verifier) log(more func(*segmentlog.CheckOptions)) (*segmentlog.CheckReport, error) {
	p := v.part(partSegments)
	o := segmentlog.CheckOptions{Filters: true, Read: v.read}
	if more != nil {
		more(&o)
	}
	dir := filepath.Join(v.dir, logDir)
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		p.problem(logDir, "restore a backup; without one everything is lost", "is missing")
		return nil, nil
	}
	if err := segmentlog.CheckFormat(nil, dir); err != nil {
		p.unchecked("%v", err)
		return nil, nil
	}
	each := o.Each
	o.Each = func(r *entity.Record) error {
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
	p.Detail = fmt.Sprintf("%d files, %d blocks, %d events, Seq %d to %d", report.Segments, report.Blocks, report.Events, report.First, report.Last)
	filters := VerifiedPart{Name: partFilters, State: PartWhole, Problems: []Problem{}, Notes: []string{}}
	filters.Detail = fmt.Sprintf("%d files", report.Filters)
	for _, f := range report.Findings {
		file := path.Join(logDir, f.File)
		switch {
		case f.Normal:
			p.note("%s %s", file, f.What)
		case f.Filter:
			filters.problem(file, remedyFilter, "%s", f.What)
		default:
			p.problem(file, remedyLog, "%s", f.What)
		}
	}
	if v.out.Kind == "data" {
		v.out.Parts = append(v.out.Parts, filters)
	}
	v.strays(report)
	return report, nil
}

// strays finds quarantined records that the log does not have.
func (v *verifier) strays(report *segmentlog.CheckReport) {
	if v.named(partSegments).State != PartWhole {
		return
	}
	q := v.named(partQuarantine)
	for seq, rec := range v.quarantined {
		if s := entity.Seq(seq); !v.seen[s] && s >= report.First && !v.erasing[s] {
			q.problem(path.Join(quarantineDir, indexer.QuarantineFile), "run `brokle quarantine replay`: it drops what the log does not have",
				"names the event %q at Seq %d, which the log does not have", rec.EventID, seq)
		}
	}
}
