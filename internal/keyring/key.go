package keyring

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// SecretPrefix begins every secret.
	SecretPrefix = "bk_"
	minSecret    = 8   // characters after the prefix
	maxSecret    = 250 // characters after the prefix
	unguessable  = 24  // characters after the prefix
	shownPrefix  = 6   // characters of Key.Prefix, at most
)

// secretDigits are what a new secret is made of, and secretLength is how many of them: published clients refuse
// keys of another length than 43 with the prefix. 62^40 > 2^238: nobody guesses one.
const (
	secretDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	secretLength = 40
)

// newSecret makes a secret, each digit as likely as any other.
func newSecret() string {
	secret := []byte(SecretPrefix)
	var b [64]byte
	for {
		rand.Read(b[:]) //nolint:errcheck // never fails (crypto/rand)
		for _, v := range b {
			const fair = 256 - 256%len(secretDigits) // above it the first digits would be likelier
			if int(v) >= fair {
				continue
			}
			secret = append(secret, secretDigits[int(v)%len(secretDigits)])
			if len(secret) == len(SecretPrefix)+secretLength {
				return string(secret)
			}
		}
	}
}

// wellFormed says whether a string can be a secret at all.
func wellFormed(secret string) bool {
	rest, ok := strings.CutPrefix(secret, SecretPrefix)
	if !ok || len(rest) < minSecret || len(rest) > maxSecret {
		return false
	}
	for i := range len(rest) {
		if rest[i] <= ' ' || rest[i] > '~' {
			return false
		}
	}
	return true
}

// Guessable says whether a secret is so short that a person may have thought it up:
// fewer than 24 characters after "bk_". Create makes none of these, Put may.
func Guessable(secret string) bool { return len(secret) < len(SecretPrefix)+unguessable }

// newKey checks what it is given and makes a key of it.
func newKey(secret, project, name string, scopes []Scope, now time.Time) (Key, error) {
	if !ValidProject(project) {
		return Key{}, fmt.Errorf("%w project: its name has 1 to 64 characters of a-z, 0-9, dash, underscore and dot", ErrInvalid)
	}
	if !validName(name) {
		return Key{}, fmt.Errorf("%w name: it has at most 100 printable characters", ErrInvalid)
	}
	scopes = slices.Clone(scopes)
	slices.Sort(scopes)
	scopes = slices.Compact(scopes)
	if !validScopes(scopes) {
		return Key{}, fmt.Errorf("%w scopes: one or more of ingest, read, admin", ErrInvalid)
	}
	var id [8]byte
	rand.Read(id[:]) //nolint:errcheck // never fails (crypto/rand)
	hash := sha256.Sum256([]byte(secret))
	rest := secret[len(SecretPrefix):]
	return Key{
		ID: "key_" + hex.EncodeToString(id[:]), Project: project, Name: name,
		Hash: hex.EncodeToString(hash[:]), Prefix: rest[:min(shownPrefix, len(rest)/4)],
		Scopes: scopes, CreatedAt: now.UTC(),
	}, nil
}

// ValidProject says whether s can name a project: 1 to 64 of a-z 0-9 - _ .
func ValidProject(s string) bool {
	if len(s) < 1 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

func validName(s string) bool {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > 100 {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

func validScopes(scopes []Scope) bool {
	for _, s := range scopes {
		if s != ScopeIngest && s != ScopeRead && s != ScopeAdmin {
			return false
		}
	}
	return len(scopes) > 0
}

func cloneKey(k Key) Key {
	k.Scopes = slices.Clone(k.Scopes)
	if k.RevokedAt != nil {
		at := *k.RevokedAt
		k.RevokedAt = &at
	}
	return k
}

func cloneKeys(keys []Key) []Key {
	out := make([]Key, len(keys))
	for i, k := range keys {
		out[i] = cloneKey(k)
	}
	return out
}
