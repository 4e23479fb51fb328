package duckstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// maxMicro is the last microsecond of the year 9999.
const maxMicro = 253402300799_999999

// ord is an event's place in its entity as far as one number can say it: by
// timestamp, then rank. ordSQL is the same in SQL.
func ord(ts int64, rank store.Rank) int64 { return ts*4 + int64(rank) }

const ordSQL = "ts * 4 + rank::BIGINT"

// Insert adds the records and moves the cursor to upto, in one transaction; an
// upto behind the cursor leaves it where it is (a record replayed from
// quarantine). Records whose event id is already there are passed over. The
// caller hands records in the order of their Seq. A *store.PoisonError names
// those that can never go in; then nothing went in.
func (w *Warehouse) Insert(ctx context.Context, recs []store.Record, upto store.Seq) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := w.ready(); err != nil {
		return err
	}
	if upto <= w.cursor && len(recs) == 0 {
		return nil
	}
	if upto > maxSeq {
		return fmt.Errorf("insert events: position %d is out of range", upto)
	}
	if err := poison(recs); err != nil {
		return err
	}
	err := w.thread.do(func() error {
		err := w.insert(recs, max(upto, w.cursor))
		if err == nil {
			w.settleBehind(len(recs))
		}
		return err
	})
	if w.broken(err) {
		w.detach()
	}
	if w.failed = err != nil; w.failed {
		return fmt.Errorf("insert events: %w", err)
	}
	return nil
}

func (w *Warehouse) insert(recs []store.Record, upto store.Seq) error {
	skip, err := w.repeated(recs)
	if err != nil {
		return err
	}
	ties, err := w.ties(recs, skip)
	if err != nil {
		return err
	}
	for i := range ties { // before a question can see them
		w.tied.add(recs[i].Project, recs[i].Fields.Kind)
	}
	late := w.behind(recs, skip)
	err = w.transact(func() error {
		if len(recs) > len(skip) {
			if err := w.appendRows(recs, skip, ties); err != nil {
				return err
			}
		}
		if err := w.noteLate(late); err != nil {
			return err
		}
		return w.write.exec("UPDATE meta SET cursor = " + strconv.FormatUint(uint64(upto), 10))
	})
	if err == nil {
		w.cursor = upto
		w.reached.Store(uint64(upto))
		w.late = w.late || len(late) > 0
	}
	return err
}

// behind lists by project the Seqs of the records that come behind the frontier:
// those that return from quarantine.
func (w *Warehouse) behind(recs []store.Record, skip map[int]bool) map[string][]store.Seq {
	var late map[string][]store.Seq
	for i := range recs {
		if r := &recs[i]; r.Seq <= w.settled && !skip[i] {
			if late == nil {
				late = make(map[string][]store.Seq)
			}
			late[r.Project] = append(late[r.Project], r.Seq)
		}
	}
	return late
}

// noteLate makes the entities of these rows dirty.
func (w *Warehouse) noteLate(late map[string][]store.Seq) error {
	for project, seqs := range late {
		if err := w.write.exec("INSERT INTO late SELECT project, kind, entity_id, seq FROM events"+ofSeqs, project, seqList(seqs)); err != nil {
			return err
		}
	}
	return nil
}

// transact runs f in a transaction of the writing connection: all of it or nothing.
func (w *Warehouse) transact(f func() error) error {
	if err := w.write.exec("BEGIN TRANSACTION"); err != nil {
		return err
	}
	err := f()
	if err == nil {
		err = w.write.exec("COMMIT")
	}
	if err != nil {
		// A statement that failed has often ended the transaction already.
		if undo := w.write.exec("ROLLBACK"); undo != nil && !strings.Contains(undo.Error(), "no transaction is active") {
			return errors.Join(err, undo)
		}
	}
	return err
}

// flushChunks bounds what the appender holds beside the transaction.
const flushChunks = 16

func (w *Warehouse) appendRows(recs []store.Record, skip, ties map[int]bool) error {
	var a mapping.Appender
	state := mapping.AppenderCreateExt(w.write.conn, "", "main", "events", &a)
	defer func() { mapping.AppenderDestroy(&a) }()
	if state == mapping.StateError {
		return appenderError(a)
	}
	defer func() {
		if w.chunk.rows > 0 { // an error left them behind
			w.chunk.reset()
		}
	}()
	chunks := 0
	for i := range recs {
		if skip[i] {
			continue
		}
		w.row(&recs[i], ties[i])
		if !w.chunk.next() {
			continue
		}
		if err := w.chunk.appendTo(a); err != nil {
			return err
		}
		if chunks++; chunks%flushChunks == 0 && mapping.AppenderFlush(a) == mapping.StateError {
			return appenderError(a)
		}
	}
	if err := w.chunk.appendTo(a); err != nil {
		return err
	}
	if mapping.AppenderFlush(a) == mapping.StateError {
		return appenderError(a)
	}
	return nil
}

