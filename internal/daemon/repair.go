package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/removal"
)

// errErasing is that of a node whose log has what others have erased.
var errErasing = errors.New("something was erased of which this node's log has a part yet: start the node, which erases that, and stop it again")

// RepairWarehouse inserts what the log of a stopped node has and the shared warehouse had, and has not any more, folds anew all that the log's events touch, and compares then. restored is how
// many events it inserted.
func RepairWarehouse(ctx context.Context, cfg Config, logger *slog.Logger) (v *Verified, restored int, err error) {
	v, err = withShared(ctx, cfg, logger, func(s *stores, cfg Config) (*Verified, error) {
		if err := s.nothingErased(ctx, cfg); err != nil {
			return nil, err
		}
		v, err := s.compare(ctx, cfg)
		if err == nil {
			restored = len(v.Missing)
			err = s.repair(ctx, cfg, v.Missing)
		}
		if err != nil {
			return nil, err
		}
		return s.compare(ctx, cfg)
	})
	return v, restored, err
}

// nothingErased makes sure that nothing comes back that was erased while the node was away.
func (s *stores) nothingErased(ctx context.Context, cfg Config) error {
	own, err := removal.ReadErasures(filepath.Join(cfg.DataDir, datadir.JournalFile))
	if err != nil {
		return err
	}
	asked, err := s.shared.Asked(ctx)
	if err != nil {
		return err
	}
	again, err := s.shared.AskedAgain(ctx)
	if err == nil && len(own)+len(asked)+len(again) > 0 {
		err = errErasing
	}
	return err
}

// repair inserts the missing events, and folds what the log has.
func (s *stores) repair(ctx context.Context, cfg Config, missing []entity.Seq) error {
	after, upto, err := s.handedOn(ctx)
	if err != nil {
		return err
	}
	log := s.whole(cfg)
	slices.Sort(missing)
	for some := range slices.Chunk(missing, verifyAtOnce) {
		recs, err := log.Get(ctx, some)
		if err != nil {
			return err
		}
		for i := range recs {
			fields, failure := extract.Of(&recs[i])
			if failure != nil {
				return fmt.Errorf("read event %d of the log: %v", recs[i].Seq, failure)
			}
			recs[i].Row = fields.AppendRow(nil)
		}
		if err := s.shared.Restore(ctx, recs); err != nil {
			return err
		}
	}
	for at := after; at < upto; at += verifyAtOnce {
		if err := s.shared.Refold(ctx, at, min(at+verifyAtOnce, upto)); err != nil {
			return err
		}
	}
	return nil
}
