package clickhouse

import (
	"fmt"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// The engine's own BACKUP holds everything, also while nodes insert, and an incremental one what came since. After RESTORE a node goes on from where the backup is, as long as its
// log has what is missing there.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	s := server(t)
	database := s.Database(t)
	o := testOptions(t, s, database)
	recs := withRows(t, storetest.History(21, 600))
	half, most := recs[299].Seq, recs[499].Seq
	w := openWith(t, o)
	insert(t, w, recs[:300], half)
	atHalf := answers(t, w)
	s.Do(t, fmt.Sprintf("BACKUP DATABASE %s TO File('%[1]s-base')", database))
	insert(t, w, recs[300:500], most)
	atMost := answers(t, w)
	s.Do(t, fmt.Sprintf("BACKUP DATABASE %s TO File('%[1]s-more') SETTINGS base_backup = File('%[1]s-base')", database))
	insert(t, w, recs[500:], recs[599].Seq)
	all := answers(t, w)
	closeOf(t, w)

	restore := func(name string) {
		s.Do(t, "DROP DATABASE "+database+" SYNC")
		s.Do(t, fmt.Sprintf("RESTORE DATABASE %s FROM File('%[1]s-%s')", database, name))
	}
	restore("base")
	w = openWith(t, o)
	if at, err := w.Cursor(t.Context()); err != nil || at != half {
		t.Fatalf("the tables are at %d, %v; want %d", at, err, half)
	}
	same(t, "of the first backup", answers(t, w), atHalf)
	closeOf(t, w)
	restore("more")
	w = openWith(t, o)
	same(t, "of the incremental one", answers(t, w), atMost)
	insert(t, w, recs[500:], recs[599].Seq)
	same(t, "when the node went on", answers(t, w), all)
	if v := verified(t, w, firstOf(recs), nil); len(v.Missing)+len(v.Differing)+len(v.Doubled) > 0 {
		t.Errorf("%+v", v)
	}
	closeOf(t, w)
	if state, err := Inspect(t.Context(), o); err != nil || !state.Whole() {
		t.Errorf("the tables of a restored database: %+v, %v", state, err)
	}
}
