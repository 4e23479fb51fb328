package budget

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/document"
)

// FileVersion is the version of the form of the file of budgets. In version 1, which is read, none is of a key.
const FileVersion = 2

// ErrNewer says that a later release wrote the file.
var ErrNewer = errors.New("the file of budgets was written by a later release of brokle: run that release")

// file is all budgets of a node, and which of their levels were told.
type file struct {
	Version int    `json:"version"`
	Budgets []held `json:"budgets"`
}

// held is a budget as it is kept. It is replaced, never changed.
type held struct {
	Project string `json:"project"`
	Budget
	Since  time.Time `json:"since"` // when it was last set to what it is
	Alerts []Alert   `json:"alerts,omitempty"`
	// Sending is who sends an alert, by its id, where several nodes may.
	Sending map[string]lease `json:"sending,omitempty"`
}

// lease is that a node does something which others leave alone until a time.
type lease struct {
	Node  string    `json:"node"`
	Until time.Time `json:"until"`
}

// Alert is a level that was reached, with what was known then.
type Alert struct {
	ID       string    `json:"id"`             // the same whenever this level of this budget is told of this period
	Level    string    `json:"level"`          // warn or stop
	USD      float64   `json:"level_usd"`      // how high it was
	Spend    float64   `json:"spend_usd"`      // what was spent then
	Unpriced int64     `json:"unpriced_count"` // calls whose cost was not known then
	From     time.Time `json:"period_start"`
	To       time.Time `json:"period_end"`
	At       time.Time `json:"at"` // when that was seen
	// Delivery is what became of it: pending, sent or dropped; none when there was no webhook.
	Delivery string `json:"delivery,omitempty"`
}

// What became of an alert.
const (
	none    = "none"
	pending = "pending"
	sent    = "sent"
	dropped = "dropped"
)

// parse reads a text that is called by a name; nothing when there is none.
func parse(name string, raw []byte) ([]held, error) {
	if raw == nil {
		return nil, nil
	}
	var f file
	if err := document.Decode(name, raw, FileVersion, ErrNewer, &f); err != nil {
		return nil, err
	}
	for i := range f.Budgets {
		if err := f.Budgets[i].check(); err != nil {
			return nil, fmt.Errorf("%s is damaged: %w", name, err)
		}
	}
	return f.Budgets, nil
}

// check reads the budget as Parse would.
func (h *held) check() error {
	raw, err := json.Marshal([]Budget{h.Budget})
	if err == nil {
		_, err = Parse(raw)
	}
	return err
}

// encode is the text of budgets.
func encode(budgets []held) ([]byte, error) {
	raw, err := json.MarshalIndent(file{FileVersion, budgets}, "", "  ")
	return append(raw, '\n'), err
}

// Join makes one text of the budgets of a node's file and of those that all nodes share: the file's are of the projects that have no others.
func Join(own, shared []byte) ([]byte, error) {
	mine, err := parse("the file of this node", own)
	if err != nil {
		return nil, err
	}
	all, err := parse("what all nodes share", shared)
	if err != nil {
		return nil, err
	}
	has := map[string]bool{}
	for _, h := range all {
		has[h.Project] = true
	}
	for _, h := range mine {
		if !has[h.Project] && len(all) < maxAll {
			all = append(all, h)
		}
	}
	return encode(all)
}

// Read says in a line what the file at path holds; "" when there is none. The error is ErrNewer, or what is damaged.
func Read(path string) (string, error) {
	raw, err := (&document.File{Path: path}).Read()
	var budgets []held
	if err == nil {
		budgets, err = parse(filepath.Base(path), raw)
	}
	if err != nil || len(budgets) == 0 {
		return "", err
	}
	var projects []string
	for _, h := range budgets {
		projects = append(projects, h.Project)
	}
	slices.Sort(projects)
	return fmt.Sprintf("%d budgets of %d projects", len(budgets), len(slices.Compact(projects))), nil
}
