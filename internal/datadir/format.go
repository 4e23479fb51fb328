// Package datadir says what is in a data directory: the names of its files, the versions of their
// forms, and who may open it.
package datadir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/brokle-ai/brokle-go/internal/alert"
	"github.com/brokle-ai/brokle-go/internal/backup"
	"github.com/brokle-ai/brokle-go/internal/budget"
	"github.com/brokle-ai/brokle-go/internal/dataset"
	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/judge"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/prompt"
	"github.com/brokle-ai/brokle-go/internal/removal"
	"github.com/brokle-ai/brokle-go/internal/saved"
	"github.com/brokle-ai/brokle-go/internal/store/duckstore"
	"github.com/brokle-ai/brokle-go/internal/store/idindex"
	"github.com/brokle-ai/brokle-go/internal/store/mediafiles"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
)

// FormatFile says which forms the files of a data directory have. Most files say it
// themselves, too; this one also speaks for those that are read late or, being
// derived, would be thrown away and made again.
const FormatFile = "format.json"

// The parts of a data directory, as formats and verify name them.
const (
	PartSegments   = "segments"
	PartFilters    = "filters"
	PartIndex      = "index"
	PartWarehouse  = "warehouse"
	PartKeys       = "keys"
	PartErasing    = "erasing"
	PartQuarantine = "quarantine"
	PartExpired    = "expired"
	PartPrices     = "prices"
	PartBudgets    = "budgets"
	PartSaved      = "saved"
	PartAlerts     = "alerts"
	PartPrompts    = "prompts"
	PartJudges     = "judges"
	PartMedia      = "media"
	PartDatasets   = "datasets"
)

// quarantineVersion is the form of the quarantine's file, which does not say it itself.
const quarantineVersion = 1

// formats are the versions that this program writes.
func formats() map[string]int {
	return map[string]int{
		PartSegments: segmentlog.FormatVersion, PartFilters: segmentlog.FilterVersion, PartIndex: idindex.FormatVersion,
		PartWarehouse: duckstore.SchemaVersion, PartKeys: keyring.FileVersion, PartErasing: removal.JournalVersion,
		PartQuarantine: quarantineVersion, PartExpired: removal.ExpiredVersion, PartPrices: pricing.JournalVersion,
		PartBudgets: budget.FileVersion, PartSaved: saved.FileVersion, PartAlerts: alert.FileVersion, PartPrompts: prompt.FileVersion, PartJudges: judge.FileVersion, PartMedia: mediafiles.FormatVersion,
		PartDatasets: dataset.FormatVersion,
	}
}

// BackedUp are the versions of the parts that a backup holds.
func BackedUp() map[string]int {
	all := formats()
	for _, derived := range []string{PartFilters, PartIndex, PartWarehouse, PartExpired} {
		delete(all, derived)
	}
	return all
}

// Readable refuses a directory of which a part has a later version than this program knows.
func Readable(has map[string]int, what string) error {
	reads := formats()
	for part, version := range has {
		if version > reads[part] { // a part that is unknown is one of a later release
			return &backup.NewerError{What: fmt.Sprintf("the part %q of %s", part, what), Has: version, Reads: reads[part]}
		}
	}
	return nil
}

// readFormats reads the versions of a data directory; nil when it does not say.
func readFormats(dir string) (map[string]int, error) {
	raw, err := os.ReadFile(filepath.Join(dir, FormatFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	var has map[string]int
	if err := json.Unmarshal(raw, &has); err != nil {
		return nil, fmt.Errorf("data directory: %s is damaged: delete it, the next start writes it anew", FormatFile)
	}
	return has, nil
}

// Check refuses a data directory that a later release wrote, or that a restore has
// not filled. It only reads.
func Check(dir string) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return fmt.Errorf("data directory: %s is a file, not a directory: name another with --data", dir)
	}
	if _, err := os.Stat(filepath.Join(dir, backup.StagingName)); err == nil {
		return fmt.Errorf("data directory: a restore into %s, or a copy, did not end: run `brokle warehouse copy --back` again, or delete what is in it and run `brokle restore` again", dir)
	}
	if _, err := os.Stat(filepath.Join(dir, backup.ManifestName)); err == nil {
		return fmt.Errorf("data directory: %s is a backup: make a data directory of it with `brokle restore --from %s --data DIR`", dir, dir)
	}
	has, err := readFormats(dir)
	if err != nil {
		return err
	}
	return Readable(has, filepath.Join(dir, FormatFile))
}

// WriteFormats says what this program is about to write. It comes before any of it.
func WriteFormats(dir string) error {
	raw, err := json.MarshalIndent(formats(), "", "  ")
	if err != nil {
		return err
	}
	raw = append(raw, '\n')
	path := filepath.Join(dir, FormatFile)
	if old, err := os.ReadFile(path); err == nil && string(old) == string(raw) {
		return nil
	}
	if err := durable.Replace(path, raw); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	return nil
}
