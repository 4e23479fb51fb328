package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/redistest"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// httpOptions are those of a warehouse that is asked over HTTP.
func httpOptions(t testing.TB, s *clickhousetest.Server, database string) Options {
	o := testOptions(t, s, database)
	o.HTTP, o.Addresses = true, []string{fmt.Sprintf("127.0.0.1:%d", s.HTTP)}
	return o
}

// httpSuite are the tests of the suite that ask and write what HTTP carries in another way: long lists, blocks, errors, statements side by side. What is folded, and how, does not
// depend on what carries it; `make rounds` has all of the suite.
var httpSuite = []string{"Repeated", "Poison", "Projects", "Histories", "Floating", "Filters", "Paging", "Stats", "StatsBuckets", "Lists", "ListsRefused", "EraseHistory", "ExpireHistory", "Late", "Search", "ReadsBesideWrites", "Reprice", "RepriceAtOnce"}

func TestConformanceOverHTTP(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes of questions to one server")
	}
	t.Parallel()
	s, names := server(t), httpSuite
	if chance.Rounds(1) > 1 {
		names = nil
	}
	storetest.Warehouse(t, func(t testing.TB, dir string, log *storetest.Ledger) store.Warehouse {
		database := databaseOf(dir)
		s.Do(t, "CREATE DATABASE IF NOT EXISTS "+database)
		o := httpOptions(t, s, database)
		o.Prices = log.Prices()
		return openWith(t, o)
	}, names...)
}

// A list that is longer than any URL, or field of a form, goes as a parameter, over either protocol.
func TestLongParameters(t *testing.T) {
	t.Parallel()
	s := server(t)
	long := strings.Repeat("long 'ß' ", 40_000)
	numbers := make([]uint64, 40_000)
	for i := range numbers {
		numbers[i] = rand.Uint64()
	}
	for _, o := range []Options{testOptions(t, s, s.Database(t)), httpOptions(t, s, s.Database(t))} {
		w := openWith(t, o)
		var text proto.ColStr
		list := new(proto.ColUInt64).Array()
		q := &builder{}
		statement := "SELECT " + q.arg(numbers) + " AS list, " + q.arg(long) + " AS text"
		err := w.ask(t.Context(), q, statement, proto.Results{{Name: "list", Data: list}, {Name: "text", Data: &text}}, func(i int) {
			if !slices.Equal(list.Row(i), numbers) || text.Row(i) != long {
				t.Errorf("HTTP %t: %d numbers and %d bytes came", o.HTTP, len(list.Row(i)), len(text.Row(i)))
			}
		})
		if err != nil || list.Rows() != 1 {
			t.Errorf("HTTP %t: %d rows, %v", o.HTTP, list.Rows(), err)
		}
		closeOf(t, w)
	}
}

// Exceptions are those that the native protocol has, also of what goes wrong behind many rows: none of these is handed on.
func TestExceptionsOverHTTP(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := httpOptions(t, s, s.Database(t))
	o.QuestionMemory, o.QuestionRows = 64<<20, 1_000_000
	w := openWith(t, o)
	defer closeOf(t, w)
	rows := 0
	ask := func(text string) error {
		rows = 0
		return w.question(t.Context(), "p", "test", func(ctx context.Context, v *view) error {
			var n proto.ColUInt64
			return v.rows(ctx, v.query(), text, proto.Results{{Name: "n", Data: &n}}, func(int) { rows++ })
		})
	}
	for text, want := range map[string]error{
		"SELECT count() AS n FROM nobody_made_it":                                                 store.ErrUnavailable,
		"SELECT count( AS n FROM events":                                                          nil,
		"SELECT nobody_made_it AS n FROM events":                                                  nil,
		"SELECT number AS n FROM numbers(2000000)":                                                store.ErrStarved,
		"SELECT length(groupArray(toString(number))) AS n FROM numbers(100000000)":                store.ErrStarved,
		"SELECT number + throwIf(number = 500000, 'late') AS n FROM numbers(1000000)":             store.ErrUnavailable,
		"SELECT throwIf(1, 'x', 243::Int16) AS n SETTINGS allow_custom_error_code_in_throwif = 1": store.ErrUnavailable,
		"SELECT sleepEachRow(1) + number AS n FROM numbers(30) SETTINGS max_block_size = 1, max_execution_time = 1, function_sleep_max_microseconds_per_block = 1000000000": context.DeadlineExceeded,
	} {
		err := ask(text)
		if err == nil || !ch.IsException(err) || rows > 0 {
			t.Errorf("%s: %d rows, %v", text, rows, err)
		}
		for _, of := range []error{store.ErrUnavailable, store.ErrStarved, context.DeadlineExceeded} {
			if errors.Is(err, of) != (of == want) {
				t.Errorf("%s: %v, want %v", text, err, want)
			}
		}
	}
	if err := ask("SELECT number AS n FROM numbers(300000)"); err != nil || rows != 300_000 {
		t.Errorf("of an answer in many blocks came %d rows, %v", rows, err)
	}
	if err := ask("SELECT number AS n FROM numbers(0)"); err != nil || rows != 0 {
		t.Errorf("of an answer without rows came %d, %v", rows, err)
	}
}

