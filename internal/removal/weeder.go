package removal

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/medium"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// WeederOptions are the settings of a Weeder. Media, Mentions and Head are required.
type WeederOptions struct {
	Media    store.Media
	Mentions store.Mentions    // of the Log whose events refer to them
	Head     func() entity.Seq // of that Log
	// Retention is how long events are kept, and media with the newest that refers to them.
	Retention store.Retention
	// Every is the time between two passes. Default: half of the shortest Slack of the Retention, at least 30 s and at most an hour.
	Every time.Duration
	// Now is the clock that events grow old by. Default time.Now.
	Now func() time.Time
	// Logger is told when a pass fails and of media that were left over. Default: nobody.
	Logger *slog.Logger
}

const (
	mostWeedEvery = time.Hour
	// lookedAt is how many media of a project each pass looks at that have not expired: what a crash, or an event that was not stored, has
	// left is found by and by.
	lookedAt = 200
	// askedAtOnce is how many media one look through the Log is for.
	askedAtOnce = 1000
)

// Weeder removes media that no event refers to any more. The events are asked, each time: there is no count of references that
// could be wrong after a crash.
type Weeder struct {
	o     WeederOptions
	after map[string]string // where, among the hashes of a project, the next pass looks
}

// NewWeeder returns a Weeder.
func NewWeeder(o WeederOptions) *Weeder {
	if o.Every <= 0 {
		o.Every = mostWeedEvery
		for _, project := range append([]string{""}, projectsOf(o.Retention)...) {
			if o.Retention.Of(project) > 0 {
				o.Every = min(o.Every, max(o.Retention.Slack(project)/2, leastEvery))
			}
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Weeder{o: o, after: map[string]string{}}
}

func projectsOf(r store.Retention) (names []string) {
	for project := range r.Projects {
		names = append(names, project)
	}
	return names
}

// Run makes a pass at once and then one each WeederOptions.Every, until ctx ends; then it returns nil.
func (w *Weeder) Run(ctx context.Context) error {
	pass := func() {
		if err := w.Pass(ctx); err != nil && ctx.Err() == nil {
			w.o.Logger.Warn("media that nothing refers to could not be removed; the next pass tries again", "error", err)
		}
	}
	pass()
	clock.Every(ctx, w.o.Every, pass)
	return nil
}

// Pass removes the media whose events have expired, and those among some others that nothing refers to. One caller at a time may make a pass.
func (w *Weeder) Pass(ctx context.Context) error {
	projects, err := w.o.Media.Projects()
	if err != nil {
		return err
	}
	for _, project := range projects {
		if err := w.passOf(ctx, project); err != nil {
			return err
		}
	}
	return nil
}

func (w *Weeder) passOf(ctx context.Context, project string) error {
	cutoffs := store.Cutoffs{Now: w.o.Now(), Retention: w.o.Retention}
	expired := time.UnixMicro(max(cutoffs.Before(project), 0))
	all, err := w.list(ctx, project)
	if err != nil {
		return err
	}
	var asked []string
	for _, m := range all {
		if m.Until.Before(expired) {
			asked = append(asked, m.Hash)
		}
	}
	removed := 0
	for batch := range slices.Chunk(append(asked, w.some(project, all)...), askedAtOnce) {
		n, err := w.weed(ctx, project, batch)
		if err != nil {
			return err
		}
		removed += n
	}
	if removed > 0 {
		w.o.Logger.Info("media were removed that no event refers to any more", "project", project, "media", removed)
	}
	return nil
}

func (w *Weeder) list(ctx context.Context, project string) (all []store.MediumName, err error) {
	for n := range store.MediaShards {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		names, err := w.o.Media.Shard(project, n)
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
	}
	return all, nil
}

// some are the media that a pass looks at, whether or not they have expired: the newest of all at first, for a crash has left those,
// then others each time, by their hashes.
func (w *Weeder) some(project string, all []store.MediumName) (hashes []string) {
	after, begun := w.after[project]
	if !begun {
		slices.SortFunc(all, func(a, b store.MediumName) int { return b.Until.Compare(a.Until) })
	} else {
		slices.SortFunc(all, func(a, b store.MediumName) int { return strings.Compare(a.Hash, b.Hash) })
		first, _ := slices.BinarySearchFunc(all, after, func(m store.MediumName, hash string) int { return strings.Compare(m.Hash, hash) })
		all = append(all[first:], all[:first]...)
	}
	for _, m := range all[:min(len(all), lookedAt)] {
		hashes = append(hashes, m.Hash)
	}
	w.after[project] = ""
	switch {
	case !begun: // another beginning after each start
		w.after[project] = fmt.Sprintf("%02x", w.o.Now().Unix()/int64(mostWeedEvery.Seconds())%store.MediaShards)
	case len(all) > lookedAt:
		w.after[project] = all[lookedAt].Hash
	}
	return hashes
}

// Erased removes those of the media that erased events have referred to which no other event of the project refers to.
func (w *Weeder) Erased(ctx context.Context, project string, hashes []string) error {
	_, err := w.weed(ctx, project, hashes)
	return err
}

func (w *Weeder) weed(ctx context.Context, project string, hashes []string) (removed int, err error) {
	if len(hashes) == 0 {
		return 0, nil
	}
	return w.o.Media.Weed(ctx, project, hashes, func(ctx context.Context, hashes []string) (map[string]bool, error) {
		return w.referred(ctx, project, hashes)
	})
}

// referred says which media stored events refer to.
func (w *Weeder) referred(ctx context.Context, project string, hashes []string) (map[string]bool, error) {
	are := map[string]bool{}
	of := make([]entity.Mention, len(hashes))
	for i, hash := range hashes {
		of[i] = entity.Mention{Of: entity.MediumKind, ID: hash}
	}
	err := w.o.Mentions.Mentioning(ctx, project, of, w.o.Head(), func(rec *entity.Record) {
		for _, hash := range medium.Hashes(rec.Event.Payload) {
			are[hash] = true
		}
	})
	return are, err
}

// OpenMedium opens a medium of a project. The error is fs.ErrNotExist also when the last event that refers to it has expired.
func (w *Weeder) OpenMedium(project, hash string) (*store.MediumFile, error) {
	f, err := w.o.Media.OpenMedium(project, hash)
	if err != nil {
		return nil, err
	}
	cutoffs := store.Cutoffs{Now: w.o.Now(), Retention: w.o.Retention}
	if f.Until.UnixMicro() < cutoffs.Before(project) {
		if err := f.Close(); err != nil {
			return nil, fmt.Errorf("close medium: %w", err)
		}
		return nil, fs.ErrNotExist
	}
	return f, nil
}
