package clickhouse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/redistest"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// twoLines are two ways to one server: what befalls the one does not befall the other.
func twoLines(t *testing.T, s *clickhousetest.Server) (first, second *redistest.Proxy) {
	t.Helper()
	return redistest.NewProxy(t, s.Addr()), redistest.NewProxy(t, s.Addr())
}

// short is a silence that a test can wait for, on a busy machine too.
const short = 5 * time.Second

// Of several servers one that says nothing is passed over, by questions and inserts, within the time that it has for that; it is told which one that is, without
// its name, and when it is back.
func TestAServerThatSaysNothingIsPassedOver(t *testing.T) {
	t.Parallel()
	s := server(t)
	first, second := twoLines(t, s)
	o := testOptions(t, s, s.Database(t))
	closeOf(t, openWith(t, o)) // which makes the tables
	var logged bytes.Buffer
	o.Addresses, o.Logger = []string{first.Addr, second.Addr}, slog.New(slog.NewTextHandler(&logged, nil))
	w := openWith(t, o)
	recs := firstOf(withRows(t, storetest.History(9, 40)))
	insert(t, w, recs[:20], recs[19].Seq)
	if away := w.Away(); away != "" {
		t.Errorf("all is well, and away is %q", away)
	}
	w.pool.silence = short
	first.Plan(func(int) redistest.Fault { return redistest.Swallow })
	began := time.Now()
	insert(t, w, recs[20:], recs[len(recs)-1].Seq)
	if _, err := query.ListTraces(t.Context(), w, "p", store.Query{}); err != nil {
		t.Errorf("a question while the first server says nothing: %v", err)
	}
	if second.Replies() == 0 {
		t.Error("the second server was not asked")
	}
	t.Logf("passed over within %s", time.Since(began))
	if away := w.Away(); !strings.HasPrefix(away, "server 1 of 2 is away: ") || strings.Contains(away, first.Addr) {
		t.Errorf("away is %q", away)
	}
	if got := s.Do(t, "SELECT count() FROM "+o.Database+".events"); got != fmt.Sprint(len(recs)) {
		t.Errorf("%s rows of %d events", got, len(recs))
	}
	first.Plan(nil)
	w.pool.lookAround(t.Context(), o.Logger, false)
	if away := w.Away(); away != "" {
		t.Errorf("it is back, and away is %q", away)
	}
	second.Sever() // and the other one dies
	if _, err := query.ListTraces(t.Context(), w, "p", store.Query{}); err != nil {
		t.Errorf("a question while the second server is not there: %v", err)
	}
	w.pool.lookAround(t.Context(), o.Logger, false)
	if away := w.Away(); !strings.HasPrefix(away, "server 2 of 2 is away: ") {
		t.Errorf("away is %q", away)
	}
	if text := logged.String(); !strings.Contains(text, second.Addr) || strings.Contains(text, clickhousetest.Password) {
		t.Errorf("the log does not name the server, or has the password: %s", text)
	}
	closeOf(t, w)
}

// A server alone that says nothing any more holds nobody up for longer than it may: what comes next is asked anew. A caller who goes does not wait at all.
func TestAServerAloneSaysNothing(t *testing.T) {
	t.Parallel()
	s := server(t)
	line := redistest.NewProxy(t, s.Addr())
	o := testOptions(t, s, s.Database(t))
	o.Addresses = []string{line.Addr}
	w := openWith(t, o)
	w.pool.silence = short
	for name, kind := range map[string]redistest.Fault{"nothing": redistest.Swallow, "half of what it says": redistest.CutHalf} {
		line.Plan(func(int) redistest.Fault { return kind })
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute) // of the test: it is not to end so
		if err := w.CheckSettings(ctx); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
		line.Plan(nil)
		if err := w.CheckSettings(t.Context()); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
	}
	w.pool.silence = time.Minute
	line.Plan(func(int) redistest.Fault { return redistest.Swallow })
	ctx, gone := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, gone)
	began := time.Now()
	if err := w.CheckSettings(ctx); !errors.Is(err, context.Canceled) || time.Since(began) > 30*time.Second {
		t.Errorf("a caller who has gone: %v after %s", err, time.Since(began))
	}
	line.Plan(nil)
	closeOf(t, w)
}

// A node makes no tables where the URL names several servers: they would be on one of them.
func TestSeveralServersNeedTheirTables(t *testing.T) {
	t.Parallel()
	s := server(t)
	first, second := twoLines(t, s)
	o := testOptions(t, s, s.Database(t))
	o.Addresses = []string{first.Addr, second.Addr}
	w, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Connect(t.Context()); !errors.Is(err, errReplicatedByHand) || !errors.Is(w.Fault(), store.ErrUnavailable) {
		t.Errorf("without tables: %v", err)
	}
	if n := s.Do(t, "SELECT count() FROM system.tables WHERE database = '"+o.Database+"'"); n != "0" {
		t.Errorf("%s tables were made", n)
	}
	closeOf(t, w)
}

// What a replica refuses because another insert is under way is tried again; what it alone cannot do another one is asked.
func TestReplicasThatRefuse(t *testing.T) {
	t.Parallel()
	s := server(t)
	first, second := twoLines(t, s)
	o := testOptions(t, s, s.Database(t))
	closeOf(t, openWith(t, o))
	o.Addresses, o.Logger = []string{first.Addr, second.Addr}, nil
	w := openWith(t, o)
	recs := firstOf(withRows(t, storetest.History(12, 20)))
	for code, passesOver := range map[proto.Error]bool{proto.ErrUnsatisfiedQuorumForPreviousWrite: false, proto.ErrTableIsReadOnly: true, proto.ErrReplicaIsNotInQuorum: true, proto.ErrKeeperException: true} {
		refused := 0
		by := -1
		w.pool.refuse = func(server int, _ string) error {
			if refused > 0 {
				return nil
			}
			refused++
			by = server
			return fmt.Errorf("handle packet: %w", &ch.Exception{Code: code, Message: "refused"})
		}
		err := w.CheckSettings(t.Context())
		if err == nil && refused == 1 {
			err = w.Insert(t.Context(), recs, recs[len(recs)-1].Seq)
		}
		if err != nil || refused != 1 {
			t.Errorf("code %d: refused %d times: %v", code, refused, err)
		}
		if passed := w.pool.servers.inUse() != by; passed != passesOver {
			t.Errorf("code %d: another server is asked: %t", code, passed)
		}
		w.pool.refuse = nil
		w.pool.lookAround(t.Context(), w.options.Logger, false)
	}
	closeOf(t, w)
}
