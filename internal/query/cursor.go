package query

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// position is the content of a cursor: where a page ended.
type position struct {
	Query string   `json:"q"` // hash of the query, so that no other query takes it
	Value string   `json:"v"` // a number, or "" for none
	ID    string   `json:"i"`
	Tie   string   `json:"t,omitempty"`
	Keys  []string `json:"k,omitempty"` // of statistics: the groups, a value after "=", none as ""
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

// decodeCursor reads the cursor of the query of that hash; nil when there is none.
func decodeCursor(cursor, hash string) (*position, error) {
	if cursor == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return nil, wrongCursor()
	}
	var p position
	if err := json.Unmarshal(b, &p); err != nil || p.Query != hash {
		return nil, wrongCursor()
	}
	return &p, nil
}

func wrongCursor() error {
	return &store.QueryError{Param: "cursor", Message: "is not the next_cursor of this query"}
}

// cursorAt is the cursor that goes on behind a row; nil without one.
func cursorAt(end *store.Place, hash string) (*string, error) {
	if end == nil {
		return nil, nil
	}
	at := position{Query: hash, ID: end.ID, Tie: end.Tie}
	switch v := end.Value.(type) {
	case int64:
		at.Value = strconv.FormatInt(v, 10)
	case float64:
		at.Value = strconv.FormatFloat(v, 'g', -1, 64)
	}
	return encodeCursor(at)
}

// place is where a cursor of a list leads.
func (p *position) place(of store.Number) (*store.Place, error) {
	if p == nil {
		return nil, nil
	}
	at := &store.Place{ID: p.ID, Tie: p.Tie}
	var err error
	switch {
	case p.Value == "":
	case of == store.Float:
		at.Value, err = strconv.ParseFloat(p.Value, 64)
	default:
		at.Value, err = strconv.ParseInt(p.Value, 10, 64)
	}
	if err != nil {
		return nil, wrongCursor()
	}
	return at, nil
}

// keysOf are a row's groups as a cursor has them.
func keysOf(groups []any) []string {
	keys := make([]string, len(groups))
	for i, v := range groups {
		if v != nil {
			keys[i] = "=" + fmt.Sprint(v)
		}
	}
	return keys
}

// row is the groups of the row where a cursor of statistics leads: whoever changed the
// cursor gets an error here instead of a failed conversion in the database.
func (p *position) row(groups []string) ([]any, error) {
	if p == nil {
		return nil, nil
	}
	if len(p.Keys) != len(groups) {
		return nil, wrongCursor()
	}
	row := make([]any, len(groups))
	for i, key := range p.Keys {
		if key == "" {
			continue
		}
		text, found := strings.CutPrefix(key, "=")
		var err error
		switch groups[i] {
		case store.GroupTime:
			row[i], err = strconv.ParseInt(text, 10, 64)
		case store.GroupValue, store.GroupValueEnd:
			row[i], err = strconv.ParseFloat(text, 64)
		default:
			row[i] = text
		}
		if !found || err != nil {
			return nil, wrongCursor()
		}
	}
	return row, nil
}
