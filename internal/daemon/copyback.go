package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/backup"
	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/handover"
	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/prompt"
	"github.com/brokle-ai/brokle-go/internal/store/clickhouse"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
)

// copyFile is the progress of a copy, in the directory that it fills.
const copyFile = "copying.json"

// copyState is what copyFile says.
type copyState struct {
	handover.Progress
	From string `json:"from"` // the node's identity whose prices these are
	// Result is what was found when everything was compared, and equal: what is left is to put the directory in its place.
	Result *CopyResult `json:"result,omitempty"`
}

// copyingBack is a data directory that is made of what a shared warehouse has.
type copyingBack struct {
	cfg     Config // of the directory that is filled
	to      string // where it will be
	from    string // the data directory of a node
	number  uint16 // of it, among the nodes
	shared  *clickhouse.Warehouse
	state   copyState
	events  uint64 // in the tables
	logger  *slog.Logger
	told    func(CopyLine)
	verdict *Verified
}

// CopyBack makes a data directory, cfg.DataDir, of everything that the shared warehouse of cfg has, with the keys, prices and budgets of the node whose data directory is from.
// What was interrupted goes on. told hears how far it is, and at last the result.
func CopyBack(ctx context.Context, cfg Config, from string, logger *slog.Logger, told func(CopyLine)) error {
	o, err := cfg.shared()
	if err != nil {
		return err
	}
	if err := cfg.Validate(); err != nil {
		return err
	}
	cfg = cfg.withDefaults()
	b := &copyingBack{cfg: cfg, to: cfg.DataDir, from: from, logger: logger, told: told}
	b.cfg.DataDir, b.cfg.WarehouseURL = filepath.Join(b.to, backup.StagingName), ""
	if err := b.begin(); err != nil {
		return err
	}
	if b.state.Result != nil {
		return b.end(b.state.Result)
	}
	if err := b.connect(ctx, o); err != nil {
		return err
	}
	found, err := b.fill(ctx)
	if err = errors.Join(err, b.shared.Close()); err != nil {
		return err
	}
	r := resultOf(b.verdict, found)
	if r.Whole {
		b.state.Result = r
		if err := b.save(nil); err != nil {
			return err
		}
	}
	return b.end(r)
}

// end tells the result, once the directory is where it belongs.
func (b *copyingBack) end(r *CopyResult) error {
	if r.Whole {
		if err := b.moveIn(); err != nil {
			return err
		}
	}
	b.told(CopyLine{Step: "done", At: uint64(b.state.Head), Of: uint64(b.state.Head), Result: r})
	return nil
}

