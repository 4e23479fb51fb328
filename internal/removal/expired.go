package removal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// ExpiredVersion is the version of the form of what has expired that this package reads and writes.
const ExpiredVersion = 1

// Expired says before which times, in Unix µs, retention may have
// removed events from the warehouse. Times only rise, whatever the setting is later:
// what was removed does not come back with a longer retention.
type Expired struct {
	Version  int              `json:"version"`
	Default  int64            `json:"default"`  // of every project that is not in Projects
	Projects map[string]int64 `json:"projects"` // by project
}

// ReadExpired reads the file at path. Without one nothing has expired.
func ReadExpired(path string) (Expired, error) {
	none := Expired{Version: ExpiredVersion, Default: math.MinInt64}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return none, err
	}
	var has Expired
	if err := json.Unmarshal(raw, &has); err != nil {
		return none, fmt.Errorf("%s is damaged: delete it while the server is stopped, the next pass of retention writes it anew", filepath.Base(path))
	}
	return has, nil
}

// Of is the time before which the project's events may have been removed.
func (x *Expired) Of(project string) int64 {
	if at, ok := x.Projects[project]; ok {
		return at
	}
	return x.Default
}

// noteExpired adds what c is about to remove to the file at path.
func noteExpired(path string, c store.Cutoffs) error {
	had, err := ReadExpired(path)
	if err != nil {
		return err
	}
	const unnamed = "\x00" // no project's name
	now := Expired{Version: ExpiredVersion, Default: max(had.Default, c.Before(unnamed)), Projects: map[string]int64{}}
	for project := range had.Projects {
		now.Projects[project] = max(had.Of(project), c.Before(project))
	}
	for project := range c.Projects {
		now.Projects[project] = max(had.Of(project), c.Before(project))
	}
	raw, err := json.Marshal(now)
	if err != nil {
		return err
	}
	return durable.Replace(path, raw)
}
