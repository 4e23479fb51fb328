package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/brokle-ai/brokle-go/internal/alert"
	"github.com/brokle-ai/brokle-go/internal/budget"
	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/dataset"
	"github.com/brokle-ai/brokle-go/internal/document"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/forward"
	"github.com/brokle-ai/brokle-go/internal/indexer"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/judge"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/prompt"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/removal"
	"github.com/brokle-ai/brokle-go/internal/repricing"
	"github.com/brokle-ai/brokle-go/internal/saved"
	"github.com/brokle-ai/brokle-go/internal/server"
	"github.com/brokle-ai/brokle-go/internal/signin"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/clickhouse"
	"github.com/brokle-ai/brokle-go/internal/store/duckstore"
	"github.com/brokle-ai/brokle-go/internal/store/mediafiles"
	"github.com/brokle-ai/brokle-go/internal/store/redisclaim"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	wireformats "github.com/brokle-ai/brokle-go/internal/wireformat/formats"
)

// KeysPath is the file of projects and keys in cfg's data directory.
func KeysPath(cfg Config) string { return filepath.Join(cfg.withDefaults().DataDir, datadir.KeysFile) }

// node is everything that runs in one process.
type node struct {
	cfg    Config
	logger *slog.Logger
	newKey string // a key to print once; "" when none was made

	positionKey []byte // of the cursors that clients see

	stores
	stopping   *stopping
	claimer    *redisclaim.Claimer // nil: one node alone
	keys       *keyring.Keyring
	indexer    *indexer.Indexer
	ingest     *ingest.Ingest
	keeper     *removal.Keeper
	weeder     *removal.Weeder // nil: there are no media
	eraser     *removal.Eraser
	asides     *asides
	budgets    *budget.Budgets
	alerts     *alert.Alerts
	saved      *saved.Saved
	prompts    *prompt.Prompts
	judges     *judge.Judges
	datasets   *dataset.Datasets
	repricer   *repricing.Repricer
	forwarder  *forward.Forwarder // nil: nothing is sent on
	monitor    *monitor
	collecting *collecting   // nil: GOMEMLIMIT says what the limit is
	certs      *certificates // nil: plain HTTP
	server     *server.Server
}

// stores are the open files of a data directory.
type stores struct {
	dir       *ownDir
	log       *segmentlog.Log
	media     *mediafiles.Store // nil: the node shares its Warehouse and never had any
	prices    *pricing.Pricing
	warehouse store.Warehouse
	damaged   <-chan struct{} // closed when the Warehouse's file turns out to be damaged; nil: it has none

	shared    *clickhouse.Warehouse // the Warehouse, when others use it too; else nil
	numbers   *numbering
	documents *document.Shared // what is kept beside the data, and other nodes have too; nil: this node is alone
	identity  *nodeFile        // nil: this node is alone, and always was
	copies    *copies          // of a node with a Warehouse of its own; else nil
}

// openStores recovers the Log, which locks the directory, and opens the Warehouse.
func openStores(cfg Config, logger *slog.Logger) (s stores, err error) {
	if err := datadir.Check(cfg.DataDir); err != nil {
		return s, err
	}
	if err := makeDataDir(cfg.DataDir); err != nil {
		return s, err
	}
	if s.dir, err = openOwnDir(cfg.DataDir); err != nil {
		return s, err
	}
	s.log, err = segmentlog.Open(filepath.Join(cfg.DataDir, datadir.LogDir), segmentlog.Options{
		Logger: logger.With("part", "log"), IndexCacheBytes: int64(cfg.IndexCache), Now: now, AcceptLoss: cfg.AcceptLoss, Unsearched: cfg.WarehouseURL != "",
	})
	if err != nil {
		return s, errors.Join(err, s.dir.close())
	}
	if err := datadir.WriteFormats(cfg.DataDir); err != nil { // the directory is ours now
		return s, errors.Join(err, s.log.Close(), s.dir.close())
	}
	if s.media, err = openMedia(cfg); err != nil {
		return s, errors.Join(err, s.log.Close(), s.dir.close())
	}
	s.numbers = &numbering{}
	if err := s.openIdentity(cfg); err != nil {
		return s, errors.Join(err, s.log.Close(), s.dir.close())
	}
	if cfg.WarehouseURL != "" {
		if s.documents, err = document.NewShared(cfg.DataDir, now, logger.With("part", "shared")); err != nil {
			return s, errors.Join(err, s.log.Close(), s.dir.close())
		}
	}
	if s.prices, err = openPrices(cfg, &s, logger); err != nil {
		return s, errors.Join(err, s.log.Close(), s.dir.close())
	}
	shared, err := cfg.sharedWarehouse()
	if err == nil && shared != nil {
		if err = s.openShared(cfg, *shared, logger); err == nil {
			return s, nil
		}
	}
	if err != nil {
		return s, errors.Join(err, s.log.Close(), s.dir.close())
	}
	warehouse, err := duckstore.Open(filepath.Join(cfg.DataDir, datadir.WarehouseFile), duckstore.Options{
		MemoryLimit: int64(cfg.WarehouseMemory), Threads: cfg.WarehouseThreads, Records: extract.Records(s.log.Get), Prices: s.prices, Now: now, Logger: logger.With("part", "warehouse"),
	})
	if err != nil {
		return s, errors.Join(err, s.log.Close(), s.dir.close())
	}
	s.warehouse, s.damaged = warehouse, warehouse.Damaged()
	if s.copies, err = openCopies(cfg.DataDir, s.prices); err != nil {
		return s, errors.Join(err, s.close(newStopping()))
	}
	if err := s.agree(warehouse, cfg.AcceptLoss, logger); err != nil {
		return s, errors.Join(err, s.close(newStopping()))
	}
	return s, nil
}

