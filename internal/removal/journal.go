package removal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Erasure is one that has begun: places in the Log, hashes of media and of the ids of traces, and nothing that names anybody.
type Erasure struct {
	Project string       `json:"project"`
	Seqs    []entity.Seq `json:"seqs"`
	// Media are the hashes of those that these events refer to, and perhaps others too.
	Media []string `json:"media,omitempty"`
	// Traces are those that go, by store.TraceKey: items of datasets were made of them.
	Traces []string `json:"traces,omitempty"`
}

// JournalVersion is the version of the journal's form that this package reads and writes.
const JournalVersion = 1

// ErrNewerJournal is returned by ReadErasures for a file of a later release.
var ErrNewerJournal = errors.New("use the release that wrote it, or a later one")

// journal is the file's form. A node has one erasure under way; a backup may have several.
type journal struct {
	Version  int       `json:"version"`
	Erasures []Erasure `json:"erasures"`
	// Shared says that the places are those of the Warehouse that several nodes share.
	Shared bool `json:"shared,omitempty"`
}

// encodeJournal is the journal of these erasures, as a file.
func encodeJournal(list []Erasure, shared bool) ([]byte, error) {
	return json.Marshal(journal{JournalVersion, list, shared})
}

// ReadErasures reads the journal at path: the erasures that have to be ended. None when
// there is no file. A journal of a later release is an error that says so.
func ReadErasures(path string) ([]Erasure, error) {
	list, _, err := readJournal(path)
	return list, err
}

func readJournal(path string) (list []Erasure, shared bool, err error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the journal of erasures: %w", err)
	}
	var j struct {
		journal
		Erasure // the form before there were versions: one erasure
	}
	if err := json.Unmarshal(raw, &j); err != nil {
		return nil, false, fmt.Errorf("read the journal of erasures: %w", err)
	}
	switch {
	case j.Version > JournalVersion:
		return nil, false, fmt.Errorf("the journal of erasures (%s) has format version %d and this program reads up to %d: %w",
			filepath.Base(path), j.Version, JournalVersion, ErrNewerJournal)
	case j.Version == 0 && j.Project != "":
		return []Erasure{j.Erasure}, false, nil
	case j.Version != JournalVersion || len(j.Erasures) == 0:
		return nil, false, errors.New("read the journal of erasures: it names no erasure")
	}
	return j.Erasures, j.Shared, nil
}

// writeJournal makes the file durable before it returns.
func writeJournal(path string, list []Erasure, shared bool) error {
	raw, err := encodeJournal(list, shared)
	if err != nil {
		return err
	}
	return durable.Replace(path, raw)
}

// RemoveJournal says that all erasures of the journal have ended.
func RemoveJournal(path string) error {
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove the journal of erasures: %w", err)
	}
	return nil
}
