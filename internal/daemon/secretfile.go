package daemon

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/durable"
)

// secretFile reads size random bytes, in hex, from the file at path; where there is no
// file it makes one that only its owner can read. The data directory's lock is held:
// nobody else makes the same file. A file of another content is an error, not a new secret.
func secretFile(path string, size int) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return newSecretFile(path, size)
	}
	if err != nil {
		return nil, err
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(secret) != size {
		// What is in the file is not repeated.
		return nil, fmt.Errorf("%s does not hold %d bytes in hex: put the file back, or delete it to have a new one made", path, size)
	}
	return secret, nil
}

func newSecretFile(path string, size int) ([]byte, error) {
	secret := make([]byte, size)
	rand.Read(secret) //nolint:errcheck // never fails (crypto/rand)
	return secret, durable.Replace(path, []byte(hex.EncodeToString(secret)+"\n"))
}
