package clickhouse

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

var _ store.Searcher = (*Warehouse)(nil)

// Search begins to search the events of all nodes. The server looks for the letters of the words in the payloads, which leaves few of them, and our matcher says
// which of these have the words: what a word is and which are alike is said in one place (internal/textsearch).
func (w *Warehouse) Search(project string, q *textsearch.Query) (store.TextSearch, error) {
	if err := w.unready(); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	return &search{w: w, project: project, q: q, matcher: textsearch.NewMatcher(q)}, nil
}

// search is one search at work.
type search struct {
	w       *Warehouse
	project string
	q       *textsearch.Query
	matcher *textsearch.Matcher
}

// mostSearched bounds how many payloads come for a search for what is rare before it is said not to be.
const mostSearched = 50_000

// Rare finds all events that match, unless too many have the letters.
func (s *search) Rare(ctx context.Context, limit int) ([]entity.Seq, bool, error) {
	most := min(limit, mostSearched)
	return s.found(ctx, fmt.Sprintf(" LIMIT %d", most+1), most, most)
}

// All finds all events that match, unless more than most do.
func (s *search) All(ctx context.Context, most int) ([]entity.Seq, bool, error) {
	return s.found(ctx, "", math.MaxInt, most)
}

// found reads what has the letters, and ends with ok false behind more than reads of it or more than most that match.
func (s *search) found(ctx context.Context, limit string, reads, most int) (seqs []entity.Seq, ok bool, err error) {
	err = s.w.question(ctx, s.project, "search", func(ctx context.Context, v *view) error {
		ctx, enough := context.WithCancel(ctx)
		defer enough()
		seqs, ok = []entity.Seq{}, true
		read := 0
		q := v.query()
		err := s.read(ctx, v, q, "PREWHERE project = {p1:String}"+s.letters(q)+" WHERE "+s.indexed(q)+limit, func(seq entity.Seq, matches bool) {
			if read++; matches && ok {
				seqs = append(seqs, seq)
			}
			if ok = read <= reads && len(seqs) <= most; !ok {
				enough() // no more of the answer is needed
			}
		})
		if !ok {
			return nil
		}
		return err
	})
	if err != nil || !ok {
		return nil, false, err
	}
	slices.Sort(seqs)
	return seqs, true, nil
}

// letters is the condition that a payload may have the words of the query. A word of ASCII stands in it as it is, in whatever case, unless it has other letters that are folded to these, or
// letters that are written as escapes.
func (s *search) letters(q *builder) string {
	condition := ""
	for _, word := range s.q.ASCII() {
		if condition == "" {
			condition = ` AND (match(payload, '[^\\x00-\\x7f]|\\\\u') OR `
		} else {
			condition += " AND "
		}
		condition += "positionCaseInsensitive(payload, " + q.arg(word) + ") > 0"
	}
	if condition != "" {
		condition += ")"
	}
	return condition
}

// indexed is the same condition, as far as the server's index of words knows: it says where there are none. The letter of an escape (\n and the like) may stand before a word as if it were a part of it.
func (s *search) indexed(q *builder) string {
	conditions := []string{"1"}
	for _, word := range s.q.ASCII() {
		forms := []string{notPlain, word}
		for _, escape := range "bfnrt" {
			forms = append(forms, string(escape)+word)
		}
		conditions = append(conditions, "hasAny("+payloadWords+", "+q.arg(forms)+")")
	}
	return strings.Join(conditions, " AND ")
}

// read reads events with their payloads, and says of each whether it matches.
func (s *search) read(ctx context.Context, v *view, q *builder, condition string, each func(entity.Seq, bool)) error {
	var seq proto.ColUInt64
	var kind proto.ColUInt8
	var id, typ, payload proto.ColStr
	result := proto.Results{{Name: "seq", Data: &seq}, {Name: "kind", Data: &kind}, {Name: "entity_id", Data: &id}, {Name: "type", Data: &typ}, {Name: "payload", Data: &payload}}
	return v.rows(ctx, q, "SELECT seq, kind, entity_id, CAST(event_type, 'String') AS type, payload FROM events "+condition, result, func(i int) {
		ev := wire.Event{Type: wire.EventType(typ.Row(i)), Payload: json.RawMessage(payload.RowBytes(i))}
		matches := s.matcher.Matches(&ev)
		if matches {
			s.w.whereabouts.note(eventKey{s.project, entity.Kind(kind.Row(i)), id.Row(i)}, entity.Seq(seq.Row(i)))
		}
		each(entity.Seq(seq.Row(i)), matches)
	})
}

// Match says which of the events match.
func (s *search) Match(ctx context.Context, seqs []entity.Seq) ([]bool, error) {
	has := make(map[entity.Seq]bool, len(seqs))
	v := &view{s.w, s.project}
	for some := range slices.Chunk(seqs, removeAtOnce) {
		q := v.query()
		err := s.read(ctx, v, q, "WHERE project = {p1:String} AND seq IN "+q.arg(uints(some))+s.letters(q), func(seq entity.Seq, matches bool) { has[seq] = matches })
		if err != nil {
			return nil, fmt.Errorf("search: %w", err)
		}
	}
	match := make([]bool, len(seqs))
	for i, seq := range seqs {
		match[i] = has[seq]
	}
	return match, nil
}

// Close has nothing to give back.
func (s *search) Close() {}
