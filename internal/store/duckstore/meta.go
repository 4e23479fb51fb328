package duckstore

import (
	"errors"
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// errNewer says that the file is of a later release, which must not be thrown away.
var errNewer = errors.New("the warehouse file was written by a newer release of brokle: run that release, or move the file away to have it built again from the log")

// errOlder says that the file has the layout of another release, which no newer version tells.
var errOlder = errors.New("the file has the layout of an earlier release")

// loadMeta reads the cursor, or creates the tables of an empty file.
func (w *Warehouse) loadMeta() error {
	tables, err := w.write.int64s("SELECT count(*) FROM duckdb_tables() WHERE NOT internal")
	if err != nil {
		return err
	}
	if tables[0] == 0 {
		return w.create()
	}
	meta, err := w.write.int64s("SELECT schema_version, cursor FROM meta")
	if err != nil {
		return err
	}
	switch {
	case len(meta) != 2 || meta[1] < 0:
		return errors.New("the file has no valid cursor")
	case meta[0] > SchemaVersion:
		return errNewer
	case meta[0] < SchemaVersion:
		return errOlder
	}
	columns := ""
	if err := w.write.scan(inFile, nil, func(b block) { columns = b.text(0, 0) }); err != nil {
		return err
	}
	if columns != w.layout.signature() {
		return errOlder
	}
	w.lastWritten = 0
	for _, kind := range entityKinds {
		last, err := w.write.int64s("SELECT coalesce(max(written), 0) FROM " + tableOf(kind))
		if err != nil {
			return err
		}
		w.lastWritten = max(w.lastWritten, last[0])
	}
	w.cursor = entity.Seq(meta[1])
	w.reached.Store(uint64(w.cursor))
	return nil
}

func (w *Warehouse) create() error {
	statements := append([]string{"BEGIN TRANSACTION"}, w.layout.ddl()...)
	statements = append(statements,
		fmt.Sprintf("INSERT INTO meta VALUES (%d, 0)", SchemaVersion), "COMMIT")
	for _, s := range statements {
		if err := w.write.exec(s); err != nil {
			return err
		}
	}
	w.cursor, w.lastWritten = 0, 0
	w.reached.Store(0)
	return nil
}

// loadSeen reads the keys of all rows. It also finds a file whose pages are damaged.
func (w *Warehouse) loadSeen() error {
	err := w.write.whole("project, fact", "events", "", func(b block) {
		project, facts := b.texts(0), b.uint64s(1)
		for i := range b.rows {
			w.seen.add(w.seen.factKey(project[i].view(), facts[i]))
		}
	})
	for _, kind := range entityKinds {
		if err != nil {
			return err
		}
		err = w.write.whole("project, id", tableOf(kind), "", func(b block) {
			project, id := b.texts(0), b.texts(1)
			for i := range b.rows {
				w.seen.add(w.seen.entityKey(project[i].view(), id[i].view(), uint8(kind)))
			}
		})
	}
	if err != nil {
		return err
	}
	return w.write.whole("project, id, "+callColumns, "observations", "AND twin IS NOT NULL", func(b block) {
		for i := range b.rows {
			if c := callAt(b, i, b.text(1, i), 2); c.call != nil {
				for _, key := range c.call.Has() {
					w.seen.add(w.seen.callKey(b.text(0, i), key))
				}
			}
		}
	})
}
