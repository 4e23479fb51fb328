package duckstore

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// maxLimit is the most rows that one page has, defaultLimit what 0 means.
const (
	maxLimit     = 1000
	defaultLimit = 50
)

// position is where a page ended: the sort value and the id of its last row.
// It is the content of a cursor.
type position struct {
	Query string   `json:"q"` // hash of the query, so that no other query takes it
	Value string   `json:"v"` // a number, or "" for NULL
	ID    string   `json:"i"`
	Tie   string   `json:"t,omitempty"` // where the id may stand twice
	Keys  []string `json:"k,omitempty"` // of statistics: the group, a value after "=", NULL as ""
}

// hashOf identifies a query; q must not have its limit and cursor set.
func hashOf(project, of string, q any) (string, error) {
	b, err := json.Marshal([]any{project, of, q})
	if err != nil {
		return "", fmt.Errorf("hash query: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8]), nil
}

func encodeCursor(p position) (*string, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode cursor: %w", err)
	}
	s := base64.RawURLEncoding.EncodeToString(b)
	return &s, nil
}

func decodeCursor(cursor, hash string) (*position, error) {
	if cursor == "" {
		return nil, nil
	}
	wrong := &store.QueryError{Param: "cursor", Message: "is not the next_cursor of this query"}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return nil, wrong
	}
	var p position
	if err := json.Unmarshal(b, &p); err != nil || p.Query != hash {
		return nil, wrong
	}
	return &p, nil
}

func checkLimit(limit int) (int, error) {
	if limit == 0 {
		return defaultLimit, nil
	}
	if limit < 1 || limit > maxLimit {
		return 0, &store.QueryError{Param: "limit", Message: fmt.Sprintf("must be 1 to %d", maxLimit)}
	}
	return limit, nil
}

// sortTypes are the columns that a list can be sorted by, and the SQL type of each.
type sortTypes map[string]string

// pager pages through the rows of a relation by one column, ties by id and then
// by tie, if there is such a column, rows without a value last.
type pager struct {
	tie    string
	hash   string
	column string
	typ    string
	asc    bool
	limit  int
	after  *position
}

// newPager checks the order that was asked for. q is the query with its Order
// emptied, time the column that "" stands for.
func newPager(project, of string, q any, o store.Order, time string, columns sortTypes) (*pager, error) {
	by := o.By
	if by == "" {
		by = time
	}
	typ, ok := columns[by]
	if !ok {
		return nil, &store.QueryError{Param: "sort", Message: fmt.Sprintf("cannot sort by %q", by)}
	}
	limit, err := checkLimit(o.Limit)
	if err != nil {
		return nil, err
	}
	hash, err := hashOf(project, of, []any{q, by, o.Asc})
	if err != nil {
		return nil, err
	}
	after, err := decodeCursor(o.Cursor, hash)
	if err != nil {
		return nil, err
	}
	return &pager{hash: hash, column: by, typ: typ, asc: o.Asc, limit: limit, after: after}, nil
}

// where is the condition of rows behind the cursor, "" on the first page.
func (p *pager) where(q *query) (string, error) {
	if p.after == nil {
		return "", nil
	}
	beyond := "<"
	if p.asc {
		beyond = ">"
	}
	id := q.arg(p.after.ID)
	behind := "id " + beyond + " " + id
	if p.tie != "" {
		behind = fmt.Sprintf("(%s OR id = %s AND %s %s %s)", behind, id, p.tie, beyond, q.arg(p.after.Tie))
	}
	if p.after.Value == "" {
		return fmt.Sprintf("%s IS NULL AND %s", p.column, behind), nil
	}
	value, err := p.value()
	if err != nil {
		return "", err
	}
	v := q.arg(value)
	return fmt.Sprintf("(%[1]s %[2]s %[3]s OR (%[1]s = %[3]s AND %[4]s) OR %[1]s IS NULL)",
		p.column, beyond, v+"::"+p.typ, behind), nil
}

func (p *pager) value() (any, error) {
	wrong := &store.QueryError{Param: "cursor", Message: "is not the next_cursor of this query"}
	if p.typ == "DOUBLE" {
		f, err := strconv.ParseFloat(p.after.Value, 64)
		if err != nil {
			return nil, wrong
		}
		return f, nil
	}
	n, err := strconv.ParseInt(p.after.Value, 10, 64)
	if err != nil {
		return nil, wrong
	}
	return n, nil
}

// order is the ORDER BY and LIMIT; one row more than the page shows whether
// there is another.
func (p *pager) order() string {
	direction := "DESC"
	if p.asc {
		direction = "ASC"
	}
	tie := ""
	if p.tie != "" {
		tie = ", " + p.tie + " " + direction
	}
	return fmt.Sprintf(" ORDER BY %s %s NULLS LAST, id %s%s LIMIT %d", p.column, direction, direction, tie, p.limit+1)
}

// key is one row of a page as the first statement finds it.
type key struct {
	id      string
	trace   string // of an observation: with its id what tells it from others
	value   any    // int64, float64 or nil
	written int64  // where the row is
	span    span   // where its events are
}

// cut cuts keys to the page and makes the cursor to go on from.
func (p *pager) cut(keys []key) ([]key, *string, error) {
	if len(keys) <= p.limit {
		return keys, nil, nil
	}
	keys = keys[:p.limit]
	end := keys[p.limit-1]
	at := position{Query: p.hash, ID: end.id, Tie: end.trace}
	switch v := end.value.(type) {
	case int64:
		at.Value = strconv.FormatInt(v, 10)
	case float64:
		at.Value = strconv.FormatFloat(v, 'g', -1, 64)
	}
	next, err := encodeCursor(at)
	return keys, next, err
}
