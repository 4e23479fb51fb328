package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
	"github.com/brokle-ai/brokle-go/internal/textsearch"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Two nodes have some events each and some both; either reads, finds and names all of them.
func TestReadingWhatAllNodesHave(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	first := openWith(t, o)
	o.Node = 1
	second := openWith(t, o)
	recs := firstOf(withRows(t, storetest.History(chance.Seed(t), 120)))
	for i := range recs {
		recs[i].Seq = entity.Seq(i + 1)
	}
	n := entity.Seq(len(recs))
	insert(t, first, recs[:80], 80)
	insert(t, second, recs[60:], n)
	var want []entity.Seq // the copy of node 0 counts
	for i := range recs {
		if i < 80 {
			want = append(want, recs[i].Seq)
		} else {
			want = append(want, Shared(1, recs[i].Seq))
		}
	}
	for node, w := range []*Warehouse{first, second} {
		w.ahead.most = 33 // not a multiple of a page
		for _, f := range []store.EventFilter{
			{}, {Environment: recs[0].Environment}, {Environment: "none"}, {KeyID: recs[0].KeyID}, {KeyID: "none"}, {From: recs[40].Event.Timestamp.Time, To: recs[90].Event.Timestamp.Time},
		} {
			f.Project = storetest.HistoryProject
			some := slices.DeleteFunc(slices.Clone(want), func(seq entity.Seq) bool {
				_, own := Own(seq)
				return !f.Has(&recs[own-1])
			})
			if got := readAll(t, w, &f, recs); !slices.Equal(got, some) {
				t.Errorf("node %d reads %d of %+v, want %d", node, got, f, some)
			}
		}
		searchAll(t, w, recs)
		namesAll(t, w, recs)
	}
	closeOf(t, first)
	closeOf(t, second)
}

// Who pages through all events has all that came before it began, whoever else did so before and stopped in the middle.
func TestReadingBesideOthers(t *testing.T) {
	t.Parallel()
	s := server(t)
	w := openWith(t, testOptions(t, s, s.Database(t)))
	recs := firstOf(withRows(t, storetest.History(chance.Seed(t), 60)))
	for i := range recs {
		recs[i].Seq = entity.Seq(i + 1)
	}
	f := &store.EventFilter{Project: storetest.HistoryProject}
	insert(t, w, recs[:30], 30)
	if _, _, err := w.ReadOf(t.Context(), f, 0, 7); err != nil {
		t.Fatal(err)
	}
	insert(t, w, recs[30:], entity.Seq(len(recs)))
	if got := readAll(t, w, f, recs); len(got) != len(recs) {
		t.Errorf("%d of %d events are read", len(got), len(recs))
	}
	closeOf(t, w)
}

// readAll pages through the events that a filter lets through; the reader may give more.
func readAll(t *testing.T, w *Warehouse, f *store.EventFilter, recs []entity.Record) (got []entity.Seq) {
	t.Helper()
	for after := entity.Seq(0); after < w.Head(); {
		page, upto, err := w.ReadOf(t.Context(), f, after, 7)
		if err != nil {
			t.Fatal(err)
		}
		for i := range page {
			if _, own := Own(page[i].Seq); string(page[i].Event.Payload) != string(recs[own-1].Event.Payload) {
				t.Fatalf("event %d has another payload", page[i].Seq)
			}
			if f.Has(&page[i]) {
				got = append(got, page[i].Seq)
			}
		}
		after = upto
	}
	return got
}

// searchAll looks for words, and compares with our matcher on all events.
func searchAll(t *testing.T, w *Warehouse, recs []entity.Record) {
	t.Helper()
	for _, text := range []string{"quality", "a", "error", "straße", "STRASSE", "the answer", `"the answer"`, "nowhere", "1", "é"} {
		q, err := textsearch.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		want := map[entity.Seq]bool{}
		m := textsearch.NewMatcher(q)
		for i := range recs {
			if m.Matches(&recs[i].Event) {
				want[recs[i].Seq] = true
			}
		}
		search, err := w.Search(storetest.HistoryProject, q)
		if err != nil {
			t.Fatal(err)
		}
		seqs, ok, err := search.Rare(t.Context(), 1000)
		if err != nil || !ok {
			t.Fatalf("%q: %t, %v", text, ok, err)
		}
		got := map[entity.Seq]bool{}
		for _, seq := range seqs {
			_, own := Own(seq)
			got[own] = true
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q is in %v, want %v", text, got, want)
		}
		if len(want) > 0 {
			if _, ok, err := search.Rare(t.Context(), 0); ok || err != nil {
				t.Errorf("%q: all of it was read where nothing may be: %v", text, err)
			}
			if _, ok, err := search.All(t.Context(), len(seqs)-1); ok || err != nil {
				t.Errorf("%q: more events come than may: %v", text, err)
			}
		}
		if all, ok, err := search.All(t.Context(), len(seqs)); !ok || err != nil || !slices.Equal(all, seqs) {
			t.Errorf("%q: all are %v, %t, %v; want %v", text, all, ok, err, seqs)
		}
		matches, err := search.Match(t.Context(), []entity.Seq{1, 2, Shared(1, 100), 999})
		if err != nil || len(matches) != 4 || matches[0] != want[1] || matches[1] != want[2] || matches[2] != want[100] || matches[3] {
			t.Errorf("%q: of some events %v, %v", text, matches, err)
		}
		search.Close()
	}
}

