package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/urfave/cli/v3"
)

// repriceCommand prices calls of the past again.
func repriceCommand(std streams) *cli.Command {
	return &cli.Command{
		Name: "reprice", Usage: "price calls of the past again, by today's book and own prices or those of a day; needs a key with the scope admin",
		Flags: append(clientFlags(), jsonFlag("reprice"),
			&cli.StringFlag{Name: "from", Sources: env("reprice", "from"), Usage: "calls that start at this date or time or later; needed: 0 is all"},
			&cli.StringFlag{Name: "to", Sources: env("reprice", "to"), Usage: "and before this one; default now"},
			&cli.StringFlag{Name: "model", Sources: env("reprice", "model"), Usage: "only calls of this model"},
			&cli.StringFlag{Name: "book", Sources: env("reprice", "book"), Usage: "by the price book and the own prices of this day; default today's"},
			&cli.StringFlag{Name: "project", Sources: env("reprice", "project"), Usage: "do it only when the key is of this project"},
			&cli.BoolFlag{Name: "dry-run", Sources: env("reprice", "dry-run"), Usage: "only say what would change"},
			&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask"}),
		Action: func(ctx context.Context, c *cli.Command) error {
			if err := noArgs(c); err != nil {
				return err
			}
			if c.String("from") == "" {
				return &usageError{c.FullName(), errors.New("--from says which calls: those that start at that date or time or later; 0 is all")}
			}
			return explain(reprice(ctx, c, std), c)
		},
	}
}

// repricing is what the server says of one.
type repricing struct {
	At        *time.Time `json:"at"`
	From      *time.Time `json:"from"`
	To        time.Time  `json:"to"`
	Model     string     `json:"model"`
	Book      string     `json:"book"`
	OwnPrices *time.Time `json:"own_prices"`
	Cost      string     `json:"cost"`
	State     string     `json:"state"`
	Done      *time.Time `json:"done"`
	repriced
	Models []repricedOfModel `json:"models,omitempty"`
}

// repriced counts what becomes of calls.
type repriced struct {
	Calls      int64    `json:"calls"`
	Changed    int64    `json:"changed"`
	Gained     int64    `json:"gained"`
	Lost       int64    `json:"lost"`
	Kept       int64    `json:"kept"`
	Former     *float64 `json:"former_cost"`
	New        *float64 `json:"new_cost"`
	Difference float64  `json:"difference"`
}

type repricedOfModel struct {
	Model string `json:"model"`
	repriced
}

func reprice(ctx context.Context, c *cli.Command, std streams) error {
	if err := ofProject(ctx, c); err != nil {
		return err
	}
	told, err := askReprice(ctx, c, true)
	if err != nil {
		return err
	}
	if !c.Bool("json") {
		if err := printRepricing(std, &told); err != nil {
			return err
		}
	}
	switch {
	case told.Changed == 0 || c.Bool("dry-run"):
		return endOfReprice(c, std, &told)
	case !c.Bool("yes"):
		if err := agree(c, std, fmt.Sprintf("Reprice %d calls on %s?", told.Changed, c.String("host")), "nothing was repriced"); err != nil {
			return err
		}
	}
	begun, err := askReprice(ctx, c, false)
	if err != nil {
		return err
	}
	if begun.State == "running" {
		models := begun.Models
		if begun, err = awaitReprice(ctx, c); err != nil {
			return err
		}
		begun.Models = models
	}
	return endOfReprice(c, std, &begun)
}

// ofProject refuses a key of another project than --project.
func ofProject(ctx context.Context, c *cli.Command) error {
	want := c.String("project")
	if want == "" {
		return nil
	}
	var projects struct {
		Data []struct {
			Name string `json:"name"`
		} `json:"data"`
	}
	if err := call(ctx, c, http.MethodGet, "/v1/projects", &projects); err != nil {
		return err
	}
	if len(projects.Data) != 1 || projects.Data[0].Name != want {
		return &hintError{fmt.Errorf("the key is not of the project %q", want), "a key reprices the calls of its own project: pass one of that project with the scope admin"}
	}
	return nil
}

// repriceTimeout is how long the server may take to tell what changes: it looks at every call.
const repriceTimeout = 30 * time.Minute

func askReprice(ctx context.Context, c *cli.Command, dry bool) (told repricing, err error) {
	q := url.Values{}
	for _, name := range []string{"from", "to", "model", "book"} {
		if c.IsSet(name) { // one that is empty is refused by the server: it would mean all
			q.Set(name, c.String(name))
		}
	}
	if dry {
		q.Set("dry_run", "true")
	}
	ctx, cancel := context.WithTimeout(ctx, repriceTimeout)
	defer cancel()
	answer, err := ask(ctx, c, http.MethodPost, "/v1/prices/reprice?"+q.Encode())
	if err != nil {
		return told, err
	}
	err = json.NewDecoder(io.LimitReader(answer, callAnswer)).Decode(&told)
	return told, errors.Join(err, answer.Close())
}

// awaitReprice waits until the repricing has ended. Whatever becomes of this process, the server ends it.
func awaitReprice(ctx context.Context, c *cli.Command) (repricing, error) {
	for {
		var list struct {
			Data []repricing `json:"data"`
		}
		if err := call(ctx, c, http.MethodGet, "/v1/prices/reprice?wait=20s", &list); err != nil {
			return repricing{}, err
		}
		if len(list.Data) > 0 && list.Data[0].State != "running" {
			return list.Data[0], nil
		}
	}
}

// printRepricing shows what changes, by model.
func printRepricing(std streams, r *repricing) error {
	span := "that start before " + r.To.Format(time.RFC3339)
	if r.From != nil {
		span = "that start at " + r.From.Format(time.RFC3339) + " or later and before " + r.To.Format(time.RFC3339)
	}
	by := "the book of " + r.Book
	if r.OwnPrices != nil {
		by = "the own prices that were set on " + r.OwnPrices.Format(time.RFC3339) + ", then " + by
	}
	if _, err := fmt.Fprintf(std.err, "%d calls %s, by %s:\n", r.Calls, span, by); err != nil {
		return err
	}
	t := newTable(std.err, "!model", ">calls", ">changed", ">was USD", ">is USD", ">difference", ">gained", ">lost", ">kept").fit()
	row := func(m *repricedOfModel) {
		t.row(m.Model, number(m.Calls), number(m.Changed), cost(m.Former), cost(m.New), cost(&m.Difference), number(m.Gained), number(m.Lost), number(m.Kept))
	}
	for _, m := range r.Models {
		m.Model = cmp.Or(m.Model, "(no model)")
		row(&m)
	}
	row(&repricedOfModel{"all", r.repriced})
	return t.flush()
}

// endOfReprice says what became of it.
func endOfReprice(c *cli.Command, std streams, r *repricing) error {
	if c.Bool("json") {
		return printJSON(std.out, r)
	}
	var err error
	switch {
	case r.Changed == 0:
		_, err = fmt.Fprintf(std.out, "nothing to do: all %d calls cost what these prices say\n", r.Calls)
	case r.State == "done":
		_, err = fmt.Fprintf(std.out, "repriced %d calls: %s USD became %s USD\n", r.Changed, cost(r.Former), cost(r.New))
	default:
		_, err = fmt.Fprintf(std.out, "%d calls would be repriced: %s USD would become %s USD\n", r.Changed, cost(r.Former), cost(r.New))
	}
	return err
}
