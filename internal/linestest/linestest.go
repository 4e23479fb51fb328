// Package linestest has, for tests, the place in which nodes share datasets: a ClickHouse that the tests of a package start once, when the first one asks.
package linestest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
	"github.com/brokle-ai/brokle-go/internal/store/clickhouse"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// Engine is the ClickHouse of a package's tests. The zero value is one that nobody has asked for.
type Engine struct {
	once      sync.Once
	server    *clickhousetest.Server
	warehouse *clickhouse.Warehouse
	dir       string
}

// Run runs the tests of a package, ends the engine, and is the status to exit with.
func (e *Engine) Run(m *testing.M) int {
	code := m.Run()
	if e.warehouse != nil {
		_ = e.warehouse.Close()
	}
	if e.server != nil {
		e.server.Kill()
		_ = os.RemoveAll(e.dir)
	}
	return code
}

// Place is the place, of which a test has the projects of its name. Where no ClickHouse can be had the test that asks first says why, and the others are skipped, too.
func (e *Engine) Place(t *testing.T, name string) *storetest.Lines {
	t.Helper()
	e.once.Do(func() {
		var err error
		if e.dir, err = os.MkdirTemp("", "brokle-datasets-"); err != nil {
			t.Fatal(err)
		}
		e.server = clickhousetest.StartIn(t, e.dir)
		e.warehouse, err = clickhouse.Open(context.Background(), clickhouse.Options{
			Addresses: []string{e.server.Addr()}, Database: "d", User: clickhousetest.User, Password: clickhousetest.Password,
			Logger: slog.New(slog.DiscardHandler), QuestionTime: 10 * time.Minute,
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	if e.warehouse == nil {
		t.Skip("skipped: there is no ClickHouse, as another test says")
	}
	sum := sha256.Sum256([]byte(name))
	return &storetest.Lines{DatasetLines: e.warehouse, Prefix: hex.EncodeToString(sum[:8]) + "-"}
}

// Do runs a statement as the server's owner, behind everybody's back. Its tables are in the database d.
func (e *Engine) Do(t *testing.T, statement string) {
	t.Helper()
	e.server.Do(t, statement)
}
