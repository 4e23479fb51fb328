//go:build !linux

package duckstore

// tuneAllocator does nothing: elsewhere DuckDB uses the allocator of the C library.
func tuneAllocator() {}

// trimMemory does nothing: only glibc has a call for it.
func trimMemory() {}
