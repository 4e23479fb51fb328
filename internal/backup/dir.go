package backup

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/brokle-ai/brokle-go/internal/durable"
)

// Receive reads an archive into dir, which must be absent or empty: when it
// returns nil, dir is a whole backup, on disk, every checksum compared. After an error
// there is nothing. read is told of the bytes that came; nil is nobody.
func Receive(r io.Reader, dir string, read func(n int64)) (*Manifest, error) {
	m, err := receive(&counted{r, read}, dir)
	if err != nil {
		return nil, fmt.Errorf("receive backup: %w", err)
	}
	return m, nil
}

func receive(r io.Reader, dir string) (m *Manifest, err error) {
	if err := Empty(dir); err != nil {
		return nil, err
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp(parent, filepath.Base(dir)+".partial-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(tmp))
		}
	}()
	if m, err = unpack(r, tmp); err != nil {
		return nil, err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("put the backup in its place (name a directory that is not there yet): %w", err)
	}
	if err := os.Rename(tmp, dir); err != nil {
		return nil, err
	}
	return m, durable.SyncDir(parent)
}

// Empty returns an error unless dir is absent or an empty directory.
func Empty(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty: name a directory that is absent or empty", dir)
	}
	return nil
}

// unpack writes the members of an archive below dir and syncs them.
func unpack(r io.Reader, dir string) (*Manifest, error) {
	got := map[string]File{}
	var raw []byte
	in := tar.NewReader(r)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, cutOff(err)
		}
		switch {
		case raw != nil:
			return nil, fmt.Errorf("%q comes behind %s", h.Name, ManifestName)
		case h.Name == ManifestName && h.Size <= maxManifest:
			if raw, err = io.ReadAll(in); err != nil {
				return nil, cutOff(err)
			}
		case h.Typeflag == tar.TypeReg && fileName.MatchString(h.Name):
			f, err := writeFile(filepath.Join(dir, filepath.FromSlash(h.Name)), in)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", h.Name, cutOff(err))
			}
			f.Name = h.Name
			got[h.Name] = f
		default:
			return nil, fmt.Errorf("no backup has a member %q", h.Name)
		}
	}
	if raw == nil {
		return nil, errCutOff
	}
	m, err := parseManifest(raw)
	if err != nil {
		return nil, err
	}
	return m, finish(dir, m, raw, got)
}

// finish compares what came with the manifest, removes what does not count, and
// writes the manifest last.
func finish(dir string, m *Manifest, raw []byte, got map[string]File) error {
	for _, want := range m.Files {
		f, ok := got[want.Name]
		switch {
		case !ok:
			return fmt.Errorf("%s did not come", want.Name)
		case f.Size != want.Size:
			return fmt.Errorf("%s came with %d bytes instead of %d", want.Name, f.Size, want.Size)
		case f.SHA256 != want.SHA256:
			return fmt.Errorf("%s was damaged on its way: its SHA-256 is not that of the manifest", want.Name)
		}
		delete(got, want.Name)
	}
	for name := range got {
		if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			return err
		}
	}
	if err := durable.Replace(filepath.Join(dir, ManifestName), raw); err != nil {
		return err
	}
	return syncTree(dir)
}

// writeFile writes what r has, replaces what was there, and syncs.
func writeFile(path string, r io.Reader) (f File, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return f, err
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return f, err
	}
	sum := sha256.New()
	f.Size, err = io.Copy(io.MultiWriter(out, sum), r)
	if err == nil {
		err = out.Sync()
	}
	f.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return f, errors.Join(err, out.Close())
}

// syncTree makes the names in dir and below it durable.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return durable.SyncDir(path)
	})
}
