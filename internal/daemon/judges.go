package daemon

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/document"
	"github.com/brokle-ai/brokle-go/internal/egress"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/judge"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

// judgeLease is for how long a node is the one that judges without saying so again.
const judgeLease = 30 * time.Second

// openJudges reads the file of judges.
func (n *node) openJudges() error {
	logger := n.logger.With("part", "judges")
	refused := fmt.Errorf("it is an address of a private network or of this machine, where this server has judges only with --judge-private")
	o := judge.Options{
		Place: n.place(n.cfg, datadir.JudgesFile, false, judge.Join), Server: judging{n}, Transport: egress.Transport(n.cfg.JudgePrivate, refused, 10*time.Second),
		Refuse: func(u *url.URL) error {
			if !n.cfg.JudgePrivate && egress.Local(u) {
				return refused
			}
			return nil
		},
		Now: now, Logger: logger,
	}
	if n.shared != nil {
		o.Lease = document.NewLease(n.place(n.cfg, datadir.JudgeLeadFile, false, document.JoinLease), n.identity.get().ID, "judges traces", judgeLease, now, logger)
	}
	var err error
	n.judges, err = judge.Open(o)
	return err
}

// runJudges judges, once it is known what the nodes share.
func (n *node) runJudges(ctx context.Context) error {
	if !n.knowsDocuments(ctx) {
		return nil
	}
	return n.judges.Run(ctx)
}

// knowsDocuments waits until it is known what the nodes share; false: ctx has ended.
func (n *node) knowsDocuments(ctx context.Context) bool {
	if n.documents == nil {
		return true
	}
	for {
		if err := clock.Sleep(ctx, document.Every/4); err != nil {
			return false
		}
		if at, _ := n.documents.State(); !at.IsZero() {
			return true
		}
	}
}

// judging is what judges ask of the node.
type judging struct{ n *node }

func (j judging) Traces(ctx context.Context, project string, values url.Values) (*wire.Page[wire.TraceSummary], error) {
	j.n.indexer.Refresh(ctx)
	return j.n.server.Traces(ctx, project, values)
}

func (j judging) Scores(ctx context.Context, project string, values url.Values) (*wire.Page[wire.Score], error) {
	j.n.indexer.Refresh(ctx)
	return j.n.server.Scores(ctx, project, values)
}

func (j judging) Trace(ctx context.Context, project, id string) (*wire.Trace, error) {
	return j.n.server.Trace(ctx, project, "judge", id)
}

// Send stores events as if the key had sent them. What cannot be stored now is an error, and may be sent again.
func (j judging) Send(ctx context.Context, project, key, environment string, events []wire.Event) error {
	if err := j.n.monitor.Admit(); err != nil {
		return err
	}
	r := &ingest.Request{Events: events, Environment: cmp.Or(environment, wireformat.DefaultEnvironment), KeyID: key, Dedup: store.Dedup{Enabled: true, TTL: wire.MaxDedupTTL * time.Second}}
	res, err := j.n.ingest.Submit(ctx, project, r)
	if err == nil && len(res.Errors) > 0 {
		err = fmt.Errorf("%s: %s", res.Errors[0].Message, res.Errors[0].Details)
	}
	return err
}

// Cost folds the events as the warehouse will, and adds up what is known of the costs.
func (j judging) Cost(project string, events []wire.Event) float64 {
	recs := make([]entity.Record, len(events))
	for i := range events {
		recs[i] = entity.Record{Seq: entity.Seq(i + 1), Project: project, Event: events[i], ReceivedAt: now()}
	}
	extract.Fill(recs)
	trace := ""
	for i := range recs {
		if f := recs[i].Fields; f != nil && f.Kind == entity.TraceKind {
			trace = f.EntityID
		}
	}
	t, err := entity.FoldTraceWith(recs, trace, entity.Twins{}, entity.Tariff{Prices: j.n.prices.Freeze(), Project: project})
	if err != nil || t.TotalCost == nil {
		return 0
	}
	return *t.TotalCost
}
