package dataset

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Fields says which members of a row, or which columns, are what. One name for Input or Expected is its value; several are an object of these. Zero: rows have the
// members of an item.
type Fields struct {
	ID       string
	Input    []string
	Expected []string
	Metadata []string
}

func (f *Fields) none() bool {
	return f.ID == "" && len(f.Input)+len(f.Expected)+len(f.Metadata) == 0
}

// maxFaults is how many rows that are wrong are named.
const maxFaults = 100

// Rows are items as they were read, and what was not.
type Rows struct {
	Items []Item
	// Errors name a row each, by its line, at most a hundred; Wrong is how many there are.
	Errors []string
	Wrong  int
}

// Fault names what is wrong with a row by where it stands.
func (r *Rows) Fault(where string, err error) {
	r.Wrong++
	if r.Wrong <= maxFaults {
		r.Errors = append(r.Errors, where+": "+err.Error())
	}
}

func (r *Rows) add(where string, it Item, err error) {
	if err != nil {
		r.Fault(where, err)
		return
	}
	r.Items = append(r.Items, it)
}

// Add takes a row, or names what is wrong with it by where it stands.
func (r *Rows) Add(where string, raw []byte, f Fields) {
	it, err := f.parse(raw)
	r.add(where, it, err)
}

// ReadLines reads JSON Lines, of which the first has a number: an object in each line that is not blank. A line that is wrong is named, and the others are taken.
func ReadLines(text []byte, first int, f Fields) Rows {
	var r Rows
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	for number := first; len(text) > 0; number++ {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		text = rest
		if line = bytes.TrimSpace(line); len(line) > 0 {
			r.Add(fmt.Sprintf("line %d", number), line, f)
		}
	}
	return r
}

// parse makes an item of a JSON object.
func (f *Fields) parse(raw []byte) (Item, error) {
	if f.none() {
		return ParseItem(raw)
	}
	if len(raw) > MaxItem {
		return Item{}, fmt.Errorf("it has %d bytes; an item has at most %d", len(raw), MaxItem)
	}
	if !utf8.Valid(raw) {
		return Item{}, errors.New("it is not UTF-8")
	}
	var row map[string]json.RawMessage
	if err := json.Unmarshal(raw, &row); err != nil {
		return Item{}, plainly(err)
	}
	return f.pick(row)
}

// pick makes an item of members.
func (f *Fields) pick(row map[string]json.RawMessage) (it Item, err error) {
	if f.ID != "" && len(row[f.ID]) > 0 {
		if err := json.Unmarshal(row[f.ID], &it.ID); err != nil {
			it.ID = string(row[f.ID]) // a number
		}
		if it.ID == "" {
			return it, fmt.Errorf("id: %s is empty", f.ID)
		}
	}
	if it.Input, err = value(row, f.Input, "input"); err != nil {
		return it, err
	}
	if it.Expected, err = value(row, f.Expected, "expected"); err != nil {
		return it, err
	}
	if len(f.Metadata) > 0 {
		if it.Metadata, err = object(row, f.Metadata); err != nil {
			return it, err
		}
	}
	return it, it.clean()
}

// value is what the names stand for; where none are said it is what is called usual.
func value(row map[string]json.RawMessage, names []string, usual string) (json.RawMessage, error) {
	switch len(names) {
	case 0:
		return row[usual], nil
	case 1:
		return row[names[0]], nil
	}
	return object(row, names)
}

func object(row map[string]json.RawMessage, names []string) (json.RawMessage, error) {
	of := map[string]json.RawMessage{}
	for _, n := range names {
		if v, ok := row[n]; ok {
			of[n] = v
		}
	}
	if len(of) == 0 {
		return nil, nil
	}
	return json.Marshal(of)
}

// ReadCSV reads CSV (RFC 4180) with a head. Without fields the columns are members of an item, of which input must be there; with fields the other columns are left out. A cell that begins with {, [ or a double quote
// and is JSON is that; any other is a text, and an empty one is nothing. The error says what is wrong with the head.
func ReadCSV(text []byte, f Fields) (Rows, error) {
	var r Rows
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	in.FieldsPerRecord = -1
	head, err := in.Read()
	if errors.Is(err, io.EOF) {
		return r, invalid("there is no head: the first line names the columns")
	}
	if err != nil {
		return r, invalid("line 1: %s", csvFault(err))
	}
	if err := f.checkHead(head); err != nil {
		return r, err
	}
	for {
		cells, err := in.Read()
		if errors.Is(err, io.EOF) {
			return r, nil
		}
		var fault *csv.ParseError
		if errors.As(err, &fault) {
			r.Fault(fmt.Sprintf("line %d", fault.StartLine), errors.New(csvFault(err)))
			continue
		}
		if err != nil {
			return r, invalid("%s", csvFault(err))
		}
		number, _ := in.FieldPos(0)
		it, err := f.row(head, cells)
		r.add(fmt.Sprintf("line %d", number), it, err)
	}
}

