package clickhouse

import (
	"fmt"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// settings are those of every table. They are said in full: a server may have others.
//
// non_replicated_deduplication_window makes the server remember tokens, of which it otherwise takes no notice at all;
// fsync_after_insert and fsync_part_directory make what it has confirmed survive a power loss; old_parts_lifetime is for how many seconds
// the bytes of what was erased stay after they were rewritten.
func settings(granularity int) string {
	return fmt.Sprintf("index_granularity = %d, %s", granularity, needed())
}

// needed are the settings that can be changed later.
func needed() string {
	return fmt.Sprintf("non_replicated_deduplication_window = %d, fsync_after_insert = 1, fsync_part_directory = 1, old_parts_lifetime = 1", tokenWindow)
}

// tokenWindow is how many inserts the server remembers, in each table. A node repeats only its last one.
const tokenWindow = 10_000

// The columns that every event has, before those of the field table.
var eventColumns = []column{
	{"project", "LowCardinality(String)", "ZSTD(1)"},
	{"kind", "UInt8", "ZSTD(1)"},
	{"entity_id", "String", "ZSTD(1)"},
	{"event_id", "String", "ZSTD(1)"},
	{"content", "UInt64", "ZSTD(1)"},
	{"seq", "UInt64", "Delta, ZSTD(1)"},
	{"node", "UInt16", "ZSTD(1)"},
	{"step", "UInt64", "ZSTD(1)"}, // of the node: see clock.go
	{"event_type", "LowCardinality(String)", "ZSTD(1)"},
	{"rank", "UInt8", "ZSTD(1)"},
	{"ts", timeType, "Delta, ZSTD(1)"},
	{"received", timeType, "Delta, ZSTD(1)"},
	{"batch_environment", "LowCardinality(String)", "ZSTD(1)"},
	{"batch_id", "String", "ZSTD(1)"},
	{"notes", "Array(String)", "ZSTD(1)"},
	{"payload", "String", "ZSTD(3)"},
	{"form", "UInt64", "ZSTD(1)"}, // of said: see form.go
	{"said", "String", "ZSTD(1)"}, // the row of what the event says, which is what is folded
}

// saidColumns are those of the field table: what events are counted, filtered and grouped by.
func saidColumns() (columns []column, fields []entity.Field) {
	for _, c := range entity.EventColumns() {
		switch c.Field {
		case entity.Clear, entity.Twin, entity.PromptKey: // only the fold reads them
			continue
		}
		columns, fields = append(columns, fieldColumn(c, true)), append(fields, c.Field)
	}
	return columns, fields
}

func eventsDDL() string {
	said, _ := saidColumns()
	return "CREATE TABLE IF NOT EXISTS events (" + definitions(append(append([]column(nil), eventColumns...), said...), []string{
		// Of two rows of one fact that with the lower seq counts, as in every fold.
		"earliness UInt64 MATERIALIZED 18446744073709551615 - seq",
		"INDEX by_event event_id TYPE bloom_filter(0.01) GRANULARITY 1",
		"INDEX by_seq seq TYPE bloom_filter(0.01) GRANULARITY 1",
		"INDEX by_step step TYPE minmax GRANULARITY 1",
		wordIndex, ownIndex,
	}) + ") ENGINE = ReplacingMergeTree(earliness) PARTITION BY toYYYYMMDD(received)" +
		" PRIMARY KEY (project, kind, entity_id) ORDER BY (project, kind, entity_id, event_id, content) SETTINGS " + settings(1024)
}

// payloadWords are the words of a payload as the server cuts them, in lower case: runs of letters and digits of ASCII, with the letter of an escape before the first. notPlain is
// among them when it has letters beyond ASCII, or such that are written as numbers. Search asks for them by the same expression.
const (
	payloadWords = `arrayPushBack(splitByNonAlpha(lower(payload)), if(match(payload, '[^\\x00-\\x7f]|\\\\u'), '` + notPlain + `', ''))`
	notPlain     = "beyond ASCII"
	wordIndex    = "INDEX by_word " + payloadWords + " TYPE bloom_filter(0.001) GRANULARITY 1"
)

// ownSeq is the number that an event has in the Log of its node. Of nodes that take about as many events a piece of the table has numbers that are alike.
const (
	ownSeq   = "bitAnd(seq, 281474976710655)"
	ownIndex = "INDEX by_own " + ownSeq + " TYPE minmax GRANULARITY 1"
)

// nodesDDL is the table of what each node has done: see clock.go.
func nodesDDL() string {
	return "CREATE TABLE IF NOT EXISTS nodes (node UInt16, steps UInt64, generation UInt64, cursor UInt64, upto UInt64, inserting UInt64, inserted UInt64, settled UInt64, head UInt64, process String, lag UInt64, at " +
		timeType + " DEFAULT now64(6)) ENGINE = ReplacingMergeTree(steps) ORDER BY node SETTINGS " + settings(8192)
}
