package clickhouse

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// What a server says that has no room, or has lost its Keeper, another one of several may take, and is told in plain words.
func TestWhatAnotherServerMayTake(t *testing.T) {
	t.Parallel()
	two := newPool(Options{Addresses: []string{"a:1", "b:1"}})
	one := newPool(Options{Addresses: []string{"a:1"}})
	for _, c := range []struct {
		says ch.Exception
		told string
	}{
		{ch.Exception{Code: proto.ErrNotEnoughSpace, Message: "Cannot reserve 1.00 MiB, not enough space"}, "its disk is full"},
		{ch.Exception{Code: proto.ErrCannotWriteToFileDescriptor, Message: "Cannot write to file, errno: 28, strerror: No space left on device"}, "its disk is full"},
		{ch.Exception{Code: 1001, Message: "std::__1::ios_base::failure: filesystem error: No space left on device"}, "its disk is full"},
		{ch.Exception{Code: proto.ErrTooManyParts, Message: "Too many parts (3000)"}, "it has too many parts that are not merged yet"},
		{ch.Exception{Code: proto.ErrTableIsReadOnly, Message: "Table is in readonly mode"}, "its tables are read-only, as those of a replica without its Keeper"},
		{ch.Exception{Code: proto.ErrCannotWriteToFileDescriptor, Message: "Cannot write to file, errno: 5, strerror: Input/output error"}, ""},
		{ch.Exception{Code: proto.ErrSyntaxError, Message: "Syntax error"}, ""},
	} {
		err := fmt.Errorf("handle packet: %w", &c.says)
		if told := noWrites(err); told != c.told {
			t.Errorf("%v: told as %q, want %q", err, told, c.told)
		}
		if two.another(err) != (c.told != "") || one.another(err) {
			t.Errorf("%v: another of two is asked: %t, of one: %t", err, two.another(err), one.another(err))
		}
	}
}

// Of several servers one that refuses to write is passed over for some time though it answers; that is told, in /readyz without its name.
// It is asked where the others are away, and answers are right all the time.
func TestAServerThatRefusesToWriteIsPassedOver(t *testing.T) {
	t.Parallel()
	s := server(t)
	recs := firstOf(withRows(t, storetest.History(21, 30)))
	upto := recs[len(recs)-1].Seq
	first, second := twoLines(t, s)
	o := testOptions(t, s, s.Database(t))
	closeOf(t, openWith(t, o)) // which makes the tables
	var logged bytes.Buffer
	o.Addresses, o.Logger = []string{first.Addr, second.Addr}, slog.New(slog.NewTextHandler(&logged, nil))
	w := openWith(t, o)
	w.pool.silence = time.Minute
	refused := 0
	w.pool.refuse = func(server int, statement string) error {
		if server == 0 && strings.HasPrefix(statement, "INSERT") {
			refused++
			return fmt.Errorf("handle packet: %w", &ch.Exception{Code: proto.ErrNotEnoughSpace, Message: "Cannot reserve 1.00 MiB, not enough space"})
		}
		return nil
	}
	insert(t, w, recs[:15], recs[14].Seq)
	const full = "server 1 of 2 refuses to write: its disk is full"
	for range 2 { // it answers who asks whether it is there
		w.pool.lookAround(t.Context(), o.Logger, false)
		if got := w.Away(); got != full {
			t.Errorf("away: %q, want %q", got, full)
		}
	}
	insert(t, w, recs[15:], upto)
	if refused != 1 {
		t.Errorf("it was asked %d times", refused)
	}
	want := listed(t, reference(t, recs))
	if got := listed(t, w); got != want {
		t.Errorf("while one refuses: %s, want %s", got, want)
	}
	if text := logged.String(); strings.Count(text, "refuses to write; the others are asked") != 1 || !strings.Contains(text, first.Addr) {
		t.Errorf("logged: %s", text)
	}

	second.Sever() // then the first one is asked: it answers
	if got := listed(t, w); got != want {
		t.Errorf("by the one that refuses: %s, want %s", got, want)
	}
	more := withRows(t, storetest.History(22, 3))
	for i := range more {
		more[i].Seq += upto
	}
	if err := w.Insert(t.Context(), more, more[len(more)-1].Seq); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("written by nobody: %v", err)
	}
	if away := w.Away(); !strings.Contains(away, full) || !strings.Contains(away, "server 2 of 2 is away") {
		t.Errorf("away: %q", away)
	}

	w.pool.refuse = nil // there is room
	if err := w.Flush(t.Context()); err != nil {
		t.Errorf("it is tried when there is nobody else: %v", err)
	}
	w.pool.servers.away[0].until = time.Now() // and its time is over
	w.pool.lookAround(t.Context(), o.Logger, true)
	if away := w.Away(); strings.Contains(away, "server 1") || !strings.Contains(logged.String(), "is back") {
		t.Errorf("away: %q, logged %s", away, logged.String())
	}
	closeOf(t, w)
}

// listed is what a list of traces has.
func listed(t *testing.T, w store.Warehouse) string {
	t.Helper()
	page, err := query.ListTraces(t.Context(), w, storetest.HistoryProject, store.Query{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The same by the engine itself: a server that must keep more of its disk free than there is refuses to write, and another one is written to.
func TestAServerWithAFullDisk(t *testing.T) {
	t.Parallel()
	s := server(t)
	dir := t.TempDir()
	full := clickhousetest.StartIn(t, dir)
	defer full.Kill()
	o := testOptions(t, s, s.Database(t))
	for _, of := range []*clickhousetest.Server{full, s} {
		o.Addresses = []string{of.Addr()}
		closeOf(t, openWith(t, o)) // which makes the tables
	}
	path := filepath.Join(dir, "config.xml")
	config, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := bytes.Replace(config, fmt.Append(nil, clickhousetest.KeepFree), fmt.Append(nil, int64(1)<<60), 1)
	if err := os.WriteFile(path, all, 0o644); err != nil {
		t.Fatal(err)
	}
	full.Kill()
	full.Restart()
	o.Addresses, o.Logger = []string{full.Addr(), s.Addr()}, slog.New(slog.DiscardHandler)
	w := openWith(t, o)
	w.pool.silence = time.Minute
	recs := firstOf(withRows(t, storetest.History(23, 40)))
	insert(t, w, recs, recs[len(recs)-1].Seq)
	if got, want := w.Away(), "server 1 of 2 refuses to write: its disk is full"; got != want {
		t.Errorf("away: %q, want %q", got, want)
	}
	if got := s.Do(t, "SELECT count() FROM "+o.Database+".events"); got != fmt.Sprint(len(recs)) {
		t.Errorf("%s rows of %d events", got, len(recs))
	}
	if got, want := listed(t, w), listed(t, reference(t, recs)); got != want {
		t.Errorf("beside one with a full disk: %s, want %s", got, want)
	}
	closeOf(t, w)
}
