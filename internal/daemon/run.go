package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/brokle-ai/brokle-go/internal/server"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/duckstore"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
)

// Run opens a node, serves until ctx ends or a part fails, drains and closes.
// It prints to out what a person needs: the address once it listens, and a key
// when it made one. The error is what was wrong with cfg, what could not be
// opened, or what failed; nil after a stop that ctx asked for and that left nothing, else a LeftError. A stop
// takes at most the drain's time-out and five seconds: parts that hang are left running then, and the
// process is to end. A node whose id
// index or warehouse turns out to be damaged is opened again, which builds it from the Log.
func Run(ctx context.Context, cfg Config, logger *slog.Logger, out io.Writer) error {
	from := outside{free: freeSpace, warehouse: func(w store.Warehouse) store.Warehouse { return w }}
	lines := newRepeats(logger.Handler(), time.Now)
	logger = slog.New(lines)
	defer lines.tell(context.WithoutCancel(ctx), true)
	parts := newParts(context.WithoutCancel(ctx))
	defer parts.start("log lines", lines.Run).stop()
	return again(ctx, logger, func() error { return run(ctx, cfg, logger, out, from) })
}

// leastApart is the time between two openings for the same damage: a disk that does
// it again sooner ends the process.
const leastApart = time.Minute

// again calls run, and again when it ends over damage that the next opening mends.
func again(ctx context.Context, logger *slog.Logger, run func() error) error {
	last := map[error]time.Time{}
	for {
		err := run()
		why := derivedDamage(err)
		switch {
		case why == nil:
			return err
		case ctx.Err() != nil:
			return err // the stop that was asked for; the next start builds it
		case time.Since(last[why]) < leastApart:
			return err
		}
		last[why] = time.Now()
		logger.Warn("the node opens again, to build from the log what is damaged; requests that come meanwhile are to be sent again", "error", why)
	}
}

// derivedDamage is what err says of a part that the Log can build again, or nil.
func derivedDamage(err error) error {
	for _, damage := range []error{segmentlog.ErrIndexDamaged, duckstore.ErrDamaged} {
		if errors.Is(err, damage) {
			return damage
		}
	}
	return nil
}

// outside is what a test gives a node instead of the machine's own.
type outside struct {
	free      func(dir string) (Bytes, error)       // room on the disk
	warehouse func(store.Warehouse) store.Warehouse // stands in front of the Warehouse
}

// run is one opening of Run, with what is outside from the caller.
func run(ctx context.Context, cfg Config, logger *slog.Logger, out io.Writer, from outside) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	cfg = cfg.withDefaults()
	s := newStopping()
	return s.within(ctx, cfg.DrainTimeout+closeTime, func() error {
		n, err := open(cfg, logger, from, s)
		if err != nil {
			return err
		}
		s.follow(n)
		err = n.serve(ctx, out)
		left, gone := n.indexer.Stats().Lag, n.checkFiles()
		return ended(ctx, logger, left, gone, errors.Join(err, n.close()))
	})
}

// serve listens and works until ctx ends or a part fails, then drains.
func (n *node) serve(ctx context.Context, out io.Writer) error {
	if err := n.ingest.Adopt(ctx); err != nil {
		n.logger.Warn("the jobs of the last run cannot be read yet", "error", err)
	}
	on, err := n.listen()
	if err != nil {
		return err
	}
	// Parts outlive ctx: the drain stops them, each in its turn.
	parts := newParts(context.WithoutCancel(ctx))
	logRun := parts.start("log", n.log.Run)
	keys := parts.start("keyring", n.keys.Run)
	watch := parts.start("monitor", n.monitor.Run)
	collecting := parts.start("collecting", n.collecting.Run)
	damage := parts.start("warehouse", n.watchWarehouse)
	shared := parts.start("shared warehouse", n.runShared)
	reprice := parts.start("repricing", n.repricer.Run)
	index := parts.start("indexer", n.index)
	jobs := parts.start("ingest", n.ingest.Run)
	keep := parts.start("retention", n.keeper.Run)
	weed := parts.start("media", n.weed)
	erase := parts.start("erasure", n.endErasures)
	aside := parts.start("files put aside", n.asides.run)
	forwarding := parts.start("forwarding", n.forward)
	budgets := parts.start("budgets", n.budgets.Run)
	alerts := parts.start("alerts", n.watchAlerts)
	judges := parts.start("judges", n.runJudges)
	live := parts.start("live", n.server.Run)
	api := n.server.HTTPServer(n.server.Handler())
	certs := parts.start("tls", n.watchCertificates)
	parts.serve("http", api, on.main, n.certs)
	var grpcServer, opsServer *http.Server
	if on.grpc != nil {
		grpcServer = n.server.GRPCServer()
		parts.serve("otlp grpc", grpcServer, on.grpc, n.certs)
	}
	if on.ops != nil {
		opsServer = n.server.HTTPServer(n.server.Ops())
		parts.serve("ops http", opsServer, on.ops, n.certs)
	}
	greetErr := n.greet(out, on)
	sample := parts.start("sample", func(ctx context.Context) error { return n.loadSample(ctx, on.main.Addr()) })

	if greetErr == nil {
		select {
		case <-ctx.Done():
			n.logger.Info("stopping", "drain_timeout", n.cfg.DrainTimeout)
		case <-parts.failed:
			n.logger.Error("a part failed, stopping")
		}
	}
	n.monitor.draining.Store(true)
	close(n.stopping.began)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), n.cfg.DrainTimeout)
	defer cancel()
	n.stopping.each([]step{
		{"waited for the sample to be loaded", sample.stop},
		{"waited for requests in flight", func() { n.shutdown(drain, api) }},
		{"waited for calls of gRPC in flight", func() { n.shutdown(drain, grpcServer) }},
		{"ended the live streams", live.stop},
		{"waited for jobs", jobs.stop},
		{"waited for what is being sent on", forwarding.stop},
		{"waited for a look at budgets", budgets.stop},
		{"waited for a look of an alert", alerts.stop},
		{"waited for calls of judges", judges.stop},
		{"waited for an interrupted erasure", erase.stop},
		{"waited for a repricing", reprice.stop},
		{"waited for retention", func() { keep.stop(); weed.stop(); aside.stop() }},
		{"waited for the indexer", func() { n.catchUp(drain, index, damage); index.stop() }},
		{"waited for the shared warehouse", shared.stop},
		{"waited for requests to the operations' address", func() { n.shutdown(drain, opsServer) }},
		{"waited for the monitor", func() { certs.stop(); watch.stop(); damage.stop(); keys.stop() }},
		{"waited for the log's own work", func() { logRun.stop(); collecting.stop() }},
	})
	return errors.Join(greetErr, parts.wait())
}

