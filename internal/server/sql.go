package server

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/brokle-ai/brokle-go/internal/columnar"
	"github.com/brokle-ai/brokle-go/internal/store"
)

const (
	sqlRows     = 1000   // of an answer, when nobody says how many
	mostSQLRows = 10_000 // at most
	// sqlBytes is about how many bytes of values an answer has at most, and sqlRoom what it weighs until it is sent: as values, and written down.
	sqlBytes = 8 << 20
	sqlRoom  = 3 * sqlBytes
	// maxSQLBody bounds the request: a text of the longest, in which each character is escaped.
	maxSQLBody = 6*store.MostSQLText + 1<<10
)

// sqlRequest is the body of POST /v1/sql.
type sqlRequest struct {
	Query string `json:"query"`           // one SELECT
	Limit int64  `json:"limit,omitempty"` // rows, 1 to 10 000: 1000
}

// sqlAnswer is the answer, where neither CSV nor Parquet was asked for.
type sqlAnswer struct {
	Columns   []store.SQLColumn `json:"columns"`
	Rows      [][]any           `json:"rows"`      // each a list of values, in the order of columns
	Truncated bool              `json:"truncated"` // there are more rows
	TookMS    float64           `json:"took_ms"`
}

// sqlStats counts questions in SQL for /metrics.
type sqlStats struct{ asked, failed, micros atomic.Int64 }

// postSQL is POST /v1/sql: one question at a time, which ends when its client goes.
func postSQL(ctx context.Context, s *Server, c *call) (*answer, error) {
	if s.o.SQL == nil {
		return nil, problemf(http.StatusNotImplemented, codeSQLOff, "this server answers no SQL: --sql is off")
	}
	form, err := sqlForm(c.r.Header)
	if err != nil {
		return nil, err
	}
	q, err := s.sqlQuestion(c)
	if err != nil {
		return nil, err
	}
	s.o.Indexer.Refresh(ctx)
	if err = s.sqlTurn(ctx); err != nil {
		return nil, err
	}
	defer func() { <-s.sqlTurns }()
	if c.question, err = s.ask(ctx, c.caller.KeyID); err != nil {
		return nil, err
	}
	if err = c.question.need(ctx, sqlRoom); err != nil {
		return nil, err
	}
	defer c.question.answered()
	start := s.o.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, s.o.SQLTimeout, errQueryTimeout)
	defer cancel()
	a, err := s.o.SQL.SQL(ctx, c.caller.Project, *q)
	took := s.o.Now().Sub(start)
	s.sql.asked.Add(1)
	s.sql.micros.Add(took.Microseconds())
	if err != nil {
		s.sql.failed.Add(1)
		return nil, s.sqlProblem(ctx, err)
	}
	ans, err := form(a, took)
	s.freshness(ans)
	return ans, err
}

// sqlTurn waits until no other question in SQL is worked at: they take what memory and time they find.
func (s *Server) sqlTurn(ctx context.Context) error {
	timer := time.NewTimer(s.o.QueryWait)
	defer timer.Stop()
	select {
	case s.sqlTurns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return &problem{
			status: http.StatusServiceUnavailable, code: codeOverloaded, retryAfter: 2 * time.Second,
			message: "another question in SQL is worked at, and this server answers one at a time; send this one again after the seconds of Retry-After",
		}
	}
}

// sqlQuestion reads the body.
func (s *Server) sqlQuestion(c *call) (*store.SQLQuestion, error) {
	text, err := s.readText(c, maxSQLBody, "questions in SQL")
	if err != nil {
		return nil, err
	}
	in := sqlRequest{Limit: sqlRows}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil || d.More() {
		return nil, problemf(http.StatusBadRequest, codeInvalidBody, `the body is {"query": "select …", "limit": 1000}, of which limit may be left out`)
	}
	switch {
	case strings.TrimSpace(in.Query) == "":
		return nil, problemf(http.StatusBadRequest, codeInvalidBody, "query is empty: it has one SELECT")
	case in.Limit < 1 || in.Limit > mostSQLRows:
		return nil, problemf(http.StatusBadRequest, codeInvalidBody, "limit is %d: must be 1 to %d", in.Limit, mostSQLRows)
	}
	return &store.SQLQuestion{Text: in.Query, Rows: int(in.Limit), Bytes: sqlBytes}, nil
}

