package duckstore

/*
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/types.h>

// The allocator inside DuckDB's library (jemalloc, under another name). Weak: a
// library that was built without it has no such function.
extern int duckdb_je_mallctl(const char *name, void *old, size_t *oldlen, void *new, size_t newlen) __attribute__((weak));

static int set_decay(const char *name, ssize_t ms) {
	return duckdb_je_mallctl ? duckdb_je_mallctl(name, NULL, NULL, &ms, sizeof ms) : -1;
}

static ssize_t decay(const char *name) {
	ssize_t ms = -2;
	size_t len = sizeof ms;
	return duckdb_je_mallctl && duckdb_je_mallctl(name, &ms, &len, NULL, 0) == 0 ? ms : -2;
}

static unsigned arenas(void) {
	unsigned n = 0;
	size_t len = sizeof n;
	return duckdb_je_mallctl && duckdb_je_mallctl("arenas.narenas", &n, &len, NULL, 0) == 0 ? n : 0;
}

static int in_background(void) {
	bool on = false;
	size_t len = sizeof on;
	return duckdb_je_mallctl && duckdb_je_mallctl("background_thread", &on, &len, NULL, 0) == 0 && on;
}

static void bound_arenas(int most) {
#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, most);
	mallopt(M_MMAP_THRESHOLD, 256 << 10);
#endif
}

static void trim(void) {
	if (duckdb_je_mallctl)
		duckdb_je_mallctl("arena.4096.purge", NULL, NULL, NULL, 0); // 4096 stands for all of them
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
*/
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"
)

// keptDirty is for how long DuckDB's allocator keeps freed pages for the next who
// asks, in milliseconds; muzzy pages (given back only when the machine is short
// of them, and counted as resident until then) it does not keep. With its own one
// second for both, 60 to 120 MB were held at full load that nobody used.
const keptDirty = 50

// tuneAllocator makes what DuckDB frees leave the process soon. It holds for the
// process, so that calling it again changes nothing (jemalloc(3), arenas.dirty_decay_ms;
// mallopt(3)). The C library, which has the small pieces and the id index's cache, would
// make eight arenas a processor, each with its own holes, and would raise the size from
// which a piece is given back when it is freed.
func tuneAllocator() {
	C.bound_arenas(C.int(max(2, runtime.NumCPU())))
	set := func(name string, ms C.ssize_t) {
		n := C.CString(name)
		defer freeC(n)
		C.set_decay(n, ms) // fails for an arena that is not in use yet: it begins with the default
	}
	all := []string{"arenas"}
	for i := range uint(C.arenas()) {
		all = append(all, fmt.Sprintf("arena.%d", i))
	}
	for _, a := range all {
		set(a+".dirty_decay_ms", keptDirty)
		set(a+".muzzy_decay_ms", 0)
	}
}

// decayOf reads a setting of the allocator; -2 where there is none of that name.
func decayOf(name string) int {
	n := C.CString(name)
	defer freeC(n)
	return int(C.decay(n))
}

// decaysAlone says whether a thread of the allocator's sees to it that what is free leaves in time. Without
// it, it leaves only when somebody allocates in the same arena.
func decaysAlone() bool { return C.in_background() != 0 }

// trimMemory gives back what is free now, in the allocator's arenas and in the C library (malloc_trim(3)): DuckDB's own
// structures, small pieces beside its blocks, leave holes. Takes some milliseconds.
func trimMemory() { C.trim() }

func freeC(s *C.char) { C.free(unsafe.Pointer(s)) }