// watchCertificates takes new certificates until ctx ends.
func (n *node) watchCertificates(ctx context.Context) error {
	if n.certs == nil {
		return nil
	}
	return n.certs.Run(ctx)
}

// index is the indexer's Run, once no repricing that was interrupted has left a day half done, and a shared warehouse has said how far it is.
func (n *node) index(ctx context.Context) error {
	ready := []<-chan struct{}{n.repricer.Ready()}
	if n.shared != nil {
		ready = append(ready, n.shared.Ready())
	}
	for _, is := range ready {
		select {
		case <-is:
		case <-ctx.Done():
			return nil
		}
	}
	return n.indexer.Run(ctx)
}

// weed removes media that nothing refers to, where there are media.
func (n *node) weed(ctx context.Context) error {
	if n.weeder == nil {
		return nil
	}
	return n.weeder.Run(ctx)
}

// watchWarehouse ends with an error when the Warehouse's file turns out to be damaged.
func (n *node) watchWarehouse(ctx context.Context) error {
	select {
	case <-n.damaged:
		return duckstore.ErrDamaged
	case <-ctx.Done():
		return nil
	}
}

// catchUp waits for the indexer, unless it or the Warehouse is the part that failed.
func (n *node) catchUp(ctx context.Context, index, damage *part) {
	select {
	case <-index.done:
		return
	case <-damage.done:
		return
	default:
	}
	if n.shared != nil && n.shared.Fault() != nil {
		n.logger.Warn("the shared warehouse cannot be used; the next start goes on", "events_behind", n.indexer.Stats().Lag, "error", n.shared.Fault())
		return
	}
	if err := n.indexer.CatchUp(ctx); err != nil {
		n.logger.Warn("the indexer did not catch up; it goes on at the next start", "events_behind", n.indexer.Stats().Lag, "error", err)
	}
}

// listeners are the ports of a node; those that are off are nil.
type listeners struct{ main, ops, grpc net.Listener }

// listen opens the ports. It is called when everything else is ready.
func (n *node) listen() (on listeners, err error) {
	if on.main, err = net.Listen("tcp", n.cfg.Listen); err != nil {
		return on, fmt.Errorf("listen: %w", err)
	}
	for _, more := range []struct {
		l         *net.Listener
		addr, use string
	}{{&on.ops, n.cfg.OpsListen, "operations"}, {&on.grpc, n.cfg.OTLPGRPCListen, "OTLP over gRPC"}} {
		if more.addr == "" {
			continue
		}
		if *more.l, err = net.Listen("tcp", more.addr); err != nil {
			return on, errors.Join(fmt.Errorf("listen for %s: %w", more.use, err), on.close())
		}
	}
	return on, nil
}

func (on listeners) close() error {
	var errs []error
	for _, l := range []net.Listener{on.main, on.ops, on.grpc} {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	return errors.Join(errs...)
}

// shutdown stops accepting and waits for the requests in flight; when that
// takes longer than ctx, it cuts them off.
func (n *node) shutdown(ctx context.Context, s *http.Server) {
	if s == nil {
		return
	}
	err := s.Shutdown(ctx)
	if err == nil {
		return
	}
	n.logger.Warn("requests in flight were cut off", "error", err)
	if err := s.Close(); err != nil {
		n.logger.Warn("close connections", "error", err)
	}
}

// parts are the goroutines of a node. Whoever fails closes failed; nobody is
// stopped by another's failure, because stopping has an order.
type parts struct {
	base   context.Context
	g      *errgroup.Group
	failed <-chan struct{}
}

func newParts(base context.Context) *parts {
	g, ctx := errgroup.WithContext(base)
	return &parts{base: base, g: g, failed: ctx.Done()}
}

// part is one goroutine that can be stopped and waited for.
type part struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// stop ends the part and waits for it.
func (p *part) stop() {
	p.cancel()
	<-p.done
}

// start runs one part. An error that is only the end of its context is none.
func (ps *parts) start(name string, run func(context.Context) error) *part {
	ctx, cancel := context.WithCancel(ps.base)
	p := &part{cancel: cancel, done: make(chan struct{})}
	ps.g.Go(func() error {
		defer close(p.done)
		defer cancel()
		if err := run(ctx); err != nil && !(ctx.Err() != nil && errors.Is(err, ctx.Err())) {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
	return p
}

// serve runs an HTTP server until it is shut down, over TLS when the node has a certificate.
func (ps *parts) serve(name string, s *http.Server, l net.Listener, certs *certificates) {
	ps.g.Go(func() error {
		if err := server.Serve(s, l, certs.config()); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
}

// wait returns the first failure when all parts have ended.
func (ps *parts) wait() error { return ps.g.Wait() }
