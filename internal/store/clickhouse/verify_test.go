package clickhouse

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// verified compares a node's log with the tables.
func verified(t *testing.T, w *Warehouse, recs []entity.Record, expired *store.Cutoffs) *Verified {
	t.Helper()
	v := &Verified{}
	for at := entity.Seq(0); at < recs[len(recs)-1].Seq; at += 100 {
		var some []entity.Record
		for _, r := range recs {
			if at < r.Seq && r.Seq <= at+100 {
				some = append(some, r)
			}
		}
		if err := w.Verify(t.Context(), some, at, at+100, expired, v); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

// What is missing, other, there twice and there without being in the log is found, and nothing else.
func TestVerifyFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := server(t)
	database := s.Database(t)
	o := testOptions(t, s, database)
	w := openWith(t, o)
	defer closeOf(t, w)
	recs := withRows(t, firstOf(storetest.History(11, 400)))
	for i := range recs {
		recs[i].Seq = entity.Seq(i + 1)
	}
	insert(t, w, recs, recs[len(recs)-1].Seq)
	expect := func(what string, v *Verified, missing, differing, doubled, surplus []entity.Seq) {
		t.Helper()
		if !slices.Equal(v.Missing, missing) || !slices.Equal(v.Differing, differing) || !slices.Equal(v.Doubled, doubled) || !slices.Equal(v.Surplus, surplus) || v.Whole() == (len(missing)+len(differing)+len(doubled)+len(surplus) > 0) {
			t.Errorf("%s: %+v", what, v)
		}
	}
	v := verified(t, w, recs, nil)
	expect("as it was inserted", v, nil, nil, nil, nil)
	if v.Events != int64(len(recs)) || v.Sampled < int64(len(recs)/sampleEach)-1 {
		t.Errorf("%d events, %d payloads compared", v.Events, v.Sampled)
	}
	expect("an event that the log lost", verified(t, w, slices.Delete(slices.Clone(recs), 41, 42), nil), nil, nil, nil, []entity.Seq{42})
	for of, want := range map[string][]entity.Seq{storetest.HistoryProject: nil, "another": {42}} {
		old := &store.Cutoffs{Now: time.Now(), Retention: store.Retention{Projects: map[string]time.Duration{of: time.Minute}}}
		expect("one that has expired in "+of, verified(t, w, slices.Delete(slices.Clone(recs), 41, 42), old), nil, nil, nil, want)
	}

	s.Do(t, "SYSTEM STOP MERGES "+database+".events")
	defer s.Do(t, "SYSTEM START MERGES "+database+".events")
	s.Do(t, fmt.Sprintf("INSERT INTO %[1]s.events SELECT * FROM %[1]s.events WHERE seq = 7 SETTINGS insert_deduplicate = 0", database))
	expect("an event in two rows", verified(t, w, recs, nil), nil, nil, []entity.Seq{7}, nil)
	s.Do(t, "SYSTEM START MERGES "+database+".events")
	s.Do(t, "ALTER TABLE "+database+".events DELETE WHERE seq IN (7, 100, 301) SETTINGS mutations_sync = 2")
	expect("three that are gone", verified(t, w, recs, nil), []entity.Seq{7, 100, 301}, nil, nil, nil)

	s.Do(t, "ALTER TABLE "+database+".events UPDATE payload = concat(payload, ' ') WHERE 1 SETTINGS mutations_sync = 2")
	if v := verified(t, w, recs, nil); len(v.Differing) != int(v.Sampled) || v.Sampled == 0 {
		t.Errorf("with other payloads: %d of %d differ", len(v.Differing), v.Sampled)
	}
}

// Scan reads each event of a node once, in order, whatever days it was received on, and from any place on.
func TestScan(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	o.Node = 3
	w := openWith(t, o)
	defer closeOf(t, w)
	o.Node = 5
	other := openWith(t, o)
	defer closeOf(t, other)
	recs := withRows(t, firstOf(storetest.History(12, 300)))
	for i := range recs {
		recs[i].Seq = entity.Seq(2*i + 1)
		if recs[i].ReceivedAt = recs[i].ReceivedAt.AddDate(0, 0, i/100); i%40 == 39 { // not quite in the order of the Seqs
			recs[i].ReceivedAt = recs[i].ReceivedAt.AddDate(0, 0, -1)
		}
	}
	insert(t, w, recs, recs[len(recs)-1].Seq)
	insert(t, other, recs[:100], recs[99].Seq)
	for _, after := range []entity.Seq{0, 1, 2, 350, recs[len(recs)-1].Seq, math.MaxInt32} {
		var got []entity.Record
		if err := w.Scan(t.Context(), 3, after, func(r *entity.Record) error {
			_, r.Seq = Own(r.Seq)
			got = append(got, *r)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		want := recs
		for len(want) > 0 && want[0].Seq <= after {
			want = want[1:]
		}
		if len(got) != len(want) {
			t.Fatalf("behind %d: %d events instead of %d", after, len(got), len(want))
		}
		for i := range got {
			if got[i].Seq != want[i].Seq || string(got[i].Event.Payload) != string(want[i].Event.Payload) || !got[i].ReceivedAt.Equal(want[i].ReceivedAt) || got[i].KeyID != want[i].KeyID {
				t.Fatalf("behind %d: event %d is %+v instead of %+v", after, i, got[i], want[i])
			}
		}
	}
	stop := fmt.Errorf("enough")
	if err := w.Scan(t.Context(), 3, 0, func(*entity.Record) error { return stop }); err != stop { //nolint:errorlint // it is that one
		t.Errorf("a scan whose receiver fails: %v", err)
	}
	if n, err := w.Facts(t.Context()); err != nil || n != uint64(len(recs)) {
		t.Errorf("%d facts of %d, %v", n, len(recs), err)
	}
}
