package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// quiet is how long the server is watched doing nothing, to know what it does on its own.
const quiet = 3 * time.Second

// event follows events through a server. What runs without them, on its own and for questions
// about nothing, is subtracted.
func (t *table) event() (err error) {
	dir, err := os.MkdirTemp("", "count-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := start(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	// What is done only once in a process is no part of an event's way.
	if err := errors.Join(s.send(id(1)), s.ask(id(1))); err != nil {
		return err
	}
	idle, err := s.ran("idle", func() error { time.Sleep(quiet); return s.askInVain() })
	if err != nil {
		return err
	}
	stored, err := s.ran("stored", func() error { return s.send(id(2)) })
	if err != nil {
		return err
	}
	time.Sleep(quiet)
	answered, err := s.ran("answered", func() error { return errors.Join(s.send(id(3)), s.ask(id(3))) })
	if err != nil {
		return err
	}
	for _, part := range []struct {
		what string
		ran  map[block]bool
	}{{"one event, POST to 200", stored}, {"one event, POST to both answers", answered}} {
		maps.DeleteFunc(part.ran, func(b block, _ bool) bool { return idle[b] })
		names, functions, err := touched(part.ran)
		if err != nil {
			return err
		}
		t.row(part.what, "%d files, %d functions", len(names), functions)
		t.behind(part.what, names)
	}
	return t.spine(s)
}

// id is the n-th id of an event, a ULID.
func id(n int) string { return fmt.Sprintf("01JH%022d", n) }

// block is a piece of code without a branch in it.
type block struct {
	file string
	line int // where it begins
	text string
}

// ran returns the code of this module that ran while f did.
func (s *server) ran(name string, f func() error) (map[block]bool, error) {
	dir := filepath.Join(s.dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	if _, err := s.order("clear"); err != nil {
		return nil, err
	}
	if err := f(); err != nil {
		return nil, err
	}
	if said, err := s.order("dump " + dir); err != nil || !strings.HasPrefix(said, "<nil>") {
		return nil, fmt.Errorf("dump: %s: %w", said, err)
	}
	profile := filepath.Join(dir, "profile")
	if out, err := exec.Command("go", "tool", "covdata", "textfmt", "-i="+dir, "-o="+profile).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("covdata: %w: %s", err, out)
	}
	text, err := os.ReadFile(profile)
	if err != nil {
		return nil, err
	}
	ran := map[block]bool{}
	for line := range strings.Lines(string(text)) {
		where, count, _ := strings.Cut(strings.TrimSpace(line), " ")
		file, place, ok := strings.Cut(where, ":")
		if !ok || strings.HasSuffix(count, " 0") || strings.HasPrefix(file, module+"/cmd/") {
			continue
		}
		first, _, _ := strings.Cut(place, ".")
		n, err := strconv.Atoi(first)
		if err != nil {
			continue // "mode: atomic"
		}
		ran[block{strings.TrimPrefix(file, module+"/"), n, place}] = true
	}
	return ran, nil
}

// touched are the files of the blocks, each with the names of the functions, and how many these are.
func touched(ran map[block]bool) (files []string, functions int, err error) {
	lines := map[string][]int{}
	for b := range ran {
		lines[b.file] = append(lines[b.file], b.line)
	}
	for _, file := range slices.Sorted(maps.Keys(lines)) {
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, 0, err
		}
		var names []string
		for _, decl := range parsed.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			from, to := fset.Position(f.Pos()).Line, fset.Position(f.End()).Line
			if slices.ContainsFunc(lines[file], func(l int) bool { return from <= l && l <= to }) {
				names = append(names, f.Name.Name)
			}
		}
		functions += len(names)
		files = append(files, file+": "+strings.Join(names, " "))
	}
	return files, functions, nil
}

// spine counts what stands on the stacks while the log is synced: the request that waits, and the committer.
func (t *table) spine(s *server) error {
	done, failed := make(chan struct{}), make(chan error, 1)
	go func() {
		for n := 10; ; n++ {
			select {
			case <-done:
				failed <- nil
				return
			default:
			}
			if err := s.send(id(n)); err != nil {
				failed <- err
				return
			}
		}
	}()
	stacks, err := s.order("spine")
	close(done)
	if err := errors.Join(err, <-failed); err != nil {
		return err
	}
	frame := regexp.MustCompile(`(?m)^(\S+)\(.*\n\t` + regexp.QuoteMeta(module) + `(?:@[^/]*)?/(\S+\.go):`)
	var files, functions []string
	for _, f := range frame.FindAllStringSubmatch(stacks, -1) {
		if file := f[2]; !strings.HasPrefix(file, "cmd/") {
			files = append(files, file)
			functions = append(functions, file+": "+f[1][strings.LastIndexByte(f[1], '/')+1:])
		}
	}
	slices.Sort(files)
	t.row("one event, stacks at the fsync (its spine)", "%d files, %d functions", len(slices.Compact(files)), len(functions))
	t.behind("one event, stacks at the fsync", functions)
	return nil
}
