package alert

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/document"
)

// FileVersion is the version of the form of the file of alerts.
const FileVersion = 1

// ErrNewer says that a later release wrote the file.
var ErrNewer = errors.New("the file of alerts was written by a later release of brokle: run that release")

// file is all rules, how they stand, and what is sent of them.
type file struct {
	Version int    `json:"version"`
	Alerts  []held `json:"alerts"`
}

// held is a rule as it is kept, in the order of project and name.
type held struct {
	Project string `json:"project"`
	Rule
	Made       time.Time  `json:"made"` // when it was put first
	UpdatedAt  time.Time  `json:"updated_at"`
	UpdatedBy  string     `json:"updated_by"`      // the id of a key
	Since      *time.Time `json:"since,omitempty"` // since when the worst of its states is what it is; nil: always
	Changes    int64      `json:"changes"`         // so many there were: it numbers them
	States     []state    `json:"states,omitempty"`
	Deliveries []sending  `json:"deliveries,omitempty"` // the oldest first
}

// id names a rule.
type id struct{ project, name string }

func (h *held) id() id { return id{h.Project, h.Name} }

// parse reads a text that is called by a name; nothing when there is none.
func parse(name string, raw []byte) ([]held, error) {
	if raw == nil {
		return nil, nil
	}
	var f file
	if err := document.Decode(name, raw, FileVersion, ErrNewer, &f); err != nil {
		return nil, err
	}
	slices.SortStableFunc(f.Alerts, func(a, b held) int { return order(a.id(), b.id()) })
	for i := range f.Alerts {
		h := &f.Alerts[i]
		if err := h.check(); err != nil {
			return nil, fmt.Errorf("%s is damaged: %s of project %s: %w", name, h.Name, h.Project, err)
		}
		if i > 0 && f.Alerts[i-1].id() == h.id() {
			return nil, fmt.Errorf("%s is damaged: %s of project %s is there twice", name, h.Name, h.Project)
		}
	}
	return f.Alerts, nil
}

func order(a, b id) int {
	return cmp.Or(cmp.Compare(a.project, b.project), cmp.Compare(a.name, b.name))
}

// find is where a rule is, or would be.
func find(all []held, of id) (int, bool) {
	return slices.BinarySearchFunc(all, of, func(h held, of id) int { return order(h.id(), of) })
}

// encode is the text of rules.
func encode(all []held) ([]byte, error) {
	raw, err := json.MarshalIndent(file{FileVersion, all}, "", "  ")
	return append(raw, '\n'), err
}

// mostText is how large the text may get for deliveries, in bytes; a document has at most twice as much.
const mostText = 8 << 20

// encodeWithin is encode, with as many deliveries left out as there is no room for: first of those that are over, then of those that wait.
func encodeWithin(all []held, at time.Time) ([]byte, error) {
	text, err := encode(all)
	for kept, waiting := keptDeliveries, mostPending; err == nil && len(text) > mostText && waiting > 0; {
		if kept > 0 {
			kept /= 2
		} else {
			waiting /= 2
		}
		for i := range all {
			all[i].trimTo(kept, waiting, at)
		}
		text, err = encode(all)
	}
	return text, err
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

// JoinLead is who looks among nodes: what a node's file says of that holds no more.
func JoinLead(_, shared []byte) ([]byte, error) {
	if shared == nil {
		return []byte("{}\n"), nil
	}
	return shared, nil
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
	pending := 0
	for i := range all {
		pending += all[i].pending()
	}
	return fmt.Sprintf("%d alerts, %d messages of them to be sent", len(all), pending), nil
}
