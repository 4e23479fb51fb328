package handover

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Side is a Warehouse, and what reads the payloads of the events that it names.
type Side struct {
	store.Warehouse
	Records interface {
		Get(ctx context.Context, seqs []entity.Seq) ([]entity.Record, error)
	}
}

// Compared is what a comparison found.
type Compared struct {
	Answers int `json:"answers"` // questions that both were asked
	Rows    int `json:"rows"`    // of the answers, that were compared
	Traces  int `json:"traces"`  // that were compared with their events, byte for byte
	Events  int `json:"events"`  // of those traces
	// Differing says in which answers they differ, and Moving in which one of them changed whenever both were asked.
	Differing []string `json:"differing"`
	Moving    []string `json:"moving"`
}

// Whole says that no difference was found.
func (c *Compared) Whole() bool { return len(c.Differing) == 0 }

const (
	// mostRows is how many rows of a list are compared, from both ends of it.
	mostRows = query.MaxLimit
	// sampledTraces is how many traces are compared from each end of each order.
	sampledTraces = 20
	// tries is how often a question is asked on which they differ: one of them may take events, or remove them, meanwhile.
	tries = 4
	// enough differences are waited for; those that follow are told at once.
	enough = 3
	// defaultPause is that of Comparison.
	defaultPause = 250 * time.Millisecond
)

// Comparison asks two Warehouses the same questions.
type Comparison struct {
	// Of is the one that goes on taking events, and With what has to answer like it.
	Of, With Side
	// Sync brings With to where Of is. It is called before each question.
	Sync func(ctx context.Context) error
	// Told is told of each answer that was compared.
	Told func(answers int)
	// Pause is how long the first try is waited for; the next ones twice as long each. Default 250 ms.
	Pause time.Duration
	found Compared
}

// answer is the rows of an answer by what they are of.
type answer map[string]string

// Run compares what both say of the projects.
func (c *Comparison) Run(ctx context.Context, projects []string) (*Compared, error) {
	c.found = Compared{Differing: []string{}, Moving: []string{}}
	for _, project := range projects {
		for _, q := range questions() {
			if err := c.ask(ctx, project+": "+q.name, func(ctx context.Context, s *Side) (answer, error) { return q.ask(ctx, s, project) }); err != nil {
				return nil, err
			}
		}
		ids, err := c.sample(ctx, project)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			if err := c.trace(ctx, project, id); err != nil {
				return nil, err
			}
		}
	}
	return &c.found, nil
}

// ask compares the rows that did not change while both were asked.
func (c *Comparison) ask(ctx context.Context, what string, ask func(context.Context, *Side) (answer, error)) error {
	c.found.Answers++
	var differs, moves string
	rows := 0
	for try, wait := 0, cmp.Or(c.Pause, defaultPause); try < tries && (try == 0 || len(c.found.Differing) < enough); try, wait = try+1, 2*wait {
		if try > 0 {
			if err := sleep(ctx, wait); err != nil {
				return err
			}
		}
		before, err := ask(ctx, &c.Of)
		if err != nil {
			return fmt.Errorf("compare %s: %w", what, err)
		}
		if err := c.Sync(ctx); err != nil {
			return fmt.Errorf("compare %s: %w", what, err)
		}
		got, err := ask(ctx, &c.With)
		if err != nil {
			return fmt.Errorf("compare %s: %w", what, err)
		}
		after := before
		if !maps.Equal(before, got) { // it may have changed meanwhile
			if after, err = ask(ctx, &c.Of); err != nil {
				return fmt.Errorf("compare %s: %w", what, err)
			}
		}
		differs, moves, rows = difference(before, got, after)
		if differs == "" && moves == "" {
			break
		}
	}
	c.found.Rows += rows
	if differs != "" {
		c.found.Differing = append(c.found.Differing, what+differs)
	}
	if moves != "" {
		c.found.Moving = append(c.found.Moving, what+moves)
	}
	c.Told(c.found.Answers)
	return nil
}

// difference compares what stayed the same between before and after with got.
func difference(before, got, after answer) (differs, moves string, rows int) {
	keys := map[string]bool{}
	for _, a := range []answer{before, got, after} {
		for key := range a {
			keys[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		was, had := before[key]
		is, has := after[key]
		there, found := got[key]
		switch {
		case was != is || had != has:
			moves = ": " + key
			continue
		case there != was || found != had:
			differs = fmt.Sprintf(", %s: %.300s instead of %.300s", key, cmpText(there, found), cmpText(was, had))
		}
		rows++
	}
	return differs, moves, rows
}

func cmpText(text string, is bool) string {
	if !is {
		return "nothing"
	}
	return text
}

// rowsOf is a list by the keys of its rows.
func rowsOf[R any](page *wire.Page[R], err error, key func(*R) string) (answer, error) {
	if err != nil {
		return nil, err
	}
	a := answer{}
	for i := range page.Data {
		raw, err := json.Marshal(&page.Data[i])
		if err != nil {
			return nil, err
		}
		a[key(&page.Data[i])] = string(raw)
	}
	if page.NextCursor != nil { // the last rows of a page depend on what is before them
		a["there is more"] = ""
	}
	return a, nil
}
