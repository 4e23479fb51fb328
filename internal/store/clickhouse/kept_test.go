package clickhouse

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

// remember has the server know a token of a table and have nothing that came under it, as one that was killed between the two. Of text columns one is named first.
func remember(t *testing.T, s *clickhousetest.Server, table, token, columns, values string) {
	t.Helper()
	s.Do(t, fmt.Sprintf("INSERT INTO %s (%s) SETTINGS insert_deduplicate = 1, insert_deduplication_token = '%s' VALUES ('remembered'%s)", table, columns, token, values))
	column, _, _ := strings.Cut(columns, ",")
	s.Do(t, "ALTER TABLE "+table+" DELETE WHERE "+column+" = 'remembered' SETTINGS mutations_sync = 2")
}

// What a server confirms because it knows the token, and does not have, is inserted all the same: once.
func TestATokenThatIsKnownAndNothingElse(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	o.Logger = nil // it warns
	w := openWith(t, o)
	defer closeOf(t, w)
	recs := firstOf(withRows(t, storetest.History(9, 30)))
	recs = slices.DeleteFunc(recs, func(r entity.Record) bool { return day(r.ReceivedAt) != day(recs[0].ReceivedAt) }) // one block
	next := w.self
	next.inserting = next.steps + 1
	for again := range 2 {
		token := next.token(recs)
		if again > 0 {
			token += fmt.Sprintf(", again %d", again)
		}
		remember(t, s, o.Database+".events", token, "event_id, received", ", '"+recs[0].ReceivedAt.UTC().Format(time.DateTime)+"'") // a token is of a partition
	}
	failed, broken := false, errors.New("broken")
	w.pool.fault = func(statement string) error {
		if !failed && strings.HasPrefix(statement, "INSERT INTO") && strings.Contains(statement, "event_id") {
			failed = true
			return broken
		}
		return nil
	}
	if err := w.Insert(t.Context(), recs, recs[len(recs)-1].Seq); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(t.Context()); !errors.Is(err, broken) {
		t.Fatalf("the first time: %v", err)
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.Do(t, "SELECT count() FROM "+o.Database+".events"); got != strconv.Itoa(len(recs)) || len(recs) < 5 {
		t.Errorf("%s rows of %d events", got, len(recs))
	}
	same(t, "under another token", answers(t, w), answers(t, reference(t, recs)))

	// Sent twice because a connection broke, it is looked for at once.
	more := firstOf(withRows(t, storetest.History(10, 30)))
	more = slices.DeleteFunc(more, func(r entity.Record) bool { return day(r.ReceivedAt) != day(more[0].ReceivedAt) })
	for i := range more {
		more[i].Seq += recs[len(recs)-1].Seq
	}
	next = w.self
	next.inserting = next.steps + 1
	remember(t, s, o.Database+".events", next.token(more), "event_id, received", ", '"+more[0].ReceivedAt.UTC().Format(time.DateTime)+"'")
	armed := false
	w.pool.fault = func(statement string) error {
		armed = armed || strings.HasPrefix(statement, "INSERT INTO") && strings.Contains(statement, "event_id")
		return nil
	}
	w.pool.refuse = func(int, string) error {
		if armed {
			w.pool.refuse = nil
			return io.EOF
		}
		return nil
	}
	insert(t, w, more, more[len(more)-1].Seq)
	if err := w.Flush(t.Context()); err != nil || w.pool.refuse != nil {
		t.Fatalf("a connection broke: %t, %v", w.pool.refuse == nil, err)
	}
	if got := s.Do(t, "SELECT count() FROM "+o.Database+".events"); got != strconv.Itoa(len(recs)+len(more)) {
		t.Errorf("%s rows of %d events", got, len(recs)+len(more))
	}
	w.pool.fault = nil
	for range 2 { // what has no token is never taken for what came before
		name := new(proto.ColStr)
		name.Append("plain")
		if err := w.insertBlock(t.Context(), "documents", proto.Input{{Name: "name", Data: name}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Do(t, "SELECT count() FROM "+o.Database+".documents WHERE name = 'plain'"); got != "2" {
		t.Errorf("%s rows of two inserts", got)
	}

	remember(t, s, o.Database+".documents", "document d 1", "name", "")
	if won, err := w.PutDocument(t.Context(), "d", 1, []byte("text")); err != nil || !won {
		t.Errorf("a document: %t, %v", won, err)
	}
	if won, err := w.PutDocument(t.Context(), "d", 1, []byte("another")); err != nil || won {
		t.Errorf("a second one of that version: %t, %v", won, err)
	}
	remember(t, s, o.Database+".marks", "mark m 7", "name", "")
	for _, owner := range []string{"a", "b"} {
		if is, err := w.claim(t.Context(), mark{name: "m", turn: 7, owner: owner}, 0); err != nil || is.owner != "a" {
			t.Errorf("%s claims a mark: it is %q's, %v", owner, is.owner, err)
		}
	}
	inserts := 0
	err := w.keep(t.Context(), w.pool, "token", func([]ch.Setting) error { inserts++; return nil }, func() (bool, error) { return false, nil })
	if !errors.Is(err, store.ErrUnavailable) || inserts != mostAgain {
		t.Errorf("what is never there: %v after %d inserts", err, inserts)
	}
}

// What a server is still at work at is waited for, and not sent under another token: it would be there twice.
func TestWhatIsUnderWayIsNotSentAgain(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	w := openWith(t, o)
	defer closeOf(t, w)
	s.Do(t, "CREATE TABLE "+o.Database+".slow (n UInt64) ENGINE = MergeTree ORDER BY n")
	done := make(chan error, 1)
	go func() { // its connection broke, say
		_, err := s.Query("INSERT INTO " + o.Database + ".slow SETTINGS insert_deduplication_token = 'slowly' SELECT number + sleepEachRow(0.3) FROM numbers(8) SETTINGS max_block_size = 1")
		done <- err
	}()
	watch.Until(t, "the server is at work", func() bool {
		busy, err := w.underWay(t.Context(), w.pool, "slowly")
		return err == nil && busy
	})
	sent := 0
	insert := func([]ch.Setting) error { sent++; return nil } // it is confirmed, because the token is known
	there := func() (bool, error) {
		return s.Do(t, "SELECT count() FROM "+o.Database+".slow") == "8", nil
	}
	if err := w.keep(t.Context(), w.pool, "slowly", insert, there); err != nil || sent != 1 {
		t.Errorf("sent %d times, %v", sent, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A block whose insert nobody has confirmed, of which the next process settles a part and the one after that the rest, is in the table once.
func TestABlockThatIsBegunAgain(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	o.Logger = nil // it warns
	recs := firstOf(withRows(t, storetest.History(11, 60)))
	recs = slices.DeleteFunc(recs, func(r entity.Record) bool { return day(r.ReceivedAt) != day(recs[0].ReceivedAt) })
	for i := range recs {
		recs[i].Seq = entity.Seq(2*i + 1) // no record is the next of the Log
	}
	broken := errors.New("broken")
	// unconfirmed begins a block, and has its events come into the table without the node's knowing it.
	unconfirmed := func(w *Warehouse, block []entity.Record) {
		t.Helper()
		w.pool.fault = func(statement string) error {
			if strings.HasPrefix(statement, "INSERT INTO") && strings.Contains(statement, "event_id") {
				return broken
			}
			return nil
		}
		if err := w.Insert(t.Context(), block, block[len(block)-1].Seq); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(t.Context()); !errors.Is(err, broken) {
			t.Fatalf("the block was confirmed: %v", err)
		}
		w.pool.fault = nil
		sent := 0
		settings := append(deduplicate(true), ch.Setting{Key: "insert_deduplication_token", Value: w.self.token(block), Important: true})
		if err := w.insertEvents(t.Context(), w.pool, block, settings, &sent); err != nil {
			t.Fatal(err)
		}
	}
	insert := func(w *Warehouse, block []entity.Record) {
		t.Helper()
		if err := w.Insert(t.Context(), block, block[len(block)-1].Seq); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	once := func(what string, n int) {
		t.Helper()
		if got := s.Do(t, "SELECT count(), uniqExact(seq) FROM "+o.Database+".events"); got != fmt.Sprintf("%d\t%[1]d", n) {
			t.Errorf("%s, rows and events are %s, want %d of both", what, got, n)
		}
	}
	w := openWith(t, o)
	unconfirmed(w, recs)
	w.pool.fault = func(string) error { return broken }
	_ = w.Close() // it cannot write what it has
	w = openWith(t, o)
	insert(w, recs[:2])
	once("a part of it", len(recs))
	closeOf(t, w)
	w = openWith(t, o)
	defer closeOf(t, w)
	insert(w, recs[2:])
	once("and then the others", len(recs))
	same(t, "begun again", answers(t, w), answers(t, reference(t, recs)))
}
