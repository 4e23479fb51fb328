package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// The setting names a warehouse or a file that does, says what is wrong with it, and is never shown.
func TestWarehouseURL(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(file, []byte(" clickhouse://u:hidden@a:1,b/db\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"clickhouse://u:hidden@a:1,b/db", "@" + file} {
		cfg := Config{WarehouseURL: url}
		if err := cfg.Validate(); err != nil {
			t.Errorf("%s: %v", url, err)
		}
		o, err := cfg.shared()
		if err != nil || o.Password != "hidden" || o.Database != "db" || len(o.Addresses) != 2 {
			t.Errorf("%s: %+v, %v", url, o, err)
		}
		for _, e := range cfg.Effective() {
			if strings.Contains(e.Value, "hidden") || e.Field == "WarehouseURL" && e.Value != masked {
				t.Errorf("%s is shown as %q", e.Field, e.Value)
			}
		}
	}
	for url, why := range map[string]string{"clickhouse://u:hidden@a": "database", "@" + file + ".absent": "no such file", "https://u:hidden@a/db": "native protocol"} {
		err := Config{WarehouseURL: url}.Validate()
		if err == nil || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), "--warehouse-url") || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", url, err)
		}
	}
	both := Config{WarehouseURL: "clickhouse://a/db", ForwardOTLP: "http://b"}
	if err := both.Validate(); err == nil || !strings.Contains(err.Error(), "--warehouse-url") {
		t.Errorf("with forwarding: %v", err)
	}
	none := Config{}
	if _, err := none.shared(); err == nil || !strings.Contains(err.Error(), "BROKLE_WAREHOUSE_URL") {
		t.Errorf("without one: %v", err)
	}
}

// What the warehouse has had for a day and an hour, and nothing younger, is not needed in the log any more, also over restarts.
func TestWhatTheLogNeedNotKeep(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "node.json")
	id, err := identityFile(path)
	if err != nil || len(id.ID) != 32 {
		t.Fatalf("%+v, %v", id, err)
	}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const perMinute = 100
	for minute := range 60 * 24 * 3 {
		old := id.confirm(at.Add(time.Duration(minute)*time.Minute), entity.Seq(perMinute*minute))
		latest := entity.Seq(max(0, perMinute*(minute-25*60)))
		if old > latest || latest > 60*perMinute && old+60*perMinute < latest {
			t.Fatalf("after %d minutes what is not needed is up to %d, at most it may be %d", minute, old, latest)
		}
		if len(id.Hours) > 30 {
			t.Fatalf("%d times are remembered", len(id.Hours))
		}
		if minute%500 == 0 {
			if err := id.write(path); err != nil {
				t.Fatal(err)
			}
			was := id.ID
			if id, err = identityFile(path); err != nil || id.ID != was {
				t.Fatalf("%+v, %v", id, err)
			}
		}
	}
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := identityFile(path); err == nil || !strings.Contains(err.Error(), "node.json") {
		t.Errorf("a damaged file: %v", err)
	}
}
