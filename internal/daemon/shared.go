package daemon

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/indexer"
	"github.com/brokle-ai/brokle-go/internal/removal"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/clickhouse"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
)

// sharedWarehouse reads the setting; nil without one. Errors show nothing of it.
func (c *Config) sharedWarehouse() (*clickhouse.Options, error) {
	text := c.WarehouseURL
	if path, isFile := strings.CutPrefix(text, "@"); isFile {
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("the file of the URL: %w", err)
		}
		text = strings.TrimSpace(string(raw))
	} else if text == "" {
		return nil, nil
	}
	o, err := clickhouse.ParseURL(text)
	if err != nil {
		return nil, err
	}
	o.QuestionTime = c.QueryTimeout
	return &o, nil
}

// checkShared says what is wrong with the setting, or does not go with it.
func (c *Config) checkShared() error {
	o, err := c.sharedWarehouse()
	switch {
	case err != nil:
		return settingNamed("WarehouseURL").wrong(masked, err.Error())
	case o != nil && c.ForwardOTLP != "":
		return settingNamed("ForwardOTLP").wrong("set", "does not go with --warehouse-url: what is sent on is made of what one node has")
	}
	return nil
}

// identity is what a node knows of itself in a warehouse that it shares.
type identity struct {
	ID string `json:"id"` // random, of this data directory
	// Cursor is how far the warehouse was when that was written down last: at least so much of the log is there.
	Cursor entity.Seq `json:"cursor"`
	// Hours is how far it was at times about an hour apart, the oldest first: what lies before the first of them is not needed any more.
	Hours []confirmed `json:"hours,omitempty"`
}

// confirmed is how much of the log the warehouse had at a time.
type confirmed struct {
	At     time.Time  `json:"at"`
	Cursor entity.Seq `json:"cursor"`
}

// spoolTime is how long the log keeps what the warehouse has: ids are compared with it, and receipts read from it, for a day.
const spoolTime = 25 * time.Hour

// confirm notes how far the warehouse is, and says up to where it was spoolTime ago; 0 when that is not known.
func (id *identity) confirm(at time.Time, cursor entity.Seq) (old entity.Seq) {
	id.Cursor = cursor
	if n := len(id.Hours); n == 0 || at.Sub(id.Hours[n-1].At) >= time.Hour {
		id.Hours = append(id.Hours, confirmed{at, cursor})
	}
	for len(id.Hours) > 0 && at.Sub(id.Hours[0].At) >= spoolTime {
		old = id.Hours[0].Cursor
		if len(id.Hours) == 1 || at.Sub(id.Hours[1].At) < spoolTime {
			break
		}
		id.Hours = id.Hours[1:]
	}
	return old
}

// identityFile reads the file at path, or makes it.
func identityFile(path string) (id identity, err error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		random := make([]byte, 16)
		rand.Read(random) //nolint:errcheck // never fails (crypto/rand)
		id.ID = hex.EncodeToString(random)
		return id, id.write(path)
	}
	if err == nil {
		err = json.Unmarshal(raw, &id)
	}
	if err == nil && len(id.ID) != 32 {
		err = errors.New("it has no id")
	}
	if err != nil {
		return id, fmt.Errorf("%s is damaged: put it back, or delete it to go on as another node (%w)", filepath.Base(path), err)
	}
	return id, nil
}

func (id identity) write(path string) error {
	raw, err := json.Marshal(id)
	if err != nil {
		return err
	}
	return durable.Replace(path, append(raw, '\n'))
}

// openShared makes the warehouse that the node shares with others. It connects when it runs: a server that cannot be reached
// stops no start.
func (s *stores) openShared(cfg Config, o clickhouse.Options, logger *slog.Logger) (err error) {
	s.identityPath = filepath.Join(cfg.DataDir, datadir.NodeFile)
	if s.identity, err = identityFile(s.identityPath); err != nil {
		return err
	}
	log := s.log
	if had := log.Stats(); had.Segments == 0 && log.Head() == 0 && s.identity.Cursor > 0 && !cfg.AcceptLoss {
		return fmt.Errorf("the log is empty, and the shared warehouse had events of it up to %d: the directory %q is missing or was emptied. "+
			"Put its files back, or start once with --accept-loss to go on as another node, without what was not in the warehouse yet", s.identity.Cursor, datadir.LogDir)
	}
	if len(log.Missing()) > 0 { // accepted; what the warehouse had of it stays there
		if err := log.ForgetMissing(); err != nil {
			return err
		}
	}
	o.Identity, o.Known, o.Head = s.identity.ID, min(s.identity.Cursor, log.Head()), log.Head
	o.Prices, o.Logger = s.prices, logger.With("part", "warehouse")
	o.Extract = func(r *entity.Record) { r.Fields, _ = extract.Of(r) }
	if s.shared, err = clickhouse.New(o); err != nil {
		return err
	}
	s.warehouse = s.shared
	s.numbers.Store(s.shared)
	return nil
}

// numbering says which Seqs of the shared warehouse are this node's, once there is one.
type numbering struct {
	atomic.Pointer[clickhouse.Warehouse]
}

// local is a Seq of the shared warehouse as prices have it: in this node's log, or behind all of it.
func (n *numbering) local(seq entity.Seq) entity.Seq {
	w := n.Load()
	if w == nil {
		return seq
	}
	if own, ok := w.Own(seq); ok {
		return own
	}
	return math.MaxInt64
}

