package duckstore

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// What the rows are compared with is the events of the Log, in a table of a file of their own, so that
// they can be had by entity, however many they are.

const (
	heardProject = iota
	heardSeq
	heardEventID
	heardType
	heardContent
	heardFact
	heardKind
	heardEntity
	heardTS
	heardReceived
	heardEnvironment
	heardRow
)

var heardColumns = []column{
	heardProject: {"project", "VARCHAR"}, heardSeq: {"seq", "BIGINT"}, heardEventID: {"event_id", "VARCHAR"}, heardType: {"event_type", "VARCHAR"},
	heardContent: {"content", "UBIGINT"}, heardFact: {"fact", "UBIGINT"}, heardKind: {"kind", "UTINYINT"}, heardEntity: {"entity_id", "VARCHAR"}, heardTS: {"ts", "BIGINT"},
	heardReceived: {"received", "BIGINT"}, heardEnvironment: {"batch_environment", "VARCHAR"}, heardRow: {"fields", "BLOB"},
}

// heard is the table in the making.
type heard struct {
	appender mapping.Appender
	chunk    *chunk
	row      entity.Row // its memory is used again
}

// hear makes the empty table, in the directory temp.
func (k *Checker) hear(temp string) error {
	path := strings.ReplaceAll(filepath.Join(temp, "events.duckdb"), "'", "''")
	for _, s := range []string{"ATTACH '" + path + "' AS log (READ_WRITE)", strings.Replace(createTable("heard", heardColumns), "heard", "log.main.heard", 1)} {
		if err := k.native.exec(s); err != nil {
			return err
		}
	}
	state := mapping.AppenderCreateExt(k.native.conn, "log", "main", "heard", &k.log.appender)
	if state == mapping.StateError {
		return appenderError(k.log.appender)
	}
	k.log.chunk = newChunk(heardColumns)
	return nil
}

func (h *heard) close() {
	if h.chunk != nil {
		mapping.AppenderDestroy(&h.appender)
		h.chunk.close()
		h.chunk = nil
	}
}

// Add takes in an event of the Log that is in the Warehouse, if that is as it should be. The record has Fields.
func (k *Checker) Add(rec *entity.Record) error {
	h, fs := &k.log, rec.Fields
	h.row = fs.AppendRow(h.row[:0])
	c := h.chunk
	c.setText(heardProject, rec.Project)
	c.setInt(heardSeq, int64(rec.Seq))
	c.setText(heardEventID, rec.Event.ID)
	c.setText(heardType, string(rec.Event.Type))
	c.setUint(heardContent, fs.Content)
	c.setUint(heardFact, factKey(rec.Event.ID, fs.Content))
	c.setByte(heardKind, uint8(fs.Kind))
	c.setText(heardEntity, fs.EntityID)
	c.setInt(heardTS, rec.Event.Timestamp.UnixMicro())
	c.setInt(heardReceived, rec.ReceivedAt.UnixMicro())
	c.setText(heardEnvironment, rec.Environment)
	c.setText(heardRow, string(h.row))
	if !c.next() {
		return nil
	}
	if err := c.appendTo(h.appender); err != nil {
		return fmt.Errorf("note events to check: %w", err)
	}
	return nil
}

// flush makes what was added seen.
func (k *Checker) flush() error {
	if err := k.log.chunk.appendTo(k.log.appender); err != nil {
		return err
	}
	if mapping.AppenderFlush(k.log.appender) == mapping.StateError {
		return appenderError(k.log.appender)
	}
	return nil
}

// events hands out the events that a condition on heard finds, each in memory of its own.
func (k *Checker) events(condition string, args []any, each func(*entity.Record)) error {
	var bad error
	err := k.native.scan("SELECT "+names(heardColumns)+" FROM log.heard WHERE "+condition, args, func(b block) {
		for i := range b.rows {
			rec := &entity.Record{
				Project: b.text(heardProject, i), Seq: entity.Seq(b.number(heardSeq, i)), Environment: b.text(heardEnvironment, i),
				ReceivedAt: microTime(b.number(heardReceived, i)), Fields: &entity.Fields{},
				Event: wire.Event{
					ID: b.text(heardEventID, i), Type: wire.EventType(b.text(heardType, i)), Timestamp: wire.At(microTime(b.number(heardTS, i))),
				},
			}
			if err := entity.Row(b.text(heardRow, i)).View(rec.Fields); err != nil {
				bad = err
				return
			}
			each(rec)
		}
	})
	if err == nil {
		err = bad
	}
	return err
}

// Without returns those of the events, which were added, that have no row with their id, their content and a
// Seq at or below theirs: an event that was accepted again, after its id was forgotten, has the row of its first time.
func (k *Checker) Without(ctx context.Context, events []Event) ([]Event, error) {
	const most = 10_000
	var none []Event
	for len(events) > 0 {
		n := min(most, len(events))
		first, err := k.firsts(ctx, events[:n])
		if err != nil {
			return nil, fmt.Errorf("read warehouse: %w", err)
		}
		for _, e := range events[:n] {
			if seq, ok := first[fact{e.Project, entity.FactID{EventID: e.EventID, Content: e.Content}}]; !ok || seq > e.Seq {
				none = append(none, e)
			}
		}
		events = events[n:]
	}
	return none, nil
}

// firsts are the least Seqs with a row.
func (k *Checker) firsts(ctx context.Context, events []Event) (map[fact]entity.Seq, error) {
	if err := k.flush(); err != nil {
		return nil, err
	}
	ids := make([]string, len(events))
	for i := range events {
		ids[i] = events[i].EventID
	}
	first := map[fact]entity.Seq{}
	// Not on conn, which may be in the middle of Rows.
	rows, err := k.db.QueryContext(ctx, `SELECT h.project, h.event_id, h.content, min(h.seq) FROM log.heard h JOIN events e ON e.project = h.project AND e.seq = h.seq AND e.fact = h.fact
		WHERE h.event_id IN (SELECT unnest($1::VARCHAR[])) GROUP BY ALL`, ids)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // only read
	for rows.Next() {
		var f fact
		var seq int64
		if err := rows.Scan(&f.project, &f.EventID, &f.Content, &seq); err != nil {
			return nil, err
		}
		first[f] = entity.Seq(seq)
	}
	return first, rows.Err()
}

// Duplicates counts the events that have more than one row: rows of one Seq, and of events that say the same.
func (k *Checker) Duplicates(ctx context.Context) (n int64, err error) {
	if err = k.flush(); err == nil {
		err = k.conn.QueryRowContext(ctx, `SELECT
			(SELECT count(*) FROM (SELECT 1 FROM events GROUP BY project, seq HAVING count(*) > 1)) +
			(SELECT count(*) FROM (SELECT 1 FROM log.heard h SEMI JOIN events e ON e.project = h.project AND e.seq = h.seq
				GROUP BY h.project, h.event_id, h.content HAVING count(*) > 1))`).Scan(&n)
	}
	if err != nil {
		return 0, fmt.Errorf("read warehouse: %w", err)
	}
	return n, nil
}
