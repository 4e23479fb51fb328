package saved

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/document"
)

// FileVersion is the version of the form of the file.
const FileVersion = 1

// ErrNewer says that a later release wrote the file.
var ErrNewer = errors.New("what is saved was written by a later release of brokle: run that release")

// file is everything that is kept.
type file struct {
	Version  int                 `json:"version"`
	Projects map[string]*project `json:"projects"`
}

// project is what is kept of one project, by name.
type project struct {
	Definitions []Definition `json:"score_definitions,omitempty"`
	Views       []View       `json:"views,omitempty"`
	Charts      []Chart      `json:"charts,omitempty"`
}

// parse reads a text that is called by a name.
func parse(name string, raw []byte) (file, error) {
	f := file{Version: FileVersion, Projects: map[string]*project{}}
	if raw == nil {
		return f, nil
	}
	if err := document.Decode(name, raw, FileVersion, ErrNewer, &f); err != nil {
		return f, err
	}
	if f.Projects == nil {
		f.Projects = map[string]*project{}
	}
	for of, p := range f.Projects {
		if p == nil {
			return f, fmt.Errorf("%s is damaged: there is nothing of project %s", name, of)
		}
		if err := errors.Join(ordered(p.Definitions), ordered(p.Views), ordered(p.Charts)); err != nil {
			return f, fmt.Errorf("%s is damaged: project %s: %w", name, of, err)
		}
	}
	return f, nil
}

// ordered puts items in the order of their names, and says what is wrong with them.
func ordered[T any, P pointer[T]](items []T) error {
	slices.SortStableFunc(items, func(a, b T) int { return strings.Compare(P(&a).head().Name, P(&b).head().Name) })
	var errs []error
	for i := range items {
		x := P(&items[i])
		errs = append(errs, checked(x))
		if i > 0 && P(&items[i-1]).head().Name == x.head().Name {
			errs = append(errs, fmt.Errorf("%q is there twice", x.head().Name))
		}
	}
	return errors.Join(errs...)
}

func (f file) encode() ([]byte, error) {
	raw, err := json.MarshalIndent(f, "", "  ")
	return append(raw, '\n'), err
}

// Join makes one text of a node's file and of what all nodes share: of the file's items those whose names the others have not.
func Join(own, shared []byte) ([]byte, error) {
	mine, err := parse("the file of this node", own)
	if err != nil {
		return nil, err
	}
	all, err := parse("what all nodes share", shared)
	if err != nil {
		return nil, err
	}
	for name, p := range mine.Projects {
		to := all.Projects[name]
		if to == nil {
			to = &project{}
			all.Projects[name] = to
		}
		to.Definitions = joined[Definition](to.Definitions, p.Definitions)
		to.Views = joined[View](to.Views, p.Views)
		to.Charts = joined[Chart](to.Charts, p.Charts)
	}
	return all.encode()
}

func joined[T any, P pointer[T]](items, others []T) []T {
	for _, x := range others {
		if i, found := place[T, P](items, P(&x).head().Name); !found && len(items) < maxItems {
			items = slices.Insert(items, i, x)
		}
	}
	return items
}

// Read says in a line what the file at path holds; "" when there is none. The error is ErrNewer, or what is damaged.
func Read(path string) (string, error) {
	raw, err := (&document.File{Path: path}).Read()
	var f file
	if err == nil {
		f, err = parse(filepath.Base(path), raw)
	}
	if err != nil || len(f.Projects) == 0 {
		return "", err
	}
	definitions, views, charts := 0, 0, 0
	for _, p := range f.Projects {
		definitions, views, charts = definitions+len(p.Definitions), views+len(p.Views), charts+len(p.Charts)
	}
	return fmt.Sprintf("%d score definitions, %d views and %d charts of %d projects", definitions, views, charts, len(f.Projects)), nil
}
