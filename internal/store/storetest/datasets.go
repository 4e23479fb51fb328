package storetest

import (
	"context"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// Lines is a place of datasets in which a test has projects of its own, and in which things go wrong.
type Lines struct {
	store.DatasetLines
	Prefix string // of the names of projects there
	// Before is called before each change, with what it does (append, erase, trim); its error is that of the change, which does nothing. nil: nothing goes wrong.
	Before func(what string) error
	// After is called after each change that succeeded: its error stands in the place of the answer.
	After func(what string) error
}

var _ store.DatasetLines = (*Lines)(nil)

func (l *Lines) around(what string, do func() error) error {
	if l.Before != nil {
		if err := l.Before(what); err != nil {
			return err
		}
	}
	err := do()
	if err == nil && l.After != nil {
		err = l.After(what)
	}
	return err
}

// ReadDatasets reads.
func (l *Lines) ReadDatasets(ctx context.Context, project string, from uint64, each func(*store.DatasetLine) error) error {
	return l.DatasetLines.ReadDatasets(ctx, l.Prefix+project, from, each)
}

// ReadDatasetsAt reads.
func (l *Lines) ReadDatasetsAt(ctx context.Context, project string, at []store.DatasetPlace, each func(i int, l *store.DatasetLine) error) error {
	return l.DatasetLines.ReadDatasetsAt(ctx, l.Prefix+project, at, each)
}

// AppendDatasets is the change "append".
func (l *Lines) AppendDatasets(ctx context.Context, project string, entry uint64, lines []store.DatasetLine) (won bool, err error) {
	err = l.around("append", func() error {
		won, err = l.DatasetLines.AppendDatasets(ctx, l.Prefix+project, entry, lines)
		return err
	})
	return won, err
}

// EraseDatasets is the change "erase".
func (l *Lines) EraseDatasets(ctx context.Context, project string, traces []string) (n, all int, err error) {
	err = l.around("erase", func() error {
		n, all, err = l.DatasetLines.EraseDatasets(ctx, l.Prefix+project, traces)
		return err
	})
	return n, all, err
}

// TrimDataset is the change "trim".
func (l *Lines) TrimDataset(ctx context.Context, project, dataset string, before uint64) error {
	return l.around("trim", func() error { return l.DatasetLines.TrimDataset(ctx, l.Prefix+project, dataset, before) })
}

// DatasetProjects are those of the test.
func (l *Lines) DatasetProjects(ctx context.Context) (own []string, err error) {
	all, err := l.DatasetLines.DatasetProjects(ctx)
	for _, name := range all {
		if project, mine := strings.CutPrefix(name, l.Prefix); mine {
			own = append(own, project)
		}
	}
	return own, err
}
