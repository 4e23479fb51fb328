package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

func openCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:  "open",
		Usage: "open the web page, signed in as this key",
		Description: "Prints a link that signs in once, within ten minutes, and opens it in the browser where there is\n" +
			"a display. Whoever has the link is who has the key.",
		Flags: append(clientFlags(),
			&cli.BoolFlag{Name: "print", Sources: env("open", "print"), Usage: "print the link only"}),
		Action: func(ctx context.Context, c *cli.Command) error {
			if err := noArgs(c); err != nil {
				return err
			}
			var link struct {
				Path      string    `json:"path"`
				ExpiresAt time.Time `json:"expires_at"`
			}
			if err := call(ctx, c, http.MethodPost, "/v1/session/link", &link); err != nil {
				return explain(err, c)
			}
			target := strings.TrimRight(c.String("host"), "/") + link.Path
			if _, err := fmt.Fprintln(std.out, target); err != nil {
				return err
			}
			if c.Bool("print") {
				return nil
			}
			return browse(ctx, target)
		},
	}
}

// browse opens a URL where there is a display. Without one the printed link is all there is.
func browse(ctx context.Context, target string) error {
	var name string
	var args []string
	switch {
	case runtime.GOOS == "darwin":
		name = "open"
	case runtime.GOOS == "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler"}
	case os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != "":
		name = "xdg-open"
	default:
		return nil
	}
	if err := exec.CommandContext(ctx, name, append(args, target)...).Run(); err != nil {
		return &hintError{fmt.Errorf("open the browser: %w", err), "open the link above yourself, or use --print"}
	}
	return nil
}
