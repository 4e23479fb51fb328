package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/dataset"
	"github.com/brokle-ai/brokle-go/internal/query"
)

// importItems is POST /v1/datasets/{id}/items/import: JSON Lines or CSV. A row that is wrong is named, and the others are taken.
func importItems(_ context.Context, s *Server, c *call) (*answer, error) {
	fields, err := columnsParam(c)
	if err != nil {
		return nil, err
	}
	q := query.Reader{Values: c.params}
	deduplicate := c.params.Get("deduplicate") == "" || q.Is("deduplicate")
	if q.Err != nil {
		return nil, q.Err
	}
	first, err := numberParam(c, "line", 1, 1, 1<<40)
	if err != nil {
		return nil, err
	}
	set, text, done, err := s.largeBody(c, "application/x-ndjson", "application/jsonl", "text/csv")
	if err != nil {
		return nil, err
	}
	defer done()
	if isOneOf(c.r.Header.Get("Content-Type"), []string{"text/csv"}) && c.r.Header.Get("Content-Type") != "" {
		rows, err := dataset.ReadCSV(text, fields)
		if err != nil {
			return nil, s.datasetProblem(err)
		}
		return s.put(c, set, rows, dataset.Putting{Source: dataset.SourceCSV, Deduplicate: deduplicate})
	}
	return s.put(c, set, dataset.ReadLines(text, first, fields), dataset.Putting{Source: dataset.SourceJSON, Deduplicate: deduplicate})
}

// columnsParam reads columns=input:question,expected:answer,expected:why,metadata:topic,id:number: one name is a value, several are an object.
func columnsParam(c *call) (f dataset.Fields, err error) {
	raw := c.params.Get("columns")
	if raw == "" {
		return f, nil
	}
	for _, part := range strings.Split(raw, ",") {
		what, name, ok := strings.Cut(part, ":")
		switch {
		case !ok || name == "":
			ok = false
		case what == "id" && f.ID == "":
			f.ID = name
		case what == "input":
			f.Input = append(f.Input, name)
		case what == "expected":
			f.Expected = append(f.Expected, name)
		case what == "metadata":
			f.Metadata = append(f.Metadata, name)
		default:
			ok = false
		}
		if !ok {
			return f, badParameter("columns", "has id:NAME, input:NAME, expected:NAME and metadata:NAME, with commas between; of several names of one kind an object is made")
		}
	}
	return f, nil
}

// keysMapping says which members of a row are what, as Brokle's clients say it.
type keysMapping struct {
	Input    []string `json:"input_keys"`
	Expected []string `json:"expected_keys"`
	Metadata []string `json:"metadata_keys"`
}

// wrap makes an object of a value that is none: {"value": …}, as these clients expect it.
func wrap(raw json.RawMessage) json.RawMessage {
	if t := bytes.TrimSpace(raw); len(t) == 0 || string(t) == "null" || t[0] == '{' {
		return raw
	}
	return append(append([]byte(`{"value":`), raw...), '}')
}

// item makes a row of a client's an item: of the members that the mapping names, else of input, expected and metadata, else all of it is the input.
func (m *keysMapping) item(raw []byte) ([]byte, error) {
	var row map[string]json.RawMessage
	if err := json.Unmarshal(raw, &row); err != nil || row == nil {
		return nil, errors.New("it is no JSON object")
	}
	pick := func(names []string) json.RawMessage {
		of := map[string]json.RawMessage{}
		for _, n := range names {
			if v, there := row[n]; there {
				of[n] = v
			}
		}
		if len(of) == 0 {
			return nil
		}
		picked, err := json.Marshal(of)
		if err != nil {
			return nil
		}
		return picked
	}
	out := map[string]json.RawMessage{}
	set := func(name string, v json.RawMessage) {
		if len(v) > 0 {
			out[name] = v
		}
	}
	if m != nil && len(m.Input)+len(m.Expected)+len(m.Metadata) > 0 {
		set("input", pick(m.Input))
		set("expected", pick(m.Expected))
		set("metadata", pick(m.Metadata))
		return json.Marshal(out)
	}
	set("id", row["id"])
	set("expected", wrap(row["expected"]))
	set("metadata", wrap(row["metadata"]))
	if input, there := row["input"]; there {
		set("input", wrap(input))
		return json.Marshal(out)
	}
	for _, taken := range []string{"id", "expected", "metadata"} {
		delete(row, taken)
	}
	all, err := json.Marshal(row)
	if err != nil {
		return nil, err
	}
	set("input", all)
	return json.Marshal(out)
}

// jsonImport is the body of POST /v1/datasets/{id}/items/import-json.
type jsonImport struct {
	Items       []json.RawMessage `json:"items"`
	Mapping     *keysMapping      `json:"keys_mapping,omitempty"`
	Deduplicate *bool             `json:"deduplicate,omitempty"` // default true
	Source      string            `json:"source,omitempty"`      // default json
}

func importJSON(_ context.Context, s *Server, c *call) (*answer, error) {
	var body jsonImport
	set, done, err := s.itemsBody(c, &body)
	if err != nil {
		return nil, err
	}
	defer done()
	var rows dataset.Rows
	for i, raw := range body.Items {
		where := fmt.Sprintf("item %d", i+1)
		item, err := body.Mapping.item(raw)
		if err != nil {
			rows.Fault(where, err)
			continue
		}
		rows.Add(where, item, dataset.Fields{})
	}
	source := dataset.SourceJSON
	if body.Source == dataset.SourceSDK {
		source = dataset.SourceSDK
	}
	return s.put(c, set, rows, dataset.Putting{Source: source, Deduplicate: body.Deduplicate == nil || *body.Deduplicate})
}

// csvImport is the body of POST /v1/datasets/{id}/items/import-csv.
type csvImport struct {
	Content string `json:"content"`
	Mapping struct {
		Input    string   `json:"input_column"`
		Expected string   `json:"expected_column,omitempty"`
		Metadata []string `json:"metadata_columns,omitempty"`
	} `json:"column_mapping"`
	HasHeader   *bool `json:"has_header,omitempty"`  // default true; without one columns are col_0, col_1, …
	Deduplicate *bool `json:"deduplicate,omitempty"` // default true
}

func importCSV(_ context.Context, s *Server, c *call) (*answer, error) {
	var body csvImport
	set, done, err := s.itemsBody(c, &body)
	if err != nil {
		return nil, err
	}
	defer done()
	if body.Mapping.Input == "" {
		return nil, problemf(http.StatusBadRequest, codeInvalidBody, "column_mapping.input_column: say which column is the input")
	}
	text := body.Content
	if body.HasHeader != nil && !*body.HasHeader {
		text = dataset.NumberedHead(text) + text
	}
	f := dataset.Fields{Input: []string{body.Mapping.Input}, Metadata: body.Mapping.Metadata}
	if body.Mapping.Expected != "" {
		f.Expected = []string{body.Mapping.Expected}
	}
	rows, err := dataset.ReadCSV([]byte(text), f)
	if err != nil {
		return nil, s.datasetProblem(err)
	}
	for i := range rows.Items {
		it := &rows.Items[i]
		it.Input, it.Expected = wrap(it.Input), wrap(it.Expected)
	}
	return s.put(c, set, rows, dataset.Putting{Source: dataset.SourceCSV, Deduplicate: body.Deduplicate == nil || *body.Deduplicate})
}
