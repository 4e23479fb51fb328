package keyring

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// FileVersion is the version of the file's form that this package reads and writes.
const FileVersion = 1

// ErrNewer is returned by Open for a file of a later release.
var ErrNewer = errors.New("use the release that wrote it, or a later one")

// errGone is the fault of a file that was there.
var errGone = errors.New("the keys file is gone")

// file is the file's form.
type file struct {
	Version int   `json:"version"`
	Keys    []Key `json:"keys"`
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

// change replaces the keys by what edit makes of them, and puts that in force here. A text that cannot be read is never replaced, nor is a file that is gone
// although it was there. An error that is not edit's wraps ErrUnavailable.
func (k *Keyring) change(edit func([]Key) ([]Key, error)) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var refused error
	raw, err := k.place.Change(func(raw []byte) ([]byte, error) {
		old, err := k.stateOf(raw)
		if err != nil {
			return nil, err
		}
		if raw == nil && k.state.Load().raw != nil { // what is written would be all that there is
			k.setFault(errGone.Error())
			return nil, fmt.Errorf("%w: put it back first", errGone)
		}
		keys, err := edit(cloneKeys(old.keys))
		if err == nil {
			raw, err = encode(keys)
		}
		refused = err
		return raw, err
	})
	switch {
	case refused != nil:
		return refused
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	s, err := parseState(raw)
	if err != nil {
		return err
	}
	k.state.Store(s)
	k.setFault("")
	return nil
}

func (k *Keyring) stateOf(raw []byte) (*state, error) {
	if raw == nil {
		return &state{}, nil
	}
	return parseState(raw)
}

// encode is the text of keys, which can be read again.
func encode(keys []Key) ([]byte, error) {
	raw, err := json.MarshalIndent(file{Version: FileVersion, Keys: keys}, "", "  ")
	if err != nil {
		return nil, err
	}
	raw = append(raw, '\n')
	_, err = parseState(raw)
	return raw, err
}

// Join makes one text of the keys of a node's file and of those that all nodes share: all of both. Of a secret that both have, the shared key counts; it is revoked
// when one of them says so.
func Join(own, shared []byte) ([]byte, error) {
	mine, err := parseState(own)
	if err != nil {
		return nil, err
	}
	all := &state{}
	if shared != nil {
		if all, err = parseState(shared); err != nil {
			return nil, err
		}
	}
	keys := cloneKeys(all.keys)
	for _, key := range mine.keys {
		i := slices.IndexFunc(keys, func(k Key) bool { return k.Hash == key.Hash || k.ID == key.ID })
		switch {
		case i < 0:
			keys = append(keys, key)
		case keys[i].RevokedAt == nil:
			keys[i].RevokedAt = key.RevokedAt
		}
	}
	return encode(keys)
}
