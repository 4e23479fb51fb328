package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Erasure is one that has begun: places in the Log, and nothing that names anybody.
type Erasure struct {
	Project string       `json:"project"`
	Seqs    []entity.Seq `json:"seqs"`
}

// JournalVersion is the version of the journal's form that this package reads and writes.
const JournalVersion = 1

// ErrNewerJournal is returned by ReadErasures for a file of a later release.
var ErrNewerJournal = errors.New("use the release that wrote it, or a later one")

// journal is the file's form. A server has one erasure under way; a backup may have several.
type journal struct {
	Version  int       `json:"version"`
	Erasures []Erasure `json:"erasures"`
}

// encodeJournal is the journal of these erasures, as a file.
func encodeJournal(list []Erasure) ([]byte, error) {
	return json.Marshal(journal{Version: JournalVersion, Erasures: list})
}

// ReadErasures reads the journal at path: the erasures that have to be ended. None when
// there is no file. A journal of a later release is an error that says so.
func ReadErasures(path string) ([]Erasure, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the journal of erasures: %w", err)
	}
	var j struct {
		journal
		Erasure // the form before there were versions: one erasure
	}
	if err := json.Unmarshal(raw, &j); err != nil {
		return nil, fmt.Errorf("read the journal of erasures: %w", err)
	}
	switch {
	case j.Version > JournalVersion:
		return nil, fmt.Errorf("the journal of erasures (%s) has format version %d and this program reads up to %d: %w",
			filepath.Base(path), j.Version, JournalVersion, ErrNewerJournal)
	case j.Version == 0 && j.Project != "":
		return []Erasure{j.Erasure}, nil
	case j.Version != JournalVersion || len(j.Erasures) == 0:
		return nil, errors.New("read the journal of erasures: it names no erasure")
	}
	return j.Erasures, nil
}

// remove erases what was found. It is written down first: whatever interrupts the
// erasure, it is ended by the next start, or by the next erasure.
func (s *Server) remove(ctx context.Context, e Erasure) error {
	if err := s.writeJournal(e); err != nil {
		return fmt.Errorf("%w: write the journal of erasures: %w", store.ErrUnavailable, err)
	}
	s.backups.note(e)
	return s.finish(ctx, []Erasure{e})
}

// finish erases from the Log, which is the truth, then from what was made of it.
// Each step may be done again.
func (s *Server) finish(ctx context.Context, list []Erasure) error {
	for _, e := range list {
		if err := s.o.Log.Erase(ctx, e.Seqs); err != nil {
			return err
		}
		if err := s.o.Indexer.Forget(e.Seqs); err != nil {
			return err
		}
		s.o.Ingest.ForgetFailures(e.Project)
		if err := s.o.Warehouse.Erase(ctx, e.Project, e.Seqs); err != nil {
			return err
		}
	}
	if err := os.Remove(s.o.EraseJournal); err != nil {
		return fmt.Errorf("remove the journal of erasures: %w", err)
	}
	return nil
}

// resume ends an erasure that was interrupted. The caller holds s.erasing.
func (s *Server) resume(ctx context.Context) error {
	list, err := ReadErasures(s.o.EraseJournal)
	if err != nil || len(list) == 0 {
		return err
	}
	// Records that the indexer has in hand must not come after their erasure.
	if err := s.o.Indexer.CatchUp(ctx); err != nil {
		return err
	}
	if err := s.finish(context.WithoutCancel(ctx), list); err != nil {
		return err
	}
	for _, e := range list {
		s.o.Logger.Info("an interrupted erasure was ended", "project", e.Project, "events", len(e.Seqs))
	}
	return nil
}

// writeJournal makes the file durable before it returns.
func (s *Server) writeJournal(e Erasure) error {
	raw, err := encodeJournal([]Erasure{e})
	if err != nil {
		return err
	}
	return durable.Replace(s.o.EraseJournal, raw)
}