// runShared runs the shared warehouse, and what a node does in it beside inserting, until ctx ends.
func (n *node) runShared(ctx context.Context) error {
	if n.shared == nil {
		<-ctx.Done()
		return nil
	}
	parts := newParts(ctx)
	parts.start("clickhouse", n.shared.Run)
	parts.start("spool", n.tendSpool)
	return parts.wait()
}

// spoolEvery is how often a node looks at what of its log nobody needs any more, and at what others asked it to erase.
const spoolEvery = 2 * time.Second

// tendSpool does, once the warehouse is there, what a node owes the others.
func (n *node) tendSpool(ctx context.Context) error {
	select {
	case <-n.shared.Ready():
	case <-ctx.Done():
		return nil
	}
	if err := n.sharePositions(ctx); err != nil && ctx.Err() == nil {
		n.logger.Warn("cursors of events are good on this node only", "error", err)
	}
	var noted time.Time
	told := ""
	clock.Every(ctx, spoolEvery, func() {
		err := n.eraseAsked(ctx)
		if err == nil && time.Since(noted) > time.Minute {
			noted = time.Now()
			err = n.trim(ctx)
		}
		if err == nil {
			told = ""
		} else if text := err.Error(); text != told && ctx.Err() == nil && !errors.Is(err, store.ErrUnavailable) {
			told = text
			n.logger.Warn("the log cannot be tended; it is tried again", "error", err)
		}
	})
	return nil
}

// sharePositions has cursors good on all nodes.
func (n *node) sharePositions(ctx context.Context) error {
	key, err := n.shared.Secret(ctx, "cursors", n.positionKey)
	if err != nil {
		return err
	}
	return n.server.SharePositions(key)
}

// trim writes down how far the warehouse is, and takes off the log what it has had for longer than anybody asks for here.
func (s *stores) trim(ctx context.Context) error {
	cursor, err := s.shared.Cursor(ctx)
	if err != nil {
		return err
	}
	old := s.identity.confirm(now(), cursor)
	if err := s.identity.write(s.identityPath); err != nil || old == 0 {
		return err
	}
	return s.log.Trim(ctx, old+1)
}

// noteCursor writes down how far the warehouse is, for a start without it.
func (s *stores) noteCursor() error {
	cursor := s.shared.Reached()
	if cursor == s.identity.Cursor {
		return nil
	}
	id := s.identity
	id.Cursor = cursor
	return id.write(s.identityPath)
}

// eraseAsked erases from this node's log what other nodes have erased from the tables.
func (n *node) eraseAsked(ctx context.Context) error {
	asked, err := n.shared.Asked(ctx)
	for i := 0; err == nil && i < len(asked); i++ {
		var told removal.Erasure
		for _, seq := range asked[i].Seqs {
			told.Seqs = append(told.Seqs, clickhouse.Shared(n.shared.Node(), seq))
		}
		n.eraser.Tell(told)
		if err = n.log.Erase(ctx, asked[i].Seqs); err == nil {
			if err = n.indexer.Forget(asked[i].Seqs); err == nil {
				err = n.shared.Did(ctx, asked[i])
			}
		}
	}
	return err
}

// sharedLog is the log of a node as erasures see it: what all nodes have, by the Seqs of the warehouse.
type sharedLog struct {
	*segmentlog.Log
	warehouse *clickhouse.Warehouse
}

// Mentioning finds events in the tables, and those of this node that are not there: in quarantine, or not yet inserted.
func (l sharedLog) Mentioning(ctx context.Context, project string, of []entity.Mention, upto entity.Seq, found func(*entity.Record)) error {
	met := map[entity.Seq]bool{}
	err := l.warehouse.Mentioning(ctx, project, of, upto, func(r *entity.Record) {
		met[r.Seq] = true
		found(r)
	})
	if err != nil {
		return err
	}
	node := l.warehouse.Node()
	return l.Log.Mentioning(ctx, project, of, upto, func(r *entity.Record) {
		if r.Seq = clickhouse.Shared(node, r.Seq); !met[r.Seq] {
			found(r)
		}
	})
}

// Erase erases what is this node's from its log, and asks the others for the rest.
func (l sharedLog) Erase(ctx context.Context, seqs []entity.Seq) error {
	own, others := l.divide(seqs)
	if err := l.Log.Erase(ctx, own); err != nil {
		return err
	}
	return l.warehouse.Ask(ctx, others)
}

// own are those of this node, as its log has them.
func (l sharedLog) own(seqs []entity.Seq) []entity.Seq {
	own, _ := l.divide(seqs)
	return own
}

func (l sharedLog) divide(seqs []entity.Seq) (own, others []entity.Seq) {
	for _, seq := range seqs {
		if at, mine := l.warehouse.Own(seq); mine {
			own = append(own, at)
		} else {
			others = append(others, seq)
		}
	}
	return own, others
}

// sharedIndexer is the indexer of a node as erasures see it.
type sharedIndexer struct {
	*indexer.Indexer
	log sharedLog
}

// Forget drops what is this node's from its quarantine.
func (x sharedIndexer) Forget(seqs []entity.Seq) error {
	own, _ := x.log.divide(seqs)
	return x.Indexer.Forget(own)
}
