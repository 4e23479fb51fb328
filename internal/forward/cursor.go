package forward

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
)

// CursorVersion is the version of the cursor's file.
const CursorVersion = 1

// cursorFile says how far a target has everything.
type cursorFile struct {
	Version int        `json:"version"`
	Target  string     `json:"target"` // Target.mark
	Cursor  entity.Seq `json:"cursor"`
}

// readCursor is 0, the beginning, when there is no file or it is about another target.
func readCursor(path, target string) (entity.Seq, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the cursor of forwarding: %w", err)
	}
	var f cursorFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return 0, fmt.Errorf("%s is damaged: delete it to forward everything again: %w", path, err)
	}
	if f.Version != CursorVersion {
		return 0, fmt.Errorf("%s has version %d, this program reads %d: delete it to forward everything again", path, f.Version, CursorVersion)
	}
	if f.Target != target {
		return 0, nil
	}
	return f.Cursor, nil
}

func writeCursor(path, target string, cursor entity.Seq) error {
	raw, err := json.Marshal(cursorFile{CursorVersion, target, cursor})
	if err != nil {
		return err
	}
	return durable.Replace(path, append(raw, '\n'))
}
