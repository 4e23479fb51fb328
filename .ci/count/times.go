package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// minutes adds up how long the tests of each room took, by the output of `go test -json`.
func (t *table) minutes(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	rooms, tests := map[string]float64{}, map[string]float64{}
	for d := json.NewDecoder(f); ; {
		var e struct {
			Action, Package, Test string
			Elapsed               float64
		}
		if err := d.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if e.Action != "pass" && e.Action != "fail" {
			continue
		}
		room := strings.TrimPrefix(strings.TrimPrefix(e.Package, module), "/")
		switch {
		case e.Test == "":
			rooms[cmp.Or(room, ".")] += e.Elapsed
		case !strings.Contains(e.Test, "/"):
			tests[cmp.Or(room, ".")+" "+e.Test] += e.Elapsed
		}
	}
	total := 0.0
	for _, s := range rooms {
		total += s
	}
	t.row("tests, minutes, rooms one after the other", "%.1f", total/60)
	for _, room := range longest(rooms)[:min(8, len(rooms))] {
		t.row("  "+room, "%.1f", rooms[room]/60)
	}
	var slow []string
	for _, test := range longest(tests)[:min(25, len(tests))] {
		slow = append(slow, fmt.Sprintf("%6.1f s %s", tests[test], test))
	}
	t.behind("the slowest tests", slow)
	return nil
}

// longest are the keys by falling value.
func longest(of map[string]float64) []string {
	var keys []string
	for k := range of {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(of[b], of[a]), cmp.Compare(a, b)) })
	return keys
}
