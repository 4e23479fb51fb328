package clickhouse

import (
	"testing"

	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

func TestConformance(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes of questions to one server; the tests of several nodes and of crashes are in the short run, too")
	}
	t.Parallel()
	s := server(t)
	storetest.Warehouse(t, func(t testing.TB, dir string, log *storetest.Ledger) store.Warehouse {
		database := databaseOf(dir)
		s.Do(t, "CREATE DATABASE IF NOT EXISTS "+database)
		o := testOptions(t, s, database)
		o.Prices = log.Prices()
		return openWith(t, o)
	})
}
