package clickhouse

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// shareOut divides the records of a history among nodes, each with a Log of its own. It returns these, and all of them as the tables
// should have them, in the order of their Seqs.
func shareOut(rng *rand.Rand, recs []entity.Record, nodes int) (logs [][]entity.Record, all []entity.Record) {
	logs = make([][]entity.Record, nodes)
	for _, r := range recs {
		for n := range nodes {
			if n == rng.IntN(nodes) || rng.IntN(10) == 0 { // some are sent to several
				own := r
				own.Seq = entity.Seq(len(logs[n]) + 1)
				logs[n] = append(logs[n], own)
			}
		}
	}
	for n, log := range logs {
		for _, r := range log {
			r.Seq = Shared(uint16(n), r.Seq)
			all = append(all, r)
		}
	}
	return logs, all
}

// follow inserts a node's Log in pieces, from its cursor on, and again what failed.
func follow(t testing.TB, w *Warehouse, rng *rand.Rand, log []entity.Record) error {
	ctx := t.Context()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		cursor, err := w.Cursor(ctx)
		if err != nil {
			return err
		}
		if len(after(log, cursor)) == 0 {
			return nil
		}
		// What is hot stays so when it cannot be written: only what follows comes.
		if rest := after(log, max(cursor, w.hotUpto())); len(rest) > 0 {
			rest = rest[:min(1+rng.IntN(30), len(rest))]
			err = w.Insert(ctx, rest, rest[len(rest)-1].Seq)
		}
		if err == nil {
			err = w.Flush(ctx)
		}
		switch {
		case errors.Is(err, store.ErrUnavailable):
			<-again.C
		case err != nil:
			return err
		}
	}
}

// hotUpto is up to where the Log was inserted.
func (w *Warehouse) hotUpto() entity.Seq {
	w.hotMu.Lock()
	defer w.hotMu.Unlock()
	return w.hot.upto
}

// Nodes that settle the same entities at the same time, in any order, come to what one fold of all events makes.
func TestNodesAtOnce(t *testing.T) {
	t.Parallel()
	s := server(t)
	for round := range chance.Rounds(2) {
		seed := chance.Seed(t)
		rng := chance.From(seed, 21)
		recs := [](func() []entity.Record){
			func() []entity.Record { return storetest.History(seed, 90) },
			func() []entity.Record { return storetest.SharedHistory(seed, 80) },
			func() []entity.Record { return storetest.CallHistory(seed, 80) },
		}[round%3]()
		logs, all := shareOut(rng, withRows(t, recs), 3)
		want := answers(t, reference(t, all))
		o := testOptions(t, s, s.Database(t))
		var nodes []*Warehouse
		var work sync.WaitGroup
		for n, log := range logs {
			o.Node = uint16(n)
			w := openWith(t, o)
			nodes = append(nodes, w)
			of := chance.From(seed, uint64(30+n))
			work.Go(func() {
				if err := follow(t, w, of, log); err != nil {
					t.Error(err)
				}
			})
		}
		work.Wait()
		for n, w := range nodes {
			same(t, fmt.Sprintf("round %d, node %d", round, n), answers(t, w), want)
			closeOf(t, w)
		}
	}
}

// What a node inserted and did not settle, because it died, is settled by the next that does.
func TestADeadNodesEventsAreSettled(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	recs := withRows(t, storetest.History(chance.Seed(t), 90))
	died := errors.New("died")
	first := openWith(t, o)
	first.pool.fault = func(statement string) error {
		if strings.Contains(statement, `"observations"`) && strings.HasPrefix(statement, "INSERT") {
			return died
		}
		return nil
	}
	if err := first.Insert(t.Context(), recs[:60], 60); err != nil {
		t.Fatal(err)
	}
	if err := first.Flush(t.Context()); !errors.Is(err, died) {
		t.Fatal(err)
	}
	first.pool.close()
	o.Node = 1
	second := openWith(t, o)
	rest := slices.Clone(recs[60:])
	for i := range rest {
		rest[i].Seq = entity.Seq(i + 1)
	}
	insert(t, second, rest, rest[len(rest)-1].Seq)
	all := slices.Clone(recs)
	for i := range rest {
		all[60+i].Seq = Shared(1, rest[i].Seq)
	}
	same(t, "after the first node died", answers(t, second), answers(t, reference(t, all)))
	closeOf(t, second)
}

// A server that is killed again and again loses nothing that it confirmed, and has nothing twice.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped with -short: it kills a server of its own")
	}
	s := clickhousetest.Start(t)
	s.Supervise(t)
	seed := chance.Seed(t)
	rng := chance.From(seed, 22)
	recs := firstOf(withRows(t, storetest.History(seed, 200)))
	o := testOptions(t, s, s.Database(t))
	w := openWith(t, o)
	done := make(chan error, 1)
	inserts := make(chan struct{}, 1000)
	w.pool.fault = func(statement string) error {
		if strings.HasPrefix(statement, "INSERT") {
			select {
			case inserts <- struct{}{}:
			default:
			}
		}
		return nil
	}
	go func() { done <- follow(t, w, chance.From(seed, 23), recs) }()
	for kills := 0; kills < 6; kills++ {
		for range 1 + rng.IntN(25) {
			select {
			case <-inserts:
			case err := <-done:
				done <- err
			}
		}
		s.Kill()
		s.Restart()
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := s.Do(t, "SELECT count(), uniqExact(seq) FROM "+o.Database+".events"); got != fmt.Sprintf("%d\t%[1]d", len(recs)) {
		t.Errorf("rows and events are %s, want %d of both", got, len(recs))
	}
	same(t, "after the kills", answers(t, w), answers(t, reference(t, recs)))
	closeOf(t, w)
}
