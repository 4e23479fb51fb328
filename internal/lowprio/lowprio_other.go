//go:build !linux

package lowprio

// Lower does nothing: elsewhere a thread has no priority of its own.
func Lower() {}
