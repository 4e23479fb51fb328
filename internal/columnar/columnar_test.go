package columnar

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
)

// readBack reads a file as rows of text, with the levels of each value where it is in a list.
func readBack(t *testing.T, file []byte) (names []string, rows [][]string) {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range f.Schema().Fields() {
		names = append(names, field.Name())
	}
	for _, group := range f.RowGroups() {
		reader := group.Rows()
		buffer := make([]parquet.Row, 10)
		for {
			n, err := reader.ReadRows(buffer)
			for _, row := range buffer[:n] {
				var cells []string
				for _, v := range row {
					cells = append(cells, fmt.Sprintf("%v@%d%d", v, v.RepetitionLevel(), v.DefinitionLevel()))
				}
				rows = append(rows, cells)
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := reader.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return names, rows
}

func TestFile(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 9, 0, 0, 1000, time.UTC)
	rows := [][]any{
		{int64(1), 1.5, "x", true, at, []any{"a", nil, "b"}, map[string]any{"at": at}, json.Number("12345678901234567890"), nil},
		{nil, int64(2), nil, nil, nil, nil, nil, nil, nil},
		{int64(-3), nil, "", false, at.Add(time.Microsecond), []any{}, []any{int64(1)}, int64(7), nil},
	}
	columns := Of([]string{"z", "a", "z", "f", "when", "list", "json", "big", "none"}, rows)
	want := []Column{{"z", Integer}, {"a", Number}, {"z_2", Text}, {"f", Flag}, {"when", Time}, {"list", Texts}, {"json", Text}, {"big", Number}, {"none", Text}}
	if fmt.Sprint(columns) != fmt.Sprint(want) {
		t.Fatalf("columns %v", columns)
	}
	var b bytes.Buffer
	if err := Write(&b, columns, rows); err != nil {
		t.Fatal(err)
	}
	names, got := readBack(t, b.Bytes())
	if fmt.Sprint(names) != "[z a z_2 f when list json big none]" {
		t.Errorf("columns %v", names)
	}
	if fmt.Sprint(got) != fmt.Sprint([][]string{
		{"1@01", "1.5@01", "x@01", "true@01", "1772355600000001@01", "a@03", "<null>@12", "b@13", `{"at":"2026-03-01T09:00:00.000001Z"}@01`, "1.2345678901234567e+19@01", "<null>@00"},
		{"<null>@00", "2@01", "<null>@00", "<null>@00", "<null>@00", "<null>@00", "<null>@00", "<null>@00", "<null>@00"},
		{"-3@01", "<null>@00", "@01", "false@01", "1772355600000002@01", "<null>@01", "[1]@01", "7@01", "<null>@00"},
	}) {
		t.Errorf("rows %v", got)
	}
}

// A file without rows has its columns, and one of many rows has all of them, in several pieces.
func TestNoRowsAndMany(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := Write(&b, []Column{{"a", Integer}}, nil); err != nil {
		t.Fatal(err)
	}
	if names, rows := readBack(t, b.Bytes()); len(names) != 1 || len(rows) != 0 {
		t.Errorf("%v %v", names, rows)
	}
	b.Reset()
	w := NewWriter(&b, []Column{{"a", Integer}})
	const pieces, each = 25, 10_000
	for i := range pieces {
		rows := make([][]any, each)
		for k := range rows {
			rows[k] = []any{int64(i*each + k)}
		}
		if err := w.Write(rows); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, rows := readBack(t, b.Bytes())
	if len(rows) != pieces*each || rows[0][0] != "0@01" || rows[len(rows)-1][0] != fmt.Sprintf("%d@01", pieces*each-1) {
		t.Errorf("%d rows", len(rows))
	}
}

// A value of another kind than its column is an error, and no wrong value.
func TestAnotherKind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind  Kind
		value any
	}{{Integer, "x"}, {Integer, 1.5}, {Number, "x"}, {Flag, int64(1)}, {Time, "yesterday"}, {Time, int64(1)}} {
		if err := Write(io.Discard, []Column{{"a", c.kind}}, [][]any{{c.value}}); err == nil {
			t.Errorf("%v goes into %v", c.value, c.kind)
		}
	}
}
