package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"syscall"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go/internal/daemon"
)

func quarantineCommand(std streams) *cli.Command {
	in := &configInput{}
	flags := func(more ...cli.Flag) []cli.Flag {
		return append(in.flags([]string{"data", "log-level", "log-format", "warehouse-memory", "warehouse-url"}), more...)
	}
	return &cli.Command{
		Name:  "quarantine",
		Usage: "list and replay records that the warehouse could not take; the server must be stopped",
		Commands: []*cli.Command{
			{
				Name: "list", Usage: "list the records: where each is in the log, and why it was refused",
				Flags:  flags(jsonFlag("quarantine")),
				Action: in.action(func(_ context.Context, c *cli.Command, cfg daemon.Config) error { return listQuarantine(c, cfg, std) }),
			},
			{
				Name: "replay", Usage: "offer every record to the warehouse again, for instance after an upgrade",
				Flags: flags(),
				Action: in.action(func(ctx context.Context, _ *cli.Command, cfg daemon.Config) error {
					return replayQuarantine(ctx, cfg, std)
				}),
			},
		},
	}
}

func listQuarantine(c *cli.Command, cfg daemon.Config, std streams) error {
	list, err := daemon.Quarantine(cfg, newLogger(std.err, cfg))
	if err != nil {
		return explainInUse(err)
	}
	if c.Bool("json") {
		return json.NewEncoder(std.out).Encode(list)
	}
	t := newTable(std.out, "SEQ", "PROJECT", "EVENT ID", "TYPE", "SINCE (UTC)", "REASON")
	for _, r := range list {
		t.row(strconv.FormatUint(r.Seq, 10), r.Project, r.EventID, string(r.EventType), when(r.At), shorten(r.Reason, 100))
	}
	return t.end(std.out, len(list), nil)
}

func replayQuarantine(ctx context.Context, cfg daemon.Config, std streams) error {
	replayed, left, err := daemon.ReplayQuarantine(ctx, cfg, newLogger(std.err, cfg))
	if err != nil {
		return explainInUse(err)
	}
	if _, err := fmt.Fprintf(std.out, "%d replayed, %d left\n", replayed, left); err != nil {
		return err
	}
	if left > 0 {
		return errReported
	}
	return nil
}

// explainInUse adds a hint to the error of a directory that is locked.
func explainInUse(err error) error {
	if errors.Is(err, syscall.EAGAIN) {
		return &hintError{err, "stop the server that uses this directory, then run the command again"}
	}
	return err
}
