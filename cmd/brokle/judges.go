package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/urfave/cli/v3"
)

// judgesCommand shows and sets who scores new traces.
func judgesCommand(std streams) *cli.Command {
	named := func(what string, do func(ctx context.Context, c *cli.Command, std streams, name string) error) cli.ActionFunc {
		return func(ctx context.Context, c *cli.Command) error {
			name, err := oneArg(c, what)
			if err != nil {
				return err
			}
			return explain(do(ctx, c, std, name), c)
		}
	}
	return &cli.Command{
		Name:  "judges",
		Usage: "who scores new traces: models, or programs of your own",
		Commands: []*cli.Command{
			{
				Name: "list", Usage: "the judges of the project, and how each stands",
				Flags:  append(clientFlags(), jsonFlag("judges")),
				Action: func(ctx context.Context, c *cli.Command) error { return explain(listJudges(ctx, c, std), c) },
			},
			{Name: "show", Usage: "print one, as put takes it", ArgsUsage: "NAME", Flags: clientFlags(), Action: named("the name of a judge", showJudge)},
			{
				Name: "put", Usage: "set one from a file (- is standard input) that says its name; needs a key with the scope admin", ArgsUsage: "FILE",
				Flags: clientFlags(), Action: named("a file of a judge", putJudge),
			},
			{
				Name: "delete", Usage: "remove one; scores that it gave stay; needs a key with the scope admin", ArgsUsage: "NAME",
				Flags: clientFlags(), Action: named("the name of a judge", deleteJudge),
			},
		},
	}
}

// judgeRow is what show prints and list has of a judge.
type judgeRow struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Filter      string          `json:"filter,omitempty"`
	Sample      float64         `json:"sample"`
	Quiet       string          `json:"quiet"`
	Score       json.RawMessage `json:"score"`
	Kind        string          `json:"kind"`
	URL         string          `json:"url"`
	Key         string          `json:"key,omitempty"`
	Model       string          `json:"model,omitempty"`
	Prompt      string          `json:"prompt,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
	MaxCalls    int64           `json:"max_calls_per_day"`
	MaxCost     *float64        `json:"max_cost_per_day,omitempty"`
	Disabled    bool            `json:"disabled,omitempty"`
}

func judgePath(name string) string { return "/v1/judges/" + url.PathEscape(name) }

func listJudges(ctx context.Context, c *cli.Command, std streams) error {
	if err := noArgs(c); err != nil {
		return err
	}
	var raw json.RawMessage
	if err := call(ctx, c, http.MethodGet, "/v1/judges", &raw); err != nil {
		return err
	}
	if c.Bool("json") {
		return printData(std.out, raw)
	}
	var list struct {
		Data []struct {
			judgeRow
			Today struct {
				Calls int64
				Cost  float64
			} `json:"today"`
			Total struct {
				Judged  int64
				GivenUp int64 `json:"given_up"`
				Over    int64
			} `json:"total"`
			Fault string `json:"fault"`
		} `json:"data"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	t := newTable(std.out, "!JUDGE", "!KIND", "MODEL", ">SAMPLE", ">!JUDGED", ">GIVEN UP", ">OVER", ">CALLS TODAY", ">COST TODAY", "FAULT").fit()
	for i := range list.Data {
		j := &list.Data[i]
		kind, fault, model := j.Kind, "-", "-"
		if j.Disabled {
			kind += " (disabled)"
		}
		if j.Fault != "" {
			fault = oneLine(j.Fault)
		}
		if j.Model != "" {
			model = oneLine(j.Model)
		}
		t.row(j.Name, kind, model, decimal(&j.Sample), number(j.Total.Judged), number(j.Total.GivenUp), number(j.Total.Over), fmt.Sprintf("%d of %d", j.Today.Calls, j.MaxCalls), decimal(&j.Today.Cost), fault)
	}
	return t.end(std.out, len(list.Data), nil)
}

func showJudge(ctx context.Context, c *cli.Command, std streams, name string) error {
	var row judgeRow
	if err := call(ctx, c, http.MethodGet, judgePath(name), &row); err != nil {
		return err
	}
	return printJSON(std.out, row)
}

func putJudge(ctx context.Context, c *cli.Command, std streams, file string) error {
	text, err := readInput(std, file)
	if err != nil {
		return err
	}
	var named struct{ Name string }
	if json.Unmarshal(text, &named) != nil || named.Name == "" {
		return errors.New("the file is no JSON object with a name: docs/judges.md has the form of a judge")
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := request(ctx, c, http.MethodPut, judgePath(named.Name), bytes.NewReader(text))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%s judges what starts from now on; `brokle judges list` shows how it stands\n", named.Name)
	return errors.Join(err, answer.Close())
}

func deleteJudge(ctx context.Context, c *cli.Command, std streams, name string) error {
	return remove(ctx, c, std, judgePath(name), name+" is removed")
}
