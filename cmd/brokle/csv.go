package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"
)

// csvFlag makes a command print its rows as CSV.
func csvFlag(command string) cli.Flag {
	return &cli.BoolFlag{Name: "csv", Sources: env(command, "csv"), Usage: "print CSV (RFC 4180) with a head, for spreadsheets"}
}

// printCSV writes rows as CSV: a column for each member that their JSON has, those in names first, the others in the order of
// the first row that has them. A text that a spreadsheet would take for a formula gets a quote before it.
func printCSV[T any](out io.Writer, names []string, rows []T) error {
	names = slices.Clone(names)
	if len(rows) == 0 && names == nil { // the head all the same
		raw, err := json.Marshal(*new(T))
		if err != nil {
			return err
		}
		if names, _, err = csvCells(raw); err != nil {
			return err
		}
	}
	lines := make([]map[string]string, len(rows))
	for i, row := range rows {
		raw, err := json.Marshal(row)
		if err != nil {
			return err
		}
		members, cells, err := csvCells(raw)
		if err != nil {
			return err
		}
		lines[i] = cells
		for _, m := range members {
			if !slices.Contains(names, m) {
				names = append(names, m)
			}
		}
	}
	w := csv.NewWriter(out)
	w.UseCRLF = true
	if err := w.Write(guarded(names)); err != nil {
		return err
	}
	for _, cells := range lines {
		line := make([]string, len(names))
		for i, name := range names {
			line[i] = cells[name]
		}
		if err := w.Write(line); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// csvCells is the members of a JSON object, in their order, each as a cell.
func csvCells(raw []byte) (members []string, cells map[string]string, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil, nil, err
	}
	cells = map[string]string{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, nil, err
		}
		member := fmt.Sprint(name)
		members = append(members, member)
		cells[member] = csvCell(value)
	}
	return members, cells, nil
}

// csvCell is a JSON value as a cell: a text as it is, a list of texts with blanks between, nothing for null, all else as JSON.
func csvCell(value json.RawMessage) string {
	var text string
	var texts []string
	switch {
	case string(value) == "null":
		return ""
	case json.Unmarshal(value, &text) == nil:
		return guard(text)
	case json.Unmarshal(value, &texts) == nil:
		return guard(strings.Join(texts, " "))
	}
	return string(value)
}

// guard keeps a spreadsheet from taking a text for a formula.
func guard(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

func guarded(texts []string) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = guard(t)
	}
	return out
}
