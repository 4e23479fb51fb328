package daemon

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
)

// The intervals at which a line that repeats is logged, and how many different lines with one
// message are logged before they count as repeated.
const (
	firstInterval = time.Second
	mostInterval  = 10 * time.Minute
	mostTexts     = 10
)

// repeats is a slog.Handler for everything that a node logs. A warning or an error that comes again and again is
// logged at growing intervals only, with the number of those left out ("times_more"). Two lines are of
// one kind when they have level, message and part in common: other attributes are often a file or a number that changes each
// time, so ten different ones pass. A kind that is quiet for long is new again.
type repeats struct {
	slog.Handler
	group string // what With added
	table *repeatTable
}

type repeatTable struct {
	now func() time.Time

	mu    sync.Mutex // guards kinds and what they point to
	kinds map[string]*repeated
}

// repeated is one kind of line.
type repeated struct {
	texts    map[string]bool // that were logged in full
	left     int             // lines left out since the last that was logged
	last     slog.Record     // the newest of them …
	to       slog.Handler    // … and where it would have gone
	seen     time.Time       // the newest line
	next     time.Time       // from when on another is logged
	interval time.Duration
}

func newRepeats(h slog.Handler, now func() time.Time) *repeats {
	return &repeats{Handler: h, table: &repeatTable{now: now, kinds: map[string]*repeated{}}}
}

func (h *repeats) WithAttrs(attrs []slog.Attr) slog.Handler {
	group := h.group
	for _, a := range attrs {
		group += " " + a.String()
	}
	return &repeats{Handler: h.Handler.WithAttrs(attrs), group: group, table: h.table}
}

func (h *repeats) WithGroup(name string) slog.Handler {
	return &repeats{Handler: h.Handler.WithGroup(name), group: h.group + " " + name + ".", table: h.table}
}

func (h *repeats) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelWarn {
		return h.Handler.Handle(ctx, r)
	}
	more, ok := h.table.admit(r.Level.String()+" "+r.Message+h.group, h.Handler, r)
	if !ok {
		return nil
	}
	return h.Handler.Handle(ctx, counted(r, more))
}

// counted is r with the number of lines of its kind that were left out.
func counted(r slog.Record, more int) slog.Record {
	if more == 0 {
		return r
	}
	r = r.Clone()
	r.AddAttrs(slog.Int("times_more", more))
	return r
}

// admit says whether a line is logged now, and how many of its kind were left out before it.
func (t *repeatTable) admit(kind string, to slog.Handler, r slog.Record) (more int, ok bool) {
	text := textOf(r)
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	k := t.kinds[kind]
	if k == nil || k.left == 0 && now.Sub(k.seen) > 2*k.interval {
		k = &repeated{texts: map[string]bool{}, interval: firstInterval}
		t.kinds[kind] = k
	}
	k.seen = now
	if !k.texts[text] && len(k.texts) < mostTexts {
		k.texts[text] = true
		k.next = now.Add(k.interval)
		more, k.left = k.left, 0
		return more, true
	}
	if now.Before(k.next) {
		k.left++
		k.last, k.to = r.Clone(), to
		return 0, false
	}
	return k.pass(now), true
}

// pass notes that a line is logged, and returns how many were left out.
func (k *repeated) pass(now time.Time) (more int) {
	more, k.left = k.left, 0
	k.interval = min(2*k.interval, mostInterval)
	k.next = now.Add(k.interval)
	return more
}

func textOf(r slog.Record) string {
	var b strings.Builder
	r.Attrs(func(a slog.Attr) bool { b.WriteString(a.String() + "\n"); return true })
	return b.String()
}

// Run logs what was left out when it is time, until ctx ends; then it returns nil.
func (h *repeats) Run(ctx context.Context) error {
	clock.Every(ctx, firstInterval, func() { h.tell(ctx, false) })
	return nil
}

// tell logs, for each kind of which lines were left out, the newest of these: where it is time, or all.
func (h *repeats) tell(ctx context.Context, all bool) {
	h.table.mu.Lock()
	now := h.table.now()
	var due []func()
	for _, kind := range slices.Sorted(maps.Keys(h.table.kinds)) {
		k := h.table.kinds[kind]
		if k.left == 0 || !all && now.Before(k.next) {
			continue
		}
		to, r := k.to, counted(k.last, k.pass(now)-1) // itself is not one more
		due = append(due, func() { _ = to.Handle(ctx, r) })
	}
	h.table.mu.Unlock()
	for _, log := range due {
		log()
	}
}
