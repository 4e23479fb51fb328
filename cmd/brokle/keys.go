package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go/internal/daemon"
	"github.com/brokle-ai/brokle-go/internal/keyring"
)

func keysCommand(std streams) *cli.Command {
	in := &configInput{}
	flags := func(more ...cli.Flag) []cli.Flag { return append(in.flags([]string{"data"}), more...) }
	withKeys := func(do func(*cli.Command, *keyring.Keyring) error) cli.ActionFunc {
		return func(_ context.Context, c *cli.Command) error {
			cfg, err := in.config()
			if err != nil {
				return err
			}
			keys, err := openKeys(cfg, c.Name == "create")
			if err != nil {
				return err
			}
			return do(c, keys)
		}
	}
	return &cli.Command{
		Name:  "keys",
		Usage: "make, list and revoke API keys in a data directory; a running server sees it within a second",
		Commands: []*cli.Command{
			{
				Name: "create", Usage: "make a key and print it; it cannot be shown again",
				Flags: flags(
					&cli.StringFlag{Name: "project", Sources: env("keys", "project"), Value: "default", Usage: "whose events it writes and reads"},
					&cli.StringFlag{Name: "name", Sources: env("keys", "name"), Usage: "for people: who uses it"},
					&cli.StringSliceFlag{Name: "scope", Sources: env("keys", "scope"), Value: []string{"ingest", "read"}, Usage: "ingest, read, admin; may be repeated"},
				),
				Action: withKeys(func(c *cli.Command, keys *keyring.Keyring) error { return createKey(c, keys, std) }),
			},
			{
				Name: "list", Usage: "list the keys, without their secrets",
				Flags:  flags(jsonFlag("keys")),
				Action: withKeys(func(c *cli.Command, keys *keyring.Keyring) error { return listKeys(c, keys, std) }),
			},
			{
				Name: "revoke", Usage: "revoke the key with this id, as keys list shows it", ArgsUsage: "ID",
				Flags:  flags(),
				Action: withKeys(func(c *cli.Command, keys *keyring.Keyring) error { return revokeKey(c, keys, std) }),
			},
		},
	}
}

// openKeys opens the key file of cfg's data directory; create makes the directory.
func openKeys(cfg daemon.Config, create bool) (*keyring.Keyring, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	path := daemon.KeysPath(cfg)
	dir := filepath.Dir(path)
	if create {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("data directory: %w", err)
		}
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, &hintError{fmt.Errorf("data directory: %w", err), "--data or BROKLE_DATA names the directory that `brokle serve` uses"}
	}
	return keyring.Open(path, keyring.Options{})
}

// createKey prints the secret alone on standard output, so that scripts can
// take it, and the rest on standard error.
func createKey(c *cli.Command, keys *keyring.Keyring, std streams) error {
	secret, key, err := keys.Create(c.String("project"), c.String("name"), c.StringSlice("scope"))
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(std.out, secret); err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.err, "id %s, project %s, scopes %s. The key is not kept and cannot be shown again.\n",
		key.ID, key.Project, strings.Join(key.Scopes, " "))
	return err
}

// listedKey is what `keys list --json` prints of a key: no hash.
type listedKey struct {
	ID        string     `json:"id"`
	Project   string     `json:"project"`
	Name      string     `json:"name"`
	Prefix    string     `json:"prefix"`
	Scopes    []string   `json:"scopes"`
	CreatedAt time.Time  `json:"created_at"`
	RevokedAt *time.Time `json:"revoked_at"`
}

func listKeys(c *cli.Command, keys *keyring.Keyring, std streams) error {
	list := []listedKey{}
	for _, k := range keys.List() {
		list = append(list, listedKey{k.ID, k.Project, k.Name, "bk_" + k.Prefix, k.Scopes, k.CreatedAt, k.RevokedAt})
	}
	if c.Bool("json") {
		return json.NewEncoder(std.out).Encode(list)
	}
	t := newTable(std.out, "ID", "PROJECT", "NAME", "KEY", "SCOPES", "CREATED (UTC)", "REVOKED (UTC)")
	for _, k := range list {
		revoked := "-"
		if k.RevokedAt != nil {
			revoked = when(*k.RevokedAt)
		}
		t.row(k.ID, k.Project, k.Name, k.Prefix+"…", strings.Join(k.Scopes, " "), when(k.CreatedAt), revoked)
	}
	return t.end(std.out, len(list), nil)
}

func revokeKey(c *cli.Command, keys *keyring.Keyring, std streams) error {
	id, err := oneArg(c, "the id of a key")
	if err != nil {
		return err
	}
	if err := keys.Revoke(id); errors.Is(err, keyring.ErrUnknownKey) {
		return &hintError{err, "`brokle keys list` shows the ids; they begin with key_"}
	} else if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "revoked %s; a running server refuses it within a second\n", id)
	return err
}
