package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/store/clickhouse"
)

// warehouseText is the setting, or what the file says that it names.
func (c *Config) warehouseText() (string, error) {
	path, isFile := strings.CutPrefix(c.WarehouseURL, "@")
	if !isFile {
		return c.WarehouseURL, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("the file of the URL: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// sharedWarehouse reads the setting; nil without one. Errors show nothing of it.
func (c *Config) sharedWarehouse() (*clickhouse.Options, error) {
	if c.WarehouseURL == "" {
		return nil, nil
	}
	text, err := c.warehouseText()
	if err != nil {
		return nil, err
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

// openShared makes the warehouse that the node shares with others. It connects when it runs: a server that cannot be reached
// stops no start.
func (s *stores) openShared(cfg Config, o clickhouse.Options, logger *slog.Logger) (err error) {
	log, id := s.log, s.identity.get()
	if had := log.Stats(); had.Segments == 0 && log.Head() == 0 && id.Cursor > 0 && !cfg.AcceptLoss {
		return fmt.Errorf("the log is empty, and the shared warehouse had events of it up to %d: the directory %q is missing or was emptied. "+
			"Put its files back, or start once with --accept-loss to go on as another node, without what was not in the warehouse yet", id.Cursor, datadir.LogDir)
	}
	if len(log.Missing()) > 0 { // accepted; what the warehouse had of it stays there
		if err := log.ForgetMissing(); err != nil {
			return err
		}
	}
	o.Identity, o.Known, o.Head = id.ID, min(id.Cursor, log.Head()), log.Head
	o.Prices, o.Refresh, o.Logger = s.prices, s.prices.Refresh, logger.With("part", "warehouse")
	o.Extract = func(r *entity.Record) { r.Fields, _ = extract.Of(r) }
	if err := s.rejoin(o); err != nil {
		return err
	}
	if s.shared, err = clickhouse.New(o); err != nil {
		return err
	}
	s.warehouse = s.shared
	s.numbers.Store(s.shared)
	return nil
}

// openIdentity reads who the node is among others: one that shares, or did. One that was always alone has no file of it.
func (s *stores) openIdentity(cfg Config) (err error) {
	path := filepath.Join(cfg.DataDir, datadir.NodeFile)
	if cfg.WarehouseURL == "" {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	s.identity, err = openNodeFile(path)
	return err
}

// hadNumbers are those that the node has had among others.
func (s *stores) hadNumbers() pricing.Numbers {
	if s.identity == nil {
		return nil
	}
	return s.identity.get().Numbers
}

// hadOthers is how far the logs of the others were when they were heard of last.
func (s *stores) hadOthers() map[uint16]entity.Seq {
	if s.identity == nil {
		return nil
	}
	return s.identity.get().Others
}

// noteNumber writes down which number the node has, before anything is said by it. The warehouse is connected.
func (s *stores) noteNumber() (is pricing.Number, had pricing.Numbers, err error) {
	w := s.numbers.Load()
	err = s.identity.change(func(id *identity) bool {
		is, had = id.number(w.Node(), w.Began())
		return len(had) == 0 || had[len(had)-1] != is
	})
	return is, had, err
}

// numbering says which Seqs of the shared warehouse are this node's, once there is one.
type numbering struct {
	atomic.Pointer[clickhouse.Warehouse]
}

// born is whose event a Seq of the shared warehouse is, and which of that node's log.
func (n *numbering) born(seq entity.Seq) (node uint16, own entity.Seq) {
	if n.Load() == nil {
		return 0, seq
	}
	return clickhouse.Own(seq)
}

// sharedFirstRead is how many events are read at once from the shared warehouse before it is known how large they are: most traces have no more, and each reading is a way there and back.
const sharedFirstRead = 16
