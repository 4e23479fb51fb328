package server

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

// with adds a member.
func (o object) with(name string, value any) object { return append(o, member{name, value}) }

func one(name string, value any) object { return object{{name, value}} }

// written is v as JSON for people: what fits a line is on one.
func written(t *testing.T, v any, indent string) string {
	t.Helper()
	const width = 160
	short := oneLine(t, v)
	if len(indent)+len(short) <= width {
		return short
	}
	var b strings.Builder
	inner := indent + "  "
	switch v := v.(type) {
	case object:
		b.WriteString("{\n")
		for i, m := range v {
			b.WriteString(inner + oneLine(t, m.name) + ": " + written(t, m.value, inner) + comma(i, len(v)) + "\n")
		}
		b.WriteString(indent + "}")
	case []any:
		b.WriteString("[\n")
		for i, e := range v {
			b.WriteString(inner + written(t, e, inner) + comma(i, len(v)) + "\n")
		}
		b.WriteString(indent + "]")
	default:
		return short
	}
	return b.String()
}

func comma(i, n int) string {
	if i < n-1 {
		return ","
	}
	return ""
}

func oneLine(t *testing.T, v any) string {
	t.Helper()
	var parts []string
	switch v := v.(type) {
	case object:
		for _, m := range v {
			parts = append(parts, oneLine(t, m.name)+": "+oneLine(t, m.value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		for _, e := range v {
			parts = append(parts, oneLine(t, e))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// all makes a JSON list.
func all[T any](of ...T) []any {
	out := make([]any, len(of))
	for i, v := range of {
		out[i] = v
	}
	return out
}

// generated holds a file against what it is made from, or with -update writes it.
func generated(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is stale: go test ./internal/server -run Generated -update", file)
	}
}
