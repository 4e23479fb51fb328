package daemon

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/harm"
	"github.com/brokle-ai/brokle-go/internal/store/duckstore"
	"github.com/brokle-ai/brokle-go/internal/store/idindex"
	"github.com/brokle-ai/brokle-go/internal/store/segmentlog"
	"github.com/brokle-ai/brokle-go/internal/verify"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// victim is a data directory of a stopped node for tests to damage: three segments, of which one was
// erased from and has a filter, and what is derived.
type victim struct {
	dir, backup, oldIndex string
	segments              []string // names, by Seq
	endOfLast             int64    // bytes of the last one before its last block
}

// victimEvents posts a trace with an observation and a score.
func (n *testNode) victimEvents(t *testing.T, id string) {
	t.Helper()
	body := fmt.Sprintf(`{"events":[
		{"event_id":"%[1]s-t","event_type":"trace_create","payload":{"id":%[1]q,"name":"trace","user_id":"u"},"timestamp":1770000000},
		{"event_id":"%[1]s-o","event_type":"observation_create","payload":{"id":"%[1]s-o","trace_id":%[1]q,"type":"llm","name":"o","total_cost":0.25},"timestamp":1770000001},
		{"event_id":"%[1]s-s","event_type":"quality_score_create","payload":{"id":"%[1]s-s","trace_id":%[1]q,"name":"q","score_value":0.5,"data_type":"NUMERIC"},"timestamp":1770000002},
		{"event_id":"%[1]s-bad","event_type":"trace_create","payload":{}},
		{"event_id":"%[1]s-t","event_type":"trace_create","payload":{"id":%[1]q,"name":"again"}}]}`, id)
	if status, raw, err := n.request(t.Context(), http.MethodPost, "/v1/telemetry/batch", body); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s %v", status, raw, err)
	}
}

func newVictim(t *testing.T) *victim {
	t.Helper()
	top := t.TempDir()
	v := &victim{dir: filepath.Join(top, "data"), backup: filepath.Join(top, "backup"), oldIndex: filepath.Join(top, "index")}
	cfg := Config{DataDir: v.dir, BootstrapAPIKey: testKey}
	n := start(t, cfg)
	for i := range 3 { // an erasure ends a segment
		for k := range 4 {
			n.victimEvents(t, fmt.Sprintf("t%d%d", i, k))
		}
		caughtUp(t, n)
		if i < 2 {
			if status, raw, err := n.request(t.Context(), http.MethodDelete, fmt.Sprintf("/v1/traces/t%d3", i), ""); err != nil || status != 200 {
				t.Fatalf("%d %s %v", status, raw, err)
			}
		}
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	copyDir(t, filepath.Join(v.dir, datadir.LogDir, "index"), v.oldIndex)
	n = start(t, cfg)
	watch.Until(t, "the segments are packed", func() bool { return packedSegments(t, v.dir) == 3 })
	n.victimEvents(t, "late")
	info, err := os.Stat(lastSegment(t, v.dir))
	if err != nil {
		t.Fatal(err)
	}
	v.endOfLast = info.Size()
	n.victimEvents(t, "last")
	caughtUp(t, n)
	if _, err := n.takeBackup(t, v.backup, nil); err != nil {
		t.Fatal(err)
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	wh, err := duckstore.Open(filepath.Join(v.dir, datadir.WarehouseFile), duckstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(wh.Checkpoint(t.Context()), wh.Close()); err != nil { // as an idle node does
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(v.dir, datadir.LogDir, "*.seg"))
	if err != nil || len(names) < 3 {
		t.Fatalf("segments %v %v", names, err)
	}
	for _, name := range names {
		v.segments = append(v.segments, filepath.Base(name))
	}
	slices.Sort(v.segments)
	return v
}

// packedSegments counts the segments whose header says that they are packed.
func packedSegments(t *testing.T, dir string) (n int) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, datadir.LogDir, "*.seg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if raw, err := os.ReadFile(name); err == nil && len(raw) > 10 && raw[10]&1 != 0 {
			n++
		}
	}
	return n
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path ...string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(path...)); err != nil {
		t.Fatal(err)
	}
}

