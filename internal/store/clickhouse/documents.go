package clickhouse

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
)

// The table documents has small texts that all nodes share, in versions. The first who inserts a version has it, as with marks: the token of an insert is made of
// name and version, and of two rows of one version, should the server have forgotten the token, that which came first counts.

func documentsDDL() string {
	return "CREATE TABLE IF NOT EXISTS documents (name String, version UInt64, writer String, text String CODEC(ZSTD(3)), at " + timeType +
		" DEFAULT now64(6)) ENGINE = MergeTree ORDER BY (name, version) SETTINGS " + settings(256)
}

// versionsKept is how long a version stays that another one has replaced. Nobody takes so long between reading and writing one.
const versionsKept = "toIntervalHour(1)"

// pruneEach is after how many versions of a document older ones are removed.
const pruneEach = 16

// DocumentVersions are the newest versions of all documents.
func (w *Warehouse) DocumentVersions(ctx context.Context) (map[string]uint64, error) {
	if err := w.unready(); err != nil {
		return nil, err
	}
	var name proto.ColStr
	var version proto.ColUInt64
	versions := map[string]uint64{}
	result := proto.Results{{Name: "name", Data: &name}, {Name: "newest", Data: &version}}
	err := w.askFirst(ctx, &builder{}, "SELECT name, max(version) AS newest FROM documents GROUP BY name", result, func(i int) { versions[name.Row(i)] = version.Row(i) })
	if err != nil {
		return nil, fmt.Errorf("read which documents there are: %w", err)
	}
	return versions, nil
}

// Document is the newest version of a document, 0 when there is none, and its text unless it is the one that is known.
func (w *Warehouse) Document(ctx context.Context, name string, known uint64) (text []byte, version uint64, err error) {
	if err := w.unready(); err != nil {
		return nil, 0, err
	}
	var versions proto.ColUInt64
	var texts proto.ColStr
	q := &builder{}
	statement := "SELECT version, if(version = " + q.arg(known) + ", '', text) AS said FROM documents WHERE name = " + q.arg(name) + " ORDER BY version DESC, at LIMIT 1"
	err = w.askFirst(ctx, q, statement, proto.Results{{Name: "version", Data: &versions}, {Name: "said", Data: &texts}}, func(i int) {
		version, text = versions.Row(i), []byte(texts.Row(i))
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read the document %s: %w", name, err)
	}
	return text, version, nil
}

// PutDocument makes text a version of a document; false: another one was first.
func (w *Warehouse) PutDocument(ctx context.Context, name string, version uint64, text []byte) (won bool, err error) {
	if err := w.unready(); err != nil {
		return false, err
	}
	random := make([]byte, 16)
	rand.Read(random) //nolint:errcheck // never fails (crypto/rand)
	writer := hex.EncodeToString(random)
	names, writers, texts := new(proto.ColStr), new(proto.ColStr), new(proto.ColStr)
	names.Append(name)
	writers.Append(writer)
	texts.AppendBytes(text)
	in := proto.Input{{Name: "name", Data: names}, {Name: "version", Data: &proto.ColUInt64{version}}, {Name: "writer", Data: writers}, {Name: "text", Data: texts}}
	insert := func(settings []ch.Setting) error { return w.insertBlock(ctx, "documents", in, settings) }
	there := func() (some bool, err error) {
		var first proto.ColStr
		q := &builder{}
		statement := "SELECT writer FROM documents WHERE name = " + q.arg(name) + " AND version = " + q.arg(version) + " ORDER BY at LIMIT 1"
		err = w.askFirst(ctx, q, statement, proto.Results{{Name: "writer", Data: &first}}, func(i int) { some, won = true, first.Row(i) == writer })
		return some, err
	}
	if err := w.keep(ctx, w.pool, fmt.Sprintf("document %s %d", name, version), insert, there); err != nil {
		return false, fmt.Errorf("write the document %s: %w", name, err)
	}
	if won && version%pruneEach == 0 {
		q := &builder{}
		statement := "ALTER TABLE documents DELETE WHERE name = " + q.arg(name) + " AND version < " + q.arg(version) + " AND at < now() - " + versionsKept
		if err := w.pool.do(ctx, ch.Query{Body: statement, Parameters: q.params}); err != nil {
			w.options.Logger.Warn("older versions of a document stay", "document", name, "error", err)
		}
	}
	return won, nil
}
