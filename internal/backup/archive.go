package backup

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Writer writes an archive.
type Writer struct {
	tar   *tar.Writer
	files []File
	buf   []byte
}

// NewWriter begins an archive on w.
func NewWriter(w io.Writer) *Writer {
	return &Writer{tar: tar.NewWriter(w), buf: make([]byte, 256<<10)}
}

// Add adds size bytes of r as a file. A file of this name that was added before counts no more.
func (w *Writer) Add(name string, size int64, r io.Reader) error {
	if !fileName.MatchString(name) {
		return fmt.Errorf("add to backup: no backup has a file %q", name)
	}
	sum := sha256.New()
	if err := w.member(name, size, time.Time{}); err != nil {
		return fmt.Errorf("add %s to backup: %w", name, err)
	}
	n, err := io.CopyBuffer(onlyWriter{io.MultiWriter(w.tar, sum)}, io.LimitReader(r, size), w.buf)
	if err == nil && n < size {
		err = fmt.Errorf("the file ends after %d of %d bytes", n, size)
	}
	if err != nil {
		return fmt.Errorf("add %s to backup: %w", name, err)
	}
	w.Drop(name)
	w.files = append(w.files, File{Name: name, Size: size, SHA256: hex.EncodeToString(sum.Sum(nil))})
	return nil
}

// onlyWriter hides what else a writer can do, so that CopyBuffer uses its buffer.
type onlyWriter struct{ io.Writer }

// Drop takes files that were added out of what counts.
func (w *Writer) Drop(names ...string) {
	w.files = slices.DeleteFunc(w.files, func(f File) bool { return slices.Contains(names, f.Name) })
}

// Added is the names of the files that count, in the order in which they came.
func (w *Writer) Added() []string {
	names := make([]string, len(w.files))
	for i := range w.files {
		names[i] = w.files[i].Name
	}
	return names
}

func (w *Writer) member(name string, size int64, at time.Time) error {
	return w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: at, Format: tar.FormatPAX})
}

// Finish writes the manifest, with the files added, which completes the archive.
func (w *Writer) Finish(m Manifest) error {
	m.Version, m.Files = Version, slices.Clone(w.files)
	slices.SortFunc(m.Files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	raw, err := m.seal()
	if err == nil {
		err = w.member(ManifestName, int64(len(raw)), m.Created.Truncate(time.Second))
	}
	if err == nil {
		_, err = w.tar.Write(raw)
	}
	if err == nil {
		err = w.tar.Close()
	}
	if err != nil {
		return fmt.Errorf("finish backup: %w", err)
	}
	return nil
}

// errCutOff says that an archive ended before its manifest.
var errCutOff = errors.New("the backup was cut off before its end")

// cutOff turns the ways in which a stream can end early into one error.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCutOff
	}
	return err
}
