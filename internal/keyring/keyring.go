// Package keyring keeps projects and their API keys in one JSON text: a file, or what nodes share (internal/document).
//
// A secret is shown once, when its key is made; the file and the memory hold only
// its SHA-256. Several processes may change the file at once (a server runs,
// and a person revokes a key): each change reads, changes and replaces
// the file under a lock, and Run notices the changes of others within a second. A file
// that cannot be read changes nothing: the last good keys stay in force and Fault says why.
// No error, log line or fault of this package repeats a secret or a value of the file.
package keyring

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/document"
)

// Scope is what a key allows: ScopeIngest, ScopeRead or ScopeAdmin. None includes another.
type Scope = string

// The scopes.
const (
	ScopeIngest Scope = "ingest" // post telemetry
	ScopeRead   Scope = "read"   // query
	ScopeAdmin  Scope = "admin"  // manage the project's keys, erase
)

// Errors that callers tell apart.
var (
	ErrUnknownKey = errors.New("there is no key with this id")
	ErrRevoked    = errors.New("the key was revoked: it stays so, make another one")
	ErrInvalid    = errors.New("invalid")
	// ErrUnavailable is why keys cannot be changed now, though the request was right: the file or its lock cannot be read or written.
	ErrUnavailable = errors.New("the keys cannot be changed now")
	ErrLastAdmin   = errors.New("it is the project's only key with the scope admin: make another one first")
)

// pollInterval is how often Run looks at the file.
const pollInterval = 250 * time.Millisecond

