package duckstore

import (
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Rewind is for a Log that ends at head, before the cursor: after a torn tail, whose Seqs are given
// out again, or when the Log was put back from a backup. Without it, events at these Seqs would count
// as inserted. It sets the cursor back; a file that has events behind head, which the Log
// has lost, is put aside, and an empty one is opened in its place. It says so.
func (w *Warehouse) Rewind(head entity.Seq) (aside string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.ready(); err != nil {
		return "", err
	}
	if w.cursor <= head {
		return "", nil
	}
	if aside, err = w.rewind(head); err != nil {
		return aside, fmt.Errorf("rewind warehouse: %w", err)
	}
	return aside, nil
}

func (w *Warehouse) rewind(head entity.Seq) (aside string, err error) {
	behind, err := w.write.int64s(fmt.Sprintf("SELECT count(*) FROM events WHERE seq > %d", head))
	if err != nil {
		return "", err
	}
	if behind[0] > 0 {
		w.detach()
		if aside, err = putAside(w.path, asideDamaged, w.options.Now()); err != nil {
			return "", err
		}
		w.cursor = 0 // of the empty file
		return aside, w.thread.do(w.attach)
	}
	err = w.writing(func() error {
		return w.transact(func() error {
			for _, kind := range entityKinds { // a row is not written after the cursor
				if err := w.write.exec(fmt.Sprintf("UPDATE %s SET written = %d WHERE written > %[2]d", tableOf(kind), head)); err != nil {
					return err
				}
			}
			return w.write.exec(fmt.Sprintf("UPDATE meta SET cursor = %d", head))
		})
	})
	if err == nil {
		w.forget() // where the rows are
		w.cursor, w.lastWritten = head, int64(head)
		w.reached.Store(uint64(head))
	}
	return "", err
}