// row writes the record into the chunk's next row.
func (w *Warehouse) row(rec *store.Record, tied bool) {
	c, fs := w.chunk, rec.Fields
	ts := rec.Event.Timestamp.UnixMicro()
	c.setText(colProject, rec.Project)
	c.setInt(colSeq, int64(rec.Seq))
	c.setText(colEventID, rec.Event.ID)
	c.setText(colEventType, string(rec.Event.Type))
	c.setByte(colKind, uint8(fs.Kind))
	c.setByte(colRank, uint8(fs.Rank))
	c.setText(colEntityID, fs.EntityID)
	c.setInt(colTS, ts)
	c.setInt(colReceived, rec.ReceivedAt.UnixMicro())
	c.setText(colBatchEnvironment, cmp.Or(rec.Environment, "default"))
	c.setByte(colTie, 0)
	if tied {
		c.setByte(colTie, 1)
	}
	for i := range fs.Values {
		w.value(&fs.Values[i])
	}
}

func (w *Warehouse) value(v *store.FieldValue) {
	col := w.layout.of[v.Field]
	if col < 0 {
		return
	}
	switch v.Field.Type() {
	case store.Text:
		w.chunk.setText(col, v.Text)
	case store.Integer, store.Time:
		w.chunk.setInt(col, v.Int)
	case store.Float:
		w.chunk.setFloat(col, v.Num)
	case store.List:
		w.chunk.setList(col, v.List)
	case store.JSON:
		w.chunk.setText(col, store.Preview(v.Text, store.PreviewLength))
	}
}

// poison names the records that no row can hold, or returns nil.
func poison(recs []store.Record) error {
	var seqs []store.Seq
	var first error
	for i := range recs {
		if err := checkRecord(&recs[i]); err != nil {
			seqs = append(seqs, recs[i].Seq)
			if first == nil {
				first = err
			}
		}
	}
	if seqs == nil {
		return nil
	}
	return &store.PoisonError{Seqs: seqs, Err: first}
}

func checkRecord(r *store.Record) error {
	fs := r.Fields
	switch {
	case fs == nil:
		return errors.New("the record has no fields")
	case fs.Kind < store.TraceKind || fs.Kind > store.GenericKind:
		return fmt.Errorf("there is no entity kind %d", fs.Kind)
	case fs.Rank > store.RankComplete:
		return fmt.Errorf("there is no rank %d", fs.Rank)
	case r.Seq > maxSeq:
		return fmt.Errorf("seq %d is out of range", r.Seq)
	}
	if ts := r.Event.Timestamp.UnixMicro(); ts < 0 || ts > maxMicro {
		return errors.New("the timestamp is not within 1970 to 9999")
	}
	for _, s := range [...]string{r.Project, r.Environment, r.Event.ID, string(r.Event.Type), fs.EntityID} {
		if !utf8.ValidString(s) {
			return errors.New("an identifier is not UTF-8")
		}
	}
	for i := range fs.Values {
		if err := checkValue(&fs.Values[i]); err != nil {
			return err
		}
	}
	return nil
}

func checkValue(v *store.FieldValue) error {
	if v.Field >= store.NumFields {
		return fmt.Errorf("there is no field %d", v.Field)
	}
	switch v.Field.Type() {
	case store.Text:
		if !utf8.ValidString(v.Text) {
			return fmt.Errorf("%s is not UTF-8", v.Field)
		}
	case store.Float:
		if math.IsNaN(v.Num) || math.IsInf(v.Num, 0) {
			return fmt.Errorf("%s is not a finite number", v.Field)
		}
	case store.Time:
		if v.Int < 0 || v.Int > maxMicro {
			return fmt.Errorf("%s is not within 1970 to 9999", v.Field)
		}
	case store.List:
		for _, s := range v.List {
			if !utf8.ValidString(s) {
				return fmt.Errorf("an element of %s is not UTF-8", v.Field)
			}
		}
	}
	return nil
}
