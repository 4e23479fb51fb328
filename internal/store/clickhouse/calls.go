package clickhouse

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// plainCall is a call of a block that may have twins.
type plainCall struct {
	*entity.Call
	at    int32 // among the entities
	scope string
}

// callOf notes that an observation is a call that may have twins; half of a stream is long at once.
func (x *plain) callOf(at int32, row *observationRow) {
	c := row.Call()
	if c == nil {
		return
	}
	if roleOf(row.Twin) != string(entity.WholeCall) {
		x.entities[at].long = true
		return
	}
	x.calls = append(x.calls, plainCall{c, at, row.Scope})
}

// roleOf is the third word of what a row says of twins.
func roleOf(twin string) string {
	words := strings.SplitN(twin, " ", 4)
	if len(words) < 4 {
		return ""
	}
	return words[2]
}

// partTwins sends the calls the long way that may be twins of another one, of the block or of the tables. What other nodes have inserted and not settled is in no row: while there is some all
// calls go the long way.
func (s *settling) partTwins(ctx context.Context) error {
	x := s.fold.plain
	if s.thorough() {
		for i := range x.calls {
			x.entities[x.calls[i].at].long = true
		}
	}
	x.pair()
	wanted := map[entity.KeyKind][]entity.Key{}
	of := map[entity.KeyKind][]int32{}
	for i := range x.calls {
		if c := &x.calls[i]; !x.entities[c.at].long {
			for _, key := range c.Wants() {
				wanted[key.Kind], of[key.Kind] = append(wanted[key.Kind], key), append(of[key.Kind], int32(i))
			}
		}
	}
	for kind, keys := range wanted {
		if err := s.findRivals(ctx, kind, keys, of[kind]); err != nil {
			return fmt.Errorf("look for reports of the same calls: %w", err)
		}
	}
	x.spread()
	return nil
}

// pair makes long the calls of which one has at about the same time what the other wants.
func (x *plain) pair() {
	has := map[entity.Key][]int32{}
	var keys [entity.MostKeys]entity.Key
	for i := range x.calls {
		for _, key := range x.calls[i].AppendHas(keys[:0]) {
			has[key] = append(has[key], int32(i))
		}
	}
	for i := range x.calls {
		c := &x.calls[i]
		first, last := c.Reach()
		for _, key := range c.AppendWants(keys[:0]) {
			for _, j := range has[key] {
				if o := &x.calls[j]; o.at != c.at && o.From <= last && o.To >= first {
					x.entities[c.at].long, x.entities[o.at].long = true, true
				}
			}
		}
	}
}

// meetsCalls makes long the plain calls that may be twins of one that was folded the long way, and says whether there are any.
func (s *settling) meetsCalls() (found bool) {
	x := s.fold.plain
	if len(x.calls) == 0 || len(s.calls) == 0 {
		return false
	}
	has := map[entity.Key][]*entity.Call{}
	var keys [entity.MostKeys]entity.Key
	for _, c := range s.calls {
		for _, key := range c.AppendHas(keys[:0]) {
			has[key] = append(has[key], c)
		}
	}
	for i := range x.calls {
		c := &x.calls[i]
		if x.entities[c.at].long {
			continue
		}
		first, last := c.Reach()
		for _, key := range c.AppendWants(keys[:0]) {
			for _, o := range has[key] {
				if o.From <= last && o.To >= first {
					x.entities[c.at].long, found = true, true
				}
			}
		}
	}
	return found
}

// findRivals makes long the calls of which the table has another report with a key that they want, at about their time. Two whole reports of one scope are never of one call.
func (s *settling) findRivals(ctx context.Context, kind entity.KeyKind, keys []entity.Key, of []int32) error {
	x := s.fold.plain
	var at proto.ColUInt32
	values, scopes, firsts, lasts := new(proto.ColStr), new(proto.ColStr), new(proto.ColInt64), new(proto.ColInt64)
	var least, most int64
	for i, key := range keys {
		c := &x.calls[of[i]]
		first, last := c.Reach()
		if i == 0 || first < least {
			least = first
		}
		if i == 0 || last > most {
			most = last
		}
		at.Append(uint32(c.at))
		values.Append(key.Value)
		scopes.Append(c.scope)
		firsts.Append(first)
		lasts.Append(last)
	}
	q := s.query()
	text := fmt.Sprintf(`SELECT DISTINCT wanted.at AS found FROM wanted INNER JOIN
		(SELECT %s AS k, CAST(scope, 'String') AS of_scope, %s AS begins, assumeNotNull(%s) AS ends, twin FROM observations
			WHERE project = {p1:String} AND twin != '' AND end_time IS NOT NULL AND %[1]s IN (SELECT key FROM wanted) AND begins <= %[4]s AND ends >= %[5]s) AS o ON o.k = wanted.key
		WHERE o.begins <= wanted.last AND o.ends >= wanted.first AND (o.of_scope != wanted.scope OR splitByChar(' ', o.twin)[3] != '%[6]c')`,
		callKeyColumns[kind], us("start_time"), us("end_time"), q.arg(most), q.arg(least), entity.WholeCall)
	var found proto.ColUInt32
	return s.w.askWith(ctx, q, text, proto.Results{{Name: "found", Data: &found}}, "wanted", proto.Input{
		{Name: "at", Data: &at}, {Name: "key", Data: values}, {Name: "scope", Data: scopes}, {Name: "first", Data: firsts}, {Name: "last", Data: lasts},
	}, func(i int) { x.entities[found.Row(i)].long = true })
}