// exec runs a statement on the warehouse of a stopped node.
func exec(t *testing.T, dir, statement string) {
	t.Helper()
	db, err := sql.Open("duckdb", filepath.Join(dir, datadir.WarehouseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // the checkpoint was asked for
	for _, s := range []string{statement, "CHECKPOINT"} {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// upAndDown starts a node on dir, lets it catch up, and stops it.
func upAndDown(t *testing.T, dir string) {
	t.Helper()
	n := start(t, Config{DataDir: dir, BootstrapAPIKey: testKey})
	caughtUp(t, n)
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
}

// Each damage is named, with its remedy; who follows the remedy has a whole directory again.
func TestVerifyNamesDamageAndRemedy(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	if got := whole(t, v.dir); slices.ContainsFunc(got.Parts, func(p verify.Part) bool { return len(p.Notes) > 0 }) {
		t.Fatalf("notes of a directory that is as it should be: %+v", got.Parts)
	}
	whole(t, v.backup)
	middle := v.segments[1]
	fromBackup := func(file string) func(dir string) {
		return func(dir string) {
			raw, err := os.ReadFile(filepath.Join(v.backup, file))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, file), raw, 0o600); err != nil {
				t.Fatal(err)
			}
			remove(t, dir, datadir.LogDir, "index")
			remove(t, dir, datadir.WarehouseFile)
		}
	}
	again := func(files ...string) func(dir string) {
		return func(dir string) {
			for _, f := range files {
				remove(t, dir, f)
			}
			upAndDown(t, dir)
		}
	}
	newIndex := func(t *testing.T, dir string, extra bool) {
		t.Helper()
		path := filepath.Join(dir, datadir.LogDir, "index")
		has, err := idindex.OpenReadOnly(path, idindex.Options{})
		if err != nil {
			t.Fatal(err)
		}
		cursor := has.Cursor()
		if err := has.Close(); err != nil {
			t.Fatal(err)
		}
		if !extra {
			remove(t, path)
		}
		x, err := idindex.Open(path, idindex.Options{})
		if err != nil {
			t.Fatal(err)
		}
		c := idindex.Change{Project: "default", Block: cursor, At: time.Now(), TTL: time.Hour, IDs: []string{"stranger"}, Seqs: []entity.Seq{cursor}}
		if extra { // the index is moved back, as it cannot be by itself, and taught an id
			c.Block = cursor + 1
			cursor++
		}
		if err := x.Apply([]idindex.Change{c}, cursor); err != nil {
			t.Fatal(err)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, part, file, says string
		damage                 func(dir string)
		remedy                 string
		mend                   func(dir string)
	}{
		{"a bit of an event", datadir.PartSegments, "log/" + middle, "not whole blocks", // it is packed, and has one
			func(dir string) { harm.File(t, filepath.Join(dir, datadir.LogDir, middle), harm.Flip(300)) }, "put this file back from a backup", fromBackup("log/" + middle)},
		{"a bit of a segment's header", datadir.PartSegments, "log/" + middle, "checksum of segment header",
			func(dir string) { harm.File(t, filepath.Join(dir, datadir.LogDir, middle), harm.Flip(18)) }, "put this file back from a backup", fromBackup("log/" + middle)},
		{"a segment cut short", datadir.PartSegments, "log/" + middle, "not whole blocks",
			func(dir string) {
				harm.File(t, filepath.Join(dir, datadir.LogDir, middle), harm.Cut(-30))
			}, "put this file back from a backup", fromBackup("log/" + middle)},
		{"a segment deleted", datadir.PartSegments, "log", "is missing before log/" + v.segments[2],
			func(dir string) { remove(t, dir, datadir.LogDir, middle) }, "put this file back from a backup", fromBackup("log/" + middle)},
		{"the first segment deleted", datadir.PartSegments, "log", "files before it are missing",
			func(dir string) { remove(t, dir, datadir.LogDir, v.segments[0]) }, "put this file back from a backup", fromBackup("log/" + v.segments[0])},
		{"the end of the log lost, index and warehouse ahead", datadir.PartSegments, "log", "the end of the log is lost",
			func(dir string) {
				harm.File(t, filepath.Join(dir, datadir.LogDir, v.segments[len(v.segments)-1]), harm.Cut(int(v.endOfLast)))
			}, "put this file back from a backup", fromBackup("log/" + v.segments[len(v.segments)-1])},
		{"only the warehouse ahead", datadir.PartSegments, "log", "events behind it: the end of the log is lost",
			func(dir string) {
				harm.File(t, filepath.Join(dir, datadir.LogDir, v.segments[len(v.segments)-1]), harm.Cut(int(v.endOfLast)))
				remove(t, dir, datadir.LogDir, "index")
			}, "put this file back from a backup", fromBackup("log/" + v.segments[len(v.segments)-1])},
		{"an index without ids", datadir.PartIndex, "log/index", "the mark of Seq 1 is missing",
			func(dir string) { newIndex(t, dir, false) }, "delete the directory log/index", again("log/index")},
		{"an index with an id too many", datadir.PartIndex, "log/index", "is not in the log",
			func(dir string) { newIndex(t, dir, false) }, "delete the directory log/index", again("log/index")},
		{"an index ahead", datadir.PartSegments, "log", "the id index has seen Seq",
			func(dir string) { newIndex(t, dir, true) }, "", again()},
		{"an index that cannot be opened", datadir.PartIndex, "log/index", "cannot be opened",
			func(dir string) {
				harm.File(t, filepath.Join(dir, datadir.LogDir, "index", "manifest"), harm.Flip(30))
			}, "delete the directory log/index", again("log/index")},
		{"a wrong fold", datadir.PartWarehouse, datadir.WarehouseFile, `trace "t01" of project "default": name is not the fold of its events`,
			func(dir string) { exec(t, dir, "UPDATE traces SET name = 'wrong' WHERE id = 't01'") }, "delete warehouse.duckdb", again(datadir.WarehouseFile)},
		{"a fold too many", datadir.PartWarehouse, datadir.WarehouseFile, `"ghost" of project "default": has a row and no event`,
			func(dir string) {
				exec(t, dir, "INSERT INTO scores SELECT * REPLACE ('ghost' AS id) FROM scores LIMIT 1")
			}, "delete warehouse.duckdb", again(datadir.WarehouseFile)},
		{"a fold missing", datadir.PartWarehouse, datadir.WarehouseFile, `observation "t02-o" of project "default": has no row`,
			func(dir string) { exec(t, dir, "DELETE FROM observations WHERE id = 't02-o'") }, "delete warehouse.duckdb", again(datadir.WarehouseFile)},
		{"a fold of other events", datadir.PartWarehouse, datadir.WarehouseFile, `score "t02-s" of project "default": was folded from Seq 1, which is no event of it in the log`,
			func(dir string) { exec(t, dir, "UPDATE scores SET first_seq = 1 WHERE id = 't02-s'") }, "delete warehouse.duckdb", again(datadir.WarehouseFile)},
		{"a fold that does not name its events", datadir.PartWarehouse, datadir.WarehouseFile, `trace "t02" of project "default": seqs are not those of its events`,
			func(dir string) { exec(t, dir, "UPDATE traces SET seqs = NULL WHERE id = 't02'") }, "delete warehouse.duckdb", again(datadir.WarehouseFile)},
		{"a fold that its trace does not find", datadir.PartWarehouse, datadir.WarehouseFile, `score "t02-s" of project "default": trace_hash is not that of its trace`,
			func(dir string) { exec(t, dir, "UPDATE scores SET trace_hash = 1 WHERE id = 't02-s'") }, "delete warehouse.duckdb", again(datadir.WarehouseFile)},
		{"an event missing", datadir.PartWarehouse, datadir.WarehouseFile, `the event "t11-s" of project "default"`,
			func(dir string) {
				exec(t, dir, "DELETE FROM events WHERE seq = (SELECT first_seq FROM scores WHERE id = 't11-s')")
			}, "delete warehouse.duckdb", again(datadir.WarehouseFile)},
		{"another event in its place", datadir.PartWarehouse, datadir.WarehouseFile, `the event "t11-s" of project "default"`,
			func(dir string) {
				exec(t, dir, "UPDATE events SET fact = fact + 1 WHERE seq = (SELECT first_seq FROM scores WHERE id = 't11-s')")
			}, "delete warehouse.duckdb", again(datadir.WarehouseFile)},
		{"an event too many", datadir.PartWarehouse, datadir.WarehouseFile, `an event of project "default", Seq 5, is here and not in the log`,
			func(dir string) {
				exec(t, dir, "INSERT INTO events SELECT * REPLACE (7::UBIGINT AS fact, 5 AS seq) FROM events LIMIT 1")
			}, "delete warehouse.duckdb", again(datadir.WarehouseFile)},
		{"an event twice", datadir.PartWarehouse, datadir.WarehouseFile, "have more than one row",
			func(dir string) {
				exec(t, dir, "INSERT INTO events SELECT * FROM events WHERE seq = (SELECT min(seq) FROM events)")
			}, "delete warehouse.duckdb", again(datadir.WarehouseFile)},
		{"a warehouse cut short", datadir.PartWarehouse, datadir.WarehouseFile, "cannot be",
			func(dir string) {
				harm.File(t, filepath.Join(dir, datadir.WarehouseFile), func(b []byte) []byte { return b[:len(b)/3] })
			}, "delete warehouse.duckdb", again(datadir.WarehouseFile)},
		{"a bit of keys.json", datadir.PartKeys, datadir.KeysFile, "keys file",
			func(dir string) { harm.File(t, filepath.Join(dir, datadir.KeysFile), harm.Flip(3)) }, "put keys.json back from a backup", fromBackup(datadir.KeysFile)},
		{"keys.json deleted", datadir.PartKeys, datadir.KeysFile, "is missing",
			func(dir string) { remove(t, dir, datadir.KeysFile) }, "put keys.json back from a backup", fromBackup(datadir.KeysFile)},
		{"quarantine that is no JSON", datadir.PartQuarantine, "quarantine/quarantine.jsonl", "read quarantine",
			func(dir string) {
				harm.File(t, filepath.Join(dir, datadir.QuarantineDir, "quarantine.jsonl"), func([]byte) []byte { return []byte("nonsense\n") })
			}, "delete this file", again("quarantine/quarantine.jsonl", datadir.WarehouseFile)},
		{"quarantine of an event that is none", datadir.PartQuarantine, "quarantine/quarantine.jsonl", "which the log does not have",
			func(dir string) {
				harm.File(t, filepath.Join(dir, datadir.QuarantineDir, "quarantine.jsonl"), func([]byte) []byte { return []byte(`{"seq":5000,"event_id":"x"}` + "\n") })
			}, "brokle quarantine replay", func(dir string) {
				if _, _, err := ReplayQuarantine(t.Context(), Config{DataDir: dir, WarehouseMemory: 96 << 20}, slog.New(slog.DiscardHandler)); err != nil {
					t.Fatal(err)
				}
			}},
		{"a journal of erasures that is no JSON", datadir.PartErasing, datadir.JournalFile, "journal of erasures",
			func(dir string) {
				if err := os.WriteFile(filepath.Join(dir, datadir.JournalFile), []byte("{"), 0o600); err != nil {
					t.Fatal(err)
				}
			}, "delete it", func(dir string) { remove(t, dir, datadir.JournalFile) }},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		copyDir(t, v.dir, dir)
		c.damage(dir)
		before := content(t, dir)
		got, err := Verify(t.Context(), Config{DataDir: dir, WarehouseMemory: 96 << 20}, nil)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if after := content(t, dir); after != before {
			t.Errorf("%s: verify changed the directory:\n%s\n%s", c.name, before, after)
		}
		named := false
		for _, p := range got.Parts {
			for _, pr := range p.Problems {
				named = named || p.Name == c.part && p.State == verify.Damaged && pr.File == c.file &&
					strings.Contains(pr.What, c.says) && strings.Contains(pr.Remedy, c.remedy)
			}
		}
		if !named || got.State != verify.Damaged {
			raw, _ := json.MarshalIndent(got, "", " ")
			t.Errorf("%s: not named: %s", c.name, raw)
			continue
		}
		c.mend(dir)
		t.Run(c.name, func(t *testing.T) { whole(t, dir) })
	}
}

// content is the names, sizes and checksums of all files in dir.
func content(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(p)
		fmt.Fprintf(&b, "%s %d %08x\n", strings.TrimPrefix(p, dir), len(raw), crc32.ChecksumIEEE(raw))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What a crash leaves is no damage: verify says what the next start will do, and it does.
func TestVerifyAfterACrash(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	for _, c := range []struct {
		name, part, note string
		change           func(dir string)
	}{
		{"an index behind", datadir.PartIndex, "Seqs behind the log; the next start applies them", func(dir string) {
			remove(t, dir, datadir.LogDir, "index")
			copyDir(t, v.oldIndex, filepath.Join(dir, datadir.LogDir, "index"))
		}},
		{"no index", datadir.PartIndex, "the next start makes it", func(dir string) { remove(t, dir, datadir.LogDir, "index") }},
		{"no warehouse", datadir.PartWarehouse, "the next start builds it", func(dir string) { remove(t, dir, datadir.WarehouseFile) }},
		{"an older warehouse", datadir.PartWarehouse, "the next start builds it anew", func(dir string) {
			exec(t, dir, "UPDATE meta SET schema_version = 1")
		}},
		{"a torn tail", datadir.PartSegments, "as a crash leaves them", func(dir string) {
			harm.File(t, filepath.Join(dir, datadir.LogDir, v.segments[len(v.segments)-1]), func(b []byte) []byte { return append(b, make([]byte, 40)...) })
		}},
		{"a cursor behind the log", datadir.PartWarehouse, "the next start sets it back", func(dir string) {
			exec(t, dir, "UPDATE meta SET cursor = cursor + 40")
		}},
		{"a rewrite that did not end", datadir.PartSegments, "the next start removes it", func(dir string) {
			if err := os.WriteFile(filepath.Join(dir, datadir.LogDir, "00000000000000000001.tmp"), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		copyDir(t, v.dir, dir)
		c.change(dir)
		got := whole(t, dir)
		if !slices.ContainsFunc(got.Parts, func(p verify.Part) bool {
			return p.Name == c.part && slices.ContainsFunc(p.Notes, func(n string) bool { return strings.Contains(n, c.note) })
		}) {
			t.Errorf("%s: no note: %+v", c.name, got.Parts)
		}
		upAndDown(t, dir)
		upAndDown(t, dir) // the cursor passed over torn Seqs, and is set back
		for _, p := range whole(t, dir).Parts {
			if len(p.Notes) > 0 {
				t.Errorf("%s: after a start %s has the notes %v", c.name, p.Name, p.Notes)
			}
		}
	}
}

// Jobs, events without deduplication, erasures of one of two events of an id, and recompression leave a
// directory in which everything agrees.
func TestVerifyAfterOddTraffic(t *testing.T) {
	t.Parallel()
	cfg := Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey}
	n := start(t, cfg)
	send := func(body string, want int) {
		t.Helper()
		if status, raw, err := n.request(t.Context(), http.MethodPost, "/v1/telemetry/batch", body); err != nil || status != want {
			t.Fatalf("%d %s %v", status, raw, err)
		}
	}
	const trace = `{"event_id":"twice","event_type":"trace_create","payload":{"id":%q,"name":"n"}}`
	send(`{"deduplication":{"enabled":false},"events":[`+fmt.Sprintf(trace, "one")+`]}`, 200)
	send(`{"deduplication":{"enabled":false},"events":[`+fmt.Sprintf(trace, "two")+`]}`, 200)
	for i := range 6 { // every other job fails: it has nothing but duplicates and says that it must not
		for k := range 2 {
			send(fmt.Sprintf(`{"async_mode":true,"deduplication":{"enabled":true,"ttl":600,"fail_on_duplicate":%t},"events":[
				{"event_id":"job%d","event_type":"trace_create","payload":{"id":"j%d","name":"n"}},{"event_id":"no%d","event_type":"trace_create","payload":{}}]}`, k == 1, i, i, i), 202)
		}
	}
	watch.Until(t, "the jobs have ended", func() bool {
		_, body := n.get(t, testKey, "/v1/telemetry/audit")
		return strings.Contains(body, `"pending_jobs":0`)
	})
	caughtUp(t, n)
	if status, raw, err := n.request(t.Context(), http.MethodDelete, "/v1/traces/one", ""); err != nil || status != 200 {
		t.Fatalf("%d %s %v", status, raw, err)
	}
	watch.Until(t, "the segment is recompressed", func() bool {
		_, body := n.get(t, testKey, "/metrics")
		packed := metric(body, "brokle_log_recompressed_segments_total")
		return packed != "" && packed != "0"
	})
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	v := whole(t, cfg.DataDir)
	if p := v.Parts[len(v.Parts)-1]; p.Name != datadir.PartWarehouse || len(p.Notes) != 0 || !strings.Contains(p.Detail, "7 events") {
		t.Errorf("%+v", p)
	}
	if p := v.Parts[len(v.Parts)-2]; p.Name != datadir.PartIndex || !strings.Contains(p.Detail, "6 ids") {
		t.Errorf("%+v", p)
	}
}

// A later format, wherever it is, is refused by serve and by verify in one sentence that names it.
func TestLaterFormats(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	later := func(file string, from, to string) func(string) {
		return func(dir string) {
			harm.File(t, filepath.Join(dir, file), harm.Edit(t, from, to))
		}
	}
	for _, c := range []struct {
		name, says string
		change     func(dir string)
	}{
		{"format.json", `the part "warehouse" of`, later(datadir.FormatFile, fmt.Sprintf(`"warehouse": %d`, duckstore.SchemaVersion), fmt.Sprintf(`"warehouse": %d`, duckstore.SchemaVersion+1))},
		{"an unknown part", `the part "ledger" of`, later(datadir.FormatFile, `{`, `{"ledger": 1,`)},
		{"segment", v.segments[1], func(dir string) {
			harm.File(t, filepath.Join(dir, datadir.LogDir, v.segments[1]), func(b []byte) []byte {
				b[8] = segmentlog.FormatVersion + 1
				binary.LittleEndian.PutUint32(b[60:], crc32.Checksum(b[:60], crc32.MakeTable(crc32.Castagnoli)))
				return b
			})
		}},
		{"keys", "the keys file has format version 2", later(datadir.KeysFile, `"version": 1`, `"version": 2`)},
		{"index", "a later release wrote it", func(dir string) {
			remove(t, dir, datadir.LogDir, "index")
			head := fmt.Sprintf("brokle id index %d 00000000\n", idindex.FormatVersion+1)
			if err := errors.Join(os.Mkdir(filepath.Join(dir, datadir.LogDir, "index"), 0o700),
				os.WriteFile(filepath.Join(dir, datadir.LogDir, "index", "manifest"), []byte(head), 0o600)); err != nil {
				t.Fatal(err)
			}
		}},
		{"warehouse", "a newer release", func(dir string) { exec(t, dir, "UPDATE meta SET schema_version = 99") }},
		{"journal", "erasing.json) has format version 2", func(dir string) {
			if err := os.WriteFile(filepath.Join(dir, datadir.JournalFile), []byte(`{"version":2}`), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		copyDir(t, v.dir, dir)
		c.change(dir)
		got, err := Verify(t.Context(), Config{DataDir: dir, WarehouseMemory: 96 << 20}, nil)
		if err != nil || got.State != verify.Unchecked {
			t.Errorf("%s: verify says %+v %v", c.name, got, err)
		} else if !slices.ContainsFunc(got.Parts, func(p verify.Part) bool {
			return p.State == verify.Unchecked && strings.Contains(p.Detail, c.says) && strings.Contains(p.Detail, "release")
		}) {
			t.Errorf("%s: verify says %+v", c.name, got.Parts)
		}
		err = Run(context.Background(), Config{DataDir: dir, Listen: "127.0.0.1:0", WarehouseMemory: 96 << 20}, slog.New(slog.DiscardHandler), io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "release") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: serve says %v", c.name, err)
		}
	}
}

// A running server is not verified.
func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	if _, err := Verify(t.Context(), Config{DataDir: t.TempDir()}, nil); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("an empty directory: %v", err)
	}
	if _, err := Verify(t.Context(), Config{DataDir: "/nonexistent"}, nil); err == nil {
		t.Error("no directory: no error")
	}
	v := newVictim(t)
	if err := Run(t.Context(), Config{DataDir: v.backup, Listen: "127.0.0.1:0"}, slog.New(slog.DiscardHandler), io.Discard); err == nil ||
		!strings.Contains(err.Error(), "brokle restore") {
		t.Errorf("serve on a backup: %v", err)
	}
	if err := os.Mkdir(filepath.Join(v.dir, "restoring"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), Config{DataDir: v.dir, Listen: "127.0.0.1:0"}, slog.New(slog.DiscardHandler), io.Discard); err == nil ||
		!strings.Contains(err.Error(), "did not end") {
		t.Errorf("serve on half a restore: %v", err)
	}
}
