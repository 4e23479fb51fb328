package segmentlog

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store/idindex"
)

// listFile names the segments that are in the directory, so that a start notices one that is gone. It is written
// before an event of a new segment is acknowledged, and before a file is removed: of what it names, each file is there, or
// was merged into one that is.
const listFile = "segments.json"

// ListVersion is the version of the list's form that this package reads and writes.
const ListVersion = 1

// segmentList is the content of listFile.
type segmentList struct {
	Version  int            `json:"version"`
	Segments []entity.Seq   `json:"segments"`       // the first Seq of each, rising
	Lost     []AcceptedLoss `json:"lost,omitempty"` // oldest first
}

// AcceptedLoss is a segment that was missing when somebody told the Log to go on without it.
type AcceptedLoss struct {
	Loss
	At time.Time `json:"at"`
}

// Loss is a segment file that is missing.
type Loss struct {
	File  string     `json:"file"`
	First entity.Seq `json:"first"`
	Last  entity.Seq `json:"last"` // 0: of the newest, when nothing knows where it ended
}

// String says what was in it, at most.
func (l Loss) String() string {
	if l.Last == 0 {
		return fmt.Sprintf("%s, the newest (events from %d on)", l.File, l.First)
	}
	return fmt.Sprintf("%s (events %d to %d, at most %d)", l.File, l.First, l.Last, l.Last-l.First+1)
}

// LossError is returned by Open when segment files are missing.
type LossError struct{ Losses []Loss }

func (e *LossError) Error() string {
	const most = 5
	names := make([]string, 0, most)
	for _, l := range e.Losses[:min(len(e.Losses), most)] {
		names = append(names, l.String())
	}
	if n := len(e.Losses) - most; n > 0 {
		names = append(names, fmt.Sprintf("and %d more", n))
	}
	return "segments of the log are missing: " + strings.Join(names, ", ") +
		". Put the files back, or start once with --accept-loss to go on without what they held"
}

// readList reads the list in dir; known is false when there is none. One that makes no sense is errDamaged.
func readList(fs vfs.FS, dir string) (list segmentList, known bool, err error) {
	raw, err := durable.ReadIn(fs, fs.PathJoin(dir, listFile))
	if errors.Is(err, os.ErrNotExist) {
		return list, false, nil
	}
	if err != nil {
		return list, false, err
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return segmentList{}, false, damaged("the list of segments")
	}
	if list.Version > ListVersion {
		return list, false, fmt.Errorf("%s has format version %d and this program reads up to %d: use the release that wrote it, or a later one",
			listFile, list.Version, ListVersion)
	}
	return list, true, nil
}

// checkList compares what the list names with what was found, and takes over the list. What is missing is an
// error, unless the loss is accepted: then the list forgets it with the next write.
func (l *Log) checkList() error {
	list, known, err := readList(l.fs, l.dir)
	if errors.Is(err, errDamaged) {
		l.o.Logger.Error("the list of segments is damaged; it is written anew, and whether a segment is missing is not known",
			"file", listFile)
		return nil
	}
	if err != nil || !known {
		return err
	}
	l.lost = list.Lost
	var losses []Loss
	for i, base := range list.Segments {
		if l.covers(base) {
			continue
		}
		loss := Loss{File: segmentName(base), First: base}
		if i+1 < len(list.Segments) {
			loss.Last = list.Segments[i+1] - 1
		} else if x, err := idindex.OpenReadOnly(l.fs.PathJoin(l.dir, "index"), idindex.Options{FS: l.fs}); err == nil {
			if loss.Last = x.Cursor(); loss.Last < base {
				loss.Last = 0
			}
			if err := x.Close(); err != nil {
				return err
			}
		}
		losses = append(losses, loss)
	}
	if len(losses) == 0 {
		return nil
	}
	if !l.o.AcceptLoss {
		return &LossError{losses}
	}
	for _, loss := range losses {
		l.o.Logger.Error("a segment of the log is missing, and the loss was accepted", "lost", loss.String())
		l.lost = append(l.lost, AcceptedLoss{loss, l.o.Now().UTC()})
	}
	l.missing = losses
	return nil
}

// Missing is what this Open found missing and went on without, as Options.AcceptLoss told it. Until
// ForgetMissing, or the next change of the list, another Open finds it again: what was derived from it can be taken back before.
func (l *Log) Missing() []Loss { return l.missing }

// ForgetMissing writes down that what is missing was accepted.
func (l *Log) ForgetMissing() error {
	if err := l.writeList(0); err != nil {
		return fmt.Errorf("accept loss: %w", err)
	}
	return nil
}

// covers says whether the segment that began at base is there, by itself or in one that it was merged into.
func (l *Log) covers(base entity.Seq) bool {
	return slices.ContainsFunc(l.segs, func(s *segment) bool {
		return s.base == base || s.rewrote && s.base < base && base <= s.last
	})
}

// writeList makes the list name the segments of now, and the one that begins at opening, when that is not 0. It
// writes nothing when that changes nothing.
func (l *Log) writeList(opening entity.Seq) error {
	l.listing.Lock()
	defer l.listing.Unlock()
	if opening != 0 {
		l.opening = opening
	}
	l.mu.RLock()
	bases := make([]entity.Seq, 0, len(l.segs)+1)
	for _, seg := range l.segs {
		bases = append(bases, seg.base)
	}
	l.mu.RUnlock()
	if n := len(bases); l.opening != 0 && (n == 0 || bases[n-1] < l.opening) { // not in the table before it is durable
		bases = append(bases, l.opening)
	}
	if l.listed != nil && slices.Equal(bases, l.listed) {
		return nil
	}
	raw, err := json.Marshal(segmentList{Version: ListVersion, Segments: bases, Lost: l.lost})
	if err == nil {
		err = durable.ReplaceIn(l.fs, l.fs.PathJoin(l.dir, listFile), append(raw, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write list of segments: %w", err)
	}
	l.listed = bases
	return nil
}
