package document

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/brokle-ai/brokle-go/internal/durable"
)

// CopiesFile is the name of the file that says which files are copies.
const CopiesFile = "shared.json"

// copies knows which texts of files are copies of what nodes share, by the name of the document and the SHA-256 of the text: the one that the file has, and the one that it is
// about to have, because a process may end in between.
type copies struct {
	path string

	mu   sync.Mutex // guards what follows
	sums map[string][]string
}

func readCopies(path string) (*copies, error) {
	c := &copies{path: path, sums: map[string][]string{}}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &c.sums)
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: delete it, and what the files have is brought in again (%w)", CopiesFile, err)
	}
	return c, nil
}

func sumOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func (c *copies) has(name string, text []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.sums[name], sumOf(text))
}

// note says that a text was brought in: it is a copy now.
func (c *copies) note(name string, text []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sums[name] = []string{sumOf(text)}
}

// drop says that the file is no copy of anything.
func (c *copies) drop(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sums, name)
}

// expect writes down that the file is about to have a text.
func (c *copies) expect(name string, text []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	had := c.sums[name]
	sums := []string{sumOf(text)}
	if len(had) > 0 && had[0] != sums[0] {
		sums = append(sums, had[0])
	}
	c.sums[name] = sums
	raw, err := json.MarshalIndent(c.sums, "", "  ")
	if err == nil {
		err = durable.Replace(c.path, append(raw, '\n'))
	}
	return err
}
