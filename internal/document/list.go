package document

import (
	"context"
	"errors"
	"log/slog"
	"sync"
)

// List is a list that is one text in a Place, and in memory. What holds in memory is what the Place had last, whoever wrote it: changes of this process and what others
// wrote are taken one after the other. It is safe for concurrent use.
type List[T any] struct {
	Place  Place
	Parse  func(text []byte) ([]T, error)
	Encode func(all []T) ([]byte, error)
	Take   func(all []T) // has them hold in memory

	// changing is held from before the Place is asked until what it had is taken: else what was written would stand in the place of what came behind it.
	changing sync.Mutex

	mu    sync.Mutex // guards what follows
	fault string
}

// ErrSame is the error of an edit that changes nothing.
var ErrSame = errors.New("nothing is to be changed")

// Change has hold what edit makes of the newest list, which is its own; it may be called several times, and its error is returned, but for ErrSame.
func (l *List[T]) Change(edit func(all []T) ([]T, error)) error {
	l.changing.Lock()
	defer l.changing.Unlock()
	var refused error
	text, err := l.Place.Change(func(old []byte) ([]byte, error) {
		all, err := l.Parse(old)
		if err != nil {
			return nil, err
		}
		all, refused = edit(all)
		switch {
		case errors.Is(refused, ErrSame) && old != nil:
			refused = nil
			return old, nil // which another may have written
		case refused != nil:
			return nil, refused
		}
		return l.Encode(all)
	})
	switch {
	case errors.Is(refused, ErrSame):
		return nil
	case refused != nil:
		return refused
	case err == nil:
		err = l.take(text)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		l.fault = ""
	case !errors.Is(err, ErrUnavailable): // which another line of /readyz tells
		l.fault = err.Error()
	}
	return err
}

// Fault is why the last change could not be written; "" when it could.
func (l *List[T]) Fault() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fault
}

// Follow takes over what others write until ctx ends, and calls taken, which may be nil, after each; what names the list where it is logged that one cannot be read.
func (l *List[T]) Follow(ctx context.Context, logger *slog.Logger, what string, taken func()) {
	for {
		select {
		case <-l.Place.Changed():
		case <-ctx.Done():
			return
		}
		if err := l.Reread(); err != nil {
			logger.Error("the "+what+" that another node changed cannot be read; those before hold here", "error", err)
		}
		if taken != nil {
			taken()
		}
	}
}

// Reread takes what the Place has now; Follow does it when somebody has written.
func (l *List[T]) Reread() error {
	l.changing.Lock()
	defer l.changing.Unlock()
	text, err := l.Place.Read()
	if err != nil {
		return err
	}
	return l.take(text)
}

func (l *List[T]) take(text []byte) error {
	all, err := l.Parse(text)
	if err == nil {
		l.Take(all)
	}
	return err
}
