package budget

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// figure is what a look found of a budget.
type figure struct {
	span
	known    bool
	spend    float64 // USD
	unpriced int64   // calls whose cost is not known
	at       time.Time
	fault    bool // the last look failed
}

// Look asks what was spent of every budget, one after the other, and notes the levels that are reached.
func (b *Budgets) Look(ctx context.Context) {
	b.forget()
	for _, h := range b.snapshot() {
		if ctx.Err() != nil {
			return
		}
		b.lookAt(ctx, &h)
	}
	b.mu.Lock()
	b.stats.looks++
	b.stats.last = b.o.Now()
	b.mu.Unlock()
}

// lookAt looks at one budget.
func (b *Budgets) lookAt(ctx context.Context, h *held) {
	now := b.o.Now()
	spans, err := h.spans(now)
	if err != nil {
		b.failed(h, figure{at: now}, err)
		return
	}
	for i, s := range spans {
		f, err := b.ask(ctx, h, s)
		if ctx.Err() != nil { // told to stop
			return
		}
		if err != nil {
			b.failed(h, figure{span: s, at: now}, err)
			return
		}
		if i == 0 {
			b.found(h, f)
		}
		b.tell(h, &f)
	}
}

// ask is what was spent in a period.
func (b *Budgets) ask(ctx context.Context, h *held, s span) (f figure, err error) {
	ctx, cancel := context.WithTimeout(ctx, b.o.Timeout)
	defer cancel()
	f = figure{span: s, at: b.o.Now(), known: true}
	page, err := b.o.Stats(ctx, h.Project, store.StatsQuery{
		Filter:  store.Filter{From: s.from, To: s.to, UserID: h.UserID, Model: h.Model, Environment: h.Environment, KeyID: h.KeyID},
		Metrics: []string{"cost", "unpriced_count"},
	})
	if err != nil || len(page.Data) == 0 {
		return f, err
	}
	f.spend, _ = page.Data[0]["cost"].(float64) // null: nothing has a cost
	f.unpriced, _ = page.Data[0]["unpriced_count"].(int64)
	return f, nil
}

// found keeps what a look found.
func (b *Budgets) found(h *held, f figure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if find(b.all, h) >= 0 { // else it was set to another meanwhile
		b.figures[h.id()] = f
	}
}

// failed notes a look that failed; the figures before stay, when they are of the present period.
func (b *Budgets) failed(h *held, f figure, err error) {
	b.o.Logger.Warn("what was spent of a budget could not be asked; it is asked again", "project", h.Project, "budget", h.Name, "error", err)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.failures++
	if find(b.all, h) < 0 {
		return
	}
	if was := b.figures[h.id()]; was.known && f.at.Before(was.to) {
		f = was
	}
	f.fault = true
	b.figures[h.id()] = f
}

// reached is the levels that a figure has reached and that were not told: in a period a level is told again only when it was raised since.
func (h *held) reached(f *figure) (levels []Alert) {
	for _, l := range h.levels() {
		if l.usd == nil || f.spend < *l.usd || h.told(l.name, f.from) >= *l.usd {
			continue
		}
		levels = append(levels, Alert{
			ID: h.alertID(l.name, *l.usd, f.from), Level: l.name, USD: *l.usd, Spend: f.spend, Unpriced: f.unpriced,
			From: f.from, To: f.to, At: f.at.UTC().Truncate(time.Microsecond),
		})
	}
	return levels
}

// told is the highest amount of a level that was told of a period; 0 is none.
func (h *held) told(level string, from time.Time) (usd float64) {
	for _, a := range h.Alerts {
		if a.Level == level && a.From.Equal(from) {
			usd = max(usd, a.USD)
		}
	}
	return usd
}

func (h *held) alertID(level string, usd float64, from time.Time) string {
	parts := []string{h.Project, h.Name, h.Period, h.Zone, h.UserID, h.Model, h.Environment, level, fmt.Sprint(usd), from.Format(time.RFC3339)}
	if h.KeyID != "" { // without one the id is what it was before there were any
		parts = append(parts, h.KeyID)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return "alert_" + hex.EncodeToString(sum[:12])
}

// tell notes, where they are kept, the levels that are reached; then it says so.
func (b *Budgets) tell(h *held, f *figure) {
	if all := b.snapshot(); find(all, h) < 0 || len(all[find(all, h)].reached(f)) == 0 {
		return
	}
	delivery := none
	if b.o.Webhook(h.Project) != "" {
		delivery = pending
	}
	var alerts []Alert
	err := b.change(h, func(is *held) bool {
		alerts = is.reached(f) // that no node has told
		for j := range alerts {
			alerts[j].Delivery = delivery
		}
		is.Alerts = append(is.Alerts, alerts...)
		return len(alerts) > 0
	})
	if err != nil {
		b.o.Logger.Error("a level of a budget is reached and could not be noted; the next look tries again", "project", h.Project, "budget", h.Name, "error", err)
		return
	}
	b.mu.Lock()
	b.stats.alerts += int64(len(alerts))
	b.mu.Unlock()
	for _, a := range alerts {
		b.o.Logger.Warn("a level of a budget is reached", "project", h.Project, "budget", h.Name, "level", a.Level, "level_usd", a.USD,
			"spend_usd", a.Spend, "unpriced_count", a.Unpriced, "period", h.Period, "period_start", a.From, "alert", a.ID)
	}
	clock.Wake(b.send)
}

// forget drops alerts of periods that nobody looks at any more, and of levels that were raised since.
func (b *Budgets) forget() {
	now := b.o.Now()
	old := func(h *held) func(a Alert) bool {
		return func(a Alert) bool {
			return a.Delivery != pending && (now.Sub(a.To) > late || a.USD < h.told(a.Level, a.From))
		}
	}
	if !slices.ContainsFunc(b.snapshot(), func(h held) bool { return slices.ContainsFunc(h.Alerts, old(&h)) }) {
		return
	}
	err := b.kept.Change(func(all []held) ([]held, error) {
		for i := range all {
			was := all[i]
			all[i].Alerts = slices.DeleteFunc(slices.Clone(was.Alerts), old(&was))
		}
		return all, nil
	})
	if err != nil {
		b.o.Logger.Error("the file of budgets could not be written; the next look tries again", "error", err)
	}
}
