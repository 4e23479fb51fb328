package storetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

func testLogPayloads(t *testing.T, b *logBench) {
	batch := b.batch()
	at := time.Date(1999, 12, 31, 23, 59, 59, 123456000, time.UTC)
	for i, p := range []string{
		`{}`, `{"a": 1 , "b":[ ]}`, `{"text":"` + strings.Repeat("жизнь — 生活 🙂 \\u0000 ", 40_000) + `"}`,
		`{"control":"` + "\x7f" + `"}`, "{\"bytes\":\"\xff\xfe\"}",
	} {
		batch.Events = append(batch.Events, wire.Event{
			ID: string(rune('a' + i)), Type: wire.EventType("future_type"), Payload: []byte(p),
			Timestamp: wire.At(at.Add(time.Duration(i) * time.Minute)),
		})
	}
	types := []wire.EventType{
		wire.TraceCreate, wire.TraceUpdate, wire.ObservationCreate, wire.ObservationUpdate,
		wire.ObservationComplete, wire.QualityScoreCreate, wire.QualityScoreUpdate, wire.EventCreate,
	}
	for _, typ := range types {
		batch.Events = append(batch.Events, wire.Event{ID: string(typ), Type: typ, Payload: []byte(`{"x":1}`), Timestamp: wire.At(at)})
	}
	b.expect(t, batch, len(batch.Events), 0)
	check := func() {
		t.Helper()
		for i, r := range b.all(t) {
			e := batch.Events[i]
			if r.Event.ID != e.ID || r.Event.Type != e.Type || !bytes.Equal(r.Event.Payload, e.Payload) || !r.Event.Timestamp.Equal(e.Timestamp.Time) {
				t.Fatalf("event %d came back different: %.200q", i, r.Event)
			}
			if r.Project != "p" || r.Environment != "production" || r.BatchID != batch.ID || !r.ReceivedAt.Equal(batch.ReceivedAt) {
				t.Fatalf("record %d: %+v", i, r)
			}
		}
	}
	check()
	b.reopen(t)
	check()
}

func testLogFields(t *testing.T, b *logBench) {
	batch := b.batch("a", "b")
	row := entity.Row((&entity.Fields{EntityID: "a", Values: []entity.FieldValue{{Field: entity.Name, Text: "n"}}}).AppendRow(nil))
	batch.Rows = []entity.Row{row, nil}
	b.expect(t, batch, 2, 0)
	recs := b.all(t)
	if len(recs) != 2 || recs[1].Row != nil {
		t.Fatalf("records %+v", recs)
	}
	if recs[0].Row != nil && !bytes.Equal(recs[0].Row, row) {
		t.Error("the row is neither that appended nor forgotten")
	}
	b.reopen(t)
	if recs := b.all(t); len(recs) != 2 || recs[0].Row != nil {
		t.Errorf("after reopen: %+v", recs)
	}
}

func testLogReadWaits(t *testing.T, b *logBench) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			at, n := entity.Seq(0), 0
			for n < 30 {
				recs, upto, err := b.log.Read(context.Background(), at, 7)
				if err != nil {
					t.Error(err)
					return
				}
				at, n = upto, n+len(recs)
			}
		})
	}
	for _, id := range ids("x", 30) {
		b.expect(t, b.batch(id), 1, 0)
	}
	wg.Wait()
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(time.Millisecond, cancel)
	if _, _, err := b.log.Read(ctx, b.log.Head(), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("read at the head: %v", err)
	}
}

func testLogReadPages(t *testing.T, b *logBench) {
	var want []string
	for i := range 40 {
		part := ids(string(rune('A'+i)), 1+i%9)
		b.expect(t, b.batch(part...), len(part), 0)
		b.expect(t, b.batch(part...), 0, len(part))
		want = append(want, part...)
	}
	for _, limit := range []int{1, 2, 5, 1000} {
		var got []string
		for at := entity.Seq(0); at < b.log.Head(); {
			recs, upto, err := b.log.Read(context.Background(), at, limit)
			if err != nil || len(recs) > limit || upto <= at {
				t.Fatalf("read after %d: %d records, upto %d, %v", at, len(recs), upto, err)
			}
			for _, r := range recs {
				got = append(got, r.Event.ID)
			}
			at = upto
		}
		if !slices.Equal(got, want) {
			t.Fatalf("limit %d: %d events, want %d", limit, len(got), len(want))
		}
		b.reopen(t)
	}
}

