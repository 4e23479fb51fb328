package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
)

// files are the names of all files of the repository that are text of ours, by git.
func files() ([]string, error) {
	out, err := exec.Command("git", "ls-files", "-co", "--exclude-standard").Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	names := strings.Split(strings.TrimSpace(string(out)), "\n")
	return slices.DeleteFunc(names, func(name string) bool {
		_, err := os.Stat(name)
		return err != nil
	}), nil
}

// under says whether name lies in one of the directories.
func under(name string, dirs ...string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool { return strings.HasPrefix(name, dir+"/") })
}

// product says whether a file is part of what users run, or of how it is made: no test, no
// room that is for tests only, no example, no benchmark.
func product(name string) bool {
	switch path.Ext(name) {
	case ".go":
		return !strings.HasSuffix(name, "_test.go") &&
			!under(name, ".ci", "bench", "examples", "internal/e2e", "internal/redistest", "internal/store/storetest",
				"internal/chance", "internal/harm", "internal/watch")
	case ".ts", ".tsx":
		return under(name, "web/src")
	}
	return false
}

// generated says whether a file is written by a program: nobody edits it.
func generated(text []byte) bool {
	head := text[:min(len(text), 600)]
	return bytes.Contains(head, []byte("DO NOT EDIT")) || bytes.Contains(head, []byte("Do not edit"))
}

// sizes counts lines and rooms.
func (t *table) sizes() error {
	names, err := files()
	if err != nil {
		return err
	}
	lines := map[string]int{}
	rooms := map[string]bool{}
	root := 0
	for _, name := range names {
		ext := path.Ext(name)
		if ext != ".go" && ext != ".ts" && ext != ".tsx" && ext != ".mjs" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		kind := "other"
		switch {
		case generated(text):
			kind = "generated"
		case product(name):
			kind = "product" + map[bool]string{true: "Go", false: "TS"}[ext == ".go"]
		case ext == ".go" && strings.HasSuffix(name, "_test.go"):
			kind = "tests"
		}
		lines[kind] += bytes.Count(text, []byte("\n"))
		if product(name) && ext == ".go" {
			rooms[path.Dir(name)] = true
			if path.Dir(name) == "." {
				root++
			}
		}
	}
	t.row("lines, product, Go", "%d", lines["productGo"])
	t.row("lines, product, TypeScript", "%d", lines["productTS"])
	t.row("lines, generated", "%d", lines["generated"])
	t.row("lines, Go tests (_test.go)", "%d", lines["tests"])
	t.row("lines, test rooms, benches, examples, tools", "%d", lines["other"])
	t.row("rooms (packages of the product)", "%d", len(rooms))
	t.row("files in package brokle", "%d", root)
	return nil
}

// edits counts the lines of sources that name one column: what has to be edited for one more.
func (t *table) edits(column string) error {
	names, err := files()
	if err != nil {
		return err
	}
	word, err := regexp.Compile("(?i)" + column)
	if err != nil {
		return err
	}
	lines := 0
	var found []string
	for _, name := range names {
		if !product(name) && !under(name, "docs") && name != "internal/server/openapi.json" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if bytes.IndexByte(text, 0) >= 0 || generated(text) {
			continue
		}
		n := 0
		for line := range bytes.Lines(text) {
			if word.Match(line) {
				n++
			}
		}
		if n > 0 {
			lines += n
			found = append(found, fmt.Sprintf("%3d %s", n, name))
		}
	}
	t.row("edits of one column ("+column+")", "%d lines in %d files", lines, len(found))
	t.behind("edits of one column", found)
	return nil
}
