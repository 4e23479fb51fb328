package main

import (
	"bufio"
	"context"
	"errors"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go/internal/daemon"
)

func logCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:  "log",
		Usage: "look into the files of the log",
		Commands: []*cli.Command{{
			Name: "dump", Usage: "print one segment file, block by block (docs/format.md)", ArgsUsage: "FILE",
			Flags: []cli.Flag{&cli.BoolFlag{Name: "payloads", Sources: env("log", "payloads"), Usage: "print the events' payloads too"}},
			Action: func(_ context.Context, c *cli.Command) error {
				file, err := oneArg(c, "a segment file, in DATA/log")
				if err != nil {
					return err
				}
				out := bufio.NewWriter(std.out)
				return errors.Join(daemon.DumpLog(out, file, c.Bool("payloads")), out.Flush())
			},
		}},
	}
}
