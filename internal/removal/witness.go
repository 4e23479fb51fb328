package removal

import (
	"context"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Witness sees the erasures that happen while the Log is copied: a restore of the copy must do
// them again, because its segments may have been read before them.
type Witness struct {
	eraser *Eraser
	seen   []Erasure
}

// Witness begins to see erasures, the one that is under way too. It comes before the first segment is read: an
// erasure that has ended by then is in none of them. Close ends it.
func (e *Eraser) Witness() (*Witness, error) {
	w := &Witness{eraser: e}
	e.mu.Lock()
	e.witnesses[w] = true
	e.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), eraseWait)
	defer cancel()
	list, err := e.pending(ctx)
	if err != nil {
		w.Close()
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	w.seen = append(w.seen, list...)
	return w, nil
}

// Close ends the Witness.
func (w *Witness) Close() {
	w.eraser.mu.Lock()
	defer w.eraser.mu.Unlock()
	delete(w.eraser.witnesses, w)
}

// Tell shows an erasure, whose journal is written or which another node asked for, to all witnesses.
func (e *Eraser) Tell(what Erasure) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for w := range e.witnesses {
		w.seen = append(w.seen, what)
	}
}

// Journal is the file of the erasures so far, as far as they are about events up to head; nil
// when there are none. A Seq behind head will be another event's after a restore.
func (w *Witness) Journal(head entity.Seq) ([]byte, error) {
	w.eraser.mu.Lock()
	defer w.eraser.mu.Unlock()
	var list []Erasure
	for _, e := range w.seen {
		e.Seqs = slices.DeleteFunc(w.eraser.o.Local(e.Seqs), func(s entity.Seq) bool { return s > head })
		if len(e.Seqs)+len(e.Traces) > 0 {
			list = append(list, e)
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	return encodeJournal(list, false)
}
