package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// journaled is an erasure that has begun: places in the Log, and nothing that names anybody.
type journaled struct {
	Project string      `json:"project"`
	Seqs    []store.Seq `json:"seqs"`
}

// remove erases what was found. It is written down first: whatever interrupts the
// erasure, it is ended by the next start, or by the next erasure.
func (s *Server) remove(ctx context.Context, j journaled) error {
	if err := s.writeJournal(j); err != nil {
		return fmt.Errorf("%w: write the journal of erasures: %w", store.ErrUnavailable, err)
	}
	return s.finish(ctx, j)
}

// finish erases from the Log, which is the truth, then from what was made of it.
// Each step may be done again.
func (s *Server) finish(ctx context.Context, j journaled) error {
	if err := s.o.Log.Erase(ctx, j.Seqs); err != nil {
		return err
	}
	if err := s.o.Indexer.Forget(j.Seqs); err != nil {
		return err
	}
	s.o.Ingest.ForgetFailures(j.Project)
	if err := s.o.Warehouse.Erase(ctx, j.Project, j.Seqs); err != nil {
		return err
	}
	if err := os.Remove(s.o.EraseJournal); err != nil {
		return fmt.Errorf("remove the journal of erasures: %w", err)
	}
	return nil
}

// resume ends an erasure that was interrupted. The caller holds s.erasing.
func (s *Server) resume(ctx context.Context) error {
	raw, err := os.ReadFile(s.o.EraseJournal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the journal of erasures: %w", err)
	}
	var j journaled
	if err := json.Unmarshal(raw, &j); err != nil {
		return fmt.Errorf("read the journal of erasures: %w", err)
	}
	// Records that the indexer has in hand must not come after their erasure.
	if err := s.o.Indexer.CatchUp(ctx); err != nil {
		return err
	}
	if err := s.finish(context.WithoutCancel(ctx), j); err != nil {
		return err
	}
	s.o.Logger.Info("an interrupted erasure was ended", "project", j.Project, "events", len(j.Seqs))
	return nil
}

// writeJournal makes the file durable before it returns.
func (s *Server) writeJournal(j journaled) error {
	raw, err := json.Marshal(j)
	if err != nil {
		return err
	}
	tmp := s.o.EraseJournal + ".tmp"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(tmp, s.o.EraseJournal)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	d, err := os.Open(filepath.Dir(s.o.EraseJournal))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
