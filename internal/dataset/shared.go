package dataset

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// sharedLines keep a project where nodes share it: one row of entries, each of lines about one dataset, or about experiments. Who wants to write the next entry has read all before it.
type sharedLines struct {
	store   store.DatasetLines
	project string
	logger  *slog.Logger

	entry  uint64 // the last that was taken; 0: none
	writer string // who wrote it
	torn   bool   // what was taken is not all of what there was up to there
}

var _ keeping = (*sharedLines)(nil)

// errAnew says that what was taken does not hold any more.
var errAnew = errors.New("everything is to be read again")

// news reads from the last entry on, which must be there as it was: else these are other tables, or restored ones.
func (k *sharedLines) news(ctx context.Context, take taking) (anew bool, err error) {
	if k.torn {
		k.torn, k.entry = false, 0
		return true, nil
	}
	from, met := k.entry, k.entry == 0
	k.torn = true // until it is known to be whole
	err = k.store.ReadDatasets(ctx, k.project, from, func(at *store.DatasetLine) error {
		switch {
		case at.Entry == from && from > 0:
			met = at.Writer == k.writer
			return nil
		case !met:
			return errAnew
		}
		l, err := lineOf(at)
		if err != nil {
			return err
		}
		if l.Emptied != nil && from > 0 {
			return errAnew
		}
		k.entry, k.writer = at.Entry, at.Writer
		return take(at.Dataset, l, spanOf(at))
	})
	if errors.Is(err, errAnew) || err == nil && !met {
		k.torn, k.entry = false, 0
		return true, nil
	}
	k.torn = err != nil
	return false, err
}

func lineOf(at *store.DatasetLine) (*line, error) {
	if at.Erased {
		return &line{Item: &kept{ID: at.Item, Erased: true}}, nil
	}
	var l line
	if err := json.Unmarshal([]byte(at.Text), &l); err != nil {
		return nil, fmt.Errorf("line %d of entry %d is damaged", at.N+1, at.Entry)
	}
	return &l, nil
}

func spanOf(at *store.DatasetLine) span {
	return span{at: int64(at.Entry), length: len(at.Text), n: at.N}
}

func (k *sharedLines) append(ctx context.Context, of string, lines []*line) (at []span, won bool, err error) {
	random := make([]byte, 16)
	rand.Read(random) //nolint:errcheck // never fails (crypto/rand)
	writer, entry := hex.EncodeToString(random), k.entry+1
	all := make([]store.DatasetLine, len(lines))
	for i, l := range lines {
		text, err := l.text("")
		if err != nil {
			return nil, false, err
		}
		all[i] = store.DatasetLine{DatasetPlace: store.DatasetPlace{Entry: entry, N: uint32(i)}, Writer: writer, Dataset: of, Text: string(text[:len(text)-1])}
		if it := l.Item; it != nil {
			all[i].Item, all[i].Erased = it.ID, it.Erased
			if it.TraceID != "" {
				all[i].Trace = store.TraceKey(it.TraceID)
			}
		}
		at = append(at, spanOf(&all[i]))
	}
	if won, err = k.store.AppendDatasets(ctx, k.project, entry, all); err != nil || !won {
		return nil, false, err
	}
	k.entry, k.writer = entry, writer
	if of != "" && lines[0].Removed != nil {
		k.trim(ctx, of)
	}
	return at, true, nil
}

// trim removes what there was of a dataset before the last entry. What stays when that fails nobody reads, and goes when somebody deletes the next one.
func (k *sharedLines) trim(ctx context.Context, of string) {
	if err := k.store.TrimDataset(ctx, k.project, of, k.entry); err != nil {
		k.logger.Warn("a dataset is deleted, and its items are still in the tables", "dataset", of, "project", k.project, "error", err)
	}
}

func (k *sharedLines) read(ctx context.Context, _ string, at []span, each func(i int, l *line) error) error {
	places := make([]store.DatasetPlace, len(at))
	for i, s := range at {
		places[i] = store.DatasetPlace{Entry: uint64(s.at), N: s.n}
	}
	found := 0
	err := k.store.ReadDatasetsAt(ctx, k.project, places, func(i int, at *store.DatasetLine) error {
		if at.Erased {
			return errMoved
		}
		l, err := lineOf(at)
		if err != nil {
			return err
		}
		found++
		return each(i, l)
	})
	if err == nil && found < len(at) {
		return errMoved
	}
	return err
}

// erase has the lines erased, and then says so: who reads that reads everything again. What another one has erased, and died before it said so, is said, too.
func (k *sharedLines) erase(ctx context.Context, p *project, traces []string) (n int, err error) {
	n, all, err := k.store.EraseDatasets(ctx, k.project, traces)
	for err == nil {
		if err = p.follow(ctx); err != nil || n == 0 && p.has.erased == all {
			return n, err
		}
		var won bool
		if _, won, err = k.append(ctx, "", []*line{{Emptied: &emptied{Lines: all, At: p.of.now().UTC()}}}); won {
			k.torn = true // this one reads everything again, too
			return n, p.follow(ctx)
		}
	}
	return n, err
}

// again reads everything of a project again, and is what a dataset is now.
func (p *project) again(id string) (*Dataset, error) {
	ctx, cancel := context.WithTimeout(context.Background(), changeTime)
	defer cancel()
	p.turn.Lock()
	defer p.turn.Unlock()
	if k, ok := p.keep.(*sharedLines); ok {
		k.torn = true
	}
	if err := p.follow(ctx); err != nil {
		return nil, err
	}
	now := p.has.datasets[id]
	if now == nil || !now.log.whole() {
		return nil, ErrUnknown
	}
	return now, nil
}
