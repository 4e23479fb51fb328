package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// evalCommand shows experiments, and lays two side by side.
func evalCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:  "eval",
		Usage: "experiments over datasets: what came of them, and which one is better",
		Commands: []*cli.Command{
			{
				Name: "list", Usage: "the experiments of the project, the newest first",
				Flags: append(clientFlags(), jsonFlag("eval"), csvFlag("eval"),
					&cli.StringFlag{Name: "dataset", Sources: env("eval", "dataset"), Usage: "only those over the dataset of this id or name"}),
				Action: func(ctx context.Context, c *cli.Command) error { return explain(listExperiments(ctx, c, std), c) },
			},
			{
				Name: "show", Usage: "one by its id, or the newest of a name: its scores, with the interval of 95 % confidence", ArgsUsage: "EXPERIMENT",
				Flags: append(clientFlags(), jsonFlag("eval-show")),
				Action: func(ctx context.Context, c *cli.Command) error {
					id, err := oneArg(c, "the id or the name of an experiment")
					if err != nil {
						return err
					}
					return explain(showExperiment(ctx, c, std, id), c)
				},
			},
			{
				Name: "compare", Usage: "how B differs from A: by each score, whether that is more than noise, and which items got worse and better", ArgsUsage: "A B",
				Flags: append(clientFlags(), jsonFlag("eval-compare"),
					&cli.IntFlag{Name: "limit", Sources: env("eval", "limit"), Value: 20, Usage: "how many items are shown at most, those that got worse first; 1 to 200"},
					&cli.BoolFlag{Name: "fail-worse", Sources: env("eval", "fail-worse"), Usage: "exit code 1 when a score is worse in B, and that is more than noise"}),
				Action: func(ctx context.Context, c *cli.Command) error { return explain(compareExperiments(ctx, c, std), c) },
			},
		},
	}
}

type experimentRow struct {
	ID             string     `json:"id"`
	Name           string     `json:"name"`
	DatasetID      string     `json:"dataset_id"`
	DatasetVersion int        `json:"dataset_version"`
	Status         string     `json:"status"`
	CreatedAt      time.Time  `json:"created_at"`
	EndedAt        *time.Time `json:"ended_at"`
}

func listExperiments(ctx context.Context, c *cli.Command, std streams) error {
	if err := noArgs(c); err != nil {
		return err
	}
	path := "/v1/experiments"
	if name := c.String("dataset"); name != "" {
		var told struct{ Data datasetRow }
		if err := call(ctx, c, http.MethodGet, datasetPath(name), &told); err != nil {
			return err
		}
		path += "?dataset_id=" + told.Data.ID
	}
	if c.Bool("json") {
		raw, err := pagesOf[json.RawMessage](ctx, c, path, everything)
		if err != nil {
			return err
		}
		return printJSON(std.out, append([]json.RawMessage{}, raw...))
	}
	rows, err := pagesOf[experimentRow](ctx, c, path, everything)
	if err != nil {
		return err
	}
	if c.Bool("csv") {
		return printCSV(std.out, nil, rows)
	}
	t := newTable(std.out, "!ID", "NAME", "STATUS", "DATASET", ">VERSION", "BEGAN (UTC)", "ENDED (UTC)").fit()
	for i := range rows {
		x := &rows[i]
		t.row(x.ID, x.Name, x.Status, orDash(x.DatasetID), strconv.Itoa(x.DatasetVersion), moment(&x.CreatedAt), moment(x.EndedAt))
	}
	return t.end(std.out, len(rows), nil)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func showExperiment(ctx context.Context, c *cli.Command, std streams, id string) error {
	var told struct{ Data json.RawMessage }
	if err := call(ctx, c, http.MethodGet, "/v1/experiments/"+url.PathEscape(id), &told); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(std.out, told.Data)
	}
	var x struct {
		experimentRow
		Results int `json:"results"`
		Errors  int `json:"errors"`
		Summary []struct {
			Name      string  `json:"name"`
			N         int     `json:"n"`
			Mean      float64 `json:"mean"`
			Low       float64 `json:"low"`
			High      float64 `json:"high"`
			Deviation float64 `json:"std_dev"`
		} `json:"summary"`
	}
	if err := json.Unmarshal(told.Data, &x); err != nil {
		return err
	}
	_, err := fmt.Fprintf(std.out, "%s, experiment %s, %s: %d results, %d of them errors\n", oneLine(x.Name), x.ID, x.Status, x.Results, x.Errors)
	if err != nil || len(x.Summary) == 0 {
		return err
	}
	t := newTable(std.out, "!SCORE", ">MEAN", ">95 % FROM", ">TO", ">OF", ">STD DEV").fit()
	for _, s := range x.Summary {
		t.row(s.Name, decimal(&s.Mean), decimal(&s.Low), decimal(&s.High), strconv.Itoa(s.N), decimal(&s.Deviation))
	}
	return t.end(std.out, len(x.Summary), nil)
}

