//go:build !linux

package duckstore

// lowerPriority does nothing: elsewhere a thread has no priority of its own.
func lowerPriority() {}
