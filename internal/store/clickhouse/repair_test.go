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

// lost is a database of two nodes' events, the same facts among them, of which a server has lost some, and rows.
func lost(t *testing.T, s *clickhousetest.Server) (o Options, w *Warehouse, recs []entity.Record, missing []entity.Seq) {
	t.Helper()
	o = testOptions(t, s, s.Database(t))
	o.Node = 1
	other := openWith(t, o)
	o.Node = 0
	w = openWith(t, o)
	other.pool.silence, w.pool.silence = 5*time.Minute, 5*time.Minute
	recs = withRows(t, firstOf(storetest.History(31, 120)))
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
	missing = []entity.Seq{12, 50, 51, entity.Seq(len(recs))}
	var seqs []string
	for _, seq := range missing {
		seqs = append(seqs, strconv.FormatUint(uint64(Shared(0, seq)), 10))
	}
	s.Do(t, "ALTER TABLE "+o.Database+".events DELETE WHERE seq IN ("+strings.Join(seqs, ",")+") SETTINGS mutations_sync = 2")
	for _, table := range []string{"observations", "traces", "scores"} {
		s.Do(t, "ALTER TABLE "+o.Database+"."+table+" DELETE WHERE cityHash64(id) % 3 = 0 SETTINGS mutations_sync = 2")
	}
	return o, w, recs, missing
}

func these(recs []entity.Record, seqs []entity.Seq) (all []entity.Record) {
	for _, r := range recs {
		if slices.Contains(seqs, r.Seq) {
			all = append(all, r)
		}
	}
	return all
}

// What a server has lost of events and of rows is found, and is there again once the node has inserted what its log has and folded it: each event once, and every answer as it was.
func TestRepair(t *testing.T) {
	t.Parallel()
	s := server(t)
	o, w, recs, missing := lost(t, s)
	defer closeOf(t, w)
	v := verifiedWhole(t, w, recs)
	if !slices.Equal(v.Missing, missing) || len(v.Unsettled) == 0 || v.Rowless == 0 || v.Whole() {
		t.Errorf("what is lost: %+v", v)
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
	if got := s.Do(t, "SELECT count() FROM "+o.Database+".events WHERE node = 0"); got != strconv.Itoa(len(recs)) {
		t.Errorf("%s rows of %d events", got, len(recs))
	}
	same(t, "after it was mended", answers(t, w), answers(t, reference(t, recs)))
}

// A node that dies while it inserts again what was lost leaves nothing that the next start, and who tries again, does not bring to its end.
func TestRepairIsInterrupted(t *testing.T) {
	t.Parallel()
	s := server(t)
	o, w, recs, missing := lost(t, s)
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
