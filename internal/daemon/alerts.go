package daemon

import (
	"context"
	"fmt"
	"net/url"
	osexec "os/exec"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/alert"
	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/document"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// alertCommands reads the setting: each line is NAME=PROGRAM and its arguments, with blanks between them.
func (c *Config) alertCommands() (map[string][]string, error) {
	all := map[string][]string{}
	for _, line := range c.AlertCommand {
		name, command, _ := strings.Cut(line, "=")
		words := strings.Fields(command)
		switch {
		case !keyring.ValidProject(name) || len(name) > 64 || len(words) == 0:
			return nil, fmt.Errorf("is %q, must be NAME=PROGRAM and its arguments, such as pager=/usr/local/bin/page --team=ai", line)
		case all[name] != nil:
			return nil, fmt.Errorf("names %s twice", name)
		}
		path, err := osexec.LookPath(words[0])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		words[0] = path
		all[name] = words
	}
	return all, nil
}

// openAlerts reads the file of alerts.
func (n *node) openAlerts() error {
	commands, err := n.cfg.alertCommands()
	if err != nil {
		return err
	}
	o := alert.Options{
		Place: n.place(n.cfg, datadir.AlertsFile, false, alert.Join), Timeout: n.cfg.QueryTimeout, Commands: commands, Private: n.cfg.AlertPrivate,
		Ask: func(ctx context.Context, project string, question url.Values) (*wire.Page[wire.StatRow], error) {
			n.indexer.Refresh(ctx)
			return n.server.Stats(ctx, project, question)
		},
		Behind: n.behind, Now: now, Logger: n.logger.With("part", "alerts"),
	}
	if n.shared != nil {
		o.Lead, o.Node = n.place(n.cfg, datadir.AlertLeadFile, false, alert.JoinLead), n.identity.get().ID
	}
	n.alerts, err = alert.Open(o)
	return err
}

// behind is for how long the oldest event has waited that was accepted and cannot be asked for. A Warehouse that is built anew is behind by more than anybody waits for.
func (n *node) behind() time.Duration {
	st := n.indexer.Stats()
	const built = 100_000 // events that are a second's work or two
	if st.Lag > built {
		return max(st.OldestWait, alertsWait)
	}
	return st.OldestWait
}

// alertsWait is longer than any alert waits.
const alertsWait = 48 * time.Hour

// watchAlerts looks and sends, once it is known what the nodes share.
func (n *node) watchAlerts(ctx context.Context) error {
	if n.documents != nil {
		for known := false; !known; {
			if err := clock.Sleep(ctx, document.Every/4); err != nil {
				return nil //nolint:nilerr // it is the end
			}
			at, _ := n.documents.State()
			known = !at.IsZero()
		}
	}
	return n.alerts.Run(ctx)
}