func testLogGet(t *testing.T, b *logBench) {
	for i := range 20 {
		b.expect(t, b.batch(ids(string(rune('A'+i)), 10)...), 10, 0)
	}
	for range 2 {
		recs := b.all(t)
		var seqs []entity.Seq
		for i := range recs {
			seqs = append(seqs, recs[(i*37)%len(recs)].Seq)
		}
		got, err := b.log.Get(context.Background(), append(seqs, b.log.Head()+100, 0))
		if err != nil || len(got) != len(seqs) {
			t.Fatalf("got %d of %d: %v", len(got), len(seqs), err)
		}
		for i, r := range got {
			if r.Seq != seqs[i] || string(r.Event.Payload) != string(payloadOf(r.Event.ID)) {
				t.Fatalf("record %d: %d %q", i, r.Seq, r.Event.ID)
			}
		}
		b.reopen(t)
	}
}

func testLogTrim(t *testing.T, b *logBench) {
	for i := range 50 {
		b.expect(t, b.batch(ids(string(rune('A'+i)), 20)...), 20, 0)
	}
	before := b.log.Head() / 2
	if err := b.log.Trim(context.Background(), before); err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		n, head := 0, b.log.Head()
		for _, r := range b.all(t) {
			if r.Seq >= before {
				n++
			}
		}
		if want := int(head - before + 1); n < want {
			t.Errorf("%d records behind the trim, want %d", n, want)
		}
	}
	check()
	b.reopen(t)
	check()
	b.expect(t, b.batch(ids("A", 20)...), 0, 20) // marks stay
}

func testLogErase(t *testing.T, b *logBench) {
	for i := range 20 {
		b.expect(t, b.batch(ids(string(rune('A'+i)), 10)...), 10, 0)
	}
	ctx := context.Background()
	var erased []entity.Seq
	var kept []string
	for i, r := range b.all(t) {
		if i%3 == 0 || i < 10 {
			erased = append(erased, r.Seq)
		} else {
			kept = append(kept, r.Event.ID)
		}
	}
	for range 2 { // again is harmless
		if err := b.log.Erase(ctx, erased); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			b.expectIDs(t, kept)
			if got, err := b.log.Get(ctx, erased); err != nil || len(got) != 0 {
				t.Fatalf("got %d erased records, %v", len(got), err)
			}
			b.reopen(t)
		}
	}
	b.expect(t, b.batch(ids("A", 10)...), 0, 10) // a retry does not bring it back
	b.expect(t, b.batch("new"), 1, 0)
	b.expectIDs(t, append(kept, "new"))
}

func testLogClosed(t *testing.T, b *logBench) {
	b.expect(t, b.batch("a"), 1, 0)
	waiting := make(chan error)
	go func() {
		_, _, err := b.log.Read(context.Background(), b.log.Head(), 1)
		waiting <- err
	}()
	b.stop(t)
	if err := <-waiting; !errors.Is(err, store.ErrClosed) {
		t.Errorf("waiting read: %v", err)
	}
	ctx := context.Background()
	if _, err := b.log.Append(ctx, b.batch("b")); !errors.Is(err, store.ErrClosed) {
		t.Errorf("append: %v", err)
	}
	if _, err := b.log.Get(ctx, []entity.Seq{1}); !errors.Is(err, store.ErrClosed) {
		t.Errorf("get: %v", err)
	}
	if _, err := b.log.EventReceipt(ctx, "p", "a"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("receipt: %v", err)
	}
	b.start(t)
	b.expectIDs(t, []string{"a"})
}
