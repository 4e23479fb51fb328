package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// What the tables lack is told, and made by the next that opens them: tables, columns and settings.
func TestTablesAreMended(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	closeOf(t, openWith(t, o))
	state := func() *Inspection {
		t.Helper()
		is, err := Inspect(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	if is := state(); !is.Whole() || is.Version != SchemaVersion || is.Server == "" {
		t.Fatalf("new tables: %+v", is)
	}
	s.Do(t, "DROP TABLE "+o.Database+".scores")
	s.Do(t, "ALTER TABLE "+o.Database+".traces DROP COLUMN user_id")
	s.Do(t, "ALTER TABLE "+o.Database+".events MODIFY SETTING non_replicated_deduplication_window = 0")
	s.Do(t, "ALTER TABLE "+o.Database+".events DROP INDEX by_word")
	is := state()
	if is.Whole() || !slices.Equal(is.Absent, []string{"scores"}) || !slices.Equal(is.Columns, []string{"traces.user_id"}) || !slices.Equal(is.Indexes, []string{"events.by_word"}) || len(is.Wrong) != 1 || !strings.Contains(is.Wrong[0], "events: non_replicated_deduplication_window") {
		t.Errorf("%+v", is)
	}
	if err := Migrate(t.Context(), o, false); err != nil {
		t.Fatal(err)
	}
	if is := state(); !is.Whole() {
		t.Errorf("mended: %+v", is)
	}
	w := openWith(t, o)
	s.Do(t, "ALTER TABLE "+o.Database+".events MODIFY SETTING non_replicated_deduplication_window = 0")
	if err := w.CheckSettings(t.Context()); err == nil || !strings.Contains(err.Error(), "brokle warehouse init") {
		t.Errorf("a node that runs: %v", err)
	}
	closeOf(t, w)
	s.Do(t, "INSERT INTO "+o.Database+".marks (name, turn, owner) VALUES ('schema', 99, 'later')")
	if _, err := Open(t.Context(), o); !errors.Is(err, ErrNewer) {
		t.Errorf("tables of a later release: %v", err)
	}
}

// Nodes that start at once, on a database that is not there, make one set of tables and have numbers of their own, which they keep.
func TestNodesStartAtOnce(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t)+"_absent")
	numbers := make([]uint16, 5)
	start := func() {
		var all sync.WaitGroup
		for i := range numbers {
			own := o
			own.Identity = fmt.Sprintf("node %d", i)
			all.Go(func() {
				w, err := Open(t.Context(), own)
				if err != nil {
					t.Error(err)
					return
				}
				numbers[i] = w.Node()
				insert(t, w, nil, entity.Seq(10+i))
				closeOf(t, w)
			})
		}
		all.Wait()
	}
	start()
	first := slices.Clone(numbers)
	if sorted := slices.Sorted(slices.Values(first)); !slices.Equal(sorted, []uint16{0, 1, 2, 3, 4}) {
		t.Errorf("the numbers are %d", first)
	}
	start()
	if !slices.Equal(numbers, first) {
		t.Errorf("later the numbers are %d, they were %d", numbers, first)
	}
	// A log that ends before what the tables have of it goes on as another node.
	own := o
	own.Identity, own.Head = "node 2", func() entity.Seq { return 3 }
	own.Logger = nil
	w := openWith(t, own)
	if cursor, err := w.Cursor(t.Context()); w.Node() != 5 || cursor != 3 || err != nil {
		t.Errorf("node %d, cursor %d, %v", w.Node(), cursor, err)
	}
	closeOf(t, w)
}