// openMedia opens the media. A Warehouse that nodes share has none, for each of them must be able to read all; what a node had
// when it was alone stays as long as its Log refers to it.
func openMedia(cfg Config) (*mediafiles.Store, error) {
	dir := filepath.Join(cfg.DataDir, datadir.MediaDir)
	if cfg.WarehouseURL != "" {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
	}
	return mediafiles.Open(nil, dir)
}

// openPrices reads the journal of prices. A warehouse that was filled before there was one is built anew.
func openPrices(cfg Config, s *stores, logger *slog.Logger) (*pricing.Pricing, error) {
	log := s.log
	o := pricing.Options{
		Dir: filepath.Join(cfg.DataDir, datadir.PricesDir), Cost: pricing.Choice(cfg.Cost), Head: log.Head, Place: s.pricePlaces(cfg), Heads: s.heads(), Numbers: s.hadNumbers, Others: s.hadOthers, Now: now, Logger: logger.With("part", "prices"),
	}
	if s.documents != nil {
		o.Born = s.numbers.born
	}
	p, err := pricing.Open(o)
	if err != nil || !p.Begun() {
		return p, err
	}
	if log.Head() > 0 {
		logger.Warn("there is no journal of prices: the built-in book holds for all calls, and the warehouse is built anew. If the directory was lost, stop the node and put it back from a backup",
			"directory", datadir.PricesDir)
	}
	for _, name := range []string{datadir.WarehouseFile, datadir.WarehouseFile + ".wal"} {
		if err := os.Remove(filepath.Join(cfg.DataDir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("open prices: %w", err)
		}
	}
	return p, nil
}

// close closes the Warehouse, then the Log, and tells at which it is.
func (s stores) close(at *stopping) error {
	at.now("closed the warehouse")
	err := s.warehouse.Close()
	if s.shared != nil {
		err = errors.Join(err, s.noteCursor())
	}
	at.now("closed the log and the id index")
	return errors.Join(err, s.log.Close(), s.dir.close())
}

// openClaimer begins to deduplicate with other nodes, when there are some. A
// Redis that does not answer stops no start.
func (n *node) openClaimer() (err error) {
	if n.cfg.RedisURL == "" {
		return nil
	}
	n.claimer, err = redisclaim.Open(context.Background(), redisclaim.Options{
		URL: n.cfg.RedisURL, Timeout: n.cfg.RedisTimeout, Now: now, Logger: n.logger.With("part", "claimer"),
	})
	return err
}

// close ends the Claimer, which tells the other nodes what they could not be told
// yet, and closes the stores.
func (n *node) close() error {
	var err error
	if n.claimer != nil {
		n.stopping.now("told the other nodes what it stored")
		err = n.claimer.Close()
	}
	return errors.Join(err, n.stores.close(n.stopping))
}

func newIndexer(s stores, cfg Config, logger *slog.Logger) (*indexer.Indexer, error) {
	var log store.Log = s.log
	if s.shared != nil { // which has no media
		log = s.whole(cfg)
	}
	return indexer.New(indexer.Options{
		Log: log, Warehouse: s.warehouse, Dir: filepath.Join(cfg.DataDir, datadir.QuarantineDir), Now: now, Logger: logger.With("part", "indexer"),
	})
}

// open makes a node ready to listen. cfg is valid and has its defaults.
func open(cfg Config, logger *slog.Logger, from outside, at *stopping) (n *node, err error) {
	n = &node{cfg: cfg, logger: logger, stopping: at}
	if os.Getenv("GOMEMLIMIT") == "" {
		n.collecting = newCollecting(int64(cfg.MemoryLimit))
	}
	if n.stores, err = openStores(cfg, logger); err != nil {
		return nil, err
	}
	opened := n // the result is nil when there is an error
	inSQL, _ := n.warehouse.(store.SQLer)
	n.warehouse = from.warehouse(n.warehouse)
	defer func() {
		if err != nil {
			err = errors.Join(err, opened.close())
		}
	}()
	if err = n.openClaimer(); err != nil {
		return nil, err
	}
	if _, err = removal.ReadErasures(filepath.Join(cfg.DataDir, datadir.JournalFile)); errors.Is(err, removal.ErrNewerJournal) {
		return nil, err
	}
	if n.keys, err = keyring.Open(KeysPath(cfg), keyring.Options{Place: n.place(cfg, datadir.KeysFile, true, keyring.Join), Now: now, Logger: logger.With("part", "keyring")}); err != nil {
		return nil, err
	}
	if n.newKey, err = n.firstKey(); err != nil {
		return nil, err
	}
	if cfg.TLSCert != "" {
		if n.certs, err = openCertificates(cfg.TLSCert, cfg.TLSKey, logger.With("part", "tls")); err != nil {
			return nil, err
		}
	}
	if n.indexer, err = newIndexer(n.stores, cfg, logger); err != nil {
		return nil, err
	}
	keep, err := cfg.retention()
	if err != nil {
		return nil, err
	}
	n.keeper = removal.NewKeeper(removal.KeeperOptions{
		Log: n.log, Warehouse: n.warehouse, Indexer: n.indexer, Retention: keep, Now: now, Logger: logger.With("part", "retention"),
		Expired: filepath.Join(cfg.DataDir, datadir.ExpiredFile),
	})
	if err = n.openBudgets(keep); err != nil {
		return nil, err
	}
	if err = n.openAlerts(); err != nil {
		return nil, err
	}
	if n.saved, err = saved.Open(saved.Options{Place: n.place(cfg, datadir.SavedFile, false, saved.Join), Now: now, Asks: query.CheckStats}); err != nil {
		return nil, err
	}
	if err = n.openJudges(); err != nil {
		return nil, err
	}
	if err = n.openPrompts(); err != nil {
		return nil, err
	}
	if err = n.openDatasets(); err != nil {
		return nil, err
	}
	limits := wireformat.Limits{MaxEvents: cfg.MaxEvents, MaxPayloadBytes: int(cfg.MaxPayloadBytes), MaxDepth: cfg.MaxDepth}
	if n.shared == nil {
		limits.MaxMediumBytes = int(cfg.MaxMediumBytes)
	}
	ingestOptions := ingest.Options{Log: n.log, Jobs: n.log, Decode: wireformats.All().Jobs(limits), Now: now, Logger: logger.With("part", "ingest")}
	n.monitor = &monitor{
		minFree: cfg.MinFreeDisk, maxBacklog: entity.Seq(cfg.MaxBacklogEvents),
		free: func() (Bytes, error) { return from.free(cfg.DataDir) },
		log:  n.log.Stats, indexer: n.indexer.Stats, retention: n.keeper.Stats, files: n.checkFiles, keys: n.keys.Fault, budgets: n.budgets.Health, alerts: n.alerts.Health, judges: n.judges.Health, logger: logger.With("part", "monitor"),
	}
	if n.certs != nil {
		n.monitor.tls = n.certs.health
	}
	var claimerStats func() store.ClaimerStats
	if n.claimer != nil {
		ingestOptions.Claimer, n.monitor.claimer, claimerStats = n.claimer, n.claimer.Health, n.claimer.Stats
	}
	if n.media != nil {
		ingestOptions.Media = n.media
		n.weeder = removal.NewWeeder(removal.WeederOptions{
			Media: n.media, Mentions: n.log, Head: n.log.Head, Retention: keep, Now: now, Logger: logger.With("part", "media"),
		})
	}
	n.ingest = ingest.New(ingestOptions)
	n.asides = &asides{
		path: filepath.Join(cfg.DataDir, datadir.WarehouseFile), kept: asideKept, head: n.log.Head(), cursor: n.warehouse.Cursor, now: now,
		logger: logger.With("part", "warehouse"),
	}
	if shortest := keep.Shortest(); shortest > 0 {
		n.asides.kept = min(n.asides.kept, shortest)
	}
	erasing := removal.EraserOptions{
		Aside: n.asides.all, Items: n.datasets,
		Log: n.log, Mentions: n.log, Warehouse: n.warehouse, Indexer: n.indexer, Ingest: n.ingest,
		Journal: filepath.Join(cfg.DataDir, datadir.JournalFile), Logger: logger.With("part", "erasure"),
	}
	if n.weeder != nil {
		erasing.Media = n.weeder
	}
	if n.copies != nil {
		erasing.Warehouse, erasing.Foreign = noting{n.warehouse, n.copies}, n.noteBegun
	}
	if n.shared != nil {
		log := sharedLog{n.log, n.shared}
		erasing.Log, erasing.Mentions, erasing.Indexer = log, log, sharedIndexer{n.indexer, log}
		erasing.Local, erasing.Others = log.own, otherNodes{n.shared}
		erasing.Shared, erasing.Foreign = true, n.begunAlone
		n.monitor.shared = n.shared
	}
	n.eraser = removal.NewEraser(erasing)
	n.repricer = repricing.New(repricing.Options{Prices: n.prices, Warehouse: n.warehouse, Indexer: n.indexer, Logger: logger.With("part", "repricing")})
	n.monitor.repricing = n.repricer.Stats
	if err = n.openForwarder(); err != nil {
		return nil, err
	}
	var forwardStats func() store.ForwardStats
	if n.forwarder != nil {
		n.monitor.forwarding, forwardStats = n.forwarder.Health, n.forwarder.Stats
	}
	n.monitor.check()
	n.positionKey, err = secretFile(filepath.Join(cfg.DataDir, datadir.PositionsFile), server.PositionKeySize)
	if err != nil {
		return nil, fmt.Errorf("key of the cursors: %w", err)
	}
	if n.documents != nil {
		n.monitor.documents = n.documents.State
	}
	options := server.Options{
		SignIns: n.place(cfg, datadir.SignInsFile, n.documents != nil, signin.Join),
		Ingest:  n.ingest, Limits: limits, Log: n.log, Receipts: n.log, Warehouse: n.warehouse, Prices: n.prices, Budgets: n.budgets, Alerts: n.alerts, Prompts: n.prompts, Judges: n.judges, Definitions: n.saved.Definitions(), Views: n.saved.Views(), Charts: n.saved.Charts(), Datasets: n.datasets, Search: n.log, Keys: n.keys,
		Indexer: n.indexer, Eraser: n.eraser, Repricer: n.repricer, PositionKey: n.positionKey, Backup: n.backup,
		Admit: n.monitor.Admit, Health: n.monitor.Health, LogStats: n.log.Stats, IndexerStats: n.indexer.Stats, ClaimerStats: claimerStats,
		RetentionStats: n.keeper.Stats, ForwardStats: forwardStats, Removed: n.log.Removed,
		MaxBodyBytes: int64(cfg.MaxBodyBytes), MaxDecodedBytes: int64(cfg.MaxDecodedBytes),
		MaxInFlightBytes: int64(cfg.MaxInFlightBytes), RatePerKey: cfg.RatePerKey, AuthFailures: cfg.AuthFailures,
		QueryTimeout: cfg.QueryTimeout, MaxQueries: cfg.MaxQueries, MaxAnswerBytes: int64(cfg.MaxAnswerBytes), MinBodyRate: int64(cfg.MinBodyRate),
		OpsOnMain: cfg.OpsListen == "", Now: now, Logger: logger.With("part", "server"),
	}
	if cfg.SQL != "off" {
		options.SQL = inSQL
	}
	options.SQLTimeout = cfg.SQLTimeout
	if n.copies != nil {
		options.Copy = n.copyTo
	}
	if n.shared == nil {
		options.Media, options.MediaStats = n.weeder, n.media.Stats
	}
	if n.shared != nil {
		options.Events, options.FirstRead, options.Search, options.Freshness = n.shared, sharedFirstRead, n.shared, n.shared.Freshness
	}
	if n.server, err = server.New(options); err != nil {
		return nil, err
	}
	return n, nil
}
