package daemon

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/handover"
	"github.com/brokle-ai/brokle-go/internal/server"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/clickhouse"
)

// CopyLine is a line of the answer of a copy, CopyResult what the last one says.
type (
	CopyLine   = server.CopyLine
	CopyResult = server.CopyResult
)

// copying is a copy of the node's data that goes to a warehouse that nodes share.
type copying struct {
	*node
	to   *clickhouse.Warehouse
	out  *handover.Out
	told func(CopyLine)
}

// copyTo copies everything that the log has to the ClickHouse at url, and compares. The node goes on meanwhile; when ctx ends, what was copied stays, and
// the next copy goes on there.
func (n *node) copyTo(ctx context.Context, url string, told func(CopyLine)) (err error) {
	c := &copying{node: n, told: told}
	if err := c.open(ctx, url); err != nil {
		return err
	}
	defer func() {
		if failed := c.to.Close(); err == nil && failed != nil {
			err = failed
		}
	}()
	if err := c.sync(ctx); err != nil {
		return err
	}
	return c.check(ctx)
}

// open connects as the node that this directory is, or becomes.
func (c *copying) open(ctx context.Context, url string) error {
	o, err := clickhouse.ParseURL(url)
	if err != nil {
		return fmt.Errorf("the URL of the warehouse: %w", err)
	}
	var id identity
	err = c.copies.change(func(is *identity) {
		is.part(c.prices)
		id = *is
	})
	if err != nil {
		return err
	}
	var of atomic.Pointer[clickhouse.Warehouse]
	o.Identity, o.Known, o.Head = id.ID, min(id.Cursor, c.log.Head()), c.log.Head
	o.Prices, o.Logger = c.prices.Elsewhere(c.seqsOf(&of)), c.logger.With("part", "copy")
	o.Extract = func(r *entity.Record) { r.Fields, _ = extract.Of(r) }
	o.QuestionTime = copyQuestion
	if c.to, err = clickhouse.New(o); err != nil {
		return err
	}
	of.Store(c.to)
	if err := c.to.Connect(ctx); err != nil {
		return fmt.Errorf("connect to the shared warehouse: %w", err)
	}
	c.out = &handover.Out{Log: c.whole(c.cfg), To: c.to, Step: &c.copies.mu, Told: func(at entity.Seq) { c.say("copy", uint64(at), uint64(c.log.Head())) }}
	return nil
}

func (c *copying) say(step string, at, of uint64) {
	c.told(CopyLine{Step: step, At: at, Of: max(at, of)})
}

// sync copies what the log has by now, and does there what was erased, repriced and expired here.
func (c *copying) sync(ctx context.Context) error {
	if err := c.out.Run(ctx, c.log.Head()); err != nil {
		return err
	}
	id, err := c.copies.read()
	if err != nil {
		return err
	}
	erasures, repriced, err := c.tell(ctx, &id, c.to)
	if err != nil {
		return err
	}
	cursor, err := c.to.Cursor(ctx)
	if err != nil {
		return err
	}
	if erasures == 0 && repriced == id.Apart.Repriced && cursor == id.Cursor {
		return nil
	}
	return c.copies.change(func(is *identity) {
		is.Cursor = cursor
		is.Apart.Erased, is.Apart.Repriced = is.Apart.Erased[erasures:], repriced
	})
}

// expired is what has expired by now, which is removed from the copy, too.
func (c *copying) expire(ctx context.Context) (*store.Cutoffs, error) {
	keep, err := c.cfg.retention()
	if err != nil {
		return nil, err
	}
	expired := &store.Cutoffs{Now: now(), Retention: keep}
	if keep.Shortest() == 0 {
		return expired, nil
	}
	_, err = c.to.Expire(ctx, *expired)
	return expired, err
}

// checks is how often the log is compared with the tables when they differ: what is erased meanwhile is missing in one of them for a while.
const checks = 3

// check compares the copy with the log, event by event, and its answers with the node's own.
func (c *copying) check(ctx context.Context) error {
	var v *Verified
	for range checks {
		expired, err := c.expire(ctx)
		if err != nil {
			return err
		}
		if err := c.sync(ctx); err != nil {
			return err
		}
		upto := c.to.Reached()
		v = &Verified{}
		if err := compareLog(ctx, c.whole(c.cfg), c.to, upto, c.cfg.DataDir, expired, v, func(at entity.Seq) { c.say("check", uint64(at), uint64(upto)) }); err != nil {
			return err
		}
		if v.Whole() {
			break
		}
	}
	projects, err := c.to.Projects(ctx)
	if err != nil {
		return err
	}
	for _, project := range c.keys.Projects() {
		if !slices.Contains(projects, project) {
			projects = append(projects, project)
		}
	}
	compare := handover.Comparison{
		Of: handover.Side{Warehouse: c.warehouse, Records: c.whole(c.cfg)}, With: handover.Side{Warehouse: c.to, Records: c.to},
		Sync: c.sync, Told: func(answers int) { c.say("compare", uint64(answers), 0) },
	}
	found, err := compare.Run(ctx, projects)
	if err != nil {
		return err
	}
	c.told(CopyLine{Step: "done", At: uint64(c.to.Reached()), Of: uint64(c.log.Head()), Result: resultOf(v, found)})
	return nil
}

// mostNamed is how many differences a result names.
const mostNamed = 20

func resultOf(v *Verified, found *handover.Compared) *CopyResult {
	return &CopyResult{
		Whole: v.Whole() && found.Whole(), Events: v.Events, Elsewhere: v.Elsewhere, Sampled: v.Sampled,
		Missing: len(v.Missing), Differing: len(v.Differing), Doubled: len(v.Doubled), Surplus: len(v.Surplus),
		Answers: found.Answers, Rows: found.Rows, Traces: found.Traces, TraceEvents: found.Events,
		Differences: found.Differing[:min(len(found.Differing), mostNamed)], Moving: found.Moving[:min(len(found.Moving), mostNamed)],
	}
}