// comparedTold is two experiments side by side.
type comparedTold struct {
	A      experimentRow  `json:"a"`
	B      experimentRow  `json:"b"`
	Scores []comparedLine `json:"scores"`
	Rows   []struct {
		ItemID string    `json:"item_id"`
		Change string    `json:"change"`
		A      *itemTold `json:"a"`
		B      *itemTold `json:"b"`
	} `json:"rows"`
	Counts map[string]int `json:"counts"`
	Total  int            `json:"total"`
}

type itemTold struct {
	Output string             `json:"output_preview"`
	Scores map[string]float64 `json:"scores"`
}

type comparedLine struct {
	Name        string  `json:"name"`
	N           int     `json:"n"`
	MeanA       float64 `json:"mean_a"`
	MeanB       float64 `json:"mean_b"`
	Difference  float64 `json:"difference"`
	Low         float64 `json:"low"`
	High        float64 `json:"high"`
	P           float64 `json:"p"`
	Significant bool    `json:"significant"`
	Better      int     `json:"better"`
	Worse       int     `json:"worse"`
}

func (l *comparedLine) verdict() string {
	switch {
	case !l.Significant:
		return "no more than noise"
	case l.Difference > 0:
		return "better"
	}
	return "worse"
}

func compareExperiments(ctx context.Context, c *cli.Command, std streams) error {
	if c.NArg() != 2 {
		return &usageError{"brokle eval compare", errors.New("give two experiments, A and B")}
	}
	limit := c.Int("limit")
	q := url.Values{"a": {c.Args().Get(0)}, "b": {c.Args().Get(1)}, "limit": {strconv.Itoa(limit)}}
	var told struct{ Data json.RawMessage }
	if err := call(ctx, c, http.MethodGet, "/v1/experiments/compare?"+q.Encode(), &told); err != nil {
		return err
	}
	var v comparedTold
	if err := json.Unmarshal(told.Data, &v); err != nil {
		return err
	}
	write := func() error { return v.print(std) }
	if c.Bool("json") {
		write = func() error { return printJSON(std.out, told.Data) }
	}
	if err := write(); err != nil {
		return err
	}
	for i := range v.Scores {
		if c.Bool("fail-worse") && v.Scores[i].verdict() == "worse" {
			return errReported
		}
	}
	return nil
}

func (v *comparedTold) print(std streams) error {
	_, err := fmt.Fprintf(std.out, "A: %s (%s)\nB: %s (%s)\n%d items: %d worse, %d better, %d mixed, %d the same; %d only in A, %d only in B\n\n",
		oneLine(v.A.Name), v.A.ID, oneLine(v.B.Name), v.B.ID, v.Total, v.Counts["worse"], v.Counts["better"], v.Counts["mixed"], v.Counts["same"], v.Counts["only_a"], v.Counts["only_b"])
	if err != nil {
		return err
	}
	t := newTable(std.out, "!SCORE", ">A", ">B", ">B-A", ">95 % FROM", ">TO", ">P", ">OF", ">BETTER", ">WORSE", "!B IS")
	for i := range v.Scores {
		l := &v.Scores[i]
		t.row(l.Name, decimal(&l.MeanA), decimal(&l.MeanB), decimal(&l.Difference), decimal(&l.Low), decimal(&l.High), decimal(&l.P), strconv.Itoa(l.N), strconv.Itoa(l.Better), strconv.Itoa(l.Worse), l.verdict())
	}
	if err := t.end(std.out, len(v.Scores), nil); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(std.out); err != nil {
		return err
	}
	t = newTable(std.out, "!ITEM", "CHANGE", "A", "B", "OUTPUT OF A", "OUTPUT OF B").fit()
	for i := range v.Rows {
		r := &v.Rows[i]
		t.row(r.ItemID, r.Change, r.A.scores(), r.B.scores(), r.A.output(), r.B.output())
	}
	return t.end(std.out, len(v.Rows), nil)
}

func (i *itemTold) output() string {
	if i == nil {
		return "-"
	}
	return i.Output
}

// scores are those of an item, by name.
func (i *itemTold) scores() string {
	if i == nil {
		return "-"
	}
	return scoreList(i.Scores)
}

func scoreList(scores map[string]float64) string {
	var b strings.Builder
	for n, name := range slices.Sorted(maps.Keys(scores)) {
		if n > 0 {
			b.WriteByte(' ')
		}
		v := scores[name]
		fmt.Fprintf(&b, "%s=%s", name, decimal(&v))
	}
	return b.String()
}
