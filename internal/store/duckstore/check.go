package duckstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// ErrNewer says that a file is of a later release.
var ErrNewer = errNewer

// ErrOlder says that a file has the layout of an earlier release; the next start builds it anew.
var ErrOlder = errOlder

// Checker looks at a Warehouse's file and changes nothing.
type Checker struct {
	db              *sql.DB
	conn            *sql.Conn
	cursor, settled store.Seq
	late            bool
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
	k := &Checker{db: sql.OpenDB(connector)}
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
	var version, cursor, settled, late int64
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
	if err := k.conn.QueryRowContext(ctx, "SELECT settled, (SELECT count(*) FROM late) FROM meta").Scan(&settled, &late); err != nil {
		return err
	}
	if settled < 0 || settled > cursor {
		return errors.New("the file has settled rows beyond its cursor")
	}
	k.cursor, k.settled, k.late = store.Seq(cursor), store.Seq(settled), late > 0
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
func (k *Checker) Cursor() store.Seq { return k.cursor }

// Row is what tells a row of the events: one per event.
type Row struct {
	Project string
	Seq     store.Seq
	EventID string
	At      int64 // Unix µs: the time of the event that retention counts from
}

// Rows hands out every event's row, by Seq.
func (k *Checker) Rows(ctx context.Context, each func(Row) error) error {
	rows, err := k.conn.QueryContext(ctx, "SELECT project, seq, event_id, least(ts, received) FROM events ORDER BY seq")
	if err != nil {
		return fmt.Errorf("read warehouse: %w", err)
	}
	defer rows.Close() //nolint:errcheck // only read
	for rows.Next() {
		var r Row
		var seq int64
		if err := rows.Scan(&r.Project, &seq, &r.EventID, &r.At); err != nil {
			return fmt.Errorf("read warehouse: %w", err)
		}
		r.Seq = store.Seq(seq)
		if err := each(r); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read warehouse: %w", err)
	}
	return nil
}

// Without returns those of the events that have no row with their id and a Seq at or below
// theirs: an event that was accepted again, after its id was forgotten, has the row of its first time.
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
			if seq, ok := first[e.Project+"\x00"+e.EventID]; !ok || seq > e.Seq {
				none = append(none, e)
			}
		}
		events = events[n:]
	}
	return none, nil
}

func (k *Checker) firsts(ctx context.Context, events []Row) (map[string]store.Seq, error) {
	ids := make([]string, len(events))
	for i := range events {
		ids[i] = events[i].EventID
	}
	// Not on conn, which may be in the middle of Rows.
	rows, err := k.db.QueryContext(ctx, "SELECT project, event_id, min(seq) FROM events WHERE event_id IN (SELECT unnest($1::VARCHAR[])) GROUP BY ALL", ids)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // only read
	first := map[string]store.Seq{}
	for rows.Next() {
		var project, id string
		var seq int64
		if err := rows.Scan(&project, &id, &seq); err != nil {
			return nil, err
		}
		first[project+"\x00"+id] = store.Seq(seq)
	}
	return first, rows.Err()
}

// Duplicates counts the events that have more than one row.
func (k *Checker) Duplicates(ctx context.Context) (n int64, err error) {
	err = k.conn.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM events GROUP BY project, event_id HAVING count(*) > 1)").Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("read warehouse: %w", err)
	}
	return n, nil
}

// WrongFold is an entity whose settled row is not the fold of its events.
type WrongFold struct {
	Project string
	Kind    store.Kind
	ID      string
	What    string
}

