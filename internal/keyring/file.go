package keyring

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
)

// FileVersion is the version of the file's form that this package reads and writes.
const FileVersion = 1

// ErrNewer is returned by Open for a file of a later release.
var ErrNewer = errors.New("use the release that wrote it, or a later one")

// errGone is the fault of a file that was there.
var errGone = errors.New("the keys file is gone")

// maxFile bounds the file, in bytes.
const maxFile = 16 << 20

// file is the file's form.
type file struct {
	Version int   `json:"version"`
	Keys    []Key `json:"keys"`
}

// readFile reads the file; nil when there is none.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, plain(err)
	}
	defer f.Close() //nolint:errcheck // only read
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, plain(err)
	}
	if len(raw) > maxFile {
		return nil, fmt.Errorf("the keys file has more than %d bytes", maxFile)
	}
	return raw, nil
}

// plain takes the path out of an error: faults are shown to people who need not know it.
func plain(err error) error {
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe):
		return fmt.Errorf("keys file: %s: %w", pe.Op, pe.Err)
	case errors.As(err, &le):
		return fmt.Errorf("keys file: %s: %w", le.Op, le.Err)
	}
	return err
}

func readState(path string) (*state, error) {
	raw, err := readFile(path)
	if err != nil {
		return nil, err
	}
	if raw == nil {
		return &state{}, nil
	}
	return parseState(raw)
}

// parseState reads and checks the file's content. What it reports names places,
// never values: someone may have pasted a secret into the file.
func parseState(raw []byte) (*state, error) {
	var f file
	if err := json.Unmarshal(raw, &f); err != nil {
		var syntax *json.SyntaxError
		var kind *json.UnmarshalTypeError
		switch {
		case errors.As(err, &syntax):
			return nil, fmt.Errorf("the keys file is not JSON from byte %d on", syntax.Offset)
		case errors.As(err, &kind):
			return nil, fmt.Errorf("the keys file has a value of the wrong type at byte %d", kind.Offset)
		default:
			return nil, errors.New("the keys file has a value that cannot be read, perhaps a time")
		}
	}
	switch {
	case f.Version > FileVersion:
		return nil, fmt.Errorf("the keys file has format version %d and this program reads up to %d: %w", f.Version, FileVersion, ErrNewer)
	case f.Version != FileVersion:
		return nil, fmt.Errorf("the keys file has format version %d, which no release wrote", f.Version)
	}
	s := &state{raw: raw, keys: f.Keys, active: make(map[[sha256.Size]byte]*Key, len(f.Keys))}
	ids, hashes := map[string]bool{}, map[string]bool{}
	for i := range s.keys {
		key := &s.keys[i]
		hash, err := hex.DecodeString(key.Hash)
		switch {
		case err != nil || len(hash) != sha256.Size:
			return nil, fmt.Errorf("keys file, key %d: the hash is not 64 hex digits", i+1)
		case key.ID == "" || ids[key.ID]:
			return nil, fmt.Errorf("keys file, key %d: the id is empty or another key's", i+1)
		case hashes[string(hash)]:
			return nil, fmt.Errorf("keys file, key %d: the secret is another key's", i+1)
		case !ValidProject(key.Project):
			return nil, fmt.Errorf("keys file, key %d: the project's name has 1 to 64 characters of a-z, 0-9, dash, underscore and dot", i+1)
		case !validScopes(key.Scopes):
			return nil, fmt.Errorf("keys file, key %d: the scopes are one or more of ingest, read, admin", i+1)
		}
		ids[key.ID], hashes[string(hash)] = true, true
		if key.RevokedAt == nil {
			s.active[[sha256.Size]byte(hash)] = key
		}
	}
	return s, nil
}

// change replaces the file with what edit makes of its keys, under the lock that all
// processes take, and puts that in force here. A file that cannot be read is never replaced, nor is one that is gone
// although it was there. An error that is not edit's wraps ErrUnavailable.
func (k *Keyring) change(edit func([]Key) ([]Key, error)) (err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	unlock, err := lockFile(k.path + ".lock")
	if err != nil {
		return fmt.Errorf("%w: lock keys file: %w", ErrUnavailable, plain(err))
	}
	defer func() { err = errors.Join(err, unlock()) }()
	old, err := readState(k.path)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if old.raw == nil && k.state.Load().raw != nil { // what is written would be all that there is
		k.setFault(errGone.Error())
		return fmt.Errorf("%w: %w: put it back first", ErrUnavailable, errGone)
	}
	keys, err := edit(cloneKeys(old.keys))
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(file{Version: FileVersion, Keys: keys}, "", "  ")
	if err != nil {
		return err
	}
	raw = append(raw, '\n')
	s, err := parseState(raw)
	if err != nil {
		return err
	}
	if !bytes.Equal(raw, old.raw) {
		if err := k.replace(k.path, raw); err != nil {
			return fmt.Errorf("%w: write keys file: %w", ErrUnavailable, plain(err))
		}
	}
	k.state.Store(s)
	k.setFault("")
	return nil
}
