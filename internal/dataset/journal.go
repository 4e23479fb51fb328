package dataset

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"github.com/brokle-ai/brokle-go/internal/durable"
)

// FormatVersion is the version of the form of the files.
const FormatVersion = 1

// A file is lines: eight hexadecimal digits of CRC-32C of what follows, a space, and a JSON object with one member that says what it is (line). The
// first is {"form": 1}. Items wait for the change behind them, which is written once they are synced: so a change that is there has its items, and items
// without one, or a last line that is cut, are what a loss of power left of a change that nobody was told of.

// castagnoli is the table of CRC-32C.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

const (
	sumDigits = 8
	// maxLine bounds a line: an item with its escapes.
	maxLine = 4*MaxItem + maxMetadata
)

// line is one line. One member is set.
type line struct {
	Form       int            `json:"form,omitempty"`
	Dataset    *head          `json:"dataset,omitempty"`
	Item       *kept          `json:"item,omitempty"`
	Change     *change        `json:"change,omitempty"`
	Pin        *pin           `json:"pin,omitempty"`
	Experiment *Experiment    `json:"experiment,omitempty"`
	Removed    *removedRecord `json:"removed,omitempty"`
	// These are among nodes only, never in a file.
	Arriving *arriving `json:"arriving,omitempty"`
	Emptied  *emptied  `json:"emptied,omitempty"`
}

// waits says that the line is nothing before a change is behind it.
func (l *line) waits() bool { return l.Item != nil }

func (l *line) encode() ([]byte, error) {
	raw, err := l.text("00000000 ")
	if err != nil {
		return nil, err
	}
	copy(raw, fmt.Sprintf("%08x", crc32.Checksum(raw[sumDigits+1:len(raw)-1], castagnoli())))
	return raw, nil
}

// text is the line as JSON, with its end, behind a beginning.
func (l *line) text(begin string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(begin)
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(l)
	return b.Bytes(), err
}

// errLine says that a line is not whole.
var errLine = errors.New("a line is not what was written")

// parseLine reads a line without its end.
func parseLine(raw []byte) (*line, error) {
	if len(raw) < sumDigits+2 || raw[sumDigits] != ' ' || fmt.Sprintf("%08x", crc32.Checksum(raw[sumDigits+1:], castagnoli())) != string(raw[:sumDigits]) {
		return nil, errLine
	}
	var l line
	if err := json.Unmarshal(raw[sumDigits+1:], &l); err != nil {
		return nil, errLine
	}
	return &l, nil
}

// ErrNewer says that a later release wrote a file.
var ErrNewer = errors.New("datasets were written by a later release of brokle: run that release")

// journal is one file. Its owner lets one caller at a time in.
type journal struct {
	path   string
	size   int64 // of what is whole, and on the disk
	broken error // it could not be brought back to size
}

// createJournal makes a file with its first lines, and says where each is.
func createJournal(path string, lines ...*line) (*journal, []span, error) {
	var all []byte
	var at []span
	for _, l := range append([]*line{{Form: FormatVersion}}, lines...) {
		raw, err := l.encode()
		if err != nil {
			return nil, nil, err
		}
		at = append(at, span{at: int64(len(all)), length: len(raw)})
		all = append(all, raw...)
	}
	if err := durable.Replace(path, all); err != nil {
		return nil, nil, err
	}
	return &journal{path: path, size: int64(len(all))}, at[1:], nil
}

