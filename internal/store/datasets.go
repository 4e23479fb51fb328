package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
)

// TraceKey stands for a trace where nobody is to be named: in journals of erasures, and beside the items that were made of it.
func TraceKey(traceID string) string {
	sum := sha256.Sum256([]byte(traceID))
	return hex.EncodeToString(sum[:])
}

// DatasetLine is a line of what a project has of datasets and experiments, among nodes that share a place.
type DatasetLine struct {
	DatasetPlace
	Writer  string // who wrote the entry: random, another one for each
	Dataset string // the id of the one that it is about; "": it is about experiments
	Item    string // the id of the item that it is; "": it is none. It stays when the line is erased
	Trace   string // the TraceKey of the trace that the item was made of; "": of none
	Erased  bool   // what it said is gone
	Text    string // what it says
}

// DatasetPlace is where a line is: in which entry of its project, which count from 1, and at which place in that, from 0.
type DatasetPlace struct {
	Entry uint64
	N     uint32
}

// DatasetLines keeps what nodes that share a place have of datasets and experiments: of each project entries, one behind the other, each some lines. It is safe for concurrent use.
type DatasetLines interface {
	// ReadDatasets calls each for the lines of a project from an entry on, in order.
	ReadDatasets(ctx context.Context, project string, from uint64, each func(*DatasetLine) error) error
	// ReadDatasetsAt calls each for the lines at these places, with its index among them, in any order.
	ReadDatasetsAt(ctx context.Context, project string, at []DatasetPlace, each func(i int, l *DatasetLine) error) error
	// AppendDatasets makes lines an entry, in their order, all of them or none; false: there is one of this number, which another one wrote first.
	AppendDatasets(ctx context.Context, project string, entry uint64, lines []DatasetLine) (won bool, err error)
	// EraseDatasets erases the lines that were made of traces, which TraceKey names, and returns how many those are, and how many of the project are erased by now. Their bytes are gone then.
	EraseDatasets(ctx context.Context, project string, traces []string) (n, all int, err error)
	// TrimDataset removes what the lines about a dataset say that come before an entry. That there were such entries stays known.
	TrimDataset(ctx context.Context, project, dataset string, before uint64) error
	// DatasetProjects are the projects that have entries.
	DatasetProjects(ctx context.Context) ([]string, error)
}
