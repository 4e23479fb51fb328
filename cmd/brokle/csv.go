package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
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
	w := newCSVWriter(out)
	if err := w.write(guarded(names)); err != nil {
		return err
	}
	for _, cells := range lines {
		line := make([]string, len(names))
		for i, name := range names {
			line[i] = cells[name]
		}
		if err := w.write(line); err != nil {
			return err
		}
	}
	return w.out.Flush()
}

// csvWriter writes lines that end in CRLF. encoding/csv's own way to do that changes the line ends within texts, too.
type csvWriter struct {
	out  *bufio.Writer
	line bytes.Buffer
	csv  *csv.Writer // to line
}

func newCSVWriter(out io.Writer) *csvWriter {
	w := &csvWriter{out: bufio.NewWriter(out)}
	w.csv = csv.NewWriter(&w.line)
	return w
}

func (w *csvWriter) write(cells []string) error {
	w.line.Reset()
	if err := w.csv.Write(cells); err != nil {
		return err
	}
	w.csv.Flush()
	w.line.Truncate(w.line.Len() - len("\n"))
	w.line.WriteString("\r\n")
	_, err := w.line.WriteTo(w.out)
	return errors.Join(w.csv.Error(), err)
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
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
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
