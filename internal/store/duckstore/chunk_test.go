package duckstore

import (
	"context"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/brokle-ai/brokle-go/internal/chance"
)

// TestTextsUnderCollection writes long texts over older ones, whose memory is
// free by then, while the collector runs without pause. What a text replaces in
// DuckDB's memory must not be told to the collector, which ends the process
// over a pointer to nothing.
func TestTextsUnderCollection(t *testing.T) {
	t.Parallel()
	c := newChunk([]column{{name: "text", typ: "VARCHAR"}})
	defer c.close()
	ctx, stop := context.WithCancel(t.Context())
	var collector sync.WaitGroup
	defer collector.Wait()
	defer stop()
	collector.Go(func() {
		for ctx.Err() == nil {
			runtime.GC()
		}
	})

	long := strings.Repeat("x", 4000)
	for range 30 {
		for range chunkRows {
			c.setText(0, long)
			c.rows++
		}
		// As after a reset, when the collector has taken the slabs; the vector
		// keeps what was written into it.
		c.pins.Unpin()
		c.slabs, c.used, c.rows = nil, 0, 0
		runtime.GC()
		runtime.GC()
	}
}

// Lists of many lengths, more of them than a chunk has rows, come back as they went in, NULLs between them.
func TestListsOfAChunk(t *testing.T) {
	t.Parallel()
	native, err := connect(filepath.Join(t.TempDir(), "w.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer native.close()
	columns := []column{{"texts", "VARCHAR[]"}, {"numbers", "BIGINT[]"}}
	if err := native.exec(createTable("lists", columns)); err != nil {
		t.Fatal(err)
	}
	rng := chance.Of(t)
	var appender mapping.Appender
	if mapping.AppenderCreateExt(native.conn, "", "main", "lists", &appender) == mapping.StateError {
		t.Fatal(appenderError(appender))
	}
	c := newChunk(columns)
	defer c.close()
	var texts [][]string
	sum, numbers := int64(0), int64(0)
	for range 2*chunkRows + 100 {
		var list []string
		if n := rng.IntN(8); n > 0 {
			list = make([]string, n-1)
			for i := range list {
				list[i] = strings.Repeat("x", rng.IntN(30)) + strconv.Itoa(i)
			}
			c.setList(0, list)
			ints := make([]int64, n)
			for i := range ints {
				ints[i] = rng.Int64N(1000)
				sum, numbers = sum+ints[i], numbers+1
			}
			c.setInts(1, ints)
		}
		texts = append(texts, list)
		if c.next() {
			if err := c.appendTo(appender); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := c.appendTo(appender); err != nil {
		t.Fatal(err)
	}
	if mapping.AppenderFlush(appender) == mapping.StateError {
		t.Fatal(appenderError(appender))
	}
	mapping.AppenderDestroy(&appender)
	at := 0
	err = native.scan("SELECT texts FROM lists", nil, func(b block) {
		for i := range b.rows {
			if list := texts[at]; b.valid(0).has(i) != (list != nil) || list != nil && !slices.Equal(b.list(0, i), list) {
				t.Errorf("row %d is not %q", at, list)
			}
			at++
		}
	})
	got, err2 := native.int64s("SELECT sum(list_sum(numbers))::BIGINT, sum(len(numbers))::BIGINT FROM lists")
	if err != nil || err2 != nil || at != len(texts) || got[0] != sum || got[1] != numbers {
		t.Errorf("%d rows of %d, %v of %d and %d: %v, %v", at, len(texts), got, sum, numbers, err, err2)
	}
}
