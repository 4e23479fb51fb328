package judge

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/document"
)

// FileVersion is the version of the form of the file of judges.
const FileVersion = 1

// ErrNewer says that a later release wrote the file.
var ErrNewer = errors.New("the file of judges was written by a later release of brokle: run that release")

// file is all rules, and how far they are.
type file struct {
	Version int    `json:"version"`
	Judges  []held `json:"judges"`
}

// held is a rule as it is kept, in the order of project and name.
type held struct {
	Project string `json:"project"`
	Judge
	UpdatedAt time.Time `json:"updated_at"`
	UpdatedBy string    `json:"updated_by"` // the id of a key
	// From is the start of the oldest trace that may still be judged: before it all is decided.
	From  time.Time `json:"from"`
	Spent spent     `json:"spent"`
	Total Decided   `json:"total"`
	// GivenUp are the traces that were tried as often as they are, the newest last.
	GivenUp []string `json:"given_up,omitempty"`
}

// spent is what a rule has used of its budget on a day. Calls count when they are about to be made.
type spent struct {
	Day   string  `json:"day,omitempty"` // 2026-11-30, UTC
	Calls int64   `json:"calls"`
	Cost  float64 `json:"cost"` // US dollars
}

// Decided is what became of traces, since the rule was first put.
type Decided struct {
	Judged  int64 `json:"judged"`   // have a score
	Nothing int64 `json:"nothing"`  // the judge had none to give
	GivenUp int64 `json:"given_up"` // after five attempts
	Over    int64 `json:"over"`     // were left out, because the day's budget was used up
}

// mostGivenUp is how many traces are remembered that were given up.
const mostGivenUp = 200

// id names a rule.
type id struct{ project, name string }

func (h *held) id() id { return id{h.Project, h.Name} }

// today is what was spent on a day.
func (h *held) today(at time.Time) spent {
	if day := at.UTC().Format(time.DateOnly); h.Spent.Day != day {
		return spent{Day: day}
	}
	return h.Spent
}

// left is how many calls may be made now. Near the day's bound of cost these are as many as there is room for by what the calls of the day have cost; the first of these
// is made alone.
func (h *held) left(at time.Time) int64 {
	s := h.today(at)
	left := max(0, h.MaxCalls-s.Calls)
	if h.MaxCost == nil {
		return left
	}
	room := *h.MaxCost - s.Cost
	switch {
	case room <= 0:
		return 0
	case s.Calls == 0: // nobody knows what one costs
		return min(left, 1)
	case s.Cost == 0:
		return min(left, atOnce)
	}
	return min(left, max(1, int64(min(room/s.Cost*float64(s.Calls), mostCalls))))
}

// parse reads a text that is called by a name; nothing when there is none.
func parse(name string, raw []byte) ([]held, error) {
	if raw == nil {
		return nil, nil
	}
	var f file
	if err := document.Decode(name, raw, FileVersion, ErrNewer, &f); err != nil {
		return nil, err
	}
	slices.SortStableFunc(f.Judges, func(a, b held) int { return order(a.id(), b.id()) })
	for i := range f.Judges {
		h := &f.Judges[i]
		if err := h.check(); err != nil {
			return nil, fmt.Errorf("%s is damaged: %s of project %s: %w", name, h.Name, h.Project, err)
		}
		if i > 0 && f.Judges[i-1].id() == h.id() {
			return nil, fmt.Errorf("%s is damaged: %s of project %s is there twice", name, h.Name, h.Project)
		}
	}
	return f.Judges, nil
}

func order(a, b id) int {
	return cmp.Or(cmp.Compare(a.project, b.project), cmp.Compare(a.name, b.name))
}

// find is where a rule is, or would be.
func find(all []held, of id) (int, bool) {
	return slices.BinarySearchFunc(all, of, func(h held, of id) int { return order(h.id(), of) })
}

func encode(all []held) ([]byte, error) {
	raw, err := json.MarshalIndent(file{FileVersion, all}, "", "  ")
	return append(raw, '\n'), err
}

// Join makes one text of a node's file and of what all nodes share: of the file's rules those whose names the others have not.
func Join(own, shared []byte) ([]byte, error) {
	mine, err := parse("the file of this node", own)
	if err != nil {
		return nil, err
	}
	all, err := parse("what all nodes share", shared)
	if err != nil {
		return nil, err
	}
	for _, h := range mine {
		if i, found := find(all, h.id()); !found && len(all) < maxAll {
			all = slices.Insert(all, i, h)
		}
	}
	return encode(all)
}

// Read says in a line what the file at path holds; "" when there is none. The error is ErrNewer, or what is damaged.
func Read(path string) (string, error) {
	raw, err := (&document.File{Path: path}).Read()
	var all []held
	if err == nil {
		all, err = parse(filepath.Base(path), raw)
	}
	if err != nil || len(all) == 0 {
		return "", err
	}
	return fmt.Sprintf("%d judges", len(all)), nil
}

func sum(parts ...string) [sha256.Size]byte {
	h := sha256.New()
	for _, p := range parts {
		var n [8]byte
		binary.LittleEndian.PutUint64(n[:], uint64(len(p)))
		_, _ = h.Write(n[:]) // a hash never fails
		_, _ = h.Write([]byte(p))
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func hash(parts ...string) uint64 {
	s := sum(parts...)
	return binary.LittleEndian.Uint64(s[:8])
}

// scoreID is the id of the score that a rule gives a trace, and of its event.
func scoreID(project, rule, trace string) string {
	s := sum(project, rule, trace)
	return "judge_" + hex.EncodeToString(s[:13])
}
