package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// datasetsCommand shows, fills and reads datasets.
func datasetsCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:  "datasets",
		Usage: "items with an input and what is expected, for experiments",
		Commands: []*cli.Command{
			{
				Name: "list", Usage: "the datasets of the project",
				Flags:  append(clientFlags(), jsonFlag("datasets"), csvFlag("datasets")),
				Action: func(ctx context.Context, c *cli.Command) error { return explain(listDatasets(ctx, c, std), c) },
			},
			{
				Name: "create", Usage: "make one; needs a key with the scope ingest", ArgsUsage: "NAME",
				Flags:  append(clientFlags(), &cli.StringFlag{Name: "description", Sources: env("datasets", "description"), Usage: "what its items are"}),
				Action: ofDataset(std, createDataset),
			},
			{
				Name: "items", Usage: "its items", ArgsUsage: "NAME",
				Flags:  append(clientFlags(), jsonFlag("datasets-items"), versionFlag(), &cli.IntFlag{Name: "limit", Sources: env("datasets", "limit"), Value: 50, Usage: "how many at most"}),
				Action: ofDataset(std, showItems),
			},
			{
				Name: "versions", Usage: "what each change of it made, the newest first", ArgsUsage: "NAME",
				Flags: append(clientFlags(), jsonFlag("datasets-versions")), Action: ofDataset(std, showVersions),
			},
			{
				Name: "import", Usage: "add items from a file of JSON Lines or CSV (- is standard input), and make the dataset when there is none; rows that are wrong are named, and the others are taken", ArgsUsage: "NAME FILE",
				Flags: append(clientFlags(), jsonFlag("datasets-import"),
					&cli.StringFlag{Name: "format", Sources: env("datasets-import", "format"), Usage: "jsonl or csv; else by the name of the file"},
					&cli.StringFlag{Name: "columns", Sources: env("datasets-import", "columns"), Usage: "which members or columns are what, such as input:question,expected:answer,metadata:topic,metadata:source,id:number"},
					&cli.BoolFlag{Name: "keep-duplicates", Sources: env("datasets", "keep-duplicates"), Usage: "also take an item without an id whose input and expected another one has"}),
				Action: func(ctx context.Context, c *cli.Command) error { return explain(importDataset(ctx, c, std), c) },
			},
			{
				Name: "export", Usage: "write its items", ArgsUsage: "NAME",
				Flags: append(clientFlags(), versionFlag(),
					&cli.StringFlag{Name: "format", Sources: env("datasets-export", "format"), Value: "jsonl", Usage: "jsonl, csv or json"}),
				Action: ofDataset(std, exportDataset),
			},
			{Name: "delete", Usage: "delete one with all of its versions; needs a key with the scope admin", ArgsUsage: "NAME", Flags: clientFlags(), Action: ofDataset(std, deleteDataset)},
		},
	}
}

func versionFlag() cli.Flag {
	return &cli.StringFlag{Name: "version", Sources: env("datasets", "version"), Usage: "a version by its number, or latest; else the one that is pinned, or the latest"}
}

// ofDataset is the action of a command about one dataset.
func ofDataset(std streams, do func(ctx context.Context, c *cli.Command, std streams, name string) error) cli.ActionFunc {
	return func(ctx context.Context, c *cli.Command) error {
		name, err := oneArg(c, "the name or the id of a dataset")
		if err != nil {
			return err
		}
		return explain(do(ctx, c, std, name), c)
	}
}

func datasetPath(name string, more ...string) string {
	return strings.Join(append([]string{"/v1/datasets", url.PathEscape(name)}, more...), "/")
}

