package clickhouse

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

var (
	_ store.Reader   = (*Warehouse)(nil)
	_ store.Mentions = (*Warehouse)(nil)
)

// Get reads events, of whichever node, in the order asked.
func (w *Warehouse) Get(ctx context.Context, seqs []entity.Seq) ([]entity.Record, error) {
	if err := w.unready(); err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return w.Records(ctx, seqs)
}

// Head is behind the events of all nodes.
func (w *Warehouse) Head() entity.Seq { return math.MaxInt64 }

// Mentioning calls found for the events in the tables that name one of the mentions, of all nodes and every copy of a fact, and for others. upto is not
// kept to: what came behind it names them too.
func (w *Warehouse) Mentioning(ctx context.Context, project string, of []entity.Mention, _ entity.Seq, found func(*entity.Record)) error {
	return w.question(ctx, project, "look for mentions", func(ctx context.Context, v *view) error {
		ids := map[entity.Kind][]string{}
		for _, m := range of {
			ids[m.Of] = append(ids[m.Of], m.ID)
		}
		q := v.query()
		trace, observation, score, user := q.arg(ids[entity.TraceKind]), q.arg(ids[entity.ObservationKind]), q.arg(ids[entity.ScoreKind]), q.arg(ids[entity.UserKind])
		names := fmt.Sprintf("(kind = %d AND entity_id IN %s OR trace_id IN %[2]s OR kind = %d AND entity_id IN %s OR observation_id IN %[4]s OR kind = %d AND entity_id IN %s OR user_id IN %s OR author_user_id IN %[7]s",
			entity.TraceKind, trace, entity.ObservationKind, observation, entity.ScoreKind, score, user)
		if len(ids[entity.UserKind]) > 0 { // these have users that are no column
			names += fmt.Sprintf(" OR kind = %d OR rank = %d", entity.GenericKind, entity.RankHint)
		}
		var seq proto.ColUInt64
		var seqs []entity.Seq
		text := "SELECT seq FROM events WHERE project = {p1:String} AND " + names + ") ORDER BY seq"
		if err := v.rows(ctx, q, text, proto.Results{{Name: "seq", Data: &seq}}, func(i int) { seqs = append(seqs, entity.Seq(seq.Row(i))) }); err != nil {
			return err
		}
		for some := range slices.Chunk(seqs, readAtOnce) {
			recs, err := w.Records(ctx, some)
			if err != nil {
				return err
			}
			for i := range recs {
				found(&recs[i])
			}
		}
		return nil
	})
}
