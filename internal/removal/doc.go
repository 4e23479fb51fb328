// Package retention removes events that have grown too old.
//
// It promises that an event whose retention is over is in no answer any more after
// the next pass, that its payload leaves the disk within a stated time after
// that, and that every event so removed is counted. A pass that fails or is
// interrupted at any moment leaves everything as it was or removed; the next one goes on.
package removal
