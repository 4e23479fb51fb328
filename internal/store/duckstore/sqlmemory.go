package duckstore

import (
	"context"
	"fmt"
	"sync"
)

// sqlMemory is how many times its memory the warehouse has while a question in SQL is worked at. A join that has no room for its smaller side writes both of them to a
// file, and knows too late what the larger one need not be read for: a million scores, which are found by two ids each, take 150 MB.
const sqlMemory = 2

// sqlRoom counts the questions in SQL that are worked at.
type sqlRoom struct {
	mu  sync.Mutex
	now int
}

// memoryLimit is the statement that gives the warehouse so many times its memory.
func (w *Warehouse) memoryLimit(times int64) string {
	return fmt.Sprintf("SET memory_limit = '%dB'", times*w.options.MemoryLimit)
}

// enterSQL counts a question in SQL, which may set the memory to sqlMemory times as much until it leaves. The last one that leaves sets it back: where the others need
// just then what is to be given back, the next one does.
func (w *Warehouse) enterSQL() (leave func()) {
	w.sqlRoom.mu.Lock()
	defer w.sqlRoom.mu.Unlock()
	w.sqlRoom.now++
	return func() {
		w.sqlRoom.mu.Lock()
		defer w.sqlRoom.mu.Unlock()
		if w.sqlRoom.now--; w.sqlRoom.now > 0 {
			return
		}
		w.gate.RLock()
		defer w.gate.RUnlock()
		read := w.read.Load()
		if read == nil { // opened again it has its own
			return
		}
		if _, err := read.ExecContext(context.Background(), w.memoryLimit(1)); err != nil { // whoever asked may be gone
			w.options.Logger.Warn("the memory of a question in SQL is not free yet", "error", err)
		}
	}
}
