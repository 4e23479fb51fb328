package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/budget"
	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/forward"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// webhooks are where alerts go, by project; "" is of those that are not named.
type webhooks map[string]string

// of is where the alerts of a project go; "" is nowhere.
func (w webhooks) of(project string) string {
	if url, named := w[project]; named {
		return url
	}
	return w[""]
}

// webhooks reads the setting. The error does not show URLs, which may be secrets.
func (c *Config) webhooks() (webhooks, error) {
	all := webhooks{}
	for _, line := range c.AlertWebhook {
		project, address, named := strings.Cut(line, "=")
		if !named || !keyring.ValidProject(project) { // a "=" of the URL's own
			project, address = "", line
		}
		if path, isFile := strings.CutPrefix(address, "@"); isFile {
			raw, err := os.ReadFile(path)
			if err != nil {
				return nil, fmt.Errorf("the file of the URL: %w", err)
			}
			address = strings.TrimSpace(string(raw))
		}
		u, err := url.Parse(address)
		switch {
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
			return nil, errors.New("must be a URL such as https://chat.example/hooks/1, or PROJECT= and one")
		case u.User != nil:
			return nil, errors.New("must not hold a name or a password: send them in a header")
		}
		if _, twice := all[project]; twice {
			return nil, errors.New("names two URLs for the same alerts")
		}
		all[project] = address
	}
	return all, nil
}

// alertHeader reads the headers of alerts.
func (c *Config) alertHeader() (http.Header, error) { return forward.HeadersOf(c.AlertWebhookHeader) }

// checkAlerts says what is wrong with where alerts go.
func (c *Config) checkAlerts() error {
	var errs []error
	if _, err := c.webhooks(); err != nil {
		errs = append(errs, settingNamed("AlertWebhook").wrong(masked, err.Error()))
	}
	if _, err := c.alertHeader(); err != nil {
		errs = append(errs, settingNamed("AlertWebhookHeader").wrong(masked, err.Error()))
	}
	if _, err := c.alertCommands(); err != nil {
		errs = append(errs, settingNamed("AlertCommand").wrong("set", err.Error()))
	}
	if len(c.AlertWebhook) == 0 && len(c.AlertWebhookHeader) > 0 {
		errs = append(errs, settingNamed("AlertWebhookHeader").wrong(masked, "needs --alert-webhook, to which it is sent"))
	}
	return errors.Join(errs...)
}

// openBudgets reads the file of budgets.
func (n *node) openBudgets(keep store.Retention) error {
	hooks, err := n.cfg.webhooks()
	if err != nil {
		return err
	}
	header, err := n.cfg.alertHeader()
	if err != nil {
		return err
	}
	node := ""
	if n.shared != nil {
		node = n.identity.get().ID
	}
	n.budgets, err = budget.Open(budget.Options{
		File:  filepath.Join(n.cfg.DataDir, datadir.BudgetsFile),
		Place: n.place(n.cfg, datadir.BudgetsFile, false, budget.Join), Node: node, Every: n.cfg.BudgetInterval, Timeout: n.cfg.QueryTimeout,
		Stats: func(ctx context.Context, project string, q store.StatsQuery) (*wire.Page[wire.StatRow], error) {
			n.indexer.Refresh(ctx)
			return query.ListStats(ctx, n.warehouse, project, q)
		},
		KeyName: n.keys.NameOf, Kept: keep.Of, Webhook: hooks.of, Header: header, Now: now, Logger: n.logger.With("part", "budgets"),
	})
	return err
}
