package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go/internal/backup"
	"github.com/brokle-ai/brokle-go/internal/daemon"
)

func backupCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:  "backup",
		Usage: "copy everything that a running server keeps into a directory",
		Description: "The server goes on taking events. What it acknowledged before the command began is in the backup, which\n" +
			"holds every project: the key is an admin key of the project default. DIR must be absent or empty; it is\n" +
			"there only once the backup is whole and every checksum was compared. `brokle restore` makes a data\n" +
			"directory of it, and `brokle verify --from DIR` looks at it.",
		Flags: append(clientFlags(),
			&cli.StringFlag{Name: "to", Sources: env("backup", "to"), Usage: "the directory to make"},
			jsonFlag("backup"),
		),
		Action: func(ctx context.Context, c *cli.Command) error {
			if err := noArgs(c); err != nil {
				return err
			}
			if c.String("to") == "" {
				return &usageError{"brokle backup", errors.New("needs --to, the directory to make")}
			}
			ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return explain(takeBackup(ctx, c, std), c)
		},
	}
}

func takeBackup(ctx context.Context, c *cli.Command, std streams) error {
	if err := backup.Empty(c.String("to")); err != nil {
		return err
	}
	start := time.Now()
	answer, err := ask(ctx, c, http.MethodGet, "/v1/backup")
	if err != nil {
		return err
	}
	defer func() { _ = answer.Close() }()
	bar := progress(std.err, "backing up", -1, true)
	m, err := backup.Receive(answer, c.String("to"), func(n int64) { _ = bar.Add64(n) }) // only the terminal's line
	_ = bar.Exit()
	if err != nil {
		return &hintError{err, "nothing was kept; run the command again, and look into the server's log if it happens again"}
	}
	if c.Bool("json") {
		return json.NewEncoder(std.out).Encode(summaryOf(m, time.Since(start)))
	}
	_, err = fmt.Fprintf(std.out, "%d files, %d bytes, up to Seq %d, in %s (%s)\n",
		len(m.Files), m.Bytes(), m.Head, c.String("to"), time.Since(start).Round(time.Millisecond))
	return err
}

// backupSummary is the JSON of backup and restore.
type backupSummary struct {
	Files   int     `json:"files"`
	Bytes   int64   `json:"bytes"`
	Head    uint64  `json:"head"`
	Created string  `json:"created_at"`
	Seconds float64 `json:"seconds"`
}

func summaryOf(m *backup.Manifest, took time.Duration) backupSummary {
	return backupSummary{len(m.Files), m.Bytes(), m.Head, m.Created.Format(time.RFC3339), took.Seconds()}
}

func restoreCommand(std streams) *cli.Command {
	in := &configInput{}
	return &cli.Command{
		Name:  "restore",
		Usage: "make a data directory of a backup",
		Description: "Checks the backup against its manifest first, every byte of it. The data directory must be absent or\n" +
			"empty. The next `brokle serve` on it builds the id index and the warehouse again from the log.",
		Flags: append(in.flags([]string{"data", "log-level", "log-format"}),
			&cli.StringFlag{Name: "from", Sources: env("restore", "from"), Usage: "the directory that `brokle backup` made"},
			jsonFlag("restore"),
		),
		Action: in.action(func(ctx context.Context, c *cli.Command, cfg daemon.Config) error {
			if c.String("from") == "" {
				return &usageError{"brokle restore", errors.New("needs --from, the directory of the backup")}
			}
			return restoreBackup(ctx, c, cfg, std)
		}),
	}
}

func restoreBackup(ctx context.Context, c *cli.Command, cfg daemon.Config, std streams) error {
	start := time.Now()
	total := int64(-1)
	if m, err := backup.Read(c.String("from")); err == nil {
		total = m.Bytes()
	}
	bar := progress(std.err, "checking", total, true)
	m, err := daemon.Restore(ctx, cfg, c.String("from"), newLogger(std.err, cfg), func(n int64) { _ = bar.Add64(n) })
	_ = bar.Exit() // only the terminal's line
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return json.NewEncoder(std.out).Encode(summaryOf(m, time.Since(start)))
	}
	_, err = fmt.Fprintf(std.out, "%d files, %d bytes, up to Seq %d (%s)\nThe next `brokle serve` builds index and warehouse again.\n",
		len(m.Files), m.Bytes(), m.Head, time.Since(start).Round(time.Millisecond))
	return err
}
