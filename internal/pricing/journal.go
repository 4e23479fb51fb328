package pricing

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/price"
)

// JournalFile is the journal's name in its directory. Beside it are the texts that it names.
const JournalFile = "journal.json"

// JournalVersion is the version of the journal's form. The first knew no repricings. SharedVersion is that of one whose entries go by the numbers that nodes have among others.
const (
	JournalVersion = 2
	SharedVersion  = 3
)

// ErrNewer says that a later release wrote the journal.
var ErrNewer = errors.New("the journal of prices was written by a later release of brokle: run that release")

// journal is what holds for which calls, in the order in which it was said. Of two entries of a kind that hold for a call the later counts.
type journal struct {
	Version int     `json:"version"`
	Entries []entry `json:"entries"`
	// Numbers are whose events those of the log beside it are, where the journal was taken away from the nodes that shared it: in a backup, or a copy back.
	Numbers Numbers `json:"numbers,omitempty"`
}

// entry says one thing: exactly one of Book, Own, Cost and Reprice is set.
type entry struct {
	At   time.Time `json:"at"`
	Book string    `json:"book,omitempty"` // the hash of a book's text
	Own  string    `json:"own,omitempty"`  // the hash of the text of a project's own prices
	Cost Choice    `json:"cost,omitempty"`
	// Reprice is of calls that were known then, too: From does not count, and Reach says which these were.
	Reprice *repriced `json:"reprice,omitempty"`
	// Project is whose own prices these are, or whose calls are repriced.
	Project string `json:"project,omitempty"`
	// From is when calls start for which it holds; zero is all.
	From time.Time `json:"from,omitzero"`
	// Reach is that of the logs behind which a call is first heard of for which it holds; zero is all.
	Reach
}

// parseJournal reads a journal.
func parseJournal(raw []byte) (*journal, error) {
	var version struct{ Version int }
	if json.Unmarshal(raw, &version) == nil && version.Version > SharedVersion {
		return nil, ErrNewer
	}
	var j journal
	if err := json.Unmarshal(raw, &j); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", JournalFile, err)
	}
	if j.Version < 1 || len(j.Entries) < 2 || j.Entries[0].Book == "" || j.Entries[1].Cost == "" {
		return nil, fmt.Errorf("%s is damaged: it does not begin with a book and a setting for all calls", JournalFile)
	}
	return &j, nil
}

// encode is the text of a journal.
func (j *journal) encode() ([]byte, error) {
	if j.Version < SharedVersion {
		j.Version = JournalVersion
	}
	if slices.ContainsFunc(j.Entries, func(e entry) bool { return len(e.Others) > 0 }) {
		j.Version = SharedVersion
	}
	raw, err := json.MarshalIndent(j, "", "  ")
	return append(raw, '\n'), err
}

// TextName is the file of a text, in the journal's directory.
func TextName(hash string) string { return hash + ".txt" }

func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// ownPrices reads the text of a project's own prices that were taken.
func ownPrices(project string, text []byte) ([]price.Own, error) {
	list, err := price.KeptOwn(OwnSource, text)
	for i := range list {
		list[i].Project = project
	}
	return list, err
}

// OwnSource is the source of a price that a project set itself.
const OwnSource = "own prices"