// sqlProblem is the error of a question as its answer. Its text is not logged.
func (s *Server) sqlProblem(ctx context.Context, err error) error {
	var asked *store.SQLError
	if errors.As(err, &asked) {
		return problemf(http.StatusBadRequest, codeInvalidSQL, "%s", asked.Message)
	}
	if errors.Is(context.Cause(ctx), errQueryTimeout) {
		late := problemf(http.StatusGatewayTimeout, codeQueryTimeout, "the statement took longer than %v and was given up: ask of a shorter time, or for fewer columns", s.o.SQLTimeout)
		late.cause = err
		return late
	}
	if errors.Is(err, store.ErrStarved) {
		return &problem{status: http.StatusUnprocessableEntity, code: codeQueryTooLarge, cause: err,
			message: "the statement needs more memory than it may have: ask of a shorter time, for fewer groups, or sort less"}
	}
	return err
}

// sqlForm is the form of an answer that Accept names.
func sqlForm(h http.Header) (func(*store.SQLAnswer, time.Duration) (*answer, error), error) {
	accept := strings.Join(h.Values("Accept"), ",")
	for part := range strings.SplitSeq(accept, ",") {
		media, _, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(media)) {
		case "", "*/*", "application/*", "application/json":
			return sqlJSON, nil
		case mediaCSV:
			return sqlCSV, nil
		case mediaParquet:
			return sqlParquet, nil
		}
	}
	return nil, problemf(http.StatusNotAcceptable, codeNotAcceptable, "Accept must be application/json, %s or %s", mediaCSV, mediaParquet)
}

const (
	mediaCSV     = "text/csv"
	mediaParquet = "application/vnd.apache.parquet"
)

func sqlJSON(a *store.SQLAnswer, took time.Duration) (*answer, error) {
	columns := append([]store.SQLColumn{}, a.Columns...)
	return ok(&sqlAnswer{columns, a.Rows, a.Truncated, float64(took.Microseconds()) / 1000}, nil)
}

// sqlHeader says beside other forms what JSON has in it.
func sqlHeader(a *store.SQLAnswer) http.Header {
	return http.Header{"Brokle-Truncated": {strconv.FormatBool(a.Truncated)}}
}

func sqlCSV(a *store.SQLAnswer, _ time.Duration) (*answer, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	line := make([]string, len(a.Columns))
	for i, column := range a.Columns {
		line[i] = guardedCell(column.Name)
	}
	_ = w.Write(line) // to memory
	for _, row := range a.Rows {
		for i, v := range row {
			line[i] = csvCell(v)
		}
		_ = w.Write(line)
	}
	w.Flush()
	return &answer{status: http.StatusOK, bytes: b.Bytes(), media: mediaCSV + "; charset=utf-8", header: sqlHeader(a)}, nil
}

// csvCell writes a value; NULL is an empty cell.
func csvCell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return guardedCell(v)
	case time.Time:
		return v.UTC().Format(timeLayout)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []any, map[string]any:
		return guardedCell(columnar.JSON(v))
	}
	return fmt.Sprint(v)
}

// guardedCell puts a quote before a text that a spreadsheet would take for a formula.
func guardedCell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func sqlParquet(a *store.SQLAnswer, _ time.Duration) (*answer, error) {
	var b bytes.Buffer
	names := make([]string, len(a.Columns))
	for i, column := range a.Columns {
		names[i] = column.Name
	}
	if err := columnar.Write(&b, columnar.Of(names, a.Rows), a.Rows); err != nil {
		return nil, fmt.Errorf("write Parquet: %w", err)
	}
	return &answer{status: http.StatusOK, bytes: b.Bytes(), media: mediaParquet, header: sqlHeader(a)}, nil
}
