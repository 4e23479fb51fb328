package pricing_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/price"
	"github.com/brokle-ai/brokle-go/internal/pricing"
)

// keep writes a text where the journal of h looks for it.
func keep(t *testing.T, h *house, text string) (hash string) {
	t.Helper()
	sum := sha256.Sum256([]byte(text))
	hash = hex.EncodeToString(sum[:])
	if err := os.MkdirAll(h.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.dir, hash+".txt"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return hash
}

// oldJournal writes a journal in the first form, with own prices of the project shop: the i-th from i hours after noon on.
func oldJournal(t *testing.T, h *house, sets ...string) {
	t.Helper()
	entries := []map[string]any{
		{"at": noon, "book": keep(t, h, price.Builtin().Text())},
		{"at": noon, "cost": "reported"},
	}
	for i, text := range sets {
		at := noon.Add(time.Duration(i) * time.Hour)
		entries = append(entries, map[string]any{"at": at, "own": keep(t, h, text), "project": "shop", "from": at, "after": i + 1})
	}
	raw, err := json.MarshalIndent(map[string]any{"version": 1, "entries": entries}, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(h.dir, pricing.JournalFile), raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Own prices that an earlier release took with fewer rules hold as they did, be they the last ones of a project or older ones.
func TestOwnPricesOfAnEarlierRelease(t *testing.T) {
	t.Parallel()
	const (
		premium = `[{"model":"gpt-4o","tier":"premium","input":7,"output":7},{"model":"gpt-4o","input":1,"output":1}]`
		cased   = `[{"model":"gpt-4o","tier":"batch","input":5,"output":5},{"model":"gpt-4o","tier":"Batch","input":6,"output":6}]`
	)
	for _, sets := range [][]string{{premium, cased}, {cased, premium}} {
		h := newHouse(t)
		oldJournal(t, h, sets...)
		read, err := pricing.Read(h.dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []*pricing.Pricing{read, h.open()} {
			for i, text := range sets {
				tier, want := "premium", "0.014 computed"
				if text == cased {
					tier, want = "batch", "0.01 computed"
				}
				o := call(noon.Add(time.Duration(i)*time.Hour), 100)
				o.ServiceTier = tier
				if got := priced(p, "shop", o); got != want {
					t.Errorf("set %d, %s: %s, want %s", i, tier, got, want)
				}
			}
		}
	}
}

// Own prices that cannot be read refuse the start by their project, also when they are not the last ones.
func TestOlderOwnPricesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	oldJournal(t, h, `[{"model":"gpt-4o","input":1,"colour":"red"}]`, string(own("2")))
	o := pricing.Options{Dir: h.dir, Now: func() time.Time { return noon }, Head: func() entity.Seq { return 0 }, Logger: discard()}
	for name, open := range map[string]func() error{"open": func() error { _, err := pricing.Open(o); return err }, "read": func() error { _, err := pricing.Read(h.dir); return err }} {
		if err := open(); err == nil || !strings.Contains(err.Error(), "own prices of shop") || !strings.Contains(err.Error(), "colour") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A start reads the newest sets up to a bound. One behind it that cannot be read prices no call, and says so; it ends nothing.
func TestOwnPricesThatAreReadLate(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	sets := []string{`[{"model":"gpt-4o","input":1,"colour":"red"}]`}
	for i := range 3 {
		sets = append(sets, fmt.Sprintf(`[{"model":"gpt-4o","input":%d,"output":2}%s]`, i, strings.Repeat(" ", 1<<20)))
	}
	oldJournal(t, h, sets...)
	p := h.open()
	if got, want := priced(p, "shop", call(noon, 100)), "- none "+price.NoOwn.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := priced(p, "shop", call(noon.Add(3*time.Hour), 100)); got != "0.004 computed" {
		t.Errorf("one that can be read: %s", got)
	}
	if how := p.Explain("shop", call(noon, 100)); how.Total != nil || how.Reason != price.NoOwn.String() {
		t.Errorf("%+v", how)
	}
}
