package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
)

// shared is the server of all tests of the package.
var shared sharedServer

type sharedServer struct {
	once   sync.Once
	server *clickhousetest.Server
	dir    string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.server != nil {
		shared.server.Kill()
		if code != 0 {
			fmt.Fprintln(os.Stderr, shared.server.Output())
		}
	}
	if shared.dir != "" {
		_ = os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

// server starts it when the first test asks.
func server(t testing.TB) *clickhousetest.Server {
	t.Helper()
	shared.once.Do(func() {
		dir, err := os.MkdirTemp("", "brokle-clickhouse-")
		if err != nil {
			t.Fatal(err)
		}
		shared.dir = dir
		shared.server = clickhousetest.StartIn(t, dir)
	})
	if shared.server == nil {
		t.Skip("skipped: there is no ClickHouse, as another test says")
	}
	return shared.server
}

// complaints fails the test for what a warehouse logs.
type complaints struct{ testing.TB }

func (c complaints) Write(line []byte) (int, error) {
	c.Errorf("logged: %s", line)
	return len(line), nil
}

func testOptions(t testing.TB, s *clickhousetest.Server, database string) Options {
	return Options{
		Addresses: []string{s.Addr()}, Database: database, User: clickhousetest.User, Password: clickhousetest.Password,
		Extract: func(r *entity.Record) { r.Fields, _ = extract.Of(r) },
		Logger:  slog.New(slog.NewTextHandler(complaints{t}, nil)), QuestionTime: 10 * time.Minute, // however busy the machine is
	}
}

func openWith(t testing.TB, o Options) *Warehouse {
	t.Helper()
	w, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// databaseOf is the name of the database of what a test keeps in dir.
func databaseOf(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return "d" + hex.EncodeToString(sum[:8])
}
