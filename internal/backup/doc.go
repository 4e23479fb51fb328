// Package backup is the form of a backup: an archive on its way, a directory
// with a manifest at rest, and how one becomes a data directory again.
//
// An archive is a POSIX tar. Its members are the files of the data directory that are
// the truth; a later member of a name replaces an earlier one. The last member is
// manifest.json, which names every file that counts with its size and SHA-256, and carries
// a checksum of itself. An archive without it was cut off. docs/format.md has the details.
package backup