// Key is one key as the file holds it.
type Key struct {
	ID      string `json:"id"` // "key_" + 16 hex digits; not secret
	Project string `json:"project"`
	Name    string `json:"name"` // for people
	Hash    string `json:"hash"` // hex SHA-256 of the secret
	// Prefix is the secret's beginning after "bk_", so that people recognise it: 6
	// characters at most, and no more than a quarter of what follows "bk_".
	Prefix    string     `json:"prefix"`
	Scopes    []Scope    `json:"scopes"` // sorted, at least one
	CreatedAt time.Time  `json:"created_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
}

// Caller is who a secret belongs to.
type Caller struct {
	Project string
	KeyID   string
	Scopes  []Scope // shared: not to be changed
}

// Has says whether the caller's key has the scope.
func (c Caller) Has(s Scope) bool { return slices.Contains(c.Scopes, s) }

// Options of a Keyring. The zero value works.
type Options struct {
	// Place has the keys, where they are not in the file alone. Default: the file.
	Place document.Place
	// Now is the clock of CreatedAt and RevokedAt; nil is time.Now.
	Now func() time.Time
	// Logger hears of files that cannot be read, and of their return; nil is silent.
	Logger *slog.Logger
}

// Keyring holds the keys of one file. All methods may be called concurrently.
type Keyring struct {
	place document.Place
	now   func() time.Time
	log   *slog.Logger
	state atomic.Pointer[state]
	fault atomic.Pointer[string]

	mu sync.Mutex // one reload or change at a time, so that no older state replaces a newer one
}

// state is the content of the file; it does not change.
type state struct {
	raw    []byte // nil: there was no file
	keys   []Key
	active map[[sha256.Size]byte]*Key // not revoked, by hash
}

// Open reads the keys at path; a file that does not exist holds none. The
// directory must exist. A file that cannot be read is an error.
func Open(path string, o Options) (*Keyring, error) {
	k := &Keyring{place: o.Place, now: o.Now, log: o.Logger}
	if k.place == nil {
		k.place = &document.File{Path: path, Others: true}
	}
	if k.now == nil {
		k.now = time.Now
	}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	raw, err := k.place.Read()
	var s *state
	if err == nil {
		s, err = k.stateOf(raw)
	}
	if err != nil {
		return nil, fmt.Errorf("open keyring: %w", err)
	}
	k.state.Store(s)
	return k, nil
}

// Lookup finds whose secret this is. It reports false for one that is unknown or revoked.
func (k *Keyring) Lookup(secret string) (Caller, bool) {
	if !wellFormed(secret) {
		return Caller{}, false
	}
	hash := sha256.Sum256([]byte(secret))
	key, ok := k.state.Load().active[hash]
	if !ok {
		return Caller{}, false
	}
	want, err := hex.DecodeString(key.Hash)
	if err != nil || subtle.ConstantTimeCompare(want, hash[:]) != 1 {
		return Caller{}, false
	}
	return Caller{Project: key.Project, KeyID: key.ID, Scopes: key.Scopes}, true
}

// Active finds the key with this id. It reports false for one that is unknown or revoked.
func (k *Keyring) Active(id string) (Key, bool) {
	for _, key := range k.state.Load().active {
		if key.ID == id {
			return cloneKey(*key), true
		}
	}
	return Key{}, false
}

// List returns all keys, revoked ones included, oldest first.
func (k *Keyring) List() []Key { return cloneKeys(k.state.Load().keys) }

// NameOf is the name of a key of the project, which may be revoked; false when the project has none with this id.
func (k *Keyring) NameOf(project, id string) (name string, known bool) {
	for _, key := range k.state.Load().keys {
		if key.ID == id && key.Project == project {
			return key.Name, true
		}
	}
	return "", false
}

// Known says that there is a key with this id, which may be revoked.
func (k *Keyring) Known(id string) bool {
	return slices.ContainsFunc(k.state.Load().keys, func(key Key) bool { return key.ID == id })
}

// Empty says that no key was ever made.
func (k *Keyring) Empty() bool { return len(k.state.Load().keys) == 0 }

// Projects returns the names of all projects that have or had a key, sorted.
func (k *Keyring) Projects() []string {
	names := []string{}
	for _, key := range k.state.Load().keys {
		names = append(names, key.Project)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Fault says why the file cannot be read now; "" when it can. Until it can, the
// last good keys are in force.
func (k *Keyring) Fault() string {
	if f := k.fault.Load(); f != nil {
		return *f
	}
	return ""
}

// Create makes a key with a new secret: "bk_" and 40 random letters and digits, 238 bits. The secret is not kept. project is 1 to 64 of a-z 0-9 - _ . and name at
// most 100 printable characters; ErrInvalid otherwise.
func (k *Keyring) Create(project, name string, scopes []Scope) (secret string, key Key, err error) {
	secret = newSecret()
	if key, err = newKey(secret, project, name, scopes, k.now()); err != nil {
		return "", Key{}, fmt.Errorf("create key: %w", err)
	}
	err = k.change(func(keys []Key) ([]Key, error) { return append(keys, key), nil })
	if err != nil {
		return "", Key{}, fmt.Errorf("create key: %w", err)
	}
	return secret, cloneKey(key), nil
}

// Put makes sure that the given secret is a key of project with this name and these
// scopes. A key that is there already keeps its id. The secret begins with "bk_"
// and has 8 to 250 printable characters after it, no space; ErrInvalid otherwise, and when the
// secret belongs to another project. ErrRevoked when its key was revoked.
func (k *Keyring) Put(secret, project, name string, scopes []Scope) (Key, error) {
	if !wellFormed(secret) {
		return Key{}, fmt.Errorf("put key: %w secret: it begins with bk_, and 8 to 250 printable characters follow", ErrInvalid)
	}
	key, err := newKey(secret, project, name, scopes, k.now())
	if err != nil {
		return Key{}, fmt.Errorf("put key: %w", err)
	}
	err = k.change(func(keys []Key) ([]Key, error) {
		i := slices.IndexFunc(keys, func(old Key) bool { return old.Hash == key.Hash })
		if i < 0 {
			return append(keys, key), nil
		}
		old := &keys[i]
		switch {
		case old.RevokedAt != nil:
			return nil, ErrRevoked
		case old.Project != project:
			return nil, fmt.Errorf("%w secret: it belongs to another project", ErrInvalid)
		}
		old.Name, old.Scopes = key.Name, key.Scopes
		key = *old
		return keys, nil
	})
	if err != nil {
		return Key{}, fmt.Errorf("put key: %w", err)
	}
	return cloneKey(key), nil
}

// Revoke ends a key for good. ErrUnknownKey when no key has this id; a revoked one stays as it is.
func (k *Keyring) Revoke(id string) error {
	return k.revoke(id, func([]Key, Key) error { return nil })
}

// RevokeOf is Revoke for a key of this project only; another project's is ErrUnknownKey.
// ErrLastAdmin when the project would be left without a key that may manage keys.
func (k *Keyring) RevokeOf(project, id string) error {
	return k.revoke(id, func(keys []Key, key Key) error {
		manages := func(k Key) bool {
			return k.Project == project && k.RevokedAt == nil && slices.Contains(k.Scopes, ScopeAdmin)
		}
		switch {
		case key.Project != project:
			return ErrUnknownKey
		case manages(key) && !slices.ContainsFunc(keys, func(k Key) bool { return k.ID != id && manages(k) }):
			return ErrLastAdmin
		}
		return nil
	})
}

// revoke ends the key with this id when it may be.
func (k *Keyring) revoke(id string, may func(keys []Key, key Key) error) error {
	err := k.change(func(keys []Key) ([]Key, error) {
		i := slices.IndexFunc(keys, func(key Key) bool { return key.ID == id })
		if i < 0 {
			return nil, ErrUnknownKey
		}
		if err := may(keys, keys[i]); err != nil {
			return nil, err
		}
		if keys[i].RevokedAt == nil {
			at := k.now().UTC()
			keys[i].RevokedAt = &at
		}
		return keys, nil
	})
	if err != nil {
		return fmt.Errorf("revoke key: %w", err)
	}
	return nil
}

// Run takes over what other processes and nodes write, until ctx ends; then it returns nil.
func (k *Keyring) Run(ctx context.Context) error {
	clock.Every(ctx, pollInterval, k.reload)
	return nil
}

// Fresh takes over what another node may have written just now.
func (k *Keyring) Fresh() {
	_, _ = k.place.Fresh() // without it what is known holds
	k.reload()
}

// reload reads the file and compares its content, not its time: two writes within one
// tick of the file system's clock look alike, and the file is small.
func (k *Keyring) reload() {
	k.mu.Lock()
	defer k.mu.Unlock()
	raw, err := k.place.Read()
	old := k.state.Load()
	if err == nil && bytes.Equal(raw, old.raw) && (raw == nil) == (old.raw == nil) {
		k.setFault("")
		return
	}
	var s *state
	switch {
	case err != nil:
	case raw == nil:
		err = errGone
	default:
		s, err = parseState(raw)
	}
	if err != nil {
		k.setFault(err.Error())
		return
	}
	k.state.Store(s)
	k.setFault("")
}

// setFault logs a fault when it comes and when it goes.
func (k *Keyring) setFault(f string) {
	switch old := k.Fault(); {
	case f == old:
		return
	case f == "":
		k.log.Info("the keys file can be read again")
	default:
		k.log.Warn("the keys file cannot be read: the last good keys stay in force", "error", f)
	}
	k.fault.Store(&f)
}
