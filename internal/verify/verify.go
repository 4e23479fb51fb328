// Package verify looks through all of a data directory, or of a backup, without a change: the log
// block by block, and what is derived from it against it. It says what is damaged and how to mend it.
package verify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/brokle-ai/brokle-go/internal/backup"
	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/indexer"
	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/removal"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
)

// State is how a part of a directory was found.
type State string

// The states. What could not be checked may be whole or not.
const (
	Whole     State = "whole"
	Damaged   State = "damaged"
	Unchecked State = "unchecked"
)

// Problem is one thing that is wrong, and how to mend it.
type Problem struct {
	File   string `json:"file"` // below the directory
	What   string `json:"what"`
	Remedy string `json:"remedy"`
}

// Part is what Dir found of one part.
type Part struct {
	Name     string    `json:"name"`
	State    State     `json:"state"`
	Detail   string    `json:"detail"`
	Problems []Problem `json:"problems"`
	// Notes are things that are as a crash leaves them, or absent and made again by the next start.
	Notes []string `json:"notes"`
}

// Report is the answer of Dir.
type Report struct {
	Dir   string `json:"dir"`
	Kind  string `json:"kind"` // "data" or "backup"
	State State  `json:"state"`
	Parts []Part `json:"parts"`
}

// maxProblems bounds how many problems of one part are listed; the rest is counted.
const maxProblems = 20

// Options say what is verified, and with how much memory.
type Options struct {
	Dir              string // a data directory or a backup
	IndexCache       int64  // bytes
	WarehouseMemory  int64  // bytes
	WarehouseThreads int
	// Read is told of the bytes of the log that were gone through; nil is nobody.
	Read func(n int64)
}

// Dir goes through everything in the data directory of a stopped server, or in a backup, and
// changes nothing. The error is one that kept it from looking at all.
func Dir(ctx context.Context, o Options) (*Report, error) {
	r, err := dir(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	return r, nil
}

func dir(ctx context.Context, o Options) (*Report, error) {
	entries, err := os.ReadDir(o.Dir)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("%s is empty", o.Dir)
	}
	v := &verifier{Options: o, ctx: ctx, inGap: map[segmentlog.Gap]int{}, out: &Report{Dir: o.Dir, Kind: "data"}}
	if _, err := os.Stat(v.path(backup.ManifestName)); err == nil {
		v.out.Kind = "backup"
		err = v.backup()
		return v.done(), err
	}
	unlock, err := datadir.Lock(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("is a server running on %s? %w", o.Dir, err)
	}
	defer func() { _ = unlock.Close() }() // it was only read
	err = v.data()
	return v.done(), err
}

// verifier is one Dir at work.
type verifier struct {
	Options
	ctx   context.Context
	out   *Report
	parts []*Part

	segments    *Part
	quarantine  *Part
	prices      *pricing.Pricing // nil: there is no journal
	priced      *Part            // of the journal
	quarantined map[uint64]indexer.Quarantined
	erasing     map[entity.Seq]bool
	expired     removal.Expired
	seen        map[entity.Seq]bool    // of the quarantined, those that the log has
	inGap       map[segmentlog.Gap]int // what index and warehouse know of events there
}

// path is that of a file in the directory.
func (v *verifier) path(names ...string) string {
	return filepath.Join(append([]string{v.Dir}, names...)...)
}

// part begins the next part; it is whole until something is found.
func (v *verifier) part(name string) *Part {
	p := newPart(name)
	v.parts = append(v.parts, p)
	return p
}

func newPart(name string) *Part {
	return &Part{Name: name, State: Whole, Problems: []Problem{}, Notes: []string{}}
}

func (p *Part) problem(file, remedy, what string, args ...any) {
	p.State = Damaged
	if len(p.Problems) < maxProblems {
		p.Problems = append(p.Problems, Problem{file, fmt.Sprintf(what, args...), remedy})
	}
}

