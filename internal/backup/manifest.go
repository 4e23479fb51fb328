package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// Version is the version of the backup's form that this package reads and writes.
const Version = 1

// ManifestName is the file that makes a directory a backup.
const ManifestName = "manifest.json"

// maxManifest bounds a manifest, in bytes.
const maxManifest = 64 << 20

// ErrNoManifest is returned for a directory that holds no whole backup.
var ErrNoManifest = errors.New("there is no " + ManifestName + ": it is no backup, or one that was cut off")

// NewerError says that something was written by a later release.
type NewerError struct {
	What        string // file, or part
	Has, Reads  int
	Instruction string // what to do, a whole clause
}

func (e *NewerError) Error() string {
	do := e.Instruction
	if do == "" {
		do = "use the release that wrote it, or a later one"
	}
	return fmt.Sprintf("%s has format version %d and this program reads up to %d: %s", e.What, e.Has, e.Reads, do)
}

// Manifest says what a backup holds.
type Manifest struct {
	Version int `json:"version"`
	// Created is when the backup was asked for, UTC.
	Created time.Time `json:"created_at"`
	// Node is the version of the program that made it.
	Node string `json:"node_version"`
	// Head is the last Seq that the backup covers.
	Head uint64 `json:"head"`
	// Formats are the versions of the forms of the files, by part.
	Formats map[string]int `json:"formats"`
	Files   []File         `json:"files"`
	// Checksum is the hex SHA-256 of the manifest with this field empty, as this
	// package encodes it.
	Checksum string `json:"checksum"`
}

// File is one file of a backup.
type File struct {
	Name   string `json:"name"` // with slashes, below the directory
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // hex
}

// fileName is every name that a member of a backup may have: nothing of an
// archive can reach beyond its directory.
var fileName = regexp.MustCompile(`^(log/[0-9]{20}\.seg|keys\.json|alerts\.json|budgets\.json|saved\.json|judges\.json|prompts/project-[a-z0-9._-]{1,64}\.json|quarantine/quarantine\.jsonl|erasing\.json|prices/(journal\.json|[0-9a-f]{64}\.txt)|media/project-[a-z0-9._-]{1,64}/[0-9a-f]{2}/[0-9a-f]{64}-[0-9]{1,12}|datasets/project-[a-z0-9._-]{1,64}/([0-9A-Z]{26}|experiments)\.jsonl)$`)

func (m *Manifest) encode() ([]byte, error) {
	raw, err := json.MarshalIndent(m, "", "  ")
	return append(raw, '\n'), err
}

// seal sets the checksum and returns the whole file.
func (m *Manifest) seal() ([]byte, error) {
	m.Checksum = ""
	raw, err := m.encode()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	m.Checksum = hex.EncodeToString(sum[:])
	return m.encode()
}

// parseManifest reads a manifest and checks it against its checksum.
func parseManifest(raw []byte) (*Manifest, error) {
	var version struct{ Version int }
	if err := json.Unmarshal(raw, &version); err != nil {
		return nil, fmt.Errorf("%s is damaged: it is not JSON", ManifestName)
	}
	if version.Version > Version {
		return nil, &NewerError{What: ManifestName + " of the backup", Has: version.Version, Reads: Version}
	}
	var m Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("%s is damaged: a value in it has the wrong type", ManifestName)
	}
	whole := m
	again, err := whole.seal()
	if err != nil || whole.Checksum != m.Checksum || !bytes.Equal(again, raw) {
		return nil, fmt.Errorf("%s is damaged: its checksum is wrong", ManifestName)
	}
	names := map[string]bool{}
	for _, f := range m.Files {
		if !fileName.MatchString(f.Name) || f.Size < 0 || names[f.Name] {
			return nil, fmt.Errorf("%s names a file that no backup has: %q", ManifestName, f.Name)
		}
		names[f.Name] = true
	}
	return &m, nil
}

// Read reads the manifest of the backup in dir. ErrNoManifest when there is none, a
// *NewerError when a later release made it.
func Read(dir string) (*Manifest, error) {
	f, err := os.Open(filepath.Join(dir, ManifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read backup in %s: %w", dir, ErrNoManifest)
	}
	if err != nil {
		return nil, fmt.Errorf("read backup: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	raw, err := io.ReadAll(io.LimitReader(f, maxManifest))
	if err != nil {
		return nil, fmt.Errorf("read backup: %w", err)
	}
	m, err := parseManifest(raw)
	if err != nil {
		return nil, fmt.Errorf("read backup in %s: %w", dir, err)
	}
	return m, nil
}

// Fault is what is wrong with one file of a backup.
type Fault struct {
	Name string
	What string
}

// Check compares every file of the backup in dir with the manifest; read is told
// of the bytes that were gone through. The error is one of reading.
func (m *Manifest) Check(dir string, read func(n int64)) (faults []Fault, err error) {
	for _, f := range m.Files {
		what, err := f.check(dir, read)
		if err != nil {
			return faults, fmt.Errorf("check backup: %w", err)
		}
		if what != "" {
			faults = append(faults, Fault{f.Name, what})
		}
	}
	return faults, nil
}

func (f File) check(dir string, read func(n int64)) (what string, err error) {
	file, err := os.Open(filepath.Join(dir, filepath.FromSlash(f.Name)))
	if errors.Is(err, fs.ErrNotExist) {
		return "is missing", nil
	}
	if err != nil {
		return "", err
	}
	defer file.Close() //nolint:errcheck // only read
	sum := sha256.New()
	n, err := io.Copy(sum, &counted{file, read})
	switch {
	case err != nil:
		return "", err
	case n != f.Size:
		return fmt.Sprintf("has %d bytes instead of %d", n, f.Size), nil
	case hex.EncodeToString(sum.Sum(nil)) != f.SHA256:
		return "is damaged: its SHA-256 is not that of the manifest", nil
	}
	return "", nil
}

// Bytes is the size of all files together.
func (m *Manifest) Bytes() (n int64) {
	for _, f := range m.Files {
		n += f.Size
	}
	return n
}

// counted tells of the bytes that are read through it.
type counted struct {
	io.Reader
	read func(n int64)
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	if c.read != nil {
		c.read(int64(n))
	}
	return n, err
}
