package brokle

import "sync"

// ForgetProcess puts the package's one global back to what it is when a process starts.
func ForgetProcess() {
	process.mu.Lock()
	defer process.mu.Unlock()
	process.client.Store(nil)
	process.off.Store(false)
	process.unnamed = sync.Once{}
}