// A question that nobody waits for any more ends on the server, too.
func TestAQuestionOverHTTPEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	s := server(t)
	w := openWith(t, httpOptions(t, s, s.Database(t)))
	defer closeOf(t, w)
	const slow = "SELECT count() AS n FROM numbers(100000000000) WHERE sipHash64(number) = 77770001"
	running := func() string {
		return s.Do(t, "SELECT count() FROM system.processes WHERE query LIKE '%"+"7777000"+"1%' AND query NOT LIKE '%system.processes%'")
	}
	ctx, gone := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		var n proto.ColUInt64
		done <- w.ask(ctx, &builder{}, slow, proto.Results{{Name: "n", Data: &n}}, func(int) {})
	}()
	until(t, "it runs", func() bool { return running() == "1" })
	gone()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the caller is told %v", err)
	}
	until(t, "it has ended on the server", func() bool { return running() == "0" })
}

// until waits for something that comes by itself.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * time.Minute); !is(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// Whatever stands before the server and answers in its place is told from it: nothing that it says is taken for a confirmation.
func TestWhatAnswersInThePlaceOfTheServer(t *testing.T) {
	t.Parallel()
	for why, answer := range map[string]http.HandlerFunc{
		"502 Bad Gateway":              func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusBadGateway) },
		"413 Request Entity Too Large": func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusRequestEntityTooLarge) },
		"307 Temporary Redirect": func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "/elsewhere", http.StatusTemporaryRedirect)
		},
		"what answers is not clickhouse": func(rw http.ResponseWriter, _ *http.Request) {
			_, _ = rw.Write([]byte("<html>Sign in to the network</html>"))
		},
		"refuses the user or the password": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("X-ClickHouse-Exception-Code", "516")
			rw.WriteHeader(http.StatusForbidden)
			_, _ = rw.Write([]byte("Code: 516. DB::Exception: brokle: Authentication failed"))
		},
		"has no database of that name": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("X-ClickHouse-Exception-Code", "81")
			rw.WriteHeader(http.StatusNotFound)
		},
	} {
		proxy := httptest.NewServer(answer)
		t.Cleanup(proxy.Close)
		o := Options{HTTP: true, Addresses: []string{strings.TrimPrefix(proxy.URL, "http://")}, Database: "d", User: "u", Password: clickhousetest.Password}
		w, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		err = w.Connect(t.Context())
		if err == nil || !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), clickhousetest.Password) || strings.Contains(err.Error(), o.Addresses[0]) {
			t.Errorf("%v, want %s", err, why)
		}
		if cause := causeOf(err); strings.Contains(cause.Error(), clickhousetest.Password) {
			t.Errorf("the log has the password: %v", cause)
		}
		closeOf(t, w)
	}
	native := httpOptions(t, server(t), "d")
	native.Addresses = []string{server(t).Addr()}
	w, err := New(native)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Connect(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("of the port of the native protocol: %v", err)
	}
	closeOf(t, w)
}

// An insert whose confirmation is lost on the way is repeated, and there once; a server that says nothing, or half of what it has to say, holds nobody up.
func TestALineThatBreaksOverHTTP(t *testing.T) {
	t.Parallel()
	s := server(t)
	seed := chance.Seed(t)
	rng := chance.From(seed, 61)
	recs := firstOf(withRows(t, storetest.History(seed, 120)))
	o := httpOptions(t, s, s.Database(t))
	line := redistest.NewProxy(t, o.Addresses[0])
	o.Addresses, o.Logger = []string{line.Addr}, nil
	w := openWith(t, o)
	w.pool.silence = short
	line.Plan(func(int) redistest.Fault {
		switch rng.IntN(40) {
		case 0:
			return redistest.CutHalf
		case 1, 2, 3:
			return redistest.Cut
		}
		return redistest.None
	})
	if err := follow(t, w, chance.From(seed, 62), recs); err != nil {
		t.Fatal(err)
	}
	line.Plan(func(int) redistest.Fault { return redistest.Swallow })
	if err := w.CheckSettings(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a server that says nothing: %v", err)
	}
	line.Plan(nil)
	w.pool.silence = aloneSilence
	if got := s.Do(t, "SELECT count(), uniqExact(seq) FROM "+o.Database+".events"); got != fmt.Sprintf("%d\t%[1]d", len(recs)) {
		t.Errorf("rows and events are %s, want %d of both", got, len(recs))
	}
	same(t, "after the line broke", answers(t, w), answers(t, reference(t, recs)))
	closeOf(t, w)
}

