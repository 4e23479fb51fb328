package daemon

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/prompt"
	"github.com/brokle-ai/brokle-go/internal/verify"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// Prompts survive a start and a backup, and files of them that are damaged are found, and stop the start.
func TestPromptsAreKept(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	cfg := Config{DataDir: filepath.Join(top, "data"), BootstrapAPIKey: testKey, WarehouseMemory: 96 << 20}
	n := start(t, cfg)
	if status, body, err := n.request(t.Context(), http.MethodPost, "/v1/prompts", `{"name":"greeting","template":{"content":"Hello {{name}}!"},"labels":["production"]}`); err != nil || status != 200 {
		t.Fatalf("%d %s %v", status, body, err)
	}
	n.spend(t, "a", "1")
	if _, err := n.takeBackup(t, filepath.Join(top, "backup"), nil); err != nil {
		t.Fatal(err)
	}
	whole(t, filepath.Join(top, "backup"))
	copied := filepath.Join(top, "copy")
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
		if status, body := n.get(t, testKey, "/v1/prompts/greeting?label=production"); status != 200 || !strings.Contains(body, "Hello {{name}}!") {
			t.Errorf("%s: %d %s", dir, status, body)
		}
		if err := n.stop(); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(cfg.DataDir, datadir.PromptsDir, prompt.FileName("default"))
	if err := os.WriteFile(path, []byte(`{"version":1,`), 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := Verify(t.Context(), cfg, nil)
	if err != nil || found.State != verify.Damaged {
		t.Fatalf("%+v, %v", found, err)
	}
	for _, p := range found.Parts {
		if damaged := p.State == verify.Damaged; damaged != (p.Name == datadir.PartPrompts) || damaged && !strings.Contains(p.Problems[0].Remedy, "from a backup") {
			t.Errorf("%s is %s: %+v", p.Name, p.State, p.Problems)
		}
	}
	cfg.Listen = "127.0.0.1:0"
	if err := Run(t.Context(), cfg, slog.New(slog.DiscardHandler), &watch.Output{}); err == nil || !strings.Contains(err.Error(), "open prompts: project-default.json is damaged") {
		t.Errorf("it starts: %v", err)
	}
}
