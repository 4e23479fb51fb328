package duckstore

import (
	"errors"
	"strings"
)

// ErrDamaged is why a node must open the Warehouse again: a part of the file cannot be
// read. Close has put the file aside then, and Open begins an empty one.
var ErrDamaged = errors.New("the warehouse file is damaged; the next start builds it again from the log")

// Damaged is closed when a part of the file turned out to be damaged. Open reads only
// some of the file, so that a question, or a checkpoint, may be the first to meet it.
func (w *Warehouse) Damaged() <-chan struct{} { return w.damage }

// broken says whether DuckDB refuses all further work: after a checkpoint that
// failed half-way, on a full disk for example. The file is whole; it only has
// to be opened again. It notes what says that the file is not whole.
func (w *Warehouse) broken(err error) bool {
	if Corrupt(err) {
		w.damaged.Do(func() {
			w.options.Logger.Error("the warehouse file is damaged", "file", w.path, "error", err)
			close(w.damage)
		})
	}
	return err != nil && strings.Contains(err.Error(), "FATAL Error")
}

// isDamaged says whether broken has seen damage.
func (w *Warehouse) isDamaged() bool {
	select {
	case <-w.damage:
		return true
	default:
		return false
	}
}

// Corrupt says whether the file's content is the reason for err: every block of the
// file has a checksum, and a file that was cut lacks blocks. DuckDB begins its message
// with the kind of the error; an error of another kind may quote what a client sent.
func Corrupt(err error) bool {
	if err == nil {
		return false
	}
	for inner := err; inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	text := err.Error()
	kind, _, _ := strings.Cut(text, ": ")
	return (kind == "IO Error" || kind == "FATAL Error" || kind == "TransactionContext Error") &&
		(strings.Contains(text, "Corrupt database file") || strings.Contains(text, "Could not read enough bytes from file"))
}
