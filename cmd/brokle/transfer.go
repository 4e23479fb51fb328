package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go"
)

func importCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "send what export wrote, keeping ids, timestamps and environments",
		ArgsUsage: "FILE…",
		Description: "Each FILE holds JSON Lines as `brokle export` writes them, plain or compressed; - is standard\n" +
			"input; so are lines of OTLP, as `brokle export --format otlp` and the file exporter of\n" +
			"OpenTelemetry's Collector write them. An import that was interrupted\n" +
			"is run again: what is there already counts as duplicate, or is a span that is stored once.\n" +
			"The exit code is 1 when at least one event failed.",
		Flags: append(clientFlags(),
			&cli.StringFlag{Name: "environment", Sources: env("import", "environment"), Usage: "put all events into this environment instead of their own"},
			&cli.IntFlag{Name: "batch-size", Sources: env("import", "batch-size"), Value: 500, Usage: "events in a request, 1 to 1000"},
			&cli.IntFlag{Name: "concurrency", Sources: env("import", "concurrency"), Value: 1, Usage: "requests at once, 1 to 64; with more than one the order is not kept"},
			&cli.IntFlag{Name: "max-retries", Sources: env("import", "max-retries"), Value: 8,
				Usage: "how often a request is sent again after 429, 503 or no answer, 0 to 1000"},
			jsonFlag("import"),
		),
		Action: func(ctx context.Context, c *cli.Command) error { return importFiles(ctx, c, std) },
	}
}

func importFiles(ctx context.Context, c *cli.Command, std streams) error {
	if !c.Args().Present() {
		return &usageError{"brokle import", errors.New("needs at least one FILE; - is standard input")}
	}
	s, err := newSender(c, brokle.MaxDedupTTL*time.Second, "")
	if err != nil {
		return err
	}
	s.postOTLP = otlpPoster(c)
	start := time.Now()
	for _, name := range c.Args().Slice() {
		if c.Args().Len() > 1 {
			s.file = name
		}
		if err = s.runFile(ctx, name, std); err != nil {
			err = fmt.Errorf("import %s: %w", name, err)
			break
		}
	}
	return s.finish(c, std, start, err)
}
