package daemon

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/indexer"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/clickhouse"
)

// Inspection is what is found in the servers of a warehouse that nodes share.
type Inspection = clickhouse.Inspection

// errNoShared says that there is no such warehouse.
var errNoShared = errors.New("no warehouse is named: give --warehouse-url or BROKLE_WAREHOUSE_URL")

// shared is the warehouse that cfg names, as a command of people asks it.
func (c *Config) shared() (clickhouse.Options, error) {
	if err := c.checkShared(); err != nil {
		return clickhouse.Options{}, err
	}
	o, err := c.sharedWarehouse()
	switch {
	case err != nil:
		return clickhouse.Options{}, err
	case o == nil:
		return clickhouse.Options{}, errNoShared
	}
	return *o, nil
}

// SharedWarehouse is the URL of the warehouse that cfg names, also where that is in a file.
func SharedWarehouse(cfg Config) (string, error) {
	if _, err := cfg.shared(); err != nil {
		return "", err
	}
	return cfg.warehouseText()
}

// InitWarehouse makes the database, and the tables and settings that are not as they must be. No node need be stopped.
func InitWarehouse(ctx context.Context, cfg Config) error {
	o, err := cfg.shared()
	if err != nil {
		return err
	}
	return clickhouse.Migrate(ctx, o, true)
}

// MigrateWarehouse is InitWarehouse for a database that is there.
func MigrateWarehouse(ctx context.Context, cfg Config) error {
	o, err := cfg.shared()
	if err != nil {
		return err
	}
	return clickhouse.Migrate(ctx, o, false)
}

// InspectWarehouse looks at the tables and at how the nodes stand, and changes nothing.
func InspectWarehouse(ctx context.Context, cfg Config) (*Inspection, error) {
	o, err := cfg.shared()
	if err != nil {
		return nil, err
	}
	return clickhouse.Inspect(ctx, o)
}

// WarehouseDDL is the statements that make the tables: in each of the shards that cfg names, or of one server, when it names none; or on all servers of a cluster, replicated.
func WarehouseDDL(cfg Config, cluster string) (shards [][]string, err error) {
	o, err := cfg.sharedWarehouse()
	switch {
	case err != nil:
		return nil, err
	case o == nil:
		o = &clickhouse.Options{}
	}
	if cluster == "" {
		return clickhouse.DDL(*o), nil
	}
	return [][]string{clickhouse.ClusterDDL(cluster, o.Cluster != "")}, nil
}

// Verified is what a comparison of a node's log with the warehouse that it shares found.
type Verified = clickhouse.Verified

// verifyAtOnce is how many records are compared at a time.
const verifyAtOnce = 20_000

// VerifyWarehouse compares the log of a stopped node, as far as the shared warehouse says that it has it, with the tables: each event is there, with what it says, and
// payloads of a sample are the same, byte for byte; and a row is made of it.
func VerifyWarehouse(ctx context.Context, cfg Config, logger *slog.Logger) (*Verified, error) {
	return withShared(ctx, cfg, logger, func(s *stores, cfg Config) (*Verified, error) { return s.compare(ctx, cfg) })
}

// withShared runs f with the stores of a stopped node that shares a warehouse.
func withShared(ctx context.Context, cfg Config, logger *slog.Logger, f func(s *stores, cfg Config) (*Verified, error)) (*Verified, error) {
	if _, err := cfg.shared(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	cfg.Cost = ""
	s, err := openStores(cfg, logger)
	if err != nil {
		return nil, err
	}
	var v *Verified
	if err = s.shared.Connect(ctx); err == nil {
		v, err = f(&s, cfg)
	}
	return v, errors.Join(err, s.close(newStopping()))
}

// compare goes through the log, but for what is in quarantine.
func (s *stores) compare(ctx context.Context, cfg Config) (*Verified, error) {
	keep, err := cfg.retention()
	if err != nil {
		return nil, err
	}
	expired := store.Cutoffs{Now: now(), Retention: keep}
	s.log.Hide(expired)
	after, upto, err := s.handedOn(ctx)
	if err != nil {
		return nil, err
	}
	v := &Verified{}
	err = compareLog(ctx, s.whole(cfg), s.shared, upto, cfg.DataDir, &expired, v, func(entity.Seq) {})
	if err == nil {
		err = s.shared.VerifyRows(ctx, after, upto, v)
	}
	return v, err
}

// handedOn is what the log has that the tables must have: after < Seq ≤ upto.
func (s *stores) handedOn(ctx context.Context) (after, upto entity.Seq, err error) {
	cursor, err := s.shared.Cursor(ctx)
	if err != nil {
		return 0, 0, err
	}
	upto = min(cursor, s.log.Head())
	recs, next, err := s.log.Read(ctx, 0, 1)
	if after = min(next, upto); len(recs) > 0 {
		after = min(recs[0].Seq-1, upto)
	}
	return after, upto, err
}

// compareLog compares the log up to a Seq with the tables, but for what is in the quarantine of the data directory.
func compareLog(ctx context.Context, log store.Log, shared *clickhouse.Warehouse, upto entity.Seq, dir string, expired *store.Cutoffs, v *Verified, told func(entity.Seq)) error {
	aside, err := indexer.Listed(filepath.Join(dir, datadir.QuarantineDir))
	if err != nil {
		return err
	}
	quarantined := map[entity.Seq]bool{}
	for _, q := range aside {
		quarantined[entity.Seq(q.Seq)] = true
	}
	began := false
	for at := entity.Seq(0); at < upto; {
		recs, next, err := log.Read(ctx, at, verifyAtOnce)
		if err != nil {
			return err
		}
		if !began && len(recs) > 0 { // what is before was trimmed
			began, at = true, recs[0].Seq-1
		}
		next = min(next, upto)
		var whole []entity.Record
		for _, r := range recs {
			fields, failure := extract.Of(&r)
			if failure != nil || quarantined[r.Seq] || r.Seq > upto {
				continue
			}
			r.Row = fields.AppendRow(nil)
			whole = append(whole, r)
		}
		if began {
			if err := shared.Verify(ctx, whole, at, next, expired, v); err != nil {
				return err
			}
		}
		at = next
		told(at)
	}
	return nil
}
