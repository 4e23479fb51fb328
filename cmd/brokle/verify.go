package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go/internal/daemon"
	"github.com/brokle-ai/brokle-go/internal/verify"
)

func verifyCommand(std streams) *cli.Command {
	in := &configInput{}
	return &cli.Command{
		Name:  "verify",
		Usage: "check everything in the data directory of a stopped server, or in a backup",
		Description: "Reads every byte of the log, compares the id index and the warehouse with it, and folds every entity\n" +
			"anew. It changes nothing. The exit code is 0 when all is whole, 1 when damage was found, which is told with\n" +
			"how to mend it, and 2 when something could not be checked: a server runs, or a later release wrote it.",
		Flags: append(in.flags([]string{"data", "warehouse-memory", "index-cache", "warehouse-url", "retention", "retention-projects", "log-level", "log-format"}),
			&cli.BoolFlag{Name: "warehouse", Sources: env("verify", "warehouse"), Usage: "compare the log with the warehouse that nodes share (--warehouse-url), instead: each event is there, with what it says"},
			&cli.BoolFlag{Name: "repair", Sources: env("verify", "repair"), Usage: "with --warehouse: insert there what the log has and the warehouse has lost, and fold it anew; other nodes go on"},
			&cli.StringFlag{Name: "from", Sources: env("verify", "from"), Usage: "a backup to check, instead of --data"},
			jsonFlag("verify"),
		),
		Action: in.action(func(ctx context.Context, c *cli.Command, cfg daemon.Config) error {
			if c.String("from") != "" {
				cfg.DataDir = c.String("from")
			}
			if c.Bool("repair") && !c.Bool("warehouse") {
				return &usageError{"brokle verify", errors.New("--repair needs --warehouse: what is in a data directory the next start mends")}
			}
			if c.Bool("warehouse") {
				return verifyShared(ctx, c, cfg, std)
			}
			return verifyDir(ctx, c, cfg, std)
		}),
	}
}

// errUnchecked ends a verify that could not look at everything.
var errUnchecked = errors.New("something could not be checked")

func verifyDir(ctx context.Context, c *cli.Command, cfg daemon.Config, std streams) error {
	bar := progress(std.err, "reading the log", -1, true)
	v, err := daemon.Verify(ctx, cfg, func(n int64) { _ = bar.Add64(n) })
	_ = bar.Exit() // only the terminal's line
	if err != nil {
		return &uncheckedError{explainInUse(err)}
	}
	if c.Bool("json") {
		err = printJSON(std.out, v)
	} else {
		err = printVerification(std.out, v)
	}
	switch {
	case err != nil:
		return err
	case v.State == verify.Damaged:
		return errReported
	case v.State == verify.Unchecked:
		return &uncheckedError{errUnchecked}
	}
	return nil
}

// uncheckedError ends with the exit code of a command line that could not be followed.
type uncheckedError struct{ err error }

func (e *uncheckedError) Error() string { return e.err.Error() }
func (e *uncheckedError) Unwrap() error { return e.err }

func printVerification(out io.Writer, v *verify.Report) error {
	s := styleOf(out)
	for _, p := range v.Parts {
		state := fmt.Sprintf("%-9s", p.State)
		if p.State != verify.Whole {
			state = s.red(state)
		}
		if _, err := fmt.Fprintf(out, "%-10s  %s  %s\n", p.Name, state, oneLine(p.Detail)); err != nil {
			return err
		}
		for _, pr := range p.Problems {
			if _, err := fmt.Fprintf(out, "  %s: %s\n    to mend it: %s\n", oneLine(pr.File), oneLine(pr.What), pr.Remedy); err != nil {
				return err
			}
		}
		for _, n := range p.Notes {
			if _, err := fmt.Fprintf(out, "  note: %s\n", oneLine(n)); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(out, "%s: %s\n", v.Dir, v.State)
	return err
}

func verifyOrRepair(ctx context.Context, cfg daemon.Config, repair bool, logger *slog.Logger) (v *daemon.Verified, restored int, err error) {
	if repair {
		return daemon.RepairWarehouse(ctx, cfg, logger)
	}
	v, err = daemon.VerifyWarehouse(ctx, cfg, logger)
	return v, 0, err
}

// verifyShared compares a node's log with the warehouse that it shares.
func verifyShared(ctx context.Context, c *cli.Command, cfg daemon.Config, std streams) error {
	v, restored, err := verifyOrRepair(ctx, cfg, c.Bool("repair"), newLogger(std.err, cfg))
	if err != nil {
		return &uncheckedError{explainInUse(err)}
	}
	if c.Bool("json") {
		err = printJSON(std.out, struct {
			*daemon.Verified
			Restored int `json:"restored"` // events that were inserted again
		}{v, restored})
	} else {
		if c.Bool("repair") {
			_, err = fmt.Fprintf(std.out, "%d events inserted again, and all folded anew\n", restored)
		}
		if err == nil {
			_, err = fmt.Fprintf(std.out, "%d events of the log compared, %d of them there by another copy of the same, %d payloads byte for byte: %d missing, %d differing, %d doubled, %d not in the log; %d in no row, %d traces without one\n",
				v.Events, v.Elsewhere, v.Sampled, len(v.Missing), len(v.Differing), len(v.Doubled), len(v.Surplus), len(v.Unsettled), v.Rowless)
		}
	}
	if err == nil && !v.Whole() {
		return errReported
	}
	return err
}