func csvFault(err error) string {
	var fault *csv.ParseError
	if errors.As(err, &fault) {
		return fault.Err.Error()
	}
	return err.Error()
}

// columns are those of an export.
func columns() []string {
	return []string{"id", "input", "expected", "metadata", "source", "source_trace_id", "source_span_id", "created_at", "updated_at"}
}

func (f *Fields) checkHead(head []string) error {
	var errs []error
	for i, name := range head {
		if slices.Contains(head[:i], name) {
			errs = append(errs, fmt.Errorf("column %q is there twice", name))
		}
		if f.none() && !slices.Contains(columns(), name) && name != "dataset_id" {
			errs = append(errs, fmt.Errorf("column %q is nothing that an item has: say which columns are input, expected and metadata, and the others are left out", name))
		}
	}
	for _, name := range slices.Concat([]string{f.ID}, f.Input, f.Expected, f.Metadata) {
		if name != "" && !slices.Contains(head, name) {
			errs = append(errs, fmt.Errorf("there is no column %q", name))
		}
	}
	if len(f.Input) == 0 && !slices.Contains(head, "input") {
		errs = append(errs, errors.New("there is no column input: say which one it is"))
	}
	if len(errs) > 0 {
		return fmt.Errorf("%w: %w", ErrInvalid, errors.Join(errs...))
	}
	return nil
}

// row makes an item of the cells of a line.
func (f *Fields) row(head, cells []string) (Item, error) {
	if len(cells) != len(head) {
		return Item{}, fmt.Errorf("it has %d cells, and the head %d", len(cells), len(head))
	}
	of := map[string]json.RawMessage{}
	for i, name := range head {
		if !utf8.ValidString(cells[i]) {
			return Item{}, fmt.Errorf("column %s: it is not UTF-8", name)
		}
		if v := cell(cells[i]); v != nil {
			of[name] = v
		}
	}
	if !f.none() {
		return f.pick(of)
	}
	raw, err := json.Marshal(of)
	if err != nil {
		return Item{}, err
	}
	return ParseItem(raw)
}

// cell is the value of a cell; nil of an empty one.
func cell(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	if strings.IndexByte(`{["`, s[0]) >= 0 && json.Valid([]byte(s)) {
		return json.RawMessage(s)
	}
	if len(s) > 1 && s[0] == '\'' && formula(s[1:]) {
		s = s[1:]
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return nil
	}
	return raw
}

// formula says that a spreadsheet would take a text for one.
func formula(s string) bool { return s != "" && strings.IndexByte("=+-@\t\r", s[0]) >= 0 }

// written is a value as a cell: a text as it is, unless it would be read as JSON; before what a spreadsheet would take for a formula is a quote.
func written(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || json.Unmarshal(raw, &s) != nil {
		return string(raw)
	}
	switch {
	case s == "" || strings.IndexByte(`{["'`, s[0]) >= 0:
		return string(raw)
	case formula(s):
		return "'" + s
	}
	return s
}

// WriteCSV writes items as ReadCSV reads them, with a head.
func WriteCSV(to io.Writer, items []Item) error {
	w := csv.NewWriter(to)
	err := w.Write(columns())
	for i := 0; err == nil && i < len(items); i++ {
		it := &items[i]
		err = w.Write([]string{
			it.ID, written(it.Input), written(it.Expected), written(it.Metadata), it.Source, it.SourceTraceID, it.SourceSpanID,
			it.CreatedAt.Format(stamp), it.UpdatedAt.Format(stamp),
		})
	}
	w.Flush()
	return errors.Join(err, w.Error())
}

// stamp is how answers write times.
const stamp = "2006-01-02T15:04:05.000000Z"

// WriteLines writes items as ReadLines reads them.
func WriteLines(to io.Writer, items []Item) error {
	e := json.NewEncoder(to)
	e.SetEscapeHTML(false)
	for i := range items {
		if err := e.Encode(&items[i]); err != nil {
			return err
		}
	}
	return nil
}

// NumberedHead is a head for CSV that has none: col_0, col_1 and so on, as many as its first line has cells.
func NumberedHead(text string) string {
	in := csv.NewReader(strings.NewReader(text))
	in.FieldsPerRecord = -1
	cells, err := in.Read()
	if err != nil {
		return "\n"
	}
	for i := range cells {
		cells[i] = fmt.Sprintf("col_%d", i)
	}
	return strings.Join(cells, ",") + "\n"
}
