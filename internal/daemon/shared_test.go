package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/removal"
	"github.com/brokle-ai/brokle-go/internal/store/clickhouse"
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
	for url, why := range map[string]string{"clickhouse://u:hidden@a": "database", "@" + file + ".absent": "no such file", "https://u:hidden@a/db?secure=true": "https:// is HTTP"} {
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

// A backup's journal of erasures names events as the log has them, and none of other nodes: a restore erases by it.
func TestJournalOfABackupIsOfTheLog(t *testing.T) {
	t.Parallel()
	e := removal.NewEraser(removal.EraserOptions{Journal: filepath.Join(t.TempDir(), "erasing.json"), Local: func(seqs []entity.Seq) (own []entity.Seq) {
		for _, seq := range seqs {
			if node, at := clickhouse.Own(seq); node == 3 {
				own = append(own, at)
			}
		}
		return own
	}})
	w, err := e.Witness()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	e.Tell(removal.Erasure{Project: "p", Seqs: []entity.Seq{4, clickhouse.Shared(3, 7), clickhouse.Shared(3, 99), clickhouse.Shared(5, 8)}})
	raw, err := w.Journal(50)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "erasing.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if list, err := removal.ReadErasures(path); err != nil || len(list) != 1 || len(list[0].Seqs) != 1 || list[0].Seqs[0] != 7 {
		t.Errorf("%+v, %v", list, err)
	}
}
