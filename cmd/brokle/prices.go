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
	"os"
	"time"

	"github.com/urfave/cli/v3"
)

// pricesCommand shows and sets what the calls of a project are priced by.
func pricesCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:  "prices",
		Usage: "show or set the own prices of a project; needs a key with the scope admin",
		Commands: []*cli.Command{
			{
				Name: "get", Usage: "print the own prices that were set last, as set takes them",
				Flags:  append(clientFlags(), jsonFlag("prices")),
				Action: func(ctx context.Context, c *cli.Command) error { return explain(getPrices(ctx, c, std), c) },
			},
			{
				Name: "set", Usage: "set them from a file (- is standard input), for calls that come", ArgsUsage: "FILE",
				Flags: append(clientFlags(), jsonFlag("prices"),
					&cli.StringFlag{Name: "from", Sources: env("prices", "from"), Usage: "the date (its first moment in UTC) or time from which they hold: calls that started before keep the prices that were; default now"}),
				Action: func(ctx context.Context, c *cli.Command) error {
					name, err := oneArg(c, "a file of own prices")
					if err != nil {
						return err
					}
					return explain(setPrices(ctx, c, std, name), c)
				},
			},
		},
	}
}

// priceList is the answer of /v1/prices.
type priceList struct {
	Book    string            `json:"book"`
	Cost    string            `json:"cost"`
	Prices  []json.RawMessage `json:"prices"`
	History []struct {
		At     time.Time         `json:"at"`
		From   time.Time         `json:"from"`
		Prices []json.RawMessage `json:"prices"`
	} `json:"history"`
}

func getPrices(ctx context.Context, c *cli.Command, std streams) error {
	var list priceList
	if err := call(ctx, c, http.MethodGet, "/v1/prices", &list); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(std.out, list)
	}
	if _, err := fmt.Fprintf(std.err, "book %s, --cost %s; own prices were set %d times\n", list.Book, list.Cost, len(list.History)); err != nil {
		return err
	}
	return printJSON(std.out, list.Prices)
}

func setPrices(ctx context.Context, c *cli.Command, std streams, name string) error {
	text, err := readInput(std, name)
	if err != nil {
		return err
	}
	path := "/v1/prices"
	if c.IsSet("from") { // an empty one is refused by the server: it would mean all calls
		path += "?from=" + url.QueryEscape(c.String("from"))
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := request(ctx, c, http.MethodPut, path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	var list priceList
	err = json.NewDecoder(io.LimitReader(answer, callAnswer)).Decode(&list)
	if err := errors.Join(err, answer.Close()); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(std.out, list)
	}
	_, err = fmt.Fprintf(std.out, "%d own prices hold for calls that start from %s on\n", len(list.Prices), list.History[len(list.History)-1].From.Format(time.RFC3339))
	return err
}

// readInput reads a file; - is standard input.
func readInput(std streams, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(std.in)
	}
	return os.ReadFile(name)
}