// append writes lines behind the file and returns where each is. The lines before the last are synced before it is written. After an error the file is what it was.
func (j *journal) append(lines []*line) (at []span, err error) {
	if j.broken != nil {
		return nil, j.broken
	}
	f, err := os.OpenFile(j.path, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	size := j.size
	defer func() {
		if err != nil {
			if back := errors.Join(f.Truncate(j.size), f.Sync()); back != nil {
				j.broken = fmt.Errorf("%s cannot be written since an earlier change failed: restart the server (%w)", filepath.Base(j.path), back)
			}
		}
		err = errors.Join(err, f.Close())
		if err == nil {
			j.size = size
		}
	}()
	w := bufio.NewWriterSize(io.NewOffsetWriter(f, j.size), 256<<10)
	for i, l := range lines {
		if i > 0 && i == len(lines)-1 {
			if err := errors.Join(w.Flush(), f.Sync()); err != nil {
				return nil, err
			}
		}
		raw, err := l.encode()
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(raw); err != nil {
			return nil, err
		}
		at = append(at, span{at: size, length: len(raw)})
		size += int64(len(raw))
	}
	return at, errors.Join(w.Flush(), f.Sync())
}

// openJournal reads a file: each is called for every line, with where it is. What a loss of power left at the end is cut off, unless look says to leave the file as it is.
func openJournal(path string, look bool, each func(l *line, at span) error) (j *journal, torn int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close() //nolint:errcheck // only read
	in := &lines{r: bufio.NewReaderSize(f, 256<<10), each: each}
	for more := true; more; {
		if more, err = in.next(); errors.Is(err, ErrNewer) {
			return nil, 0, err
		}
		if err != nil {
			return nil, 0, fmt.Errorf("%s %w", filepath.Base(path), err)
		}
	}
	if in.whole == 0 {
		return nil, 0, fmt.Errorf("%s is damaged in line 1", filepath.Base(path))
	}
	if in.at > in.whole && !look {
		if err := cut(path, in.whole); err != nil {
			return nil, 0, err
		}
	}
	return &journal{path: path, size: in.whole}, in.at - in.whole, nil
}

// lines reads the lines of a file.
type lines struct {
	r      *bufio.Reader
	each   func(l *line, at span) error
	at     int64 // behind what was read
	whole  int64 // behind the last line that waits for nothing
	number int
	bad    int // the first line that is not what was written; 0: none yet
	queue  []waiting
}

// waiting is a line of an item, before its change.
type waiting struct {
	l    *line
	span span
}

// next takes a line; more says that there may be another one.
func (in *lines) next() (more bool, err error) {
	raw, end, err := readLine(in.r)
	if err != nil {
		return false, fmt.Errorf("cannot be read: %w", err)
	}
	if len(raw) == 0 && end {
		return false, nil
	}
	in.number++
	where := span{at: in.at, length: len(raw)}
	in.at += int64(len(raw))
	var l *line
	if !end {
		l, err = parseLine(bytes.TrimSuffix(raw, []byte("\n")))
	}
	switch {
	case end || err != nil: // cut, or not what was written
		if in.bad == 0 {
			in.bad = in.number
		}
		return true, nil
	case in.bad > 0 && !l.waits():
		return false, fmt.Errorf("is damaged in line %d", in.bad)
	case in.bad > 0:
		return true, nil
	case in.number == 1 && l.Form > FormatVersion:
		return false, ErrNewer
	case in.number == 1 && l.Form < 1:
		return false, errors.New("is damaged: its first line does not say its form")
	}
	in.queue = append(in.queue, waiting{l, where})
	if l.waits() {
		return true, nil
	}
	for _, w := range in.queue {
		if err := in.each(w.l, w.span); err != nil {
			return false, fmt.Errorf("is damaged in line %d: %w", in.number, err)
		}
	}
	in.queue, in.whole = in.queue[:0], in.at
	return true, nil
}

// readLine reads a line with its end; end says that the file ended before one. A line that is longer than any is read in pieces, none of which is whole.
func readLine(r *bufio.Reader) (raw []byte, end bool, err error) {
	for {
		piece, err := r.ReadSlice('\n')
		raw = append(raw, piece...)
		switch {
		case errors.Is(err, io.EOF):
			return raw, true, nil
		case errors.Is(err, bufio.ErrBufferFull) && len(raw) <= maxLine:
			continue
		case errors.Is(err, bufio.ErrBufferFull):
			return raw, false, nil
		}
		return raw, false, err
	}
}

func cut(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Sync(), f.Close())
}

// readAt reads lines again, by where they begin and how long they are.
func (j *journal) readAt(of []span, each func(i int, l *line) error) error {
	f, err := os.Open(j.path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	var raw []byte
	for i, s := range of {
		raw = append(raw[:0], make([]byte, s.length)...)
		if _, err := f.ReadAt(raw, s.at); err != nil {
			return err
		}
		l, err := parseLine(bytes.TrimSuffix(raw, []byte("\n")))
		if err != nil {
			return fmt.Errorf("%s is damaged at byte %d", filepath.Base(j.path), s.at)
		}
		if err := each(i, l); err != nil {
			return err
		}
	}
	return nil
}

// span is where a line is: in a file from which byte on, or among nodes in which entry.
type span struct {
	at     int64
	length int
	n      uint32 // which line of an entry
}

// rewrite writes a file anew, each line as edit leaves it. After an error the file is what it was.
func rewrite(path string, edit func(l *line)) (err error) {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 256<<10)
	_, _, err = openJournal(path, true, func(l *line, _ span) error {
		edit(l)
		raw, err := l.encode()
		if err == nil {
			_, err = w.Write(raw)
		}
		return err
	})
	if err == nil {
		err = errors.Join(w.Flush(), f.Sync())
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return durable.SyncDir(filepath.Dir(path))
}