// Folds folds every entity of every project anew and compares it with its settled row, but for those
// whose row does not count now. It returns how many it compared, and the wrong ones, at most limit.
func (k *Checker) Folds(ctx context.Context, limit int) (compared int64, wrong []WrongFold, err error) {
	rows, err := k.conn.QueryContext(ctx, "SELECT DISTINCT project FROM events UNION SELECT project FROM settled_traces UNION SELECT project FROM settled_observations UNION SELECT project FROM settled_scores ORDER BY 1")
	if err != nil {
		return 0, nil, fmt.Errorf("read warehouse: %w", err)
	}
	var projects []string
	for rows.Next() {
		var p string
		if err := rows.Scan(&p); err != nil {
			return 0, nil, errors.Join(err, rows.Close())
		}
		projects = append(projects, p)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, nil, fmt.Errorf("read warehouse: %w", err)
	}
	for _, p := range projects {
		f := folder{Checker: k, ctx: ctx, project: p, limit: limit - len(wrong)}
		n, some, err := f.run()
		if err != nil {
			return compared, wrong, fmt.Errorf("fold events of project %q anew: %w", p, err)
		}
		compared += n
		if wrong = append(wrong, some...); len(wrong) >= limit {
			break
		}
	}
	return compared, wrong, nil
}

// folder is Folds for one project.
type folder struct {
	*Checker
	ctx     context.Context
	project string
	limit   int
}

func (f *folder) exec(statement string) error {
	var args []any
	if strings.Contains(statement, "$1") {
		args = append(args, f.project)
	}
	_, err := f.conn.ExecContext(f.ctx, statement, args...)
	return err
}

func (f *folder) ask(query string, each func(a, b int64)) error {
	rows, err := f.conn.QueryContext(f.ctx, query, f.project)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // only read
	for rows.Next() {
		var a, b int64
		if err := rows.Scan(&a, &b); err != nil {
			return err
		}
		each(a, b)
	}
	return rows.Err()
}

// The ids whose settled rows do not count now, by kind; temporary tables.
var staleTables = map[store.Kind]string{
	store.TraceKind: "stale_traces", store.ObservationKind: "stale_observations", store.ScoreKind: "stale_scores",
}

func (f *folder) run() (compared int64, wrong []WrongFold, err error) {
	now := frontier{upto: math.MaxInt64}
	if err := now.find(f.exec, f.ask); err != nil {
		return 0, nil, err
	}
	if err := f.stale(&now); err != nil {
		return 0, nil, err
	}
	all, err := f.everything()
	if err != nil {
		return 0, nil, err
	}
	tied, err := f.tiedKinds()
	if err != nil {
		return 0, nil, err
	}
	q := &query{tied: tied, frontier: all}
	if err := q.foldDirty(f.exec, f.ask); err != nil {
		return 0, nil, err
	}
	if err := f.staleTraces(all); err != nil {
		return 0, nil, err
	}
	folded := map[store.Kind]string{store.TraceKind: newTraces, store.ObservationKind: newObservations, store.ScoreKind: newScores}
	for _, kind := range settledKinds {
		has := all.kinds[kind].any()
		if kind == store.TraceKind {
			has = all.tracesDirty()
		}
		n, some, err := f.compare(kind, folded[kind], has)
		if err != nil {
			return compared, wrong, err
		}
		compared += n
		wrong = append(wrong, some...)
	}
	return compared, wrong, f.drop()
}

func (f *folder) tiedKinds() (set kindSet, err error) {
	err = f.ask("SELECT DISTINCT kind::BIGINT, 0::BIGINT FROM events WHERE project = $1 AND tie", func(kind, _ int64) { set |= 1 << kind })
	return set, err
}

// stale makes the tables of what does not count, but for the traces of observations.
func (f *folder) stale(now *frontier) error {
	for _, kind := range settledKinds {
		ids := "SELECT ''::VARCHAR AS id WHERE false"
		if now.kinds[kind].any() {
			ids = dirtyIDs(kind)
		}
		if err := f.exec(temporary(staleTables[kind], ids)); err != nil {
			return err
		}
	}
	return nil
}