// Connections are kept while nobody asks, for longer than a server may say nothing, and one that the server has ended meanwhile is no failure.
func TestConnectionsOverHTTPAreKept(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := httpOptions(t, s, s.Database(t))
	line := redistest.NewProxy(t, o.Addresses[0])
	o.Addresses = []string{line.Addr}
	w := openWith(t, o)
	w.pool.silence = time.Second
	if err := w.CheckSettings(t.Context()); err != nil {
		t.Fatal(err)
	}
	kept := w.pool.idle[len(w.pool.idle)-1]
	if err := clock.Sleep(t.Context(), 2*w.pool.silence); err != nil {
		t.Fatal(err)
	}
	if err := w.CheckSettings(t.Context()); err != nil {
		t.Error(err)
	}
	if !slices.Contains(w.pool.idle, kept) {
		t.Error("the connection was not used again")
	}
	line.Sever()
	line.Mend()
	if err := w.CheckSettings(t.Context()); err != nil {
		t.Errorf("after the server ended it: %v", err)
	}
	closeOf(t, w)
}

// A question that takes longer than a server may say nothing is answered all the same: the server says that it is at it.
func TestALongQuestionOverHTTP(t *testing.T) {
	t.Parallel()
	s := server(t)
	w := openWith(t, httpOptions(t, s, s.Database(t)))
	defer closeOf(t, w)
	w.pool.silence = 3 * progressEach * time.Millisecond
	began := time.Now()
	var n proto.ColUInt64
	err := w.ask(t.Context(), &builder{}, "SELECT toUInt64(sum(sleepEachRow(0.5))) AS n FROM numbers(24) SETTINGS max_block_size = 1", proto.Results{{Name: "n", Data: &n}}, func(int) {})
	if took := time.Since(began); err != nil || n.Rows() != 1 || took < w.pool.silence {
		t.Errorf("after %v: %d rows, %v", took, n.Rows(), err)
	}
}

// An insert whose rows cannot be made inserts nothing, and says why.
func TestAnInsertOverHTTPThatFailsInTheMiddle(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := httpOptions(t, s, s.Database(t))
	w := openWith(t, o)
	defer closeOf(t, w)
	bad := errors.New("no more rows")
	var n proto.ColUInt64
	s.Do(t, "CREATE TABLE "+o.Database+".some (n UInt64) ENGINE = MergeTree ORDER BY n")
	q := insertQuery("some", proto.Input{{Name: "n", Data: &n}}, deduplicate(false))
	sent := 0
	q.OnInput = func(context.Context) error {
		if sent++; sent > 2 {
			return bad
		}
		n.Reset()
		for i := range uint64(100_000) {
			n.Append(i)
		}
		return nil
	}
	if err := w.pool.do(t.Context(), q); !errors.Is(err, bad) {
		t.Errorf("it says %v", err)
	}
	if got := s.Do(t, "SELECT count() FROM "+o.Database+".some"); got != "0" {
		t.Errorf("%s rows are there", got)
	}
}

// A long list of events is erased over HTTP, too.
func TestEraseManyOverHTTP(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := httpOptions(t, s, s.Database(t))
	w := openWith(t, o)
	recs := firstOf(withRows(t, storetest.History(chance.Seed(t), 60)))
	insert(t, w, recs, recs[len(recs)-1].Seq)
	seqs := make([]entity.Seq, removeAtOnce)
	for i := range seqs {
		seqs[i] = entity.Seq(1<<40 + i)
	}
	for _, r := range recs[:20] {
		seqs = append([]entity.Seq{r.Seq}, seqs...)
	}
	if err := w.Erase(t.Context(), storetest.HistoryProject, seqs); err != nil {
		t.Fatal(err)
	}
	if got := s.Do(t, "SELECT count() FROM "+o.Database+".events"); got != fmt.Sprint(len(recs)-20) {
		t.Errorf("%s rows are left of %d", got, len(recs))
	}
	if _, err := query.ListTraces(t.Context(), w, storetest.HistoryProject, store.Query{}); err != nil {
		t.Error(err)
	}
	closeOf(t, w)
}
