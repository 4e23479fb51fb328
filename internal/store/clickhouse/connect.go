package clickhouse

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// New is a Warehouse that has not asked anybody yet: its Run connects. Until Ready questions and inserts are store.ErrUnavailable.
func New(o Options) (*Warehouse, error) {
	if len(o.Addresses) == 0 {
		return nil, errors.New("open the clickhouse warehouse: no address is given")
	}
	if o.Node > mostNode {
		return nil, fmt.Errorf("open the clickhouse warehouse: node %d is out of range: 0 to %d", o.Node, mostNode)
	}
	o = o.withDefaults()
	process := make([]byte, 16)
	rand.Read(process) //nolint:errcheck // never fails (crypto/rand)
	w := &Warehouse{
		options: o, hot: &hot{}, turn: make(chan struct{}, 1), ready: make(chan struct{}), process: hex.EncodeToString(process),
	}
	for n := range 1 + len(o.Further) {
		w.shards = append(w.shards, newPool(o.at(n)))
	}
	w.pool = w.shards[0]
	w.recent = newRecent(recentBytes)
	w.folding = newFolding(w.recent, len(w.shards))
	w.reached.Store(uint64(o.Known))
	w.note(errNotAsked)
	return w, nil
}

// Open is New, connected.
func Open(ctx context.Context, o Options) (*Warehouse, error) {
	w, err := New(o)
	if err != nil {
		return nil, err
	}
	if err := w.Connect(ctx); err != nil {
		w.hangUp()
		return nil, fmt.Errorf("open the clickhouse warehouse: %w", err)
	}
	return w, nil
}

// errNotAsked is the state of a Warehouse that has not connected yet.
var errNotAsked = fmt.Errorf("%w: clickhouse has not answered yet", store.ErrUnavailable)

// Ready is closed once the tables are there and it is known what this node has in them.
func (w *Warehouse) Ready() <-chan struct{} { return w.ready }

// unready is why nothing can be asked yet, nil when it can.
func (w *Warehouse) unready() error {
	select {
	case <-w.ready:
		return nil
	default:
	}
	if why := w.fault.Load(); why != nil && *why != nil {
		return *why
	}
	return errNotAsked
}

// note remembers how the servers were found.
func (w *Warehouse) note(err error) {
	if err != nil && !errors.Is(err, store.ErrUnavailable) {
		err = fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	w.fault.Store(&err)
}

// Fault is why the servers could not be used when that was tried last, nil when they could.
func (w *Warehouse) Fault() error {
	if why := w.fault.Load(); why != nil {
		return *why
	}
	return nil
}

// Connect makes the tables when they are not there, and learns what this node has in them. It is called once, by Open or Run.
func (w *Warehouse) Connect(ctx context.Context) error {
	err := w.database(ctx, true)
	if err == nil {
		err = w.checkVersion(ctx)
	}
	if err == nil {
		err = w.migrate(ctx)
	}
	if err == nil {
		err = w.checkCluster(ctx)
	}
	if err == nil {
		err = w.loadSelf(ctx)
	}
	w.note(err)
	if err == nil {
		close(w.ready)
	}
	return err
}

// oldest is the oldest server whose settings and engines are those that the tables are made with.
var oldest = release{24, 8}

// looksAgainSince has use_skip_indexes_if_final_exact_mode, on by default.
var looksAgainSince = release{25, 6}

func (w *Warehouse) checkVersion(ctx context.Context) error {
	looksAgain := true
	err := w.each(func(_ int, p *pool) error {
		version, err := w.versionOf(ctx, p)
		if err != nil {
			return err
		}
		is, err := readableVersion(version)
		looksAgain = looksAgain && !is.before(looksAgainSince)
		return err
	})
	w.looksAgain.Store(err == nil && looksAgain)
	return err
}

// versionOf is what servers say of their version.
func (w *Warehouse) versionOf(ctx context.Context, p *pool) (version string, err error) {
	var text proto.ColStr
	err = w.askAt(ctx, p, &builder{}, "SELECT version() AS version", nil, proto.Results{{Name: "version", Data: &text}}, func(i int) { version = text.Row(i) })
	return version, err
}

// release is a year and a month.
type release [2]int

func (r release) before(other release) bool {
	return r[0] < other[0] || r[0] == other[0] && r[1] < other[1]
}

func readableVersion(version string) (is release, err error) {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return is, fmt.Errorf("the server says that its version is %q", version)
	}
	for i := range is {
		if is[i], err = strconv.Atoi(parts[i]); err != nil {
			return is, fmt.Errorf("the server says that its version is %q", version)
		}
	}
	if is.before(oldest) {
		return is, fmt.Errorf("the server is ClickHouse %d.%d, which is too old: %d.%d or newer is needed", is[0], is[1], oldest[0], oldest[1])
	}
	return is, nil
}

