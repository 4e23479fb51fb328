package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

func sqlCommand(std streams) *cli.Command {
	return &cli.Command{
		Name: "sql", Usage: "ask in SQL of what the project has", ArgsUsage: `"SELECT …"`,
		Description: "One SELECT from the views traces, observations, scores, events and sessions, which docs/sql.md lists with\n" +
			"their columns. - reads it from standard input, and --file from a file.\n\n" +
			"   brokle sql \"select model, sum(counted_cost) from observations group by 1 order by 2 desc\"",
		Flags: append(clientFlags(),
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Sources: env("sql", "file"), Usage: "read the statement from this `FILE`"},
			&cli.IntFlag{Name: "limit", Sources: env("sql", "limit"), Value: 1000, Usage: "rows at most, 1 to 10000"},
			jsonFlag("sql"), csvFlag("sql"),
			&cli.StringFlag{Name: "parquet", Sources: env("sql", "parquet"), Usage: "write Parquet to this `FILE`; - is standard output"},
		),
		Action: func(ctx context.Context, c *cli.Command) error { return explain(runSQL(ctx, c, std), c) },
	}
}

// sqlAnswer is the answer of /v1/sql.
type sqlAnswer struct {
	Columns []struct {
		Name string `json:"name"`
		Type string `json:"type"`
	} `json:"columns"`
	Rows      [][]any `json:"rows"` // numbers are json.Number
	Truncated bool    `json:"truncated"`
}

func runSQL(ctx context.Context, c *cli.Command, std streams) error {
	text, err := sqlText(c, std)
	if err != nil {
		return err
	}
	limit := c.Int("limit")
	switch {
	case c.Bool("csv"):
		return copySQL(ctx, c, text, limit, "text/csv", "-", std)
	case c.String("parquet") != "":
		return copySQL(ctx, c, text, limit, "application/vnd.apache.parquet", c.String("parquet"), std)
	}
	a, err := askSQL(ctx, c, text, limit)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		err = a.printJSON(std.out)
	} else {
		err = a.printTable(std.out)
	}
	if err == nil && a.Truncated {
		err = moreRows(std)
	}
	return err
}

func moreRows(std streams) error {
	_, err := fmt.Fprintln(std.err, "there are more rows: --limit takes up to 10000, and brokle export --format parquet writes all")
	return err
}

// sqlText is the statement, from wherever it is.
func sqlText(c *cli.Command, std streams) (string, error) {
	file := c.String("file")
	var raw []byte
	var err error
	switch {
	case file != "" && c.Args().Present():
		return "", &usageError{c.FullName(), errors.New("takes a statement or --file, not both")}
	case file != "":
		raw, err = readInput(std, file)
	default:
		var text string
		if text, err = oneArg(c, `a statement in quotes ("select …"), or - for standard input`); err != nil || text != "-" {
			return text, err
		}
		raw, err = io.ReadAll(std.in)
	}
	return string(raw), err
}

// postSQL sends a statement; accept is the form of the answer.
func postSQL(ctx context.Context, c *cli.Command, text string, limit int, accept string) (io.ReadCloser, http.Header, error) {
	body, err := json.Marshal(map[string]any{"query": text, "limit": limit})
	if err != nil {
		return nil, nil, err
	}
	return requestAs(ctx, c, http.MethodPost, "/v1/sql", "application/json", bytes.NewReader(body), accept)
}

// askSQL reads the answer to a statement.
func askSQL(ctx context.Context, c *cli.Command, text string, limit int) (*sqlAnswer, error) {
	raw, _, err := postSQL(ctx, c, text, limit, "application/json")
	if err != nil {
		return nil, err
	}
	defer func() { _ = raw.Close() }()
	d := json.NewDecoder(raw)
	d.UseNumber()
	a := &sqlAnswer{}
	if err := d.Decode(a); err != nil {
		return nil, fmt.Errorf("read the answer of POST /v1/sql: %w", err)
	}
	return a, nil
}

// copySQL writes the answer as the server forms it.
func copySQL(ctx context.Context, c *cli.Command, text string, limit int, accept, name string, std streams) error {
	if _, screen := terminal(std.out); screen && name == "-" && accept != "text/csv" {
		return &usageError{c.FullName(), errors.New("--parquet - writes bytes that no terminal shows: name a file, or send it on")}
	}
	raw, header, err := postSQL(ctx, c, text, limit, accept)
	if err != nil {
		return err
	}
	defer func() { _ = raw.Close() }()
	out, err := createOutput(name, std, false)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, raw)
	if err = out.end(err); err == nil && header.Get("Brokle-Truncated") == "true" {
		err = moreRows(std)
	}
	return err
}

// printJSON writes an object for each row, its members in the order of the columns.
func (a *sqlAnswer) printJSON(out io.Writer) error {
	var b bytes.Buffer
	b.WriteString("[")
	for i, row := range a.Rows {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n  {")
		for k, v := range row {
			if k > 0 {
				b.WriteString(", ")
			}
			name, err := json.Marshal(a.Columns[k].Name)
			if err != nil {
				return err
			}
			value, err := json.Marshal(v)
			if err != nil {
				return err
			}
			b.Write(name)
			b.WriteString(": ")
			b.Write(value)
		}
		b.WriteString("}")
	}
	b.WriteString("\n]\n")
	_, err := out.Write(b.Bytes())
	return err
}

func (a *sqlAnswer) printTable(out io.Writer) error {
	names := make([]string, len(a.Columns))
	for i, column := range a.Columns {
		names[i] = strings.ToUpper(oneLine(column.Name))
		if a.numbers(i) {
			names[i] = ">" + names[i]
		}
	}
	t := newTable(out, names...).fit()
	for _, row := range a.Rows {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = sqlCell(v)
		}
		t.row(cells...)
	}
	return t.end(out, len(a.Rows), nil)
}

// numbers says whether a column has numbers.
func (a *sqlAnswer) numbers(column int) bool {
	for _, row := range a.Rows {
		if row[column] != nil {
			_, ok := row[column].(json.Number)
			return ok
		}
	}
	return false
}

// sqlCell is a value in a table, shorter than it may be.
func sqlCell(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case string:
		if t, err := time.Parse("2006-01-02T15:04:05.000000Z", v); err == nil {
			return when(t)
		}
		return shorten(v, 100)
	case json.Number:
		f, err := v.Float64()
		if err != nil || !strings.ContainsAny(v.String(), ".eE") {
			return v.String()
		}
		return strconv.FormatFloat(f, 'g', 10, 64)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return shorten(string(raw), 100)
}
