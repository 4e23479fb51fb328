// Package mediafiles keeps media as files, each named by the hash of its bytes:
//
//	project-NAME/ab/HASH-SECONDS
//
// where ab is how the hash begins and SECONDS, in Unix time, until when the medium was needed when it was
// put last (store.MediumName). A file never changes; it gets a later name.
//
// It promises that a medium is on the disk, under its name, when Put returns: its bytes are synced before it gets the
// name, and the directory after that. A crash leaves a whole medium, or a file in tmp that the next
// Open removes. What it keeps may be referred to by no event, when the crash came before that was stored: who
// knows the events has it weeded. Weed removes nothing that is put meanwhile.
package mediafiles