const (
	firstRetry = 200 * time.Millisecond
	lastRetry  = 5 * time.Second
	// lookEvery is how often Run looks after the servers and writes what waits.
	lookEvery = time.Second
	// beatEvery is how often a node that has nothing to do says that it lives.
	beatEvery = 5 * time.Second
)

// Run connects, however long that takes, and then looks after the tables until ctx ends: what was inserted is written within a second or two, so that other
// nodes know it, and who looks at the tables sees that this node lives.
func (w *Warehouse) Run(ctx context.Context) error {
	for wait := firstRetry; w.unready() != nil; wait = min(2*wait, lastRetry) {
		err := w.Connect(ctx)
		if err == nil {
			w.options.Logger.Info("connected to clickhouse", "node", w.Node())
			break
		}
		if ctx.Err() != nil {
			return nil
		}
		if text := err.Error(); w.told != text {
			w.options.Logger.Error("clickhouse cannot be used; what comes is kept in the log, and this goes on until it can", "error", err, "cause", causeOf(err))
			w.told = text
		}
		if clock.Sleep(ctx, wait) != nil {
			return nil
		}
	}
	clock.Every(ctx, lookEvery, func() { w.look(ctx) })
	return nil
}

// look writes what waits, and notes how that went.
func (w *Warehouse) look(ctx context.Context) {
	err := w.Flush(ctx)
	if err == nil || errors.Is(err, errSuspect) {
		err = w.beat(ctx)
	}
	if err == nil && time.Since(w.checked) > settingsEvery {
		if err = w.CheckSettings(ctx); err == nil {
			w.checked = time.Now()
		}
	}
	if ctx.Err() != nil || errors.Is(err, store.ErrClosed) {
		return
	}
	before := w.Fault()
	w.note(err)
	switch {
	case err != nil && before == nil:
		w.options.Logger.Error("clickhouse cannot be used; what comes is kept in the log, and this goes on until it can", "error", err, "cause", causeOf(err))
	case err == nil && before != nil:
		w.options.Logger.Info("clickhouse can be used again")
	}
}

// lookAround learns which servers are away.
func (w *Warehouse) lookAround(ctx context.Context) {
	for _, p := range w.shards {
		p.lookAround(ctx, w.options.Logger, w.sharded())
	}
}

// settingsEvery is how often the settings of the tables are looked at.
const settingsEvery = time.Minute

// beat says that this node lives, and reads how the others stand.
func (w *Warehouse) beat(ctx context.Context) error {
	if time.Since(w.beaten) < beatEvery {
		return nil
	}
	err := w.locked(ctx, func() error { return w.step(ctx, w.self) })
	if err != nil {
		return err
	}
	all, err := w.Nodes(ctx)
	if err != nil {
		return err
	}
	w.beaten = time.Now()
	w.lookAround(ctx)
	w.others.Store(&heard{all, w.beaten})
	return w.settleAway(ctx, all)
}

// settleAway settles what nodes that are away have inserted and not settled, once: nobody else may come to settle anything for long.
func (w *Warehouse) settleAway(ctx context.Context, states []NodeState) error {
	away := map[uint16]bool{}
	for i := range states {
		away[states[i].Node] = states[i].Away()
	}
	return w.locked(ctx, func() error {
		all, err := w.nodes(ctx)
		if err != nil {
			return err
		}
		for _, n := range all {
			if n.id == w.self.id || !away[n.id] || !n.pending() || w.tidied[n.id] == n.inserting {
				continue
			}
			touched, err := w.touchedSince(ctx, n)
			if err == nil && len(touched) > 0 {
				if err = w.step(ctx, w.self); err == nil { // so that what is settled now is in force
					err = w.settle(ctx, nil, touched)
				}
			}
			if err != nil {
				return fmt.Errorf("settle what node %d left: %w", n.id, err)
			}
			if w.tidied == nil {
				w.tidied = map[uint16]uint64{}
			}
			w.tidied[n.id] = n.inserting
		}
		return nil
	})
}

// Node is the number of this node; 0 while it is not known.
func (w *Warehouse) Node() uint16 { return uint16(w.number.Load()) }

// Own is a shared Seq in the Log of this node; ok says that it is one.
func (w *Warehouse) Own(seq entity.Seq) (own entity.Seq, ok bool) {
	node, own := Own(seq)
	return own, node == w.Node()
}
