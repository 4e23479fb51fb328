package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/urfave/cli/v3"
)

func eraseCommand(std streams) *cli.Command {
	one := func(name, usage, path string) *cli.Command {
		return &cli.Command{
			Name: name, Usage: usage, ArgsUsage: "ID",
			Flags: append(clientFlags(), jsonFlag("erase"),
				&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask"}),
			Action: func(ctx context.Context, c *cli.Command) error {
				id, err := oneArg(c, "the id of a "+name)
				if err != nil {
					return err
				}
				if err := confirm(c, std, name, id); err != nil {
					return err
				}
				return explain(erase(ctx, c, std, pathOf(path, id)), c)
			},
		}
	}
	return &cli.Command{
		Name:  "erase",
		Usage: "remove payloads for good, from disk too; needs a key with the scope admin",
		Commands: []*cli.Command{
			one("trace", "erase one trace with its observations and scores", "/v1/traces"),
			one("user", "erase every trace of one user", "/v1/users"),
		},
	}
}

// pathOf is the path of what has the id; an id that a path would lose stands in the query.
func pathOf(path, id string) string {
	if id == "." || id == ".." || strings.Contains(id, "/") {
		return path + "?id=" + url.QueryEscape(id)
	}
	return path + "/" + url.PathEscape(id)
}

// confirm asks whether something is to be erased.
func confirm(c *cli.Command, std streams, what, id string) error {
	return agree(c, std, fmt.Sprintf("Erase %s %s on %s, for good?", what, oneLine(id), c.String("host")), "nothing was erased")
}

// agree asks on a terminal; the error says what did not happen. Where nobody can be asked, --yes has to say it.
func agree(c *cli.Command, std streams, question, refused string) error {
	if c.Bool("yes") {
		return nil
	}
	if _, ok := terminal(std.in); !ok {
		return &usageError{c.FullName(), errors.New("nobody can be asked here: --yes confirms")}
	}
	if _, err := fmt.Fprintf(std.err, "%s [y/N] ", question); err != nil {
		return err
	}
	answer, err := bufio.NewReader(std.in).ReadString('\n')
	if a := strings.ToLower(strings.TrimSpace(answer)); err == nil && (a == "y" || a == "yes") {
		return nil
	}
	return errors.New(refused)
}

// erased is the answer to DELETE.
type erased struct {
	Erased struct {
		Traces       int64 `json:"traces"`
		Observations int64 `json:"observations"`
		Scores       int64 `json:"scores"`
		Events       int64 `json:"events"`
	} `json:"erased"`
	TraceIDs []string `json:"trace_ids"`
}

func erase(ctx context.Context, c *cli.Command, std streams, path string) error {
	var e erased
	if err := call(ctx, c, http.MethodDelete, path, &e); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(std.out, e)
	}
	_, err := fmt.Fprintf(std.out, "erased %d traces, %d observations, %d scores: %d events\n",
		e.Erased.Traces, e.Erased.Observations, e.Erased.Scores, e.Erased.Events)
	return err
}
