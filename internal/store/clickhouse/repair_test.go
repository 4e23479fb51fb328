package clickhouse

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// verifiedWhole compares a node's log with events and rows.
func verifiedWhole(t *testing.T, w *Warehouse, recs []entity.Record) *Verified {
	t.Helper()
	v := verified(t, w, recs, nil)
	if err := w.VerifyRows(t.Context(), 0, recs[len(recs)-1].Seq, v); err != nil {
		t.Fatal(err)
	}
	return v
}

// losses are what servers may lose of a database, and the events that are gone with it, of the first node.
var losses = map[string]func(t *testing.T, all []*clickhousetest.Server, database, suffix string) []entity.Seq{
	"Rows": func(t *testing.T, all []*clickhousetest.Server, database, suffix string) []entity.Seq {
		missing := []entity.Seq{12, 50, 51, 120}
		var seqs []string
		for _, seq := range missing {
			seqs = append(seqs, strconv.FormatUint(uint64(Shared(0, seq)), 10))
		}
		for _, s := range all {
			s.Do(t, "ALTER TABLE "+database+".events"+suffix+" DELETE WHERE seq IN ("+strings.Join(seqs, ",")+") SETTINGS mutations_sync = 2")
			for _, table := range []string{"observations", "traces", "scores"} {
				s.Do(t, "ALTER TABLE "+database+"."+table+suffix+" DELETE WHERE cityHash64(id) % 3 = 0 SETTINGS mutations_sync = 2")
			}
		}
		return missing
	},
	// A merge for which there was no room puts a file without rows in the place of whole ones.
	"Parts": func(t *testing.T, all []*clickhousetest.Server, database, suffix string) (missing []entity.Seq) {
		s := all[len(all)-1]
		for _, table := range []string{"events", "observations", "traces"} {
			part := s.Do(t, "SELECT name FROM system.parts WHERE active AND database = '"+database+"' AND table = '"+table+suffix+"' ORDER BY rows DESC LIMIT 1")
			if table == "events" {
				for seq := range strings.FieldsSeq(s.Do(t, "SELECT seq FROM "+database+".events"+suffix+" WHERE node = 0 AND _part = '"+part+"' ORDER BY seq")) {
					n, err := strconv.ParseUint(seq, 10, 64)
					if err != nil {
						t.Fatal(err)
					}
					missing = append(missing, entity.Seq(n))
				}
			}
			s.Do(t, "ALTER TABLE "+database+"."+table+suffix+" DROP PART '"+part+"'")
		}
		return missing
	},
}

// lost is a database of two nodes' events, the same facts among them, of which servers have lost some, and rows.
func lost(t *testing.T, o Options, all []*clickhousetest.Server, loss string) (w *Warehouse, recs []entity.Record, missing []entity.Seq) {
	t.Helper()
	o.Node = 1
	other := openWith(t, o)
	o.Node = 0
	w = openWith(t, o)
	other.pool.silence, w.pool.silence = 5*time.Minute, 5*time.Minute
	recs = withRows(t, firstOf(storetest.History(31, 160)))[:120]
	for i := range recs {
		recs[i].Seq = entity.Seq(i + 1)
		recs[i].ReceivedAt = recs[i].ReceivedAt.AddDate(0, 0, i/50)
	}
	insert(t, other, recs[:10], 10)
	insert(t, w, recs, recs[len(recs)-1].Seq)
	if v := verifiedWhole(t, other, recs[:10]); !v.Whole() { // of whose events no row is made, because the other node has them, too
		t.Errorf("of the other node: %+v", v)
	}
	closeOf(t, other)
	if v := verifiedWhole(t, w, recs); !v.Whole() || v.Events != int64(len(recs)) {
		t.Fatalf("as it was inserted: %+v", v)
	}
	suffix := ""
	if len(all) > 1 {
		suffix = localSuffix
	}
	return w, recs, losses[loss](t, all, o.Database, suffix)
}

func these(recs []entity.Record, seqs []entity.Seq) (all []entity.Record) {
	for _, r := range recs {
		if slices.Contains(seqs, r.Seq) {
			all = append(all, r)
		}
	}
	return all
}

// What servers have lost of events and of rows, or whole files of both, is found, and is there again once the node has inserted what its log has and folded it: each event once, and every
// answer as it was, in one place and over shards.
func TestRepair(t *testing.T) {
	t.Parallel()
	var shards []*clickhousetest.Server
	if !testing.Short() {
		shards = clickhousetest.StartCluster(t, 2)
	}
	for loss := range losses {
		t.Run(loss, func(t *testing.T) {
			t.Parallel()
			s := server(t)
			repair(t, testOptions(t, s, s.Database(t)), []*clickhousetest.Server{s}, loss)
		})
		t.Run(loss+"OnShards", func(t *testing.T) {
			if testing.Short() {
				t.Skip("the same again, over two servers")
			}
			t.Parallel()
			repair(t, onShards(t, shards, databaseOf(t.TempDir())), shards, loss)
		})
	}
}