// everything is a frontier as if nothing had settled: every entity is dirty, and is folded.
func (f *folder) everything() (*frontier, error) {
	all := &frontier{settled: 0, upto: math.MaxInt64}
	for _, kind := range settledKinds {
		d := &all.kinds[kind]
		of := fmt.Sprintf("FROM events WHERE project = $1 AND kind = %d", kind)
		if err := f.ask("SELECT min(seq), max(seq) "+of+" HAVING count(*) > 0", func(first, last int64) { d.events = []span{{first, last}} }); err != nil {
			return nil, err
		}
		if !d.any() {
			continue
		}
		d.settled = []span{{0, math.MaxInt64}}
		if err := f.exec(temporary(dirtyTable(kind), "SELECT DISTINCT entity_id AS id "+of)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// staleTraces adds the traces of stale observations. It needs the folds of all.
func (f *folder) staleTraces(all *frontier) error {
	traces := `SELECT trace_id FROM settled_observations WHERE project = $1 AND trace_id <> '' AND id IN (SELECT id FROM stale_observations)`
	if all.kinds[store.ObservationKind].any() {
		traces += " UNION SELECT trace_id FROM " + newObservations + " WHERE trace_id <> '' AND id IN (SELECT id FROM stale_observations)"
	}
	return f.exec("INSERT INTO " + staleTables[store.TraceKind] + " " + traces)
}

// compare finds the settled rows of a kind that differ from folded, are too many, or are missing.
func (f *folder) compare(kind store.Kind, folded string, has bool) (compared int64, wrong []WrongFold, err error) {
	t := settledTables[kind]
	fresh := "SELECT " + t.list() + " FROM " + folded
	if !has {
		fresh = "SELECT " + t.list() + " FROM " + t.name + " WHERE false"
	}
	var differ []string
	for _, c := range t.columns[1:] {
		if c.typ == "DOUBLE" {
			differ = append(differ, fmt.Sprintf("WHEN s.%[1]s IS DISTINCT FROM n.%[1]s AND NOT coalesce(abs(s.%[1]s - n.%[1]s) <= 1e-9 * greatest(1, abs(n.%[1]s)), false) THEN '%[1]s'", c.name))
		} else {
			differ = append(differ, fmt.Sprintf("WHEN s.%[1]s IS DISTINCT FROM n.%[1]s THEN '%[1]s'", c.name))
		}
	}
	joined := fmt.Sprintf(`SELECT coalesce(s.id, n.id) AS id, CASE WHEN n.id IS NULL THEN '-' WHEN s.id IS NULL THEN '+' %s END AS what
		FROM (SELECT * FROM %s WHERE project = $1) AS s FULL JOIN (%s) AS n ON s.id = n.id
		WHERE coalesce(s.id, n.id) NOT IN (SELECT id FROM %s)`, strings.Join(differ, " "), t.name, fresh, staleTables[kind])
	if err := f.exec(temporary("compared", joined)); err != nil {
		return 0, nil, err
	}
	if err := f.ask("SELECT count(*), 0::BIGINT FROM compared WHERE $1 IS NOT NULL", func(n, _ int64) { compared = n }); err != nil {
		return 0, nil, err
	}
	rows, err := f.conn.QueryContext(f.ctx, fmt.Sprintf("SELECT id, what FROM compared WHERE what IS NOT NULL ORDER BY id LIMIT %d", max(f.limit, 0)))
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close() //nolint:errcheck // only read
	for rows.Next() {
		var id, what string
		if err := rows.Scan(&id, &what); err != nil {
			return 0, nil, err
		}
		wrong = append(wrong, WrongFold{f.project, kind, id, saysFold(what)})
	}
	return compared, wrong, rows.Err()
}

func saysFold(what string) string {
	switch what {
	case "-":
		return "has a settled row and no event"
	case "+":
		return "has no settled row"
	}
	return what + " is not the fold of its events"
}

func (f *folder) drop() error {
	tables := []string{"compared", newScores, newObservations, newTraces, dirtyTraces}
	for _, kind := range settledKinds {
		tables = append(tables, dirtyTable(kind), staleTables[kind])
	}
	for _, t := range tables {
		if err := f.exec("DROP TABLE IF EXISTS " + t); err != nil {
			return err
		}
	}
	return nil
}