// begin makes the directory, or takes up one that was not filled.
func (b *copyingBack) begin() error {
	path := filepath.Join(b.cfg.DataDir, copyFile)
	raw, err := os.ReadFile(path)
	if err == nil {
		if err = json.Unmarshal(raw, &b.state); err != nil {
			err = fmt.Errorf("%s is damaged: delete what is in %s and copy anew (%w)", path, b.to, err)
		}
		return err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if os.Remove(b.cfg.DataDir) != nil { // it was made and nothing in it
		if err := backup.Empty(b.to); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(b.cfg.DataDir, 0o700); err != nil {
		return err
	}
	return b.save(&handover.Progress{Nodes: map[uint16]entity.Seq{}, Begins: map[uint16]entity.Seq{}, Places: map[uint16]map[entity.Seq]entity.Seq{}})
}

func (b *copyingBack) save(p *handover.Progress) error {
	if p != nil {
		b.state.Progress = *p
	}
	raw, err := json.Marshal(b.state)
	if err != nil {
		return err
	}
	return durable.Replace(filepath.Join(b.cfg.DataDir, copyFile), append(raw, '\n'))
}

// connect looks at the tables before anything is made, and at whose prices are to hold.
func (b *copyingBack) connect(ctx context.Context, o clickhouse.Options) error {
	is, err := clickhouse.Inspect(ctx, o)
	if err != nil {
		return err
	}
	if !is.Whole() {
		return errors.New("the tables are not as they must be: `brokle warehouse status` says what is missing")
	}
	for i := range is.Nodes {
		if n := &is.Nodes[i]; n.Missing() > 0 && !b.cfg.AcceptLoss {
			return fmt.Errorf("node %d has accepted events that the tables do not have, at most %d: start it until `brokle warehouse status` shows none missing, or give --accept-loss to go on without", n.Node, n.Missing())
		}
	}
	o.Extract = func(r *entity.Record) { r.Fields, _ = extract.Of(r) }
	o.Logger = b.logger.With("part", "copy")
	o.QuestionTime = copyQuestion
	if b.shared, err = clickhouse.Open(ctx, o); err != nil {
		return err
	}
	id, err := os.ReadFile(filepath.Join(b.from, datadir.NodeFile))
	var node identity
	if err == nil {
		err = json.Unmarshal(id, &node)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s is not the data directory of a node that shares the warehouse: %w", b.from, err), b.shared.Close())
	}
	if b.state.From != "" && b.state.From != node.ID {
		return errors.Join(fmt.Errorf("%s was begun with the data directory of another node: go on with that, or delete it", b.to), b.shared.Close())
	}
	b.state.From = node.ID
	return nil
}

// fill copies and compares, unless that was done.
func (b *copyingBack) fill(ctx context.Context) (*handover.Compared, error) {
	if err := b.copyEvents(ctx); err != nil {
		return nil, err
	}
	if err := b.copyFiles(ctx); err != nil {
		return nil, err
	}
	return b.compare(ctx)
}

// copyEvents fills the log.
func (b *copyingBack) copyEvents(ctx context.Context) (err error) {
	number, known, err := b.shared.NumberOf(ctx, b.state.From)
	b.number = number
	if err != nil {
		return err
	}
	if !known {
		return fmt.Errorf("the node of %s has nothing in the shared warehouse: name the data directory of another", b.from)
	}
	places, err := pricing.Afters(filepath.Join(b.from, datadir.PricesDir), number)
	if err != nil {
		return err
	}
	for node, all := range places {
		if b.state.Places[node] == nil {
			b.state.Places[node] = map[entity.Seq]entity.Seq{}
		}
		for _, place := range all {
			b.state.Places[node][place] = max(b.state.Places[node][place], 0)
		}
	}
	if b.events, err = b.shared.Facts(ctx); err != nil {
		return err
	}
	log, err := segmentlog.Open(filepath.Join(b.cfg.DataDir, datadir.LogDir), segmentlog.Options{
		Logger: b.logger.With("part", "log"), IndexCacheBytes: int64(b.cfg.IndexCache), Now: now,
	})
	if err != nil {
		return err
	}
	parts := newParts(context.WithoutCancel(ctx))
	run := parts.start("log", log.Run) // packs what is appended
	defer func() {
		run.stop()
		err = errors.Join(err, parts.wait(), log.Close())
	}()
	back := &handover.Back{
		Log: log, Save: b.save, Progress: b.state.Progress,
		Told: func(int64) {
			b.told(CopyLine{Step: "copy", At: uint64(log.Head()), Of: max(b.events, uint64(log.Head()))})
		},
	}
	if err := back.Resume(ctx); err != nil {
		return err
	}
	nodes, err := b.shared.Nodes(ctx)
	for i := 0; err == nil && i < len(nodes); i++ {
		err = b.node(ctx, back, nodes[i].Node)
	}
	return err
}

func (b *copyingBack) node(ctx context.Context, back *handover.Back, node uint16) error {
	back.First = func(ctx context.Context, recs []entity.Record) ([]bool, error) {
		first, err := b.firsts(ctx, recs)
		if err != nil {
			return nil, err
		}
		counts := make([]bool, len(recs))
		for i := range recs {
			counts[i] = first[factOf(&recs[i])] == clickhouse.Shared(node, recs[i].Seq)
		}
		return counts, nil
	}
	return back.Node(ctx, node, func(after entity.Seq, each func(*entity.Record) error) error {
		return b.shared.Scan(ctx, node, after, func(r *entity.Record) error {
			_, r.Seq = clickhouse.Own(r.Seq)
			return each(r)
		})
	})
}

// firsts are the lowest Seqs in the tables of the facts that records are.
func (b *copyingBack) firsts(ctx context.Context, recs []entity.Record) (map[clickhouse.FactOf]entity.Seq, error) {
	ids := make([]string, len(recs))
	for i := range recs {
		ids[i] = recs[i].Event.ID
	}
	return b.shared.First(ctx, ids)
}

func factOf(r *entity.Record) clickhouse.FactOf {
	f := r.Fields
	if f == nil {
		f, _ = extract.Of(r)
	}
	if f == nil {
		return clickhouse.FactOf{}
	}
	return clickhouse.FactOf{Project: r.Project, EntityID: f.EntityID, EventID: r.Event.ID, Kind: f.Kind, Content: f.Content}
}

// copyFiles copies what is kept beside the data: what nodes share, as the tables have it, and else what the node has. Places in its log become those of the new one.
func (b *copyingBack) copyFiles(ctx context.Context) error {
	names, err := b.documents(ctx)
	for i := 0; err == nil && i < len(names); i++ {
		err = b.copyDocument(ctx, names[i])
	}
	if err != nil {
		return err
	}
	if err := b.copyDatasets(ctx); err != nil {
		return err
	}
	var numbers pricing.Numbers
	for _, node := range slices.Sorted(maps.Keys(b.state.Begins)) {
		numbers = append(numbers, pricing.Number{Node: node, After: b.state.Begins[node]})
	}
	return pricing.Move(filepath.Join(b.from, datadir.PricesDir), filepath.Join(b.cfg.DataDir, datadir.PricesDir), b.number, numbers,
		func(node uint16, place entity.Seq) entity.Seq { return b.state.Places[node][place] })
}

// documents are the names of what is kept beside the data, but for prices: of every project, also of those that the node never heard of.
func (b *copyingBack) documents(ctx context.Context) ([]string, error) {
	prompts, err := prompt.Files(filepath.Join(b.from, datadir.PromptsDir))
	if err != nil {
		return nil, err
	}
	names := []string{datadir.KeysFile, datadir.BudgetsFile, datadir.SavedFile, datadir.AlertsFile, datadir.JudgesFile}
	for _, name := range prompts {
		names = append(names, path.Join(datadir.PromptsDir, name))
	}
	shared, err := b.shared.DocumentVersions(ctx)
	for name := range shared {
		if path.Dir(name) == datadir.PromptsDir && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, err
}

func (b *copyingBack) copyDocument(ctx context.Context, name string) error {
	raw, version, err := b.shared.Document(ctx, name, 0)
	if err == nil && version == 0 {
		raw, err = os.ReadFile(filepath.Join(b.from, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	if err != nil {
		return err
	}
	return replaceWithin(filepath.Join(b.cfg.DataDir, filepath.FromSlash(name)), raw)
}

// moveIn puts the directory in its place, the log last: no server starts on half of it.
func (b *copyingBack) moveIn() error {
	entries, err := os.ReadDir(b.cfg.DataDir)
	if err != nil {
		return err
	}
	names := []string{}
	for _, e := range entries {
		if e.Name() != datadir.LogDir && e.Name() != copyFile {
			names = append(names, e.Name())
		}
	}
	if slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == datadir.LogDir }) {
		names = append(names, datadir.LogDir)
	}
	for _, name := range names {
		if err := os.Rename(filepath.Join(b.cfg.DataDir, name), filepath.Join(b.to, name)); err != nil {
			return err
		}
	}
	if err := durable.SyncDir(b.to); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(b.cfg.DataDir), durable.SyncDir(b.to), durable.SyncDir(filepath.Dir(filepath.Clean(b.to))))
}
