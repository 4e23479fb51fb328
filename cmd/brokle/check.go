package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go/internal/daemon"
)

func checkCommand(std streams) *cli.Command {
	in := &configInput{}
	return &cli.Command{
		Name:  "check",
		Usage: "print the configuration that serve would use, secrets masked, and what is wrong with it",
		Flags: in.flags(nil),
		Action: func(_ context.Context, c *cli.Command) error {
			if err := noArgs(c); err != nil {
				return err
			}
			return check(in, std)
		},
	}
}

func check(in *configInput, std streams) error {
	t := newTable(std.out, "SETTING", "VALUE", "FROM", "ENVIRONMENT VARIABLE")
	for _, s := range in.cfg.Effective() {
		from := "set"
		if s.IsDefault {
			from = "default"
		}
		value := s.Value
		if value == "" {
			value = "-"
		}
		t.row(settingName(s.Setting), value, from, s.Env)
	}
	if err := t.flush(); err != nil {
		return err
	}
	problems := append(in.bad, in.cfg.Validate(), daemon.CheckDataDir(in.cfg))
	if errors.Join(problems...) == nil {
		_, err := fmt.Fprintln(std.out, "\nok")
		return err
	}
	for line := range strings.Lines(errors.Join(problems...).Error()) {
		if _, err := fmt.Fprintln(std.err, "wrong:", strings.TrimSpace(line)); err != nil {
			return err
		}
	}
	return errReported
}
