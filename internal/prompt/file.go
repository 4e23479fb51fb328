package prompt

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/document"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// FileVersion is the version of the form of the files.
const FileVersion = 1

// ErrNewer says that a later release wrote the file.
var ErrNewer = errors.New("the prompts were written by a later release of brokle: run that release")

// FileName is the name of the file of a project.
func FileName(project string) string { return "project-" + project + ".json" }

// file is the prompts of a project, by name.
type file struct {
	Version int    `json:"version"`
	Prompts []kept `json:"prompts"`
}

// kept is a prompt. One without versions was deleted: its name keeps its last number.
type kept struct {
	Name        string         `json:"name"`
	Type        string         `json:"type"`
	Description string         `json:"description,omitempty"`
	Tags        []string       `json:"tags,omitempty"`
	Last        int            `json:"last"` // the number that was given last
	Labels      map[string]int `json:"labels,omitempty"`
	CreatedAt   time.Time      `json:"created_at"`
	UpdatedAt   time.Time      `json:"updated_at"`
	Versions    []version      `json:"versions,omitempty"` // rising
}

// version is what never changes.
type version struct {
	Number        int                 `json:"version"`
	Template      wire.PromptTemplate `json:"template"`
	Config        json.RawMessage     `json:"config,omitempty"`
	CommitMessage string              `json:"commit_message,omitempty"`
	CreatedBy     string              `json:"created_by"`
	CreatedAt     time.Time           `json:"created_at"`
}

// parse reads a text that is called by a name.
func parse(name string, raw []byte) (file, error) {
	f := file{Version: FileVersion}
	if raw == nil {
		return f, nil
	}
	if err := document.Decode(name, raw, FileVersion, ErrNewer, &f); err != nil {
		return f, err
	}
	slices.SortStableFunc(f.Prompts, func(a, b kept) int { return strings.Compare(a.Name, b.Name) })
	for i := range f.Prompts {
		k := &f.Prompts[i]
		if err := k.fault(); err != nil {
			return f, fmt.Errorf("%s is damaged: prompt %q: %w", name, k.Name, err)
		}
		if i > 0 && f.Prompts[i-1].Name == k.Name {
			return f, fmt.Errorf("%s is damaged: prompt %q is there twice", name, k.Name)
		}
	}
	return f, nil
}

// fault says what is wrong with a prompt that was read.
func (k *kept) fault() error {
	slices.SortStableFunc(k.Versions, func(a, b version) int { return cmp.Compare(a.Number, b.Number) })
	for i := range k.Versions {
		v := &k.Versions[i]
		switch {
		case v.Number < 1 || v.Number > k.Last || i > 0 && k.Versions[i-1].Number == v.Number:
			return fmt.Errorf("version %d cannot be", v.Number)
		case (k.Type == wire.PromptChat) != (len(v.Template.Messages) > 0):
			return fmt.Errorf("version %d is not of its type", v.Number)
		}
	}
	for label, number := range k.Labels {
		if k.find(number) == nil {
			return fmt.Errorf("label %s is on version %d, which is not there", label, number)
		}
	}
	return errors.Join(nameFaults("name", k.Name, maxName)...)
}

func (k *kept) find(number int) *version {
	i, found := slices.BinarySearchFunc(k.Versions, number, func(v version, n int) int { return cmp.Compare(v.Number, n) })
	if !found {
		return nil
	}
	return &k.Versions[i]
}

// find is where a name is among the prompts, or would be.
func (f *file) find(name string) (int, bool) {
	return slices.BinarySearchFunc(f.Prompts, name, func(k kept, name string) int { return strings.Compare(k.Name, name) })
}

func (f *file) encode() ([]byte, error) {
	raw, err := json.MarshalIndent(f, "", " ")
	if err == nil && len(raw) > maxFile {
		err = fmt.Errorf("%w: the prompts of the project have %d bytes together, and may have %d: delete versions that nobody uses", ErrInvalid, len(raw), maxFile)
	}
	return append(raw, '\n'), err
}

// Join makes one text of a node's file and of what all nodes share: of the file's prompts those whose names the others have not.
func Join(own, shared []byte) ([]byte, error) {
	mine, err := parse("the file of this node", own)
	if err != nil {
		return nil, err
	}
	all, err := parse("what all nodes share", shared)
	if err != nil {
		return nil, err
	}
	for _, k := range mine.Prompts {
		if i, found := all.find(k.Name); !found {
			all.Prompts = slices.Insert(all.Prompts, i, k)
		}
	}
	return all.encode()
}

// Read says in a line what the files in the directory hold; "" when there are none. The error is ErrNewer, or what is damaged.
func Read(dir string) (string, error) {
	names, err := Files(dir)
	if err != nil || len(names) == 0 {
		return "", err
	}
	prompts, versions := 0, 0
	for _, name := range names {
		raw, err := (&document.File{Path: filepath.Join(dir, name)}).Read()
		if err != nil {
			return "", err
		}
		f, err := parse(name, raw)
		if err != nil {
			return "", err
		}
		for i := range f.Prompts {
			if n := len(f.Prompts[i].Versions); n > 0 {
				prompts, versions = prompts+1, versions+n
			}
		}
	}
	return fmt.Sprintf("%d prompts in %d versions of %d projects", prompts, versions, len(names)), nil
}

// Files are the names of the files in the directory, which need not be there.
func Files(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if name := e.Name(); e.Type().IsRegular() && strings.HasPrefix(name, "project-") && strings.HasSuffix(name, ".json") {
			names = append(names, name)
		}
	}
	return names, nil
}
