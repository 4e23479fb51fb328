package main

import (
	"strings"
	"testing"
)

// A cell has its text as it is, line ends too: encoding/csv writes CRLF for LF and leaves CR out when the lines end in CRLF.
func TestCSVKeepsTexts(t *testing.T) {
	t.Parallel()
	type row struct {
		ID   string   `json:"id"`
		Tags []string `json:"tags"`
	}
	rows := []row{{"a\nb", nil}, {"a\rb", []string{"x\r\ny", "z"}}, {"\n=1", []string{"-1"}}, {`q"u,o`, []string{}}, {" b ", []string{"é"}}}
	want := "id,tags\r\n" + "\"a\nb\",\r\n" + "\"a\rb\",\"x\r\ny z\"\r\n" + "\"'\n=1\",'-1\r\n" + "\"q\"\"u,o\",\r\n" + "\" b \",é\r\n"
	var out strings.Builder
	if err := printCSV(&out, nil, rows); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
	}
}
