package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"pgregory.net/rapid"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Whatever a caller gives reaches the server as it is, and nothing else does, over either protocol.
func TestParameters(t *testing.T) {
	t.Parallel()
	s := server(t)
	for _, o := range []Options{testOptions(t, s, s.Database(t)), httpOptions(t, s, s.Database(t))} {
		w := openWith(t, o)
		tryParameters(t, w)
		closeOf(t, w)
	}
}

func tryParameters(t *testing.T, w *Warehouse) {
	check := func(one string, list []string) error {
		var back proto.ColStr
		backs := new(proto.ColStr).Array()
		q := &builder{}
		text := "SELECT " + q.arg(one) + " AS one, " + q.arg(list) + " AS list, " + q.arg([]uint64{1, 1<<64 - 1}) + " = [1, 18446744073709551615] AS same"
		var alike proto.ColUInt8
		err := w.ask(t.Context(), q, text, proto.Results{{Name: "one", Data: &back}, {Name: "list", Data: backs}, {Name: "same", Data: &alike}}, func(int) {})
		switch {
		case err != nil:
			return err
		case back.Row(0) != one || !slices.Equal(backs.Row(0), list) || alike.Row(0) != 1:
			return fmt.Errorf("%q and %q came back as %q and %q", one, list, back.Row(0), backs.Row(0))
		}
		return nil
	}
	for _, text := range []string{"", "a", `'`, `\`, `\'`, `\N`, "NULL", "\t", "\n", "\r", "\x00", `\t`, `\0`, "{p1:String}", "'); DROP TABLE events; --", "ß質問", "]", ",", `"`} {
		if err := check(text, []string{text, text + text, ""}); err != nil {
			t.Error(err)
		}
	}
	chance.Check(t, 50, func(t *rapid.T) {
		if err := check(rapid.String().Draw(t, "one"), rapid.SliceOfN(rapid.String(), 1, 4).Draw(t, "list")); err != nil {
			t.Fatal(err)
		}
	})
}

func record(t testing.TB, seq entity.Seq, id string, typ wire.EventType, at time.Time, payload string) entity.Record {
	t.Helper()
	return withRows(t, []entity.Record{{
		Seq: seq, Project: storetest.HistoryProject, Environment: "default", BatchID: "b", ReceivedAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Event: wire.Event{ID: id, Type: typ, Timestamp: wire.At(at), Payload: []byte(payload)},
	}})[0]
}

// Times are exact as far as they may go: behind the years that the client's and the server's own conversions end at.
func TestFarTimes(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	w := openWith(t, o)
	for i, at := range []time.Time{
		time.UnixMicro(0).UTC(), time.UnixMicro(1).UTC(), time.Date(2262, 4, 12, 0, 0, 0, 0, time.UTC), time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
	} {
		id := fmt.Sprint("o", i)
		insert(t, w, []entity.Record{record(t, entity.Seq(i+1), id, wire.ObservationCreate, at, fmt.Sprintf(`{"id":%q,"trace_id":"t%d","name":"n"}`, id, i))}, entity.Seq(i+1))
		page, err := query.ListObservations(t.Context(), w, storetest.HistoryProject, store.Query{Filter: store.Filter{ID: id, From: at}})
		if err != nil || len(page.Data) != 1 || !page.Data[0].StartTime.Equal(at) {
			t.Errorf("%v: %+v, %v", at, page, err)
		}
		recs, err := w.Records(t.Context(), []entity.Seq{entity.Seq(i + 1)})
		if err != nil || len(recs) != 1 || !recs[0].Event.Timestamp.Equal(at) {
			t.Errorf("%v: %+v, %v", at, recs, err)
		}
	}
	closeOf(t, w)
}

// What another version wrote is read from its payload.
func TestAnotherForm(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	w := openWith(t, o)
	recs := withRows(t, storetest.History(9, 60))
	insert(t, w, recs[:40], 40)
	s.Do(t, "ALTER TABLE "+o.Database+".events UPDATE form = 1, said = 'nonsense' WHERE 1 SETTINGS mutations_sync = 2")
	insert(t, w, recs[40:], 60)
	same(t, "rows of two forms", answers(t, w), answers(t, reference(t, recs)))
	closeOf(t, w)
}

// What was erased is in no row of any table when Erase returns, in force or not, and its copies are gone too.
func TestErasedIsGone(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	w := openWith(t, o)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	secret := record(t, 2, "e2", wire.ObservationUpdate, at.Add(time.Second), `{"id":"o","trace_id":"t","name":"secret","input":"secret"}`)
	again := secret
	again.Seq = 4
	insert(t, w, []entity.Record{record(t, 1, "e1", wire.ObservationCreate, at, `{"id":"o","trace_id":"t","name":"first"}`), secret}, 2)
	insert(t, w, []entity.Record{record(t, 3, "e3", wire.ObservationUpdate, at, `{"id":"o","trace_id":"t","model":"m"}`), again}, 4)
	left := func() (n string) {
		for _, table := range []string{"events", "observations", "traces"} {
			columns := "name"
			if table == "events" {
				columns = "payload || said || name"
			}
			n += s.Do(t, "SELECT count() FROM "+o.Database+"."+table+" WHERE position("+columns+", 'secret') > 0") + " "
		}
		return n
	}
	if got := left(); got == "0 0 0 " {
		t.Fatal("nothing is there to erase")
	}
	if err := w.Erase(t.Context(), storetest.HistoryProject, []entity.Seq{2}); err != nil {
		t.Fatal(err)
	}
	if got := left(); got != "0 0 0 " {
		t.Errorf("of the erased event there are %s", got)
	}
	page, err := query.ListObservations(t.Context(), w, storetest.HistoryProject, store.Query{})
	if err != nil || len(page.Data) != 1 || page.Data[0].Name != "first" || page.Data[0].Model != "m" {
		t.Errorf("%+v, %v", page, err)
	}
	closeOf(t, w)
}

// A question ends with its context, and one that needs more memory than it may have says so.
func TestQuestionsAreBounded(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	o.QuestionMemory = 1 << 20
	w := openWith(t, o)
	var n proto.ColUInt64
	v := &view{w, "p"}
	err := v.rows(context.WithValue(t.Context(), bounds{}, true), v.query(), "SELECT uniqExact(number) AS n FROM numbers(10000000)", proto.Results{{Name: "n", Data: &n}}, func(int) {})
	if !errors.Is(err, store.ErrStarved) {
		t.Errorf("without memory: %v", err)
	}
	closeOf(t, w)
	gone := openWith(t, Options{Addresses: append([]string{"127.0.0.1:1"}, o.Addresses...), Database: o.Database, User: o.User, Password: o.Password, Extract: o.Extract})
	if _, err := query.ListTraces(t.Context(), gone, "p", store.Query{}); err != nil {
		t.Errorf("with a server that is not there before one that is: %v", err)
	}
	closeOf(t, gone)
}

// While nothing can be written, what waits is bounded and the caller learns why; nothing is taken twice, and nothing is lost.
func TestInsertWhileNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	w := openWith(t, o)
	recs := firstOf(withRows(t, storetest.History(8, 60)))
	down := errors.New("down")
	w.pool.fault = func(string) error { return down }
	if err := w.Insert(t.Context(), recs[:20], recs[19].Seq); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(t.Context()); !errors.Is(err, down) {
		t.Errorf("flush: %v", err)
	}
	for range 3 { // the indexer tries again
		if err := w.Insert(t.Context(), recs[20:], recs[len(recs)-1].Seq); !errors.Is(err, down) {
			t.Errorf("insert: %v", err)
		}
	}
	if n := len(w.hot.recs); n != 20 {
		t.Errorf("%d events wait, want 20", n)
	}
	w.pool.fault = nil
	insert(t, w, recs[20:], recs[len(recs)-1].Seq)
	if got := s.Do(t, "SELECT count() FROM "+o.Database+".events"); got != fmt.Sprint(len(recs)) {
		t.Errorf("%s rows of %d events", got, len(recs))
	}
	closeOf(t, w)
}
