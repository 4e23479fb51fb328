package duckstore

import "context"

// turn is a mutex that nobody waits for longer than their context.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// Lock waits however long it takes.
func (t turn) Lock() { t <- struct{}{} }

// Unlock gives the turn to who waits.
func (t turn) Unlock() { <-t }

// wait is Lock until ctx ends.
func (t turn) wait(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
