package duckstore

import (
	"context"
	"errors"
	"strings"
)

// Whatever fails, the writer comes back by itself, and what it had begun to write is as
// if it had never been: a ROLLBACK that fails is repeated, a connection that cannot roll
// back is opened anew, a writer that found no memory gets that of the questions, and a
// database that goes on failing is opened again.

const (
	// rollbacks is how often a failed ROLLBACK is tried.
	rollbacks = 3
	// reopenAfter is after how many failures in a row the database is opened again; from
	// then on after twice as many each time, for a full disk is not helped by it.
	reopenAfter = 3
)

// locked runs f on the writer's thread when its turn comes, behind what was inserted before.
func (w *Warehouse) locked(ctx context.Context, f func() error) error {
	if err := w.mu.wait(ctx); err != nil {
		return err
	}
	defer w.mu.Unlock()
	if err := w.flush(false); err != nil {
		return err
	}
	if err := w.ready(); err != nil {
		return err
	}
	return w.writing(f)
}

// writing runs f, which writes, on the writer's thread. w.mu is held and the file is open.
func (w *Warehouse) writing(f func() error) error {
	err := w.thread.do(f)
	if starved(err) && w.recover() == nil {
		// Questions have taken the memory. They are asked again, the writer goes first.
		err = w.alone(f)
	}
	if err == nil && !w.lost {
		w.failures, w.reopenAt = 0, reopenAfter
		return nil
	}
	lost := w.recover()
	w.failures++
	again := w.failures >= w.reopenAt
	if again {
		w.reopenAt = 2 * w.failures
	}
	if w.broken(err) || w.broken(lost) || lost != nil || w.lost || again {
		w.options.Logger.Warn("the warehouse is opened again", "failures", w.failures, "error", err)
		w.detach()
	}
	return err
}

// recover makes the writer fit to begin anew after a failure: what it remembers of the
// tables may be what was not written, and its connection may be in a transaction that
// it could not end.
func (w *Warehouse) recover() error {
	w.forget()
	if !w.write.stuck {
		return nil
	}
	return w.thread.do(w.write.again)
}

// forget empties the caches.
func (w *Warehouse) forget() {
	eighth := w.options.CacheMemory / 8
	w.heads, w.bundles, w.families = newCache[head](eighth), newCache[*bundle](3*eighth), newCache[*family](4*eighth)
}

// transact runs f in a transaction of the writing connection: all of it or nothing.
func (w *Warehouse) transact(f func() error) error {
	if err := w.write.exec("BEGIN TRANSACTION"); err != nil {
		// In a transaction that somebody left open there is no other.
		w.write.stuck = strings.Contains(err.Error(), "within a transaction")
		return err
	}
	err := f()
	if err == nil {
		err = w.write.exec("COMMIT")
	}
	if err == nil {
		return nil
	}
	for range rollbacks {
		undo := w.write.exec("ROLLBACK")
		// A statement that failed has often ended the transaction already.
		if undo == nil || strings.Contains(undo.Error(), "no transaction is active") {
			return err
		}
		err = errors.Join(err, undo)
	}
	w.write.stuck = true
	return err
}

// again replaces the connection; what its transaction wrote is gone with it.
func (c *conn) again() error {
	if err := c.fails("CONNECT"); err != nil {
		return err
	}
	return c.reconnect()
}