// A lock is given up, taken over when it has lapsed, and held by one.
func TestAlone(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	var in, most, runs int
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 4 {
		w := openWith(t, o)
		all.Go(func() {
			defer closeOf(t, w)
			err := w.alone(t.Context(), "test", func() error {
				mu.Lock()
				in++
				most, runs = max(most, in), runs+1
				mu.Unlock()
				err := w.CheckSettings(t.Context())
				mu.Lock()
				in--
				mu.Unlock()
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most != 1 || runs != 4 {
		t.Errorf("%d at once, %d runs", most, runs)
	}
	w := openWith(t, o)
	if _, err := w.claim(t.Context(), mark{name: "dead", owner: "another"}, time.Second); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := w.alone(ctx, "dead", func() error { return nil }); err != nil {
		t.Errorf("after a lease that lapsed: %v", err)
	}
	closeOf(t, w)
}

// Of a mark that many make at once one is there, whichever node looks: the server drops the others, however late they come.
func TestAMarkIsMadeOnce(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	w := openWith(t, o)
	for i := range 4 {
		is, err := w.claim(t.Context(), mark{name: "once", turn: 1, owner: fmt.Sprint("owner ", i)}, 0)
		if err != nil || is.owner != "owner 0" {
			t.Errorf("claim %d: the mark is of %q, %v", i, is.owner, err)
		}
	}
	if n := s.Do(t, "SELECT count() FROM "+o.Database+".marks WHERE name = 'once'"); n != "1" {
		t.Errorf("the mark is there %s times", n)
	}
	closeOf(t, w)
}

// What is printed for a cluster is what the engine reads; replicated tables themselves are of no server that is here.
func TestClusterDDL(t *testing.T) {
	t.Parallel()
	s := server(t)
	statements := ClusterDDL("my`cluster", false)
	if len(statements) != len(DDL(Options{})[0]) {
		t.Fatalf("%d statements", len(statements))
	}
	several, over := ClusterDDL("my`cluster", true), 0
	if len(several) != len(statements)+len(settledKinds)+2 { // over events, rows, and marks
		t.Errorf("%d statements for several shards", len(several))
	}
	for _, statement := range append(statements, several...) {
		read := s.Do(t, "SELECT formatQuerySingleLine('"+quoteEscapes.Replace(statement)+"') FORMAT TSVRaw")
		if strings.Contains(read, "ENGINE = Distributed(") {
			if over++; !strings.Contains(read, "ON CLUSTER `my\\`cluster`") {
				t.Error(read)
			}
			continue
		}
		for _, part := range []string{"ON CLUSTER `my\\`cluster`", "Replicated", " replicated_deduplication_window = 10000", "'{replica}'"} {
			if !strings.Contains(read, part) {
				t.Errorf("there is no %s in %s", part, read)
			}
		}
		if strings.Contains(read, "non_replicated") {
			t.Error(read)
		}
	}
}

// Servers that cannot be used are told apart, without a secret, and what is asked meanwhile may be asked again.
func TestServersThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	s := server(t)
	good := testOptions(t, s, s.Database(t))
	for why, change := range map[string]func(*Options){
		"refuses the user or the password": func(o *Options) {
			o.Addresses, o.Password = []string{clickhousetest.Refuse(t, 516, "default: Authentication failed")}, "hidden"
		},
		"refuses the connection": func(o *Options) { o.Addresses = []string{clickhousetest.Refuse(t, 202, "Too many connections")} },
		"cannot be reached":      func(o *Options) { o.Addresses = []string{"127.0.0.1:1"} },
	} {
		o := good
		change(&o)
		w, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Cursor(t.Context()); err != nil {
			t.Errorf("%s: the cursor: %v", why, err)
		}
		err = w.Connect(t.Context())
		if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", why, err)
		}
		if fault := w.Fault(); fault == nil || !strings.Contains(fault.Error(), why) {
			t.Errorf("%s: the fault is %v", why, fault)
		}
		if _, err := w.Events(t.Context(), "p", store.EventRef{EventID: "e"}); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: a question: %v", why, err)
		}
		if err := w.Insert(t.Context(), nil, 1); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: an insert: %v", why, err)
		}
		closeOf(t, w)
	}
	for version, taken := range map[string]bool{"26.7.2.1": true, "24.8.1": true, "25.1": true, "24.7.9.1": false, "18.16.1": false, "": false, "new": false, "a.b": false} {
		if _, err := readableVersion(version); (err == nil) != taken {
			t.Errorf("version %q: %v", version, err)
		}
	}
}

// Another process that works as the same node is noticed.
func TestTwoProcessesOfOneNode(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	o.Identity = "one"
	recs := withRows(t, storetest.History(7, 20))
	first, second := openWith(t, o), openWith(t, o)
	insert(t, first, recs[:10], 10)
	err := second.Insert(t.Context(), recs[:10], 10)
	if err == nil {
		err = second.Flush(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), "another process works as node 0") {
		t.Errorf("the second: %v", err)
	}
	closeOf(t, first)
	second.pool.close()
}