// datasetRow is what table and CSV have of a dataset.
type datasetRow struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	ItemCount   int       `json:"item_count"`
	Latest      int       `json:"latest_version"`
	Current     *int      `json:"current_version"`
	Description string    `json:"description"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// pagesOf reads all pages of a list.
func pagesOf[T any](ctx context.Context, c *cli.Command, path string, most int) (all []T, err error) {
	limit := min(most, 500)
	mark := "?"
	if strings.Contains(path, "?") {
		mark = "&"
	}
	for page := 1; ; page++ {
		var told struct{ Data []T }
		if err := call(ctx, c, http.MethodGet, fmt.Sprintf("%s%slimit=%d&page=%d", path, mark, limit, page), &told); err != nil {
			return nil, err
		}
		all = append(all, told.Data...)
		if len(told.Data) < limit || len(all) >= most {
			return all[:min(len(all), most)], nil
		}
	}
}

const everything = 1 << 30

func listDatasets(ctx context.Context, c *cli.Command, std streams) error {
	if err := noArgs(c); err != nil {
		return err
	}
	if c.Bool("json") {
		raw, err := pagesOf[json.RawMessage](ctx, c, "/v1/datasets", everything)
		if err != nil {
			return err
		}
		return printJSON(std.out, append([]json.RawMessage{}, raw...))
	}
	rows, err := pagesOf[datasetRow](ctx, c, "/v1/datasets", everything)
	if err != nil {
		return err
	}
	if c.Bool("csv") {
		return printCSV(std.out, nil, rows)
	}
	t := newTable(std.out, "!NAME", ">ITEMS", ">VERSION", "UPDATED (UTC)", "ID", "DESCRIPTION").fit()
	for _, d := range rows {
		version := strconv.Itoa(d.Latest)
		if d.Current != nil {
			version = fmt.Sprintf("%d of %d", *d.Current, d.Latest)
		}
		t.row(d.Name, strconv.Itoa(d.ItemCount), version, moment(&d.UpdatedAt), d.ID, d.Description)
	}
	return t.end(std.out, len(rows), nil)
}

func createDataset(ctx context.Context, c *cli.Command, std streams, name string) error {
	d, err := makeDataset(ctx, c, name, c.String("description"))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%s is dataset %s\n", name, d.ID)
	return err
}

func makeDataset(ctx context.Context, c *cli.Command, name, description string) (d datasetRow, err error) {
	body, err := json.Marshal(map[string]string{"name": name, "description": description})
	if err != nil {
		return d, err
	}
	return d, sendBody(ctx, c, http.MethodPost, "/v1/datasets", "application/json", body, &d)
}

// sendBody sends a body, and decodes what the answer has as data.
func sendBody(ctx context.Context, c *cli.Command, method, path, media string, body []byte, data any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := requestOf(ctx, c, method, path, media, bytes.NewReader(body))
	if err != nil {
		return err
	}
	var told struct{ Data json.RawMessage }
	err = json.NewDecoder(io.LimitReader(answer, callAnswer)).Decode(&told)
	if err := errors.Join(err, answer.Close()); err != nil {
		return err
	}
	return json.Unmarshal(told.Data, data)
}

type datasetItem struct {
	ID       string          `json:"id"`
	Input    json.RawMessage `json:"input"`
	Expected json.RawMessage `json:"expected"`
	Source   string          `json:"source"`
}

func versionQuery(c *cli.Command) string {
	if v := c.String("version"); v != "" {
		return "?version=" + url.QueryEscape(v)
	}
	return ""
}

func showItems(ctx context.Context, c *cli.Command, std streams, name string) error {
	path := datasetPath(name, "items") + versionQuery(c)
	most := max(1, c.Int("limit"))
	if c.Bool("json") {
		raw, err := pagesOf[json.RawMessage](ctx, c, path, most)
		if err != nil {
			return err
		}
		return printJSON(std.out, append([]json.RawMessage{}, raw...))
	}
	rows, err := pagesOf[datasetItem](ctx, c, path, most)
	if err != nil {
		return err
	}
	t := newTable(std.out, "!ID", "INPUT", "EXPECTED", "SOURCE").fit()
	for _, it := range rows {
		t.row(it.ID, plainJSON(it.Input), plainJSON(it.Expected), it.Source)
	}
	return t.end(std.out, len(rows), nil)
}

// plainJSON is a value for people: a text without its quotes.
func plainJSON(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 {
		return "-"
	}
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

func showVersions(ctx context.Context, c *cli.Command, std streams, name string) error {
	var told struct {
		Data json.RawMessage `json:"data"`
	}
	if err := call(ctx, c, http.MethodGet, datasetPath(name, "versions"), &told); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(std.out, told.Data)
	}
	var rows []struct {
		Version     int       `json:"version"`
		Items       int       `json:"item_count"`
		Description string    `json:"description"`
		By          string    `json:"created_by"`
		At          time.Time `json:"created_at"`
	}
	if err := json.Unmarshal(told.Data, &rows); err != nil {
		return err
	}
	t := newTable(std.out, ">VERSION", ">ITEMS", "MADE (UTC)", "BY", "DESCRIPTION").fit()
	for _, v := range rows {
		t.row(strconv.Itoa(v.Version), strconv.Itoa(v.Items), moment(&v.At), v.By, v.Description)
	}
	return t.end(std.out, len(rows), nil)
}

func deleteDataset(ctx context.Context, c *cli.Command, std streams, name string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := ask(ctx, c, http.MethodDelete, datasetPath(name))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%s is deleted\n", name)
	return errors.Join(err, answer.Close())
}

// exportDataset writes page by page, so that a large dataset is no large answer.
func exportDataset(ctx context.Context, c *cli.Command, std streams, name string) error {
	format := c.String("format")
	if format != "jsonl" {
		path := datasetPath(name, "items", "export") + "?format=" + url.QueryEscape(format)
		if v := c.String("version"); v != "" {
			path += "&version=" + url.QueryEscape(v)
		}
		answer, err := ask(ctx, c, http.MethodGet, path)
		if err != nil {
			return err
		}
		_, err = io.Copy(std.out, answer)
		return errors.Join(err, answer.Close())
	}
	// All pages are of one version, whatever changes meanwhile.
	version, err := versionNow(ctx, c, name)
	if err != nil || version == "0" {
		return err
	}
	const limit = 200
	for page := 1; ; page++ {
		var told struct{ Data []json.RawMessage }
		path := fmt.Sprintf("%s?version=%s&limit=%d&page=%d", datasetPath(name, "items"), url.QueryEscape(version), limit, page)
		if err := call(ctx, c, http.MethodGet, path, &told); err != nil {
			return err
		}
		for _, raw := range told.Data {
			if _, err := fmt.Fprintf(std.out, "%s\n", raw); err != nil {
				return err
			}
		}
		if len(told.Data) < limit {
			return nil
		}
	}
}

func versionNow(ctx context.Context, c *cli.Command, name string) (string, error) {
	if v := c.String("version"); v != "" && v != "latest" {
		return v, nil
	}
	var told struct{ Data datasetRow }
	if err := call(ctx, c, http.MethodGet, datasetPath(name), &told); err != nil {
		return "", err
	}
	if told.Data.Current != nil && c.String("version") == "" {
		return strconv.Itoa(*told.Data.Current), nil
	}
	return strconv.Itoa(told.Data.Latest), nil
}
