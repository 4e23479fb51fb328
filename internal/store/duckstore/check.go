package duckstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// ErrNewer says that a file is of a later release.
var ErrNewer = errNewer

// ErrOlder says that a file has the layout of an earlier release; the next start builds it anew.
var ErrOlder = errOlder

// Checker looks at a Warehouse's file and changes nothing.
type Checker struct {
	path   string
	db     *sql.DB
	conn   *sql.Conn
	layout *layout
	cursor entity.Seq
}

// OpenReadOnly opens the file at path to be checked. A write-ahead log beside it is read, and left
// as it is. What does not fit into memory goes to the directory temp. The caller keeps other
// processes away. ErrNewer and ErrOlder tell of another release's file.
func OpenReadOnly(ctx context.Context, path, temp string, o Options) (*Checker, error) {
	o = o.withDefaults()
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open warehouse: %w", err)
	}
	connector, err := duckdb.NewConnector(path+"?access_mode=READ_ONLY", nil)
	if err != nil {
		return nil, fmt.Errorf("open warehouse: %w", err)
	}
	k := &Checker{path: path, db: sql.OpenDB(connector), layout: newLayout()}
	if err := k.open(ctx, temp, o); err != nil {
		return nil, fmt.Errorf("open warehouse: %w", errors.Join(err, k.Close()))
	}
	return k, nil
}

func (k *Checker) open(ctx context.Context, temp string, o Options) (err error) {
	if k.conn, err = k.db.Conn(ctx); err != nil {
		return err
	}
	for _, set := range []string{
		fmt.Sprintf("SET memory_limit = '%dB'", o.MemoryLimit), fmt.Sprintf("SET threads = %d", o.Threads),
		"SET temp_directory = '" + strings.ReplaceAll(temp, "'", "''") + "'",
		"SET autoinstall_known_extensions = false", "SET autoload_known_extensions = false",
	} {
		if _, err := k.conn.ExecContext(ctx, set); err != nil {
			return err
		}
	}
	var version, cursor int64
	if err := k.conn.QueryRowContext(ctx, "SELECT schema_version, cursor FROM meta").Scan(&version, &cursor); err != nil {
		return err
	}
	switch {
	case version > SchemaVersion:
		return errNewer
	case version < SchemaVersion:
		return errOlder
	case cursor < 0:
		return errors.New("the file has no valid cursor")
	}
	var columns sql.NullString
	if err := k.conn.QueryRowContext(ctx, inFile).Scan(&columns); err != nil {
		return err
	}
	if columns.String != k.layout.signature() {
		return errOlder
	}
	k.cursor = entity.Seq(cursor)
	return nil
}

// Close closes the file.
func (k *Checker) Close() error {
	var err error
	if k.conn != nil {
		err = k.conn.Close()
	}
	return errors.Join(err, k.db.Close())
}

// Cursor is the Seq up to which the Log is in the Warehouse.
func (k *Checker) Cursor() entity.Seq { return k.cursor }

// Row is what tells a row of the events: one per event.
type Row struct {
	Project string
	Seq     entity.Seq
	EventID string
	Content uint64 // store.Fields.Content: with the id what makes an event a fact of its own
	At      int64  // Unix µs: the time of the event that retention counts from
}

// Rows hands out every event's row, by Seq.
func (k *Checker) Rows(ctx context.Context, each func(Row) error) error {
	rows, err := k.conn.QueryContext(ctx, "SELECT project, seq, event_id, content, least(ts, received) FROM events ORDER BY seq")
	if err != nil {
		return fmt.Errorf("read warehouse: %w", err)
	}
	defer rows.Close() //nolint:errcheck // only read
	for rows.Next() {
		var r Row
		var seq int64
		if err := rows.Scan(&r.Project, &seq, &r.EventID, &r.Content, &r.At); err != nil {
			return fmt.Errorf("read warehouse: %w", err)
		}
		r.Seq = entity.Seq(seq)
		if err := each(r); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read warehouse: %w", err)
	}
	return nil
}

// Without returns those of the events that have no row with their id, their content and a Seq at or
// below theirs: an event that was accepted again, after its id was forgotten, has the row of its first time.
func (k *Checker) Without(ctx context.Context, events []Row) ([]Row, error) {
	const most = 10_000
	var none []Row
	for len(events) > 0 {
		n := min(most, len(events))
		first, err := k.firsts(ctx, events[:n])
		if err != nil {
			return nil, fmt.Errorf("read warehouse: %w", err)
		}
		for _, e := range events[:n] {
			if seq, ok := first[fact{e.Project, e.EventID, e.Content}]; !ok || seq > e.Seq {
				none = append(none, e)
			}
		}
		events = events[n:]
	}
	return none, nil
}

func (k *Checker) firsts(ctx context.Context, events []Row) (map[fact]entity.Seq, error) {
	ids := make([]string, len(events))
	for i := range events {
		ids[i] = events[i].EventID
	}
	// Not on conn, which may be in the middle of Rows.
	rows, err := k.db.QueryContext(ctx, "SELECT project, event_id, content, min(seq) FROM events WHERE event_id IN (SELECT unnest($1::VARCHAR[])) GROUP BY ALL", ids)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // only read
	first := map[fact]entity.Seq{}
	for rows.Next() {
		var f fact
		var seq int64
		if err := rows.Scan(&f.project, &f.eventID, &f.content, &seq); err != nil {
			return nil, err
		}
		first[f] = entity.Seq(seq)
	}
	return first, rows.Err()
}

// Duplicates counts the events that have more than one row.
func (k *Checker) Duplicates(ctx context.Context) (n int64, err error) {
	err = k.conn.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM events GROUP BY project, event_id, content HAVING count(*) > 1)").Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("read warehouse: %w", err)
	}
	return n, nil
}