func repair(t *testing.T, o Options, all []*clickhousetest.Server, loss string) {
	w, recs, missing := lost(t, o, all, loss)
	defer closeOf(t, w)
	v := verifiedWhole(t, w, recs)
	if len(missing) == 0 || !slices.Equal(v.Missing, missing) || len(v.Unsettled) == 0 || loss == "Rows" && v.Rowless == 0 || v.Whole() {
		t.Errorf("what is lost: %+v, want %v", v, missing)
	}
	if err := w.Restore(t.Context(), these(recs, v.Missing)); err != nil {
		t.Fatal(err)
	}
	if err := w.Refold(t.Context(), 0, recs[len(recs)-1].Seq); err != nil {
		t.Fatal(err)
	}
	if v := verifiedWhole(t, w, recs); !v.Whole() {
		t.Errorf("after it was mended: %+v", v)
	}
	if got := all[0].Do(t, "SELECT count() FROM "+o.Database+".events WHERE node = 0"); got != strconv.Itoa(len(recs)) {
		t.Errorf("%s rows of %d events", got, len(recs))
	}
	same(t, "after it was mended", answers(t, w), answers(t, reference(t, recs)))
}

// A node that dies while it inserts again what was lost leaves nothing that the next start, and who tries again, does not bring to its end.
func TestRepairIsInterrupted(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	w, recs, missing := lost(t, o, []*clickhousetest.Server{s}, "Rows")
	crashed := errors.New("crashed")
	inserts := 0
	w.pool.fault = func(statement string) error {
		if strings.HasPrefix(statement, `INSERT INTO "events"`) {
			inserts++
		} else if inserts == 2 { // of three days
			return crashed
		}
		return nil
	}
	if err := w.Restore(t.Context(), these(recs, missing)); !errors.Is(err, crashed) {
		t.Fatal(err)
	}
	w.pool.close() // and no more is heard of it

	w = openWith(t, o)
	defer closeOf(t, w)
	w.pool.silence = 5 * time.Minute
	v := verifiedWhole(t, w, recs)
	if len(v.Missing) == 0 || len(v.Missing) >= len(missing) {
		t.Errorf("missing after a crash: %v of %v", v.Missing, missing)
	}
	if err := w.Restore(t.Context(), these(recs, v.Missing)); err != nil {
		t.Fatal(err)
	}
	if err := w.Refold(t.Context(), 0, recs[len(recs)-1].Seq); err != nil {
		t.Fatal(err)
	}
	more := withRows(t, firstOf(storetest.History(32, 20)))
	for i := range more {
		more[i].Seq = recs[len(recs)-1].Seq + entity.Seq(i+1)
	}
	insert(t, w, more, more[len(more)-1].Seq)
	all := append(slices.Clone(recs), more...)
	if v := verifiedWhole(t, w, all); !v.Whole() {
		t.Errorf("after it was mended: %+v", v)
	}
	if got := s.Do(t, "SELECT count() FROM "+o.Database+".events WHERE node = 0"); got != strconv.Itoa(len(all)) {
		t.Errorf("%s rows of %d events", got, len(all))
	}
	same(t, "after it was mended", answers(t, w), answers(t, reference(t, all)))
}

// What was begun and has not come to its end is not repaired: the next start does that.
func TestRepairOfABegunBlock(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	w := openWith(t, o)
	recs := withRows(t, firstOf(storetest.History(33, 10)))
	crashed := errors.New("crashed")
	w.pool.fault = func(statement string) error {
		if strings.HasPrefix(statement, `INSERT INTO "events"`) {
			return crashed
		}
		return nil
	}
	if err := w.Insert(t.Context(), recs, recs[len(recs)-1].Seq); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(t.Context()); !errors.Is(err, crashed) {
		t.Fatal(err)
	}
	w.pool.close()
	w = openWith(t, o)
	defer closeOf(t, w)
	if err := w.Restore(t.Context(), recs[:1]); !errors.Is(err, errBegun) {
		t.Error(err)
	}
	if got := s.Do(t, fmt.Sprintf("SELECT count() FROM %s.events", o.Database)); got != "0" {
		t.Errorf("%s events", got)
	}
}
