package budget

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/durable"
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

// readFile is the file at path; nothing when there is none.
func readFile(path string) ([]held, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	name := filepath.Base(path)
	var version struct{ Version int }
	if json.Unmarshal(raw, &version) == nil && version.Version > FileVersion {
		return nil, ErrNewer
	}
	var f file
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", name, err)
	}
	if f.Version < 1 {
		return nil, fmt.Errorf("%s is damaged: it has version %d, which no release wrote", name, f.Version)
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

// writeFile puts budgets in the place of those before.
func writeFile(path string, budgets []held) error {
	raw, err := json.MarshalIndent(file{FileVersion, budgets}, "", "  ")
	if err != nil {
		return err
	}
	return durable.Replace(path, append(raw, '\n'))
}

// Read says in a line what the file at path holds; "" when there is none. The error is ErrNewer, or what is damaged.
func Read(path string) (string, error) {
	budgets, err := readFile(path)
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
