package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// alertsCommand shows, sets and tries out alerts.
func alertsCommand(std streams) *cli.Command {
	named := func(do func(ctx context.Context, c *cli.Command, std streams, name string) error) cli.ActionFunc {
		return func(ctx context.Context, c *cli.Command) error {
			name, err := oneArg(c, "the name of an alert")
			if err != nil {
				return err
			}
			return explain(do(ctx, c, std, name), c)
		}
	}
	return &cli.Command{
		Name:  "alerts",
		Usage: "what is told when statistics pass a threshold",
		Commands: []*cli.Command{
			{
				Name: "list", Usage: "the alerts of the project, and how each stands",
				Flags:  append(clientFlags(), jsonFlag("alerts"), csvFlag("alerts")),
				Action: func(ctx context.Context, c *cli.Command) error { return explain(listAlerts(ctx, c, std), c) },
			},
			{Name: "show", Usage: "print one, as put takes it", ArgsUsage: "NAME", Flags: clientFlags(), Action: named(showAlert)},
			{
				Name: "put", Usage: "set one from a file (- is standard input) that says its name; needs a key with the scope admin", ArgsUsage: "FILE",
				Flags: clientFlags(),
				Action: func(ctx context.Context, c *cli.Command) error {
					name, err := oneArg(c, "a file of an alert")
					if err != nil {
						return err
					}
					return explain(putAlert(ctx, c, std, name), c)
				},
			},
			{Name: "delete", Usage: "remove one, with what of it was still to be sent; needs a key with the scope admin", ArgsUsage: "NAME", Flags: clientFlags(), Action: named(deleteAlert)},
			{
				Name: "test", Usage: "look at one now, and say what would be told; needs a key with the scope admin", ArgsUsage: "NAME",
				Flags: append(clientFlags(), jsonFlag("alerts-test"),
					&cli.BoolFlag{Name: "send", Sources: env("alerts", "send"), Usage: "also send a message that says that it is a test; exit code 1 when a destination does not take it"}),
				Action: named(testAlert),
			},
			{
				Name: "log", Usage: "what was sent of one and what is to be, the newest first", ArgsUsage: "NAME",
				Flags: append(clientFlags(), jsonFlag("alerts-log")), Action: named(logAlert),
			},
		},
	}
}

// alertRow is what table and CSV have of an alert.
type alertRow struct {
	Name        string       `json:"name"`
	State       string       `json:"state"`
	Since       *time.Time   `json:"since"`
	Metric      string       `json:"metric"`
	Comparison  string       `json:"comparison"`
	Warning     *float64     `json:"warning"`
	Alert       *float64     `json:"alert"`
	Window      string       `json:"window"`
	Question    string       `json:"question"`
	At          *time.Time   `json:"at"`
	Fault       string       `json:"fault"`
	Pending     int64        `json:"pending"`
	Disabled    bool         `json:"disabled"`
	Groups      []alertGroup `json:"groups"`
	Description string       `json:"description"`
}

type alertGroup struct {
	By     map[string]any `json:"by"`
	State  string         `json:"state"`
	Value  *float64       `json:"value"`
	NoData bool           `json:"no_data"`
}

func alertPath(name string) string { return "/v1/alerts/" + url.PathEscape(name) }

func listAlerts(ctx context.Context, c *cli.Command, std streams) error {
	if err := noArgs(c); err != nil {
		return err
	}
	var list struct {
		Data []json.RawMessage `json:"data"`
	}
	if err := call(ctx, c, http.MethodGet, "/v1/alerts", &list); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(std.out, list.Data)
	}
	rows := make([]alertRow, len(list.Data))
	for i, raw := range list.Data {
		if err := json.Unmarshal(raw, &rows[i]); err != nil {
			return err
		}
	}
	if c.Bool("csv") {
		return printCSV(std.out, nil, rows)
	}
	t := newTable(std.out, "!ALERT", "!STATE", ">!VALUE", "METRIC", ">WARNING", ">ALERT", "WINDOW", "SINCE (UTC)", "AS OF (UTC)").fit()
	for i := range rows {
		var paint func(string) string
		if rows[i].State == "alert" {
			paint = styleOf(std.out).red
		}
		t.painted(paint, rows[i].cells()...)
	}
	return t.end(std.out, len(rows), nil)
}

func (a *alertRow) cells() []string {
	state, value := a.State, "-"
	switch {
	case a.Disabled:
		state = "disabled"
	case len(a.Groups) > 0 && a.Groups[0].NoData:
		value = "no data"
	case len(a.Groups) > 0:
		value = decimal(a.Groups[0].Value)
	}
	if n := len(a.Groups); n > 1 {
		value += fmt.Sprintf(" (of %d)", n)
	}
	asOf := moment(a.At)
	if a.Fault != "" {
		asOf += " (the last look failed)"
	}
	sign := map[string]string{"above": "> ", "below": "< "}[a.Comparison]
	level := func(v *float64) string {
		if v == nil {
			return "-"
		}
		return sign + decimal(v)
	}
	return []string{a.Name, state, value, a.Metric, level(a.Warning), level(a.Alert), a.Window, moment(a.Since), asOf}
}

// decimal writes a number in six digits that matter.
func decimal(v *float64) string {
	if v == nil {
		return "-"
	}
	return strconv.FormatFloat(*v, 'g', 6, 64)
}

func moment(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return at.UTC().Format(time.DateTime)
}

