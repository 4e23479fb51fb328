// Command brokle is the server, and the command line for people and scripts.
//
//	brokle serve --dev --sample     start a server to try out
//	brokle send events.jsonl        send events from a file or standard input
//	brokle query traces             read back what was kept
//
// `brokle help` lists the rest. Exit codes: 0 all went well, 1 something failed
// (for send: at least one event), 2 the command line is wrong (for verify: something
// could not be checked), 3 (serve) it was told to stop and left something for the next start.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go/internal/daemon"
)

func main() {
	std := streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	os.Exit(run(context.Background(), os.Args, std))
}

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// exit codes
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	exitLeft   = 3
)

// usageError is a command line that cannot be understood.
type usageError struct {
	command string
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// hintError adds to an error what the person may do about it.
type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

// errReported ends a command that has told everything on its own output.
var errReported = errors.New("failed, and said so")

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, std streams) int {
	err := newApp(std).Run(ctx, args)
	var usage *usageError
	var hint *hintError
	var unchecked *uncheckedError
	var left *daemon.LeftError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errReported):
		return exitFailed
	case errors.As(err, &usage):
		_, _ = fmt.Fprintf(std.err, "brokle: %v\nSee: %s --help\n", err, usage.command)
		return exitUsage
	}
	_, _ = fmt.Fprintf(std.err, "brokle: %v\n", err)
	if errors.As(err, &hint) {
		_, _ = fmt.Fprintf(std.err, "Hint: %s\n", hint.hint)
	}
	switch {
	case errors.As(err, &unchecked):
		return exitUsage
	case errors.As(err, &left):
		return exitLeft
	}
	return exitFailed
}

func newApp(std streams) *cli.Command {
	app := &cli.Command{
		Name:                  "brokle",
		Usage:                 "record what language-model applications do, and look at it",
		Reader:                std.in,
		Writer:                std.out,
		ErrWriter:             std.err,
		Suggest:               true,
		EnableShellCompletion: true,
		ConfigureShellCompletionCommand: func(c *cli.Command) {
			c.Hidden = false
			c.Usage = "print a completion script for bash, zsh, fish or pwsh"
		},
		// Errors are returned to run, which prints them once.
		ExitErrHandler: func(context.Context, *cli.Command, error) {},
		Commands: []*cli.Command{
			serveCommand(std), keysCommand(std), sendCommand(std), queryCommand(std), traceCommand(std), observationCommand(std), tailCommand(std), openCommand(std), sqlCommand(std), explainCommand(std), pricesCommand(std), repriceCommand(std), budgetsCommand(std), alertsCommand(std), promptsCommand(std), judgesCommand(std), datasetsCommand(std), evalCommand(std), mcpCommand(std), eraseCommand(std),
			exportCommand(std), importCommand(std), backupCommand(std), restoreCommand(std), verifyCommand(std),
			quarantineCommand(std), warehouseCommand(std), logCommand(std), checkCommand(std), versionCommand(std),
		},
	}
	app.Action = func(_ context.Context, c *cli.Command) error {
		if c.Args().Present() {
			return &usageError{"brokle", noCommand(c)}
		}
		return cli.ShowAppHelp(c)
	}
	markUsageErrors(app, "brokle")
	return app
}

// markUsageErrors makes every command return a usageError for flags that it
// does not know or cannot read, and refuse arguments that it does not take.
func markUsageErrors(c *cli.Command, path string) {
	c.OnUsageError = func(_ context.Context, _ *cli.Command, err error, _ bool) error {
		return &usageError{path, err}
	}
	if len(c.Commands) > 0 && c.Action == nil {
		c.Action = func(_ context.Context, c *cli.Command) error {
			if c.Args().Present() {
				return &usageError{path, noCommand(c)}
			}
			return cli.ShowSubcommandHelp(c)
		}
	}
	for _, sub := range c.Commands {
		markUsageErrors(sub, path+" "+sub.Name)
	}
}

// oneArg returns the command's only argument.
func oneArg(c *cli.Command, what string) (string, error) {
	if c.Args().Len() != 1 || c.Args().First() == "" {
		return "", &usageError{c.FullName(), fmt.Errorf("needs exactly one argument, %s; got %d", what, c.Args().Len())}
	}
	return c.Args().First(), nil
}

// noArgs refuses arguments, which are often a flag without its dashes.
func noArgs(c *cli.Command) error {
	if c.Args().Present() {
		return &usageError{c.FullName(), fmt.Errorf("takes no arguments; got %q", c.Args().First())}
	}
	return nil
}

// noCommand says that c has no command of the name of its first argument, and which one may be meant.
func noCommand(c *cli.Command) error {
	name := c.Args().First()
	if like := cli.SuggestCommand(c.Commands, name); like != "" && like[0] == name[0] {
		return fmt.Errorf("there is no command %q; %q is one", name, like)
	}
	return fmt.Errorf("there is no command %q", name)
}