func (p *Part) note(what string, args ...any) {
	if len(p.Notes) < maxProblems {
		p.Notes = append(p.Notes, fmt.Sprintf(what, args...))
	}
}

func (p *Part) unchecked(what string, args ...any) {
	if p.State == Whole {
		p.State = Unchecked
	}
	p.Detail = fmt.Sprintf(what, args...)
}

// done sums up: damage anywhere is damage.
func (v *verifier) done() *Report {
	v.out.State = Whole
	for _, p := range v.parts {
		v.out.Parts = append(v.out.Parts, *p)
		if p.State == Damaged || p.State == Unchecked && v.out.State == Whole {
			v.out.State = p.State
		}
	}
	return v.out
}

// data verifies a data directory.
func (v *verifier) data() error {
	p := v.part("format")
	if err := datadir.Check(v.Dir); err != nil {
		p.unchecked("%v", err)
		return nil
	}
	p.Detail = "written by this release or an earlier one"
	v.keys()
	v.erasures()
	v.retention()
	v.listQuarantine()
	v.listPrices()
	v.texts()
	return v.stores()
}

// backup verifies a backup.
func (v *verifier) backup() error {
	p := v.part("manifest")
	m, err := backup.Read(v.Dir)
	var newer *backup.NewerError
	switch {
	case errors.As(err, &newer):
		p.unchecked("%v", err)
		return nil
	case err != nil:
		p.problem(backup.ManifestName, remedyBackup, "%v", err)
		return nil
	}
	if err := datadir.Readable(m.Formats, backup.ManifestName+" of the backup"); err != nil {
		p.unchecked("%v", err)
		return nil
	}
	faults, err := m.Check(v.Dir, nil)
	if err != nil {
		return err
	}
	for _, f := range faults {
		p.problem(f.Name, remedyBackup, "%s", f.What)
	}
	p.Detail = fmt.Sprintf("%d files, %d bytes, up to Seq %d, made %s by %s", len(m.Files), m.Bytes(), m.Head, m.Created.Format("2006-01-02 15:04:05Z"), m.Node)
	v.keys()
	v.erasures()
	v.listQuarantine()
	v.listPrices()
	v.texts()
	report, err := v.log(nil)
	if err != nil || report == nil {
		return err
	}
	if uint64(report.Last) < m.Head {
		v.segments.problem(datadir.LogDir, remedyBackup, "the segments end at Seq %d and the manifest says %d", report.Last, m.Head)
	}
	return nil
}

const (
	remedyBackup   = "make another backup, or use an older one"
	remedyLog      = "stop the server, put this file back from a backup (`brokle verify` says whether that one is whole) and delete log/index and warehouse.duckdb; without a backup what is lost stays lost, and the server goes on with the rest"
	remedyIndex    = "delete the directory log/index; the next start builds it again from the log"
	remedyStore    = "delete warehouse.duckdb and warehouse.duckdb.wal; the next start builds it again from the log"
	remedyFilter   = "delete this file; it is made again in the background"
	remedyPrices   = "put the directory prices back from a backup, or delete it: the next start begins another journal, by which all calls are priced anew, without own prices"
	remedyBudgets  = "put budgets.json back from a backup, or delete it and set the budgets again: levels that were told are told again"
	remedyAlerts   = "put alerts.json back from a backup, or delete it and make the alerts again: what they told last is then told again"
	remedySaved    = "put saved.json back from a backup, or delete it: score definitions, saved views and charts are then made again by hand"
	remedyJudges   = "put judges.json back from a backup, or delete it and make the judges again"
	remedyPrompts  = "put the files of prompts back from a backup; one that is deleted takes the prompts of its project with it"
	remedyDatasets = "put the file back from a backup, or take it out of the directory: the other datasets are whole"
	remedyMedia    = "put the file back from a backup; without one what it showed stays lost, and its events stay as they are"
	remedyKeys     = "put keys.json back from a backup, or delete it: the next start makes a first key"
)
