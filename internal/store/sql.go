package store

import (
	"context"
	"fmt"
)

// SQLer answers questions that people write in SQL. A Warehouse that is none has no such questions.
type SQLer interface {
	// SQL runs one SELECT over the views of package sqlview, which have what is of the project and nothing else, whatever the text says.
	// Nothing is changed by it. It knows all that was inserted before, and ends with ctx.
	//
	// The error of a text that is not taken is a *SQLError; of one that needs more memory than there is, ErrStarved.
	SQL(ctx context.Context, project string, q SQLQuestion) (*SQLAnswer, error)
}

// SQLQuestion is a text and what its answer may be.
type SQLQuestion struct {
	Text  string
	Rows  int // at most so many, at least 1
	Bytes int // about so many bytes of values at most, at least 1; a row is never cut
}

// SQLAnswer is the rows of an answer, in their order.
type SQLAnswer struct {
	Columns []SQLColumn
	// Rows have a value for each column: nil, bool, int64, float64, string, time.Time (UTC), json.Number (of what has more than 64 bits, or is a
	// decimal), []any of these, or map[string]any.
	Rows [][]any
	// Truncated says that there are more rows.
	Truncated bool
}

// SQLColumn is a column of an answer. Its type is the engine's name for it.
type SQLColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// SQLError is a text that is not taken, or cannot be worked at, because of what it says.
type SQLError struct{ Message string }

func (e *SQLError) Error() string { return "sql: " + e.Message }

// SQLErrorf makes one.
func SQLErrorf(format string, args ...any) *SQLError {
	return &SQLError{Message: fmt.Sprintf(format, args...)}
}

// MostSQLText is how long a text may be, in bytes.
const MostSQLText = 64 << 10
