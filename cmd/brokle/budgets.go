package main

import (
	"bytes"
	"cmp"
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

// budgetsCommand shows and sets what may be spent.
func budgetsCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:  "budgets",
		Usage: "what may be spent in a day or a month, and what was",
		Commands: []*cli.Command{
			{
				Name: "status", Usage: "what was spent of each budget",
				Flags:  append(clientFlags(), jsonFlag("budgets"), csvFlag("budgets")),
				Action: func(ctx context.Context, c *cli.Command) error { return explain(budgetStatus(ctx, c, std), c) },
			},
			{
				Name: "get", Usage: "print the budgets, as set takes them",
				Flags:  clientFlags(),
				Action: func(ctx context.Context, c *cli.Command) error { return explain(getBudgets(ctx, c, std), c) },
			},
			{
				Name: "set", Usage: "set them from a file (- is standard input), in the place of all that there are; needs a key with the scope admin", ArgsUsage: "FILE",
				Flags: clientFlags(),
				Action: func(ctx context.Context, c *cli.Command) error {
					name, err := oneArg(c, "a file of budgets")
					if err != nil {
						return err
					}
					return explain(setBudgets(ctx, c, std, name), c)
				},
			},
		},
	}
}

// budgetList is the answer of /v1/budgets.
type budgetList struct {
	Budgets []json.RawMessage `json:"budgets"`
	Status  []json.RawMessage `json:"status"`
}

// budgetRow is what table and CSV have of a budget.
type budgetRow struct {
	Name        string     `json:"name"`
	UserID      string     `json:"user_id"`
	Model       string     `json:"model"`
	Environment string     `json:"environment"`
	KeyID       string     `json:"key_id"`
	KeyName     string     `json:"key_name"`
	Period      string     `json:"period"`
	Zone        string     `json:"tz"`
	Start       *time.Time `json:"period_start"`
	End         *time.Time `json:"period_end"`
	Warn        *float64   `json:"warn"`
	Stop        *float64   `json:"stop"`
	Spend       *float64   `json:"spend_usd"`
	Unpriced    int64      `json:"unpriced_count"`
	Expired     bool       `json:"expired"`
	Reached     string     `json:"reached"`
	At          *time.Time `json:"at"`
	Fault       bool       `json:"fault"`
}

func budgetStatus(ctx context.Context, c *cli.Command, std streams) error {
	if err := noArgs(c); err != nil {
		return err
	}
	var list budgetList
	if err := call(ctx, c, http.MethodGet, "/v1/budgets", &list); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(std.out, list.Status)
	}
	rows := make([]budgetRow, len(list.Status))
	for i, raw := range list.Status {
		if err := json.Unmarshal(raw, &rows[i]); err != nil {
			return err
		}
	}
	if c.Bool("csv") {
		return printCSV(std.out, nil, rows)
	}
	t := newTable(std.out, "!BUDGET", "OF", "PERIOD", ">!SPENT", ">WARN", ">STOP", ">UNPRICED", "!REACHED", "AS OF (UTC)").fit()
	for _, b := range rows {
		var paint func(string) string
		if b.Reached == "stop" {
			paint = styleOf(std.out).red
		}
		t.painted(paint, b.cells()...)
	}
	return t.end(std.out, len(rows), nil)
}

func (b *budgetRow) cells() []string {
	of := "project"
	for _, p := range [][2]string{{"user", b.UserID}, {"model", b.Model}, {"environment", b.Environment}, {"key", cmp.Or(b.KeyName, b.KeyID)}} {
		switch {
		case p[1] == "":
		case of == "project":
			of = p[0] + " " + shorten(p[1], 32)
		default:
			of += ", " + p[0] + " " + shorten(p[1], 32)
		}
	}
	period, spent, asOf := b.Period, usd(b.Spend), "-"
	if b.Zone != "" {
		period += " " + b.Zone
	}
	if b.Spend != nil && (b.Unpriced > 0 || b.Expired) {
		spent = "≥ " + spent
	}
	if b.At != nil {
		asOf = b.At.UTC().Format(time.DateTime)
	}
	if b.Fault {
		asOf += " (the last look failed)"
	}
	reached := b.Reached
	if reached == "" {
		reached = "-"
	}
	return []string{b.Name, of, period, spent, usd(b.Warn), usd(b.Stop), number(b.Unpriced), reached, asOf}
}

// usd writes an amount with all its digits, and at least the cents.
func usd(v *float64) string {
	if v == nil {
		return "-"
	}
	whole, part, _ := strings.Cut(strconv.FormatFloat(*v, 'f', -1, 64), ".")
	return whole + "." + part + strings.Repeat("0", max(2-len(part), 0))
}

func getBudgets(ctx context.Context, c *cli.Command, std streams) error {
	if err := noArgs(c); err != nil {
		return err
	}
	var list budgetList
	if err := call(ctx, c, http.MethodGet, "/v1/budgets", &list); err != nil {
		return err
	}
	return printJSON(std.out, list.Budgets)
}

func setBudgets(ctx context.Context, c *cli.Command, std streams, name string) error {
	text, err := readInput(std, name)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := request(ctx, c, http.MethodPut, "/v1/budgets", bytes.NewReader(text))
	if err != nil {
		return err
	}
	var list budgetList
	err = json.NewDecoder(io.LimitReader(answer, callAnswer)).Decode(&list)
	if err := errors.Join(err, answer.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%d budgets hold; `brokle budgets status` shows what was spent\n", len(list.Budgets))
	return err
}
