package clickhousetest_test

import (
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
)

// What was inserted is there after SIGKILL and a restart.
func TestServer(t *testing.T) {
	t.Parallel()
	s := clickhousetest.Start(t)
	one, other := s.Database(t), s.Database(t)
	if one == other {
		t.Fatalf("two databases are %s", one)
	}
	s.Do(t, "CREATE TABLE "+one+".kept (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS fsync_after_insert = 1, fsync_part_directory = 1")
	s.Do(t, "INSERT INTO "+one+".kept SELECT number FROM numbers(1000)")
	s.Kill()
	if _, err := s.Query("SELECT 1"); err == nil {
		t.Error("it answers after it was killed")
	}
	s.Restart()
	if got := s.Do(t, "SELECT count(), sum(n) FROM "+one+".kept"); got != "1000\t499500" {
		t.Errorf("after a restart it has %s", got)
	}
	if _, err := s.Query("SELECT nothing"); err == nil || !strings.Contains(err.Error(), "UNKNOWN_IDENTIFIER") {
		t.Errorf("the error of a wrong statement is %v", err)
	}
}