// Letters that fold to those that are looked for, and escapes of JSON, hide no word from the search.
func TestSearchFindsWhatIsWrittenOtherwise(t *testing.T) {
	t.Parallel()
	s := server(t)
	w := openWith(t, testOptions(t, s, s.Database(t)))
	var recs []entity.Record
	for i, input := range []string{"file", "FILE", "ﬁle", "ｆｉｌｅ", `\u0066ile`, "fi le", "profiles", "naïve file", "{\\\"a\\\":\\\"file\\\"}"} {
		recs = append(recs, record(t, entity.Seq(i+1), fmt.Sprint("e", i), wire.TraceCreate, microTime(1_700_000_000_000_000), fmt.Sprintf(`{"id":"t%d","name":"n","input":"%s"}`, i, input)))
	}
	insert(t, w, recs, entity.Seq(len(recs)))
	q, err := textsearch.Parse("file")
	if err != nil {
		t.Fatal(err)
	}
	search, err := w.Search(storetest.HistoryProject, q)
	if err != nil {
		t.Fatal(err)
	}
	seqs, ok, err := search.Rare(context.Background(), 1000)
	if want := []entity.Seq{1, 2, 3, 4, 5, 8, 9}; err != nil || !ok || !slices.Equal(seqs, want) {
		t.Errorf("found %d, %t, %v; want %d", seqs, ok, err, want)
	}
	closeOf(t, w)
}

// namesAll looks for each trace and user by its mentions.
func namesAll(t *testing.T, w *Warehouse, recs []entity.Record) {
	t.Helper()
	for _, trace := range []string{storetest.HistoryTrace(0), storetest.HistoryTrace(2)} {
		found := map[entity.Seq]bool{}
		err := w.Mentioning(t.Context(), storetest.HistoryProject, []entity.Mention{{Of: entity.TraceKind, ID: trace}}, 0, func(r *entity.Record) {
			_, own := Own(r.Seq)
			found[own] = true
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range recs {
			var fs entity.Fields
			if err := recs[i].Row.View(&fs); err != nil {
				t.Fatal(err)
			}
			names, _ := fs.Get(entity.TraceID)
			if (names.Text == trace || fs.Kind == entity.TraceKind && fs.EntityID == trace) && !found[recs[i].Seq] {
				t.Errorf("event %d names %s and was not found", recs[i].Seq, trace)
			}
		}
	}
}

// What a node is asked to erase it is asked until it has said that it did; secrets are the first one's.
func TestAskedToErase(t *testing.T) {
	t.Parallel()
	s := server(t)
	o := testOptions(t, s, s.Database(t))
	first := openWith(t, o)
	o.Node = 1
	second := openWith(t, o)
	if err := first.Ask(t.Context(), []entity.Seq{Shared(1, 5), Shared(1, 9), Shared(2, 1)}); err != nil {
		t.Fatal(err)
	}
	for _, done := range []bool{false, true} {
		asked, err := second.Asked(t.Context())
		if err != nil || done && len(asked) > 0 || !done && (len(asked) != 1 || !slices.Equal(asked[0].Seqs, []entity.Seq{5, 9})) {
			t.Fatalf("asked %+v, %v", asked, err)
		}
		for _, a := range asked {
			if err := second.Did(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, w := range []*Warehouse{first, second} {
		if secret, err := w.Secret(t.Context(), "test", []byte{byte(w.Node()), 7}); err != nil || !slices.Equal(secret, []byte{0, 7}) {
			t.Errorf("node %d has %d, %v", w.Node(), secret, err)
		}
	}
	closeOf(t, first)
	closeOf(t, second)
}

// Small pages of traces are those of rows in force, though the rows that were replaced still lie there and would come first.
func TestPagesOfRowsInForce(t *testing.T) {
	t.Parallel()
	s := server(t)
	seed := chance.Seed(t)
	rng := chance.From(seed, 50)
	recs := withRows(t, storetest.History(seed, 160))
	o := testOptions(t, s, s.Database(t))
	w := openWith(t, o)
	s.Do(t, "SYSTEM STOP MERGES "+o.Database+".traces")
	for from := 0; from < len(recs); {
		to := min(from+1+rng.IntN(9), len(recs))
		insert(t, w, recs[from:to], recs[to-1].Seq)
		from = to
	}
	want := reference(t, recs)
	yes := true
	for what, q := range map[string]store.Query{
		"newest": {}, "oldest": {Order: store.Order{By: "start_time", Asc: true}}, "by cost": {Order: store.Order{By: "total_cost"}}, "cheapest": {Order: store.Order{By: "total_cost", Asc: true}},
		"failed": {Filter: store.Filter{HasError: &yes}}, "slowest": {Order: store.Order{By: "latency_ms"}}, "of a type": {Filter: store.Filter{Type: "generation"}},
	} {
		for _, limit := range []int{1, 2, 5} {
			q.Limit = limit
			if got, want := pagesOf(t, w, q), pagesOf(t, want, q); got != want {
				t.Errorf("%s, %d at once:\n got %s\nwant %s", what, limit, got, want)
			}
		}
	}
	closeOf(t, w)
}

// pagesOf are all pages of traces, one after the other.
func pagesOf(t testing.TB, w store.Warehouse, q store.Query) (ids string) {
	t.Helper()
	for {
		page, err := query.ListTraces(t.Context(), w, storetest.HistoryProject, q)
		if err != nil {
			t.Fatal(err)
		}
		for i := range page.Data {
			ids += page.Data[i].ID + " "
		}
		if ids += "| "; page.NextCursor == nil {
			return ids
		}
		q.Cursor = *page.NextCursor
	}
}
