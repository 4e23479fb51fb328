package daemon

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/forward"
	"github.com/brokle-ai/brokle-go/internal/outgoing"
)

// Lines are the values of a setting that may be repeated.
type Lines []string

// set adds the values of a text: one on each line.
func (l *Lines) set(text string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			*l = append(*l, line)
		}
	}
}

// target is where everything is forwarded to; off when nothing is.
func (c *Config) target() (t forward.Target, on bool, err error) {
	if c.ForwardOTLP == "" {
		return t, false, nil
	}
	t, err = forward.TargetOf(c.ForwardOTLP, c.ForwardOTLPHeader)
	return t, true, err
}

// forwardFault is the sentence about what is wrong with the target or its headers, which it does not show.
func forwardFault(err error) error {
	var header *forward.HeaderError
	if errors.As(err, &header) {
		return settingNamed("ForwardOTLPHeader").wrong(masked, err.Error())
	}
	return settingNamed("ForwardOTLP").wrong("set", err.Error())
}

// openForwarder begins to forward where it was left, when the configuration says so.
func (n *node) openForwarder() error {
	target, on, err := n.cfg.target()
	if err != nil || !on {
		return err
	}
	n.forwarder, err = forward.New(forward.Options{
		Log: n.whole(n.cfg), Warehouse: n.warehouse, Indexed: n.indexer.CatchUp, Gone: n.log.Gone, Target: target,
		Make: func(recs []entity.Record) forward.Request {
			r := outgoing.Of(recs)
			return forward.Request{Traces: r.Traces(), Logs: r.Logs(), Spans: r.Spans, Records: r.Records}
		},
		Cursor: filepath.Join(n.cfg.DataDir, datadir.ForwardFile), Now: now, Logger: n.logger.With("part", "forwarding"),
	})
	return err
}

// forward runs the forwarder, if there is one.
func (n *node) forward(ctx context.Context) error {
	if n.forwarder == nil {
		return nil
	}
	return n.forwarder.Run(ctx)
}
