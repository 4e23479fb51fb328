// Package removal decides what goes, and carries it through Log, quarantine and Warehouse:
// what has grown too old (Keeper), and what somebody asked to be erased (Eraser).
//
// It promises that an event whose retention is over is in no answer any more after
// the next pass, that its payload leaves the disk within a stated time after
// that, and that every event so removed is counted; and that an erasure that has begun ends,
// if need be after the next start. Whatever is interrupted at any moment leaves
// everything as it was or removed, and the next one goes on.
package removal
