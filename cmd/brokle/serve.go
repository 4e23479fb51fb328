package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go/internal/daemon"
)

func serveCommand(std streams) *cli.Command {
	in := &configInput{}
	return &cli.Command{
		Name:  "serve",
		Usage: "run the server",
		Description: "Prints `listening on http://…` once it takes requests. On a first start, and with --dev, it makes a key\n" +
			"and prints it once. BROKLE_BOOTSTRAP_API_KEY puts a given key in. SIGTERM or Ctrl-C stops it in order; a\n" +
			"second one stops it at once, which loses nothing that was answered.",
		Flags: in.flags(nil),
		Action: in.action(func(ctx context.Context, _ *cli.Command, cfg daemon.Config) error {
			ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			// After the first signal the next one has its default effect: it ends the process.
			defer context.AfterFunc(ctx, stop)()
			return daemon.Run(ctx, cfg, newLogger(std.err, cfg), std.out)
		}),
	}
}

// newLogger writes what the configuration asks for. Values that are not valid
// count as the default here; Validate reports them.
func newLogger(w io.Writer, cfg daemon.Config) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// configInput collects a Config from flags and environment.
type configInput struct {
	cfg daemon.Config
	bad []error // values that cannot be read
}

// config returns what was read, or every value that could not be.
func (in *configInput) config() (daemon.Config, error) {
	return in.cfg, errors.Join(in.bad...)
}

// action is a command that takes no arguments, and what its flags say as a Config.
func (in *configInput) action(do func(context.Context, *cli.Command, daemon.Config) error) cli.ActionFunc {
	return func(ctx context.Context, c *cli.Command) error {
		if err := noArgs(c); err != nil {
			return err
		}
		cfg, err := in.config()
		if err != nil {
			return err
		}
		return do(ctx, c, cfg)
	}
}

// flags makes a flag for every setting in only, by flag name; nil is all.
func (in *configInput) flags(only []string) []cli.Flag {
	var flags []cli.Flag
	for _, s := range daemon.Settings() {
		if only != nil && !slices.Contains(only, s.Flag) {
			continue
		}
		flag := &cli.GenericFlag{
			Name: settingName(s), Hidden: s.Flag == "", Sources: cli.EnvVars(s.Env), Value: &settingValue{s, in},
			Usage: fmt.Sprintf("%s (%s)", s.Usage, s.Range), DefaultText: s.Default, HideDefault: s.Default == "",
		}
		if s.IsBool() {
			flag.Usage = s.Usage
			flags = append(flags, onOff{flag})
			continue
		}
		flags = append(flags, flag)
	}
	return flags
}

// onOff is a flag that needs no value, and whose help names none.
type onOff struct{ *cli.GenericFlag }

func (onOff) TakesValue() bool { return false }
func (f onOff) String() string { return cli.FlagStringer(f) } // the embedded one would ask itself

// settingName is the setting's flag. A setting that has only a variable gets a
// hidden one: the library reads variables through flags.
func settingName(s daemon.Setting) string {
	if s.Flag != "" {
		return s.Flag
	}
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(s.Env, "BROKLE_"), "_", "-"))
}

// settingValue is a setting as the flag library sees it. A value that cannot
// be read is kept for config, so that all faults are told at once.
type settingValue struct {
	setting daemon.Setting
	in      *configInput
}

func (v *settingValue) Set(text string) error {
	if err := v.setting.Set(&v.in.cfg, text); err != nil {
		v.in.bad = append(v.in.bad, err)
	}
	return nil
}

func (v *settingValue) Get() any         { return v.String() }
func (v *settingValue) IsBoolFlag() bool { return v.setting.IsBool() }

// String is empty for a secret: the library prints it in help texts.
func (v *settingValue) String() string {
	if v == nil || v.in == nil || v.setting.Secret {
		return ""
	}
	return v.setting.Text(&v.in.cfg)
}
