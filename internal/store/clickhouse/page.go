package clickhouse

import (
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/paging"
	"github.com/brokle-ai/brokle-go/internal/store/sqltext"
)

// key is one row of a page as the first statement finds it.
type key struct {
	id, tie string
	value   any // int64, float64 or nil
	seqs    []uint64
}

// numbers is a column of values to sort by.
type numbers struct {
	as     store.Number
	ints   *proto.ColNullable[int64]
	floats *proto.ColNullable[float64]
}

func newNumbers(as store.Number) *numbers {
	return &numbers{as, new(proto.ColInt64).Nullable(), new(proto.ColFloat64).Nullable()}
}

func (n *numbers) data() proto.ColResult {
	if n.as == store.Float {
		return n.floats
	}
	return n.ints
}

func (n *numbers) row(i int) any {
	if n.as == store.Float {
		if v := n.floats.Row(i); v.Set {
			return v.Value
		}
		return nil
	}
	if v := n.ints.Row(i); v.Set {
		return v.Value
	}
	return nil
}

// behind is the condition of rows behind the last page, "" on the first.
func behind(q *builder, p *store.Plan) string {
	if p.After == nil {
		return ""
	}
	beyond := "<"
	if p.Asc {
		beyond = ">"
	}
	next := fmt.Sprintf("(id, tie) %s (%s, %s)", beyond, q.arg(p.After.ID), q.arg(p.After.Tie))
	if p.After.Value == nil {
		return "value IS NULL AND " + next
	}
	v := q.arg(p.After.Value)
	return fmt.Sprintf("(value %[1]s %[2]s OR value = %[2]s AND %[3]s OR value IS NULL)", beyond, v, next)
}

// order is the ORDER BY and LIMIT; one row more than the page shows whether there is another.
func order(p *store.Plan) string {
	direction := "DESC"
	if p.Asc {
		direction = "ASC"
	}
	return fmt.Sprintf(" ORDER BY value %s NULLS LAST, id %[1]s, tie %[1]s LIMIT %d", direction, p.Limit+1)
}

// keys runs the first statement of a list: relation has the columns id, tie, value and own_seqs.
func (v *view) keys(ctx context.Context, q *builder, p *store.Plan, tables []string, relation string) (keys []key, err error) {
	var id, tie proto.ColStr
	value := newNumbers(p.Number)
	seqs := new(proto.ColUInt64).Array()
	selected := "id, tie, value"
	result := proto.Results{{Name: "id", Data: &id}, {Name: "tie", Data: &tie}, {Name: "value", Data: value.data()}}
	if p.Asks() {
		selected += ", own_seqs"
		result = append(result, proto.ResultColumn{Name: "own_seqs", Data: seqs})
	}
	text := with(tables, "SELECT "+selected+" FROM ("+relation+")"+sqltext.Where(behind(q, p))+order(p))
	err = v.rows(ctx, q, text, result, func(i int) {
		k := key{id: id.Row(i), tie: tie.Row(i), value: value.row(i)}
		if p.Asks() {
			k.seqs = slices.Clone(seqs.Row(i))
		}
		keys = append(keys, k)
	})
	return keys, err
}

func (k *key) place() store.Place { return store.Place{Value: k.value, ID: k.id, Tie: k.tie} }

// cut cuts keys to limit, and says where they end when they were more.
func cut(keys []key, limit int) ([]key, *store.Place) { return paging.Cut(keys, limit, (*key).place) }

// search finds the rows of a page, and one more, that match. more adds further events to those of the rows; it may be nil.
func (v *view) search(ctx context.Context, plan *store.Plan, more func(context.Context, []key) error, find func(*store.Plan) ([]key, error)) ([]key, error) {
	if plan.Seqs != nil && len(plan.Seqs) == 0 {
		return nil, nil // no event has what was searched
	}
	list := paging.List[key]{Find: find, Place: (*key).place, Events: func(ctx context.Context, keys []key, each func(int, entity.Seq)) error {
		if more != nil {
			if err := more(ctx, keys); err != nil {
				return err
			}
		}
		for i := range keys {
			for _, s := range keys[i].seqs {
				each(i, entity.Seq(s))
			}
		}
		return nil
	}}
	return list.Search(ctx, plan)
}
