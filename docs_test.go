package brokle_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/reliability.md names for each of the properties 1 to 34, 42 and 43 tests that are there.
func TestPropertiesHaveTests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "## Properties\n")
	section, _, _ = strings.Cut(section, "\n## ")
	quoted := regexp.MustCompile("`([^`]+)`")
	rows := 0
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || !strings.Contains(cells[3], "`") {
			continue
		}
		rows++
		tests, rooms := quoted.FindAllStringSubmatch(cells[3], -1), quoted.FindAllStringSubmatch(cells[4], -1)
		if len(tests) != len(rooms) {
			t.Errorf("property %s: %d tests in %d places", cells[1], len(tests), len(rooms))
			continue
		}
		for i := range tests {
			if !declared(t, tests[i][1], rooms[i][1]) {
				t.Errorf("property%s: there is no %s in %s", cells[1], tests[i][1], rooms[i][1])
			}
		}
	}
	if want := 36; rows != want {
		t.Errorf("%d properties have a row, want %d", rows, want)
	}
}

func declared(t *testing.T, test, room string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.FromSlash(room), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+test+"(") {
			return true
		}
	}
	return false
}
