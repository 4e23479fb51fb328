package clickhouse

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// What one node erases other nodes have in their Logs, too. So they are asked to erase it there, by a row of the table erasures that stays until the node has done it.

// What a node has that the tables do not have yet nobody else finds. Nodes that are away when something is erased are asked by such a row, too, which says what it was: they erase it
// before they insert again. It has the id of a trace or a user until then, and no longer.

// againColumns say what is to be erased again.
var againColumns = []column{{"project", "String", "ZSTD(1)"}, {"user_id", "String", "ZSTD(1)"}, {"trace_id", "String", "ZSTD(1)"}}

func erasuresDDL() string {
	return "CREATE TABLE IF NOT EXISTS erasures (node UInt16, id String, seqs Array(UInt64), done UInt8, at " + timeType +
		" DEFAULT now64(6), " + definitions(againColumns, nil) + ") ENGINE = ReplacingMergeTree(done) ORDER BY (node, id) SETTINGS " + settings(8192)
}

// Asked is what another node asks this one to erase from its Log.
type Asked struct {
	id   string
	Seqs []entity.Seq // of this node's Log
}

// Ask asks the nodes whose these Seqs are to erase them from their Logs.
func (w *Warehouse) Ask(ctx context.Context, seqs []entity.Seq) error {
	byNode := map[uint16][]uint64{}
	for _, seq := range seqs {
		node, own := Own(seq)
		byNode[node] = append(byNode[node], uint64(own))
	}
	for _, node := range slices.Sorted(maps.Keys(byNode)) {
		random := make([]byte, 16)
		rand.Read(random) //nolint:errcheck // never fails (crypto/rand)
		if err := w.erasure(ctx, node, hex.EncodeToString(random), byNode[node], 0); err != nil {
			return fmt.Errorf("ask node %d to erase: %w", node, err)
		}
	}
	return nil
}

func (w *Warehouse) erasure(ctx context.Context, node uint16, id string, seqs []uint64, done uint8) error {
	ids, list := new(proto.ColStr), new(proto.ColUInt64).Array()
	ids.Append(id)
	list.Append(seqs)
	return w.insertBlock(ctx, "erasures", proto.Input{
		{Name: "node", Data: &proto.ColUInt16{node}}, {Name: "id", Data: ids}, {Name: "seqs", Data: list}, {Name: "done", Data: &proto.ColUInt8{done}},
	}, nil)
}

// Asked is what others asked this node to erase, and it has not said that it did.
func (w *Warehouse) Asked(ctx context.Context) (asked []Asked, err error) {
	var id proto.ColStr
	seqs := new(proto.ColUInt64).Array()
	q := &builder{}
	text := "SELECT id, seqs FROM erasures FINAL WHERE node = " + q.arg(uint64(w.Node())) + " AND done = 0 AND project = '' ORDER BY at"
	err = w.askFirst(ctx, q, text, proto.Results{{Name: "id", Data: &id}, {Name: "seqs", Data: seqs}}, func(i int) {
		a := Asked{id: id.Row(i)}
		for _, seq := range seqs.Row(i) {
			a.Seqs = append(a.Seqs, entity.Seq(seq))
		}
		asked = append(asked, a)
	})
	if err != nil {
		return nil, fmt.Errorf("read what is to be erased: %w", err)
	}
	return asked, nil
}

// Did says that this node has erased it.
func (w *Warehouse) Did(ctx context.Context, a Asked) error {
	if err := w.erasure(ctx, w.Node(), a.id, nil, 1); err != nil {
		return fmt.Errorf("say what was erased: %w", err)
	}
	return nil
}

// Secret is what all nodes have under a name: what the first of them gave.
func (w *Warehouse) Secret(ctx context.Context, name string, own []byte) ([]byte, error) {
	name = "secret of " + name
	is := mark{}
	all, err := w.marks(ctx, name)
	if err != nil {
		return nil, err
	}
	if len(all) > 0 {
		is = all[0]
	} else if is, err = w.claim(ctx, mark{name: name, owner: w.process, value: hex.EncodeToString(own)}, 0); err != nil {
		return nil, err
	}
	secret, err := hex.DecodeString(is.value)
	if err != nil {
		return nil, fmt.Errorf("the %s is damaged", name)
	}
	return secret, nil
}
