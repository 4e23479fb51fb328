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
	"github.com/brokle-ai/brokle-go/internal/store"
)

// ErrNewer says that a file is of a later release.
var ErrNewer = errNewer

// ErrOlder says that a file has the layout of an earlier release; the next start builds it anew.
var ErrOlder = errOlder

// Checker compares a Warehouse's file with the events of the Log, and changes nothing.
type Checker struct {
	db     *sql.DB
	conn   *sql.Conn
	native *conn
	layout *layout
	cursor entity.Seq
	log    heard
	prices entity.Pricer
	ahead  entity.Pricer // rows may be by this instead; nil: they may not
}

// OpenReadOnly opens the file at path to be checked. A write-ahead log beside it is read, and left
// as it is. The events that it is compared with, and what does not fit into memory, go to the directory temp. The caller keeps other
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
	k := &Checker{db: sql.OpenDB(connector), layout: newLayout(), prices: o.Prices, ahead: o.Ahead}
	if err := k.open(ctx, path, temp, o); err != nil {
		return nil, fmt.Errorf("open warehouse: %w", errors.Join(err, k.Close()))
	}
	return k, nil
}

func (k *Checker) open(ctx context.Context, path, temp string, o Options) (err error) {
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
	if k.native, err = connectWith(path, map[string]string{"access_mode": "READ_ONLY"}); err != nil {
		k.native = nil
		return err
	}
	return k.hear(temp)
}

// Close closes the file.
func (k *Checker) Close() error {
	var err error
	k.log.close()
	if k.native != nil {
		k.native.close()
	}
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
	Fact    uint64 // a hash of the event's id and content
	At      int64  // Unix µs: the time of the event that retention counts from
}

// Event is an event of the Log, and the row that it should have.
type Event struct {
	Row
	EventID string
	Content uint64 // Fields.Content: with the id what makes an event a fact of its own
}

// EventOf is that of a record, whose Fields have, or would have, that content.
func EventOf(rec *entity.Record, content uint64) Event {
	return Event{
		EventID: rec.Event.ID, Content: content,
		Row: Row{
			Project: rec.Project, Seq: rec.Seq, Fact: factKey(rec.Event.ID, content),
			At: store.EventTime(rec.Event.Timestamp.UnixMicro(), rec.ReceivedAt.UnixMicro()),
		},
	}
}

// Rows hands out every event's row, by Seq.
func (k *Checker) Rows(ctx context.Context, each func(Row) error) error {
	rows, err := k.conn.QueryContext(ctx, "SELECT project, seq, fact, least(ts, received) FROM events ORDER BY seq")
	if err != nil {
		return fmt.Errorf("read warehouse: %w", err)
	}
	defer rows.Close() //nolint:errcheck // only read
	for rows.Next() {
		var r Row
		var seq int64
		if err := rows.Scan(&r.Project, &seq, &r.Fact, &r.At); err != nil {
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
