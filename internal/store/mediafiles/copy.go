package mediafiles

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// Export calls each for every medium, with the name of its file below the directory. One that is removed meanwhile is left out.
func (s *Store) Export(each func(name string, size int64, r io.Reader) error) error {
	projects, err := s.Projects()
	if err != nil {
		return err
	}
	for _, project := range projects {
		for n := range store.MediaShards {
			names, err := s.Shard(project, n)
			if err != nil {
				return err
			}
			for _, m := range names {
				if err := s.export(project, m, each); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (s *Store) export(project string, m store.MediumName, each func(string, int64, io.Reader) error) error {
	f, err := s.OpenMedium(project, m.Hash)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	return each(path.Join(projectPrefix+project, m.Hash[:shardLength], nameOf(m.Hash, f.Until)), f.Size(), f)
}

// Found is a medium that Check has read.
type Found struct {
	Project, Hash string
	Size          int64
	// Damage is what is wrong with it; "" when it is whole.
	Damage string
	File   string // below the directory
}

// Check reads every medium in dir, and changes nothing. A directory that is not there has none. each is told of every file; read of
// the bytes that were gone through, where it is not nil.
func Check(dir string, each func(Found), read func(n int64)) error {
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		below, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		names := strings.Split(filepath.ToSlash(below), "/")
		if names[0] == tmpDir {
			return nil // a crash left it
		}
		f := Found{File: filepath.ToSlash(below)}
		if f.Project, f.Hash = placeOf(names); f.Project == "" {
			f.Damage = "is no medium: its name is none"
		} else if err := f.check(file, read); err != nil {
			return err
		}
		each(f)
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("check media: %w", err)
	}
	return nil
}

// placeOf reads the names of the directories that a file is in, and its own.
func placeOf(names []string) (project, hash string) {
	if len(names) != 3 {
		return "", ""
	}
	project, is := strings.CutPrefix(names[0], projectPrefix)
	m, ok := parseName(names[2])
	if !is || !ok || !strings.HasPrefix(m.Hash, names[1]) {
		return "", ""
	}
	return project, m.Hash
}

func (f *Found) check(file string, read func(int64)) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // only read
	sum := sha256.New()
	if f.Size, err = io.Copy(sum, in); err != nil {
		f.Damage = "cannot be read: " + err.Error()
		return nil
	}
	if read != nil {
		read(f.Size)
	}
	if hex.EncodeToString(sum.Sum(nil)) != f.Hash {
		f.Damage = "is damaged: its bytes are not those of its name"
	}
	return nil
}
