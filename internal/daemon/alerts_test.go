package daemon

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/alert"
	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/verify"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// Commands are programs that there are, each under one name.
func TestAlertCommands(t *testing.T) {
	t.Parallel()
	script := filepath.Join(t.TempDir(), "page")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	c := Config{AlertCommand: Lines{"pager=" + script + " --team=ai  now", "mail=" + script}}
	got, err := c.alertCommands()
	if err != nil || c.Validate() != nil || fmt.Sprint(got["pager"]) != fmt.Sprint([]string{script, "--team=ai", "now"}) || len(got) != 2 {
		t.Errorf("%q %v %v", got, err, c.Validate())
	}
	for says, lines := range map[string]Lines{
		`is "pager", must be NAME=PROGRAM`: {"pager"}, `is "pager=", must be`: {"pager="}, `is "A b=/bin/true", must be`: {"A b=/bin/true"},
		"names pager twice": {"pager=" + script, "pager=" + script}, "pager: ": {"pager=/no/such/program"},
	} {
		if err := (Config{AlertCommand: lines}).Validate(); err == nil || !strings.Contains(err.Error(), "AlertCommand (--alert-command, BROKLE_ALERT_COMMAND)") || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// looksAt sets an alert, and waits until it was looked at and nothing is to be sent.
func (n *testNode) looksAt(t *testing.T, name, body string) (row alert.Row) {
	t.Helper()
	began := time.Now()
	status, raw, err := n.request(t.Context(), "PUT", "/v1/alerts/"+name, body)
	if err != nil || status != http.StatusOK {
		t.Fatalf("%d %s %v", status, raw, err)
	}
	watch.Until(t, "the alert is looked at", func() bool {
		row = told[alert.Row](t, n, "/v1/alerts/"+name)
		return row.At != nil && !row.At.Before(began) && row.Pending == 0
	})
	return row
}

// What was told once is told once, over a restart and in a copy from a backup; a program of the settings gets it, too.
func TestAlertsOfANode(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		requests.Add(1)
	}))
	defer hook.Close()
	top := t.TempDir()
	script, out := filepath.Join(top, "page"), filepath.Join(top, "out")
	if err := os.WriteFile(script, []byte("#!/bin/sh\ncat >> \"$1\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	cfg := Config{DataDir: filepath.Join(top, "data"), BootstrapAPIKey: testKey, AlertPrivate: true, AlertCommand: Lines{"pager=" + script + " " + out}}
	body := `{"question":"metrics=cost","window":"1h","lag":"0s","comparison":"above","alert":1,"destinations":[{"kind":"webhook","url":"` + hook.URL + `"},{"kind":"command","command":"pager"}]}`
	n := start(t, cfg)
	if row := n.looksAt(t, "cost", body); row.State != "ok" {
		t.Fatalf("%+v", row)
	}
	n.spend(t, "a", "1.5")
	if row := n.looksAt(t, "cost", body); row.State != "alert" || *row.Groups[0].Value != 1.5 {
		t.Fatalf("%+v", row)
	}
	watch.Until(t, "/readyz tells of them", func() bool {
		_, ready := n.get(t, testKey, "/readyz")
		return strings.Contains(ready, "alerts: ok: 1 are watched")
	})
	copied := filepath.Join(top, "copy")
	if _, err := n.takeBackup(t, filepath.Join(top, "backup"), nil); err != nil {
		t.Fatal(err)
	}
	whole(t, filepath.Join(top, "backup"))
	if _, err := Restore(t.Context(), Config{DataDir: copied}, filepath.Join(top, "backup"), slog.New(slog.DiscardHandler), nil); err != nil {
		t.Fatal(err)
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{cfg.DataDir, copied} {
		whole(t, dir)
		again := cfg
		again.DataDir = dir
		n := start(t, again)
		if row := n.looksAt(t, "cost", body); row.State != "alert" {
			t.Errorf("%s: %+v", dir, row)
		}
		if err := n.stop(); err != nil {
			t.Fatal(err)
		}
	}
	paged, err := os.ReadFile(out)
	if err != nil || requests.Load() != 1 || strings.Count(string(paged), `"alert.changed"`) != 1 {
		t.Errorf("%d requests, the command got %s (%v)", requests.Load(), paged, err)
	}
}

// A damaged file of alerts is found, named with its remedy, and stops the start.
func TestVerifyAlerts(t *testing.T) {
	t.Parallel()
	cfg := Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey, WarehouseMemory: 96 << 20}
	n := start(t, cfg)
	n.looksAt(t, "cost", `{"question":"metrics=cost","window":"1h","comparison":"above","alert":1}`)
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(cfg.DataDir, datadir.AlertsFile)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw[:len(raw)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := Verify(t.Context(), cfg, nil)
	if err != nil || found.State != verify.Damaged {
		t.Fatalf("%+v, %v", found, err)
	}
	for _, p := range found.Parts {
		if damaged := p.State == verify.Damaged; damaged != (p.Name == datadir.PartAlerts) || damaged && (len(p.Problems) != 1 || !strings.Contains(p.Problems[0].Remedy, "delete it and make the alerts again")) {
			t.Errorf("%s is %s: %+v", p.Name, p.State, p.Problems)
		}
	}
	cfg.Listen = "127.0.0.1:0"
	if err := Run(t.Context(), cfg, slog.New(slog.DiscardHandler), &watch.Output{}); err == nil || !strings.Contains(err.Error(), "the file of alerts is damaged") {
		t.Errorf("it starts: %v", err)
	}
	remove(t, path)
	if err := start(t, cfg).stop(); err != nil {
		t.Fatal(err)
	}
	whole(t, cfg.DataDir)
}
