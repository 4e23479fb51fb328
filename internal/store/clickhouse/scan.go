package clickhouse

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// scanRows is how many events Scan reads with one statement, and scanBlock how many of them come at once.
const (
	scanRows  = 20_000
	scanBlock = 500
)

// Scan reads the events that a node has taken, behind a Seq of its Log, in their order, until there are none or each fails. Rows that are there twice come once; the copies
// that other nodes took come with theirs. There is no deadline but that of ctx.
func (w *Warehouse) Scan(ctx context.Context, node uint16, after entity.Seq, each func(*entity.Record) error) error {
	for {
		upto, days, err := w.scanned(ctx, node, after)
		if err != nil {
			return fmt.Errorf("scan events: %w", err)
		}
		if upto == 0 {
			return nil
		}
		ctx, cancel := context.WithCancelCause(ctx)
		q := &builder{}
		condition := fmt.Sprintf("node = %d AND seq > %s AND seq <= %s AND toYYYYMMDD(received) IN %s ORDER BY seq LIMIT 1 BY seq",
			node, q.arg(uint64(Shared(node, after))), q.arg(uint64(Shared(node, upto))), q.arg(days))
		settings := []ch.Setting{ch.SettingInt("max_block_size", scanBlock), ch.SettingInt("max_bytes_before_external_sort", 256<<20)}
		var failed error
		err = w.records(ctx, q, condition, settings, func(r entity.Record) {
			if failed == nil {
				if failed = each(&r); failed != nil {
					cancel(failed)
				}
			}
		})
		cancel(nil)
		if failed != nil {
			return failed
		}
		if err != nil {
			return fmt.Errorf("scan events: %w", err)
		}
		after = upto
	}
}

// scanned is up to where the next events of a node reach, and on which days they were received: what else is in the table need not be read. 0: there are none.
func (w *Warehouse) scanned(ctx context.Context, node uint16, after entity.Seq) (upto entity.Seq, days []uint64, err error) {
	var seq proto.ColUInt64
	all := new(proto.ColUInt32).Array()
	q := &builder{}
	text := fmt.Sprintf("SELECT max(seq) AS upto, groupUniqArray(day) AS days FROM (SELECT seq, toYYYYMMDD(received) AS day FROM events WHERE node = %d AND seq > %s ORDER BY seq LIMIT %d)",
		node, q.arg(uint64(Shared(node, after))), scanRows)
	err = w.ask(ctx, q, text, proto.Results{{Name: "upto", Data: &seq}, {Name: "days", Data: all}}, func(i int) {
		_, upto = Own(entity.Seq(seq.Row(i)))
		for _, day := range all.Row(i) {
			days = append(days, uint64(day))
		}
	})
	return upto, days, err
}

// FactOf is what tells events apart: what two nodes took of one event is one.
type FactOf struct {
	Project, EntityID, EventID string
	Kind                       entity.Kind
	Content                    uint64
}

// First is the lowest Seq of each fact with one of these ids of events.
func (w *Warehouse) First(ctx context.Context, eventIDs []string) (map[FactOf]entity.Seq, error) {
	var project, entityID, eventID proto.ColStr
	var kind proto.ColUInt8
	var content, seq proto.ColUInt64
	first := map[FactOf]entity.Seq{}
	q := &builder{}
	text := "SELECT CAST(project, 'String') AS of_project, kind, entity_id, event_id, content, min(seq) AS first FROM events WHERE event_id IN " + q.arg(eventIDs) +
		" GROUP BY of_project, kind, entity_id, event_id, content"
	result := proto.Results{
		{Name: "of_project", Data: &project}, {Name: "kind", Data: &kind}, {Name: "entity_id", Data: &entityID}, {Name: "event_id", Data: &eventID},
		{Name: "content", Data: &content}, {Name: "first", Data: &seq},
	}
	err := w.ask(ctx, q, text, result, func(i int) {
		first[FactOf{project.Row(i), entityID.Row(i), eventID.Row(i), entity.Kind(kind.Row(i)), content.Row(i)}] = entity.Seq(seq.Row(i))
	})
	if err != nil {
		return nil, fmt.Errorf("look for events: %w", err)
	}
	return first, nil
}

// Projects are those that have events, in the order of their names.
func (w *Warehouse) Projects(ctx context.Context) ([]string, error) {
	projects, err := w.projects(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the projects: %w", err)
	}
	return projects, nil
}

// Facts is how many events there are, each counted once.
func (w *Warehouse) Facts(ctx context.Context) (n uint64, err error) {
	var count proto.ColUInt64
	err = w.ask(ctx, &builder{}, "SELECT count() AS n FROM events FINAL", proto.Results{{Name: "n", Data: &count}}, func(i int) { n = count.Row(i) })
	if err != nil {
		return 0, fmt.Errorf("count events: %w", err)
	}
	return n, nil
}

// NumberOf is the number that the node of a data directory has, by its identity; false when it never had one.
func (w *Warehouse) NumberOf(ctx context.Context, identity string) (number uint16, known bool, err error) {
	all, err := w.marks(ctx, nodeMarks)
	if err != nil {
		return 0, false, err
	}
	life := -1
	for _, m := range all {
		if of, n := lifeOf(m.owner); strings.EqualFold(of, identity) && n > life {
			number, known, life = uint16(m.turn), true, n
		}
	}
	return number, known, nil
}
