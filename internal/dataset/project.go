package dataset

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// keeping is where the lines of a project are. Who calls it has the project's turn, but for read.
type keeping interface {
	// news has take called for each line that others have kept since it was asked last, with what it is about: the id of a dataset, or "" for experiments. anew says that what
	// was taken does not hold any more: the next call begins at the first line.
	news(ctx context.Context, take taking) (anew bool, err error)
	// append keeps lines about one thing behind all others, all of them or none, and says where. won is false when another node was first: what it kept is news.
	append(ctx context.Context, of string, lines []*line) (at []span, won bool, err error)
	// read reads lines again.
	read(ctx context.Context, of string, at []span, each func(i int, l *line) error) error
	// erase empties the lines of items that were made of these traces, has the project know that, and returns how many there were.
	erase(ctx context.Context, p *project, traces []string) (n int, err error)
}

// taking is called for a line.
type taking func(of string, l *line, at span) error

// project is what one has, and where that is kept.
type project struct {
	name string
	of   *Datasets
	keep keeping

	turn  sync.Mutex // held by who changes something, or asks for news
	asked time.Time  // when news were asked for last; guarded by turn

	mu  sync.RWMutex // guards has, and which datasets are in it
	has *contents
}

// contents are the datasets and experiments of a project.
type contents struct {
	of          *project
	datasets    map[string]*Dataset // by id; also those of which not everything is there yet
	removed     map[string]bool     // ids of datasets that there were
	experiments *experiments
	erased      int // how many lines are erased, as was said last
}

func newContents(p *project) *contents {
	return &contents{of: p, datasets: map[string]*Dataset{}, removed: map[string]bool{}, experiments: newExperiments()}
}

// take adds a line.
func (c *contents) take(of string, l *line, at span) error {
	switch {
	case l.Emptied != nil:
		c.erased = l.Emptied.Lines
		return nil
	case of == "":
		return c.experiments.take(l)
	case l.Removed != nil:
		if set := c.datasets[of]; set != nil {
			set.mu.Lock()
			set.gone = true
			set.mu.Unlock()
		}
		c.of.mu.Lock()
		defer c.of.mu.Unlock()
		delete(c.datasets, of)
		c.removed[of] = true
		return nil
	}
	set := c.datasets[of]
	if set == nil || l.Arriving != nil && l.Arriving.By != "" {
		set = &Dataset{id: of, project: c.of, log: newLog()}
		c.of.mu.Lock()
		c.datasets[of] = set
		c.of.mu.Unlock()
	}
	set.mu.Lock()
	defer set.mu.Unlock()
	return set.log.take(l, at)
}

// all are the datasets that are whole.
func (p *project) all() []*Dataset {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.has.whole()
}

func (c *contents) whole() []*Dataset {
	var list []*Dataset
	for _, set := range c.datasets {
		set.mu.RLock()
		if set.log.whole() {
			list = append(list, set)
		}
		set.mu.RUnlock()
	}
	return list
}

func (p *project) experiments() *experiments {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.has.experiments
}

// changeTime bounds a change, and how long is waited for news: everything of a large project, at first.
const changeTime = 2 * time.Minute

// fresh asks for news. Who asks while another one does waits for one question more at most.
func (p *project) fresh(ctx context.Context) error {
	came := time.Now()
	p.turn.Lock()
	defer p.turn.Unlock()
	if p.asked.After(came) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), changeTime) // what was begun is of use to who comes next
	defer cancel()
	return p.follow(ctx)
}

// follow takes the news. The turn is held.
func (p *project) follow(ctx context.Context) error {
	began := time.Now()
	anew, err := p.keep.news(ctx, p.has.take)
	if anew && err == nil {
		has := newContents(p)
		if _, err = p.keep.news(ctx, has.take); err == nil {
			p.mu.Lock()
			p.has = has
			p.mu.Unlock()
		}
	}
	if err != nil {
		return fmt.Errorf("read the datasets of a project: %w", err)
	}
	p.asked = began
	return nil
}

// change keeps the lines that edit makes of what there is, about one dataset, or about experiments (""). Among nodes edit may be called several times.
func (p *project) change(of string, edit func(has *contents) ([]*line, error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), changeTime)
	defer cancel()
	p.turn.Lock()
	defer p.turn.Unlock()
	for {
		if err := p.follow(ctx); err != nil {
			return fmt.Errorf("%w: %w", ErrWrite, err)
		}
		lines, err := edit(p.has)
		if err != nil || len(lines) == 0 {
			return err
		}
		at, won, err := p.keep.append(ctx, of, lines)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrWrite, err)
		}
		for i := 0; won && i < len(lines); i++ {
			if err := p.has.take(of, lines[i], at[i]); err != nil {
				return err
			}
		}
		if won {
			return nil
		}
	}
}