// showAlert prints what put takes: how the alert stands is left out.
func showAlert(ctx context.Context, c *cli.Command, std streams, name string) error {
	var row struct {
		Name         string            `json:"name"`
		Description  string            `json:"description,omitempty"`
		Question     string            `json:"question"`
		Window       string            `json:"window"`
		Lag          string            `json:"lag"`
		Every        string            `json:"every"`
		Comparison   string            `json:"comparison"`
		Warning      *float64          `json:"warning,omitempty"`
		Alert        *float64          `json:"alert,omitempty"`
		For          int64             `json:"for"`
		NoData       string            `json:"no_data"`
		Destinations []json.RawMessage `json:"destinations"`
		Disabled     bool              `json:"disabled,omitempty"`
	}
	if err := call(ctx, c, http.MethodGet, alertPath(name), &row); err != nil {
		return err
	}
	return printJSON(std.out, row)
}

func putAlert(ctx context.Context, c *cli.Command, std streams, file string) error {
	text, err := readInput(std, file)
	if err != nil {
		return err
	}
	var named struct{ Name string }
	if json.Unmarshal(text, &named) != nil || named.Name == "" {
		return errors.New("the file is no JSON object with a name: docs/alerts.md has the form of an alert")
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := request(ctx, c, http.MethodPut, alertPath(named.Name), bytes.NewReader(text))
	if err != nil {
		return err
	}
	var row struct {
		Destinations []struct{ ID, Kind, URL, Secret string }
	}
	err = json.NewDecoder(io.LimitReader(answer, callAnswer)).Decode(&row)
	if err := errors.Join(err, answer.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%s is watched; `brokle alerts list` shows how it stands\n", named.Name)
	for _, d := range row.Destinations {
		if strings.HasPrefix(d.Secret, "whsec_") && err == nil {
			_, err = fmt.Fprintf(std.out, "what goes to %s is signed with %s, which is not shown again\n", d.URL, d.Secret)
		}
	}
	return err
}

func deleteAlert(ctx context.Context, c *cli.Command, std streams, name string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := ask(ctx, c, http.MethodDelete, alertPath(name))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%s is removed\n", name)
	return errors.Join(err, answer.Close())
}

// alertTrial is the answer of a test.
type alertTrial struct {
	From     time.Time    `json:"from"`
	To       time.Time    `json:"to"`
	Groups   []alertGroup `json:"groups"`
	Messages []struct {
		Data struct{ Text string }
	} `json:"messages"`
	Sent []struct {
		Kind, To, Answer string
		Taken            bool
	} `json:"sent"`
}

func testAlert(ctx context.Context, c *cli.Command, std streams, name string) error {
	path := alertPath(name) + "/test"
	if c.Bool("send") {
		path += "?send=true"
	}
	var raw json.RawMessage
	if err := call(ctx, c, http.MethodPost, path, &raw); err != nil {
		return err
	}
	var trial alertTrial
	if err := json.Unmarshal(raw, &trial); err != nil {
		return err
	}
	write := trial.print
	if c.Bool("json") {
		write = func(out io.Writer) error { return printJSON(out, raw) }
	}
	if err := write(std.out); err != nil {
		return err
	}
	for _, s := range trial.Sent {
		if !s.Taken {
			return errReported
		}
	}
	return nil
}

func (t *alertTrial) print(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "from %s to %s UTC:\n", t.From.UTC().Format(time.DateTime), t.To.UTC().Format(time.DateTime))
	for _, g := range t.Groups {
		value := decimal(g.Value)
		if g.NoData {
			value = "no data"
		}
		fmt.Fprintf(&b, "  %-8s %s", g.State, value)
		for _, column := range slices.Sorted(maps.Keys(g.By)) {
			fmt.Fprintf(&b, "  %s %s", column, cmp.Or(oneLine(fmt.Sprint(g.By[column])), "-"))
		}
		b.WriteByte('\n')
	}
	if len(t.Groups) == 0 {
		b.WriteString("  nothing\n")
	}
	if len(t.Messages) == 0 {
		b.WriteString("nothing would be told: the state is what it was\n")
	}
	for _, m := range t.Messages {
		fmt.Fprintf(&b, "would be told: %s\n", oneLine(m.Data.Text))
	}
	for _, s := range t.Sent {
		taken := "took the test"
		if !s.Taken {
			taken = "did not take the test"
		}
		fmt.Fprintf(&b, "%s %s %s: %s\n", s.Kind, s.To, taken, oneLine(s.Answer))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func logAlert(ctx context.Context, c *cli.Command, std streams, name string) error {
	var list struct {
		Data []struct {
			Kind, To, State, Last string
			Attempts              int64
			Message               struct {
				Timestamp time.Time
				Data      struct {
					ID, State string
				}
			}
		} `json:"data"`
	}
	var raw json.RawMessage
	if err := call(ctx, c, http.MethodGet, alertPath(name)+"/deliveries", &raw); err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	if c.Bool("json") {
		var data struct {
			Data []json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(raw, &data); err != nil {
			return err
		}
		return printJSON(std.out, data.Data)
	}
	t := newTable(std.out, "!WHEN (UTC)", "!TOLD", "!DELIVERY", ">ATTEMPTS", "TO", "LAST ANSWER", "ID").fit()
	for _, d := range list.Data {
		t.row(d.Message.Timestamp.UTC().Format(time.DateTime), d.Message.Data.State, d.State, number(d.Attempts), d.Kind+" "+d.To, cmp.Or(d.Last, "-"), d.Message.Data.ID)
	}
	return t.end(std.out, len(list.Data), nil)
}
