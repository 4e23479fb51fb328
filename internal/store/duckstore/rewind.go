package duckstore

import (
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// Rewind is for a Log that ends at head, before the cursor: after a torn tail, whose Seqs are given
// out again, or when the Log was put back from a backup. Without it, events at these Seqs would count
// as inserted. It sets the cursor back; a file that has events behind head, which the Log
// has lost, is put aside, and an empty one is opened in its place. It says so.
func (w *Warehouse) Rewind(head store.Seq) (aside string, err error) {
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

func (w *Warehouse) rewind(head store.Seq) (aside string, err error) {
	behind, err := w.write.int64s(fmt.Sprintf("SELECT count(*) FROM events WHERE seq > %d", head))
	if err != nil {
		return "", err
	}
	if behind[0] > 0 {
		w.detach()
		if aside, err = putAside(w.path, w.options.Now()); err != nil {
			return "", err
		}
		w.cursor = 0 // of the empty file
		return aside, w.thread.do(w.attach)
	}
	err = w.thread.do(func() error {
		return w.write.exec(fmt.Sprintf("UPDATE meta SET cursor = %[1]d, settled = least(settled, %[1]d)", head))
	})
	if err == nil {
		w.cursor, w.settled, w.settleFrom = head, min(w.settled, head), min(w.settleFrom, head)
	}
	return "", err
}
