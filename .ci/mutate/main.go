// Command mutate breaks the lines that docs/reliability.md lists under "Broken on
// purpose", one at a time and without touching the files, and fails unless the named test turns
// red each time: a test that cannot fail keeps nothing.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// mutation is one row of the table.
type mutation struct {
	property, file, line, broken, room, test string
}

func main() {
	if err := run("docs/reliability.md"); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(page string) error {
	list, err := read(page)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "brokle-mutate-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	green := 0
	for i := range list {
		begin := time.Now()
		red, err := list[i].red(dir)
		if err != nil {
			return err
		}
		word := "red"
		if !red {
			word = "STILL GREEN"
			green++
		}
		fmt.Printf("%-12s %s in %s (property %s, %s)\n", word, list[i].test, list[i].room, list[i].property, time.Since(begin).Round(time.Second))
	}
	if green > 0 {
		return fmt.Errorf("%d of %d tests do not notice what they are there for", green, len(list))
	}
	return nil
}

// read takes the rows of the table: property, file, line, broken line, room and test.
func read(page string) ([]mutation, error) {
	text, err := os.ReadFile(page)
	if err != nil {
		return nil, err
	}
	_, section, ok := strings.Cut(string(text), "## Broken on purpose\n")
	if !ok {
		return nil, errors.New("the page has no section Broken on purpose")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var list []mutation
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 5 || !strings.Contains(line, "`") {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		room, test, ok := strings.Cut(cells[4], "` `")
		if !ok {
			return nil, fmt.Errorf("row of property %s: the last cell names no room and test", cells[0])
		}
		list = append(list, mutation{cells[0], bare(cells[1]), bare(cells[2]), bare(cells[3]), bare(room), bare(test)})
	}
	if len(list) == 0 {
		return nil, errors.New("the table Broken on purpose is empty")
	}
	return list, nil
}

func bare(cell string) string { return strings.Trim(cell, "`") }

// red says whether the test fails with the line broken. A build that fails, or a test
// that is not there, is an error.
func (m *mutation) red(dir string) (bool, error) {
	path, err := filepath.Abs(m.file)
	if err != nil {
		return false, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	if n := strings.Count(string(text), m.line); n != 1 {
		return false, fmt.Errorf("%s has %q %d times, want it once", m.file, m.line, n)
	}
	broken := filepath.Join(dir, "broken.go")
	if err := os.WriteFile(broken, []byte(strings.Replace(string(text), m.line, m.broken, 1)), 0o600); err != nil {
		return false, err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {path: broken}})
	if err != nil {
		return false, err
	}
	overlayFile := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		return false, err
	}
	out, err := exec.Command("go", "test", "-overlay", overlayFile, "-vet=off", "-count=1", "-timeout", "5m", "-run", "^"+m.test+"$", "-v", "./"+m.room).CombinedOutput()
	switch ran := strings.Contains(string(out), "=== RUN   "+m.test); {
	case !ran:
		return false, fmt.Errorf("%s in %s did not run: %v\n%s", m.test, m.room, err, out)
	case err == nil:
		return false, nil
	}
	return strings.Contains(string(out), "--- FAIL: "+m.test) || strings.Contains(string(out), "panic:"), nil
}
