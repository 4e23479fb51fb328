package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go/internal/daemon"
)

// warehouseCommand is about the ClickHouse that several nodes share.
func warehouseCommand(std streams) *cli.Command {
	in := &configInput{}
	flags := func(more ...cli.Flag) []cli.Flag { return append(in.flags([]string{"warehouse-url"}), more...) }
	makes := func(name, usage string, do func(context.Context, daemon.Config) error) *cli.Command {
		return &cli.Command{
			Name: name, Usage: usage,
			Flags: flags(
				&cli.BoolFlag{Name: "print", Sources: env("warehouse", "print"), Usage: "print the statements that make the tables, for who runs them by hand; nothing is asked or changed"},
				&cli.StringFlag{Name: "cluster", Sources: env("warehouse", "cluster"), Usage: "with --print: the statements for all servers of this cluster, replicated among those of a shard"},
			),
			Action: in.action(func(ctx context.Context, c *cli.Command, cfg daemon.Config) error {
				if c.Bool("print") {
					return printDDL(std, cfg, c.String("cluster"))
				}
				if c.String("cluster") != "" {
					return &usageError{"brokle warehouse " + name, fmt.Errorf("--cluster needs --print: replicated tables are made by hand")}
				}
				if err := do(ctx, cfg); err != nil {
					return err
				}
				_, err := fmt.Fprintln(std.out, "the tables are as they must be")
				return err
			}),
		}
	}
	return &cli.Command{
		Name:  "warehouse",
		Usage: "make, migrate, look at and fill the tables of the ClickHouse that several nodes share (--warehouse-url)",
		Commands: []*cli.Command{
			makes("init", "make the database and its tables, and set what they need; the first node does it, too", daemon.InitWarehouse),
			makes("migrate", "make what a later release adds to the tables of a database that is there", daemon.MigrateWarehouse),
			{
				Name: "status", Usage: "say whether the tables are as they must be, and how the nodes stand; it changes nothing",
				Flags: flags(jsonFlag("warehouse")),
				Action: in.action(func(ctx context.Context, c *cli.Command, cfg daemon.Config) error {
					return warehouseStatus(ctx, c, cfg, std)
				}),
			},
			warehouseCopyCommand(std),
		},
	}
}

func printDDL(std streams, cfg daemon.Config, cluster string) error {
	shards, err := daemon.WarehouseDDL(cfg, cluster)
	if err != nil {
		return err
	}
	for n, statements := range shards {
		text := strings.Join(statements, ";\n\n") + ";"
		if len(shards) > 1 {
			text = fmt.Sprintf("-- shard %d of %d\n\n%s\n", n+1, len(shards), text)
		}
		if _, err := fmt.Fprintln(std.out, text); err != nil {
			return err
		}
	}
	return nil
}

func warehouseStatus(ctx context.Context, c *cli.Command, cfg daemon.Config, std streams) error {
	is, err := daemon.InspectWarehouse(ctx, cfg)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		err = printJSON(std.out, is)
	} else {
		err = printInspection(std, is)
	}
	if err == nil && !is.Whole() {
		return errReported
	}
	return err
}

func printInspection(std streams, is *daemon.Inspection) error {
	lines := []string{fmt.Sprintf("ClickHouse %s, tables of version %d, %d events, %d MiB", is.Server, is.Version, is.Events, is.Bytes>>20)}
	for _, absent := range is.Absent {
		lines = append(lines, "there is no table "+absent)
	}
	for _, column := range is.Columns {
		lines = append(lines, "there is no column "+column)
	}
	for _, shard := range is.Unmarked {
		lines = append(lines, "a shard does not know yet that it is "+shard)
	}
	lines = append(lines, is.Wrong...)
	if is.Whole() {
		lines = append(lines, "the tables are as they must be")
	} else {
		lines = append(lines, "`brokle warehouse init` makes it so")
	}
	if _, err := fmt.Fprintln(std.out, oneLine(lines[0])+"\n"+strings.Join(lines[1:], "\n")); err != nil {
		return err
	}
	if len(is.Nodes) == 0 {
		return nil
	}
	t := newTable(std.out, "NODE", "SEEN", "LOG", "IN THE TABLES", "MISSING", "")
	for i := range is.Nodes {
		n := &is.Nodes[i]
		note := ""
		if n.Away() {
			note = "away"
		}
		t.row(strconv.Itoa(int(n.Node)), n.Seen.Round(time.Second).String()+" ago", strconv.FormatUint(uint64(n.Head), 10), strconv.FormatUint(uint64(n.Cursor), 10), strconv.FormatUint(uint64(n.Missing()), 10), note)
	}
	return t.flush()
}
