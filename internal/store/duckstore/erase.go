package duckstore

import (
	"context"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Erase removes the rows of these events of the project in one transaction, in
// which what they were folded into is folded anew, and then checkpoints. Texts are
// overwritten first: a checkpoint keeps the pages of a row that was only deleted, but
// writes changed columns anew.
func (w *Warehouse) Erase(ctx context.Context, project string, seqs []entity.Seq) error {
	list := make([]int64, 0, len(seqs))
	for _, s := range seqs {
		if s <= maxSeq { // else no row has it
			list = append(list, int64(s))
		}
	}
	if len(list) == 0 {
		return ctx.Err()
	}
	err := w.locked(ctx, func() error {
		_, err := w.remove(removal{project: project, where: " WHERE project = $1 AND seq IN (SELECT unnest($2::BIGINT[]))", args: []any{project, list}, wipe: true})
		if err != nil {
			return err
		}
		return w.compact()
	})
	if err != nil {
		return fmt.Errorf("erase events: %w", err)
	}
	return nil
}
