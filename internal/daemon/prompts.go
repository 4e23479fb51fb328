package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/brokle-ai/brokle-go/internal/backup"
	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/document"
	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/prompt"
)

// promptPlace is where the prompts of a project are. Their directory is made with the first one.
func (s *stores) promptPlace(cfg Config, project string) document.Place {
	name := datadir.PromptsDir + "/" + prompt.FileName(project)
	file := document.File{Path: filepath.Join(cfg.DataDir, filepath.FromSlash(name)), Replace: replaceWithin}
	if s.documents == nil {
		return &file
	}
	return s.documents.Place(name, file, prompt.Join)
}

// replaceWithin is durable.Replace in a directory that may have to be made.
func replaceWithin(path string, content []byte) error {
	if err := os.Mkdir(filepath.Dir(path), 0o700); err == nil {
		if err := durable.SyncDir(filepath.Dir(filepath.Dir(path))); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	return durable.Replace(path, content)
}

// openPrompts begins to keep prompts, of every project that has a key: what other nodes have made is then in the copies of this one. Files that cannot be read stop the start.
func (n *node) openPrompts() error {
	if _, err := prompt.Read(filepath.Join(n.cfg.DataDir, datadir.PromptsDir)); err != nil {
		return fmt.Errorf("open prompts: %w", err)
	}
	n.prompts = prompt.New(prompt.Options{Place: func(project string) document.Place { return n.promptPlace(n.cfg, project) }, Now: now})
	n.knowPrompts()
	return nil
}

// knowPrompts has the prompts of all projects known here.
func (n *node) knowPrompts() {
	if n.documents == nil {
		return // the files are what there is
	}
	for _, project := range n.keys.Projects() {
		n.prompts.Know(project)
	}
}

// addPrompts adds the files of prompts to a backup.
func (n *node) addPrompts(out *backup.Writer) error {
	n.knowPrompts()
	dir := filepath.Join(n.cfg.DataDir, datadir.PromptsDir)
	names, err := prompt.Files(dir)
	for i := 0; err == nil && i < len(names); i++ {
		err = addFile(out, filepath.Join(dir, names[i]), path.Join(datadir.PromptsDir, names[i]), nil)
	}
	return err
}
