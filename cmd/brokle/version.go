package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go"
)

// commit is stamped by the linker (see the Makefile); "" in other builds.
var commit string

func versionCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version",
		Action: func(_ context.Context, c *cli.Command) error {
			if err := noArgs(c); err != nil {
				return err
			}
			stamp := ""
			if commit != "" {
				stamp = " (" + commit + ")"
			}
			_, err := fmt.Fprintf(std.out, "brokle %s%s %s %s/%s\n", brokle.Version, stamp, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
