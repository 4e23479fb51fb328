package duckstore

import (
	"fmt"
)

// Close writes what is hot, ends the questions, and checkpoints. When that
// fails nothing is lost: what was inserted is in the write-ahead log, or is read from the Log again. A damaged
// file is put aside instead.
func (w *Warehouse) Close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closing.Store(true)
	err := w.close()
	w.mu.Unlock()
	close(w.stop)
	<-w.flusherDone
	return err
}

// close is Close with w.mu held.
func (w *Warehouse) close() error {
	damaged := w.isDamaged()
	if !damaged {
		if err := w.flush(false); err != nil {
			w.options.Logger.Warn("the warehouse was closed without what was inserted last; the next start reads it from the log again", "error", err)
		}
	}
	w.closed = true
	var err error
	if w.write != nil && !damaged {
		if err = w.write.exec("CHECKPOINT"); starved(err) {
			w.options.Logger.Info("the warehouse was closed without a checkpoint, for want of memory; the next start reads its write-ahead log", "error", err)
			err = nil
		}
	}
	w.detach()
	w.thread.close()
	w.chunks.close()
	if damaged {
		var aside string
		if aside, err = putAside(w.path, asideDamaged, w.options.Now()); err == nil {
			w.options.Logger.Error("the damaged warehouse file was put aside", "file", w.path, "aside", aside)
		}
	}
	if err != nil {
		return fmt.Errorf("close warehouse: %w", err)
	}
	return nil
}
