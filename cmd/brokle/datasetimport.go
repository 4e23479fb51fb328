package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go"
)

// importTold is what became of rows.
type importTold struct {
	Created int      `json:"created"`
	Updated int      `json:"updated"`
	Skipped int      `json:"skipped"`
	Failed  int      `json:"failed"`
	Errors  []string `json:"errors"`
	Version int      `json:"version"`
}

func (t *importTold) add(more importTold) {
	t.Created, t.Updated, t.Skipped, t.Failed = t.Created+more.Created, t.Updated+more.Updated, t.Skipped+more.Skipped, t.Failed+more.Failed
	t.Errors, t.Version = append(t.Errors, more.Errors...), more.Version
}

// importDataset sends a file. The exit code is 1 when a row was wrong.
func importDataset(ctx context.Context, c *cli.Command, std streams) error {
	if c.NArg() != 2 {
		return &usageError{"brokle datasets import", errors.New("give the name of a dataset, and a file")}
	}
	name, file := c.Args().Get(0), c.Args().Get(1)
	format := c.String("format")
	if format == "" {
		format = "jsonl"
		if strings.EqualFold(filepath.Ext(file), ".csv") {
			format = "csv"
		}
	}
	if format != "jsonl" && format != "csv" {
		return &usageError{"brokle datasets import", fmt.Errorf("--format is jsonl or csv, not %q", format)}
	}
	text, err := readInput(std, file)
	if err != nil {
		return err
	}
	var told struct{ Data datasetRow }
	err = call(ctx, c, http.MethodGet, datasetPath(name), &told)
	if brokle.IsNotFound(err) {
		_, err = makeDataset(ctx, c, name, "")
	}
	if err != nil {
		return err
	}
	var all importTold
	all.Errors = []string{}
	for _, p := range piecesOf(text, format) {
		var part importTold
		if err := sendBody(ctx, c, http.MethodPost, importPath(c, name, p.first), p.media, p.text, &part); err != nil {
			return err
		}
		all.add(part)
	}
	return all.print(c, std, name)
}

func (t *importTold) print(c *cli.Command, std streams, name string) error {
	if c.Bool("json") {
		if err := printJSON(std.out, t); err != nil {
			return err
		}
	} else {
		_, err := fmt.Fprintf(std.out, "%s is at version %d: %d new, %d changed, %d as they were, %d wrong\n", name, t.Version, t.Created, t.Updated, t.Skipped, t.Failed)
		if err != nil {
			return err
		}
		for _, e := range t.Errors {
			_, _ = fmt.Fprintln(std.err, oneLine(e))
		}
	}
	if t.Failed > 0 {
		return errReported
	}
	return nil
}

func importPath(c *cli.Command, name string, first int) string {
	q := url.Values{}
	if f := c.String("columns"); f != "" {
		q.Set("columns", f)
	}
	if c.Bool("keep-duplicates") {
		q.Set("deduplicate", "false")
	}
	if first > 1 {
		q.Set("line", strconv.Itoa(first))
	}
	path := datasetPath(name, "items", "import")
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return path
}

// piece is a part of a file that one request sends.
type piece struct {
	text  []byte
	first int // the number of its first line
	media string
}

// pieceBytes is about how much of a file of JSON Lines one request sends.
const pieceBytes = 8 << 20

// piecesOf cuts JSON Lines between lines; CSV goes in one.
func piecesOf(text []byte, format string) []piece {
	if format == "csv" {
		return []piece{{text, 1, "text/csv"}}
	}
	var all []piece
	for first := 1; len(text) > 0; {
		n := len(text)
		if n > pieceBytes {
			if n = bytes.LastIndexByte(text[:pieceBytes], '\n') + 1; n == 0 {
				if n = bytes.IndexByte(text, '\n') + 1; n == 0 {
					n = len(text)
				}
			}
		}
		all = append(all, piece{text[:n], first, "application/x-ndjson"})
		first += bytes.Count(text[:n], []byte("\n"))
		text = text[n:]
	}
	return all
}
