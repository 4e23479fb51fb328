package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/brokle-ai/brokle-go/internal/durable"
)

// Place is where one document is. Texts are not to be changed in place. It is safe for concurrent use.
type Place interface {
	// Read is the text as this node knows it; nil: there is none.
	Read() ([]byte, error)
	// Fresh is the newest text, which another node may have written just now. With an error it is what Read says.
	Fresh() ([]byte, error)
	// Change replaces the newest text by what edit makes of it, and returns that once it is kept. edit may be called several times, and its error is
	// returned as it is.
	Change(edit func(old []byte) ([]byte, error)) ([]byte, error)
	// Leave is Change for what cannot wait until the others can be reached: it holds here, also after a restart, and is joined with what they have as soon as that can be.
	Leave(edit func(old []byte) ([]byte, error)) error
	// Changed has room for one: somebody else has changed the text. nil: nobody does, or nobody says so.
	Changed() <-chan struct{}
}

// maxText bounds a document, in bytes.
const maxText = 16 << 20

// File is a Place on the disk.
type File struct {
	Path string
	// Others says that other processes change the file, too: each change locks Path with ".lock" behind it.
	Others bool
	// Replace writes the file. Default durable.Replace.
	Replace func(path string, content []byte) error
}

var _ Place = (*File)(nil)

// Read reads the file. Errors have its name, and no directory: they are shown to people who need not know it.
func (f *File) Read() ([]byte, error) {
	file, err := os.Open(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, f.plain(err)
	}
	defer file.Close() //nolint:errcheck // only read
	raw, err := io.ReadAll(io.LimitReader(file, maxText+1))
	if err != nil {
		return nil, f.plain(err)
	}
	if len(raw) > maxText {
		return nil, fmt.Errorf("%s has more than %d bytes", filepath.Base(f.Path), maxText)
	}
	return raw, nil
}

// Fresh is Read.
func (f *File) Fresh() ([]byte, error) { return f.Read() }

// Change replaces the file. One that cannot be read is never replaced.
func (f *File) Change(edit func(old []byte) ([]byte, error)) (text []byte, err error) {
	err = f.locked(func() error {
		old, err := f.Read()
		if err != nil {
			return err
		}
		if text, err = edit(old); err != nil {
			return err
		}
		if old != nil && bytes.Equal(old, text) {
			return nil
		}
		return f.write(text)
	})
	return text, err
}

// Leave is Change.
func (f *File) Leave(edit func(old []byte) ([]byte, error)) error {
	_, err := f.Change(edit)
	return err
}

// Changed is nil: who wants to know reads the file.
func (f *File) Changed() <-chan struct{} { return nil }

// locked runs do while no other process changes the file.
func (f *File) locked(do func() error) error {
	if !f.Others {
		return do()
	}
	unlock, err := lockFile(f.Path + ".lock")
	if err != nil {
		return fmt.Errorf("lock: %w", f.plain(err))
	}
	return errors.Join(do(), unlock())
}

func (f *File) write(text []byte) error {
	replace := f.Replace
	if replace == nil {
		replace = durable.Replace
	}
	if err := replace(f.Path, text); err != nil {
		return fmt.Errorf("write: %w", f.plain(err))
	}
	return nil
}

// plain takes the directory out of an error.
func (f *File) plain(err error) error {
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe):
		return fmt.Errorf("%s: %s: %w", filepath.Base(f.Path), pe.Op, pe.Err)
	case errors.As(err, &le):
		return fmt.Errorf("%s: %s: %w", filepath.Base(f.Path), le.Op, le.Err)
	}
	return err
}
