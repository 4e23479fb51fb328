package daemon

import (
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/removal"
	"github.com/brokle-ai/brokle-go/internal/store/clickhouse"
)

// A node keeps the numbers that it has had, and from where in its log on each is.
func TestNumbersOfANode(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "node.json")
	for _, c := range []struct {
		number    uint16
		after     entity.Seq
		had, want pricing.Numbers
	}{
		{3, 50, nil, pricing.Numbers{{Node: 3}}}, // it was copied before, up to there: that is under this number, too
		{3, 70, pricing.Numbers{{Node: 3}}, pricing.Numbers{{Node: 3}}},
		{5, 60, pricing.Numbers{{Node: 3}}, pricing.Numbers{{Node: 3}, {Node: 5, After: 60}}},                       // it had lost what came behind
		{6, 60, pricing.Numbers{{Node: 3}, {Node: 5, After: 60}}, pricing.Numbers{{Node: 3}, {Node: 6, After: 60}}}, // again, before anything came
		{1, 0, pricing.Numbers{{Node: 3}, {Node: 6, After: 60}}, pricing.Numbers{{Node: 1}}},                        // other tables
		{0, 90, pricing.Numbers{{Node: 1}}, pricing.Numbers{{Node: 1}, {Node: 0, After: 90}}},
	} {
		f, err := openNodeFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var had pricing.Numbers
		err = f.change(func(id *identity) bool {
			_, had = id.number(c.number, c.after)
			return true
		})
		again, err2 := openNodeFile(path)
		if err != nil || err2 != nil || !slices.Equal(had, c.had) || !slices.Equal(again.get().Numbers, c.want) {
			t.Errorf("number %d from %d on: had %v, has %v; want %v, %v; %v, %v", c.number, c.after, had, again.get().Numbers, c.had, c.want, err, err2)
		}
	}
}

// An erasure that a node began while it shared ends in its own log when it is alone, and is kept for the others; whatever was erased alone has the right names in the tables.
func TestErasuresOfANodeThatLeft(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "node.json")
	f, err := openNodeFile(path)
	if err != nil {
		t.Fatal(err)
	}
	err = f.change(func(id *identity) bool {
		id.Numbers, id.Apart = pricing.Numbers{{Node: 3}, {Node: 5, After: 100}}, &apart{}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &stores{identity: f, copies: &copies{path: path}}
	list := []removal.Erasure{
		{Project: "p", Seqs: []entity.Seq{7, clickhouse.Shared(3, 7), clickhouse.Shared(3, 101), clickhouse.Shared(5, 101), clickhouse.Shared(9, 1)}},
		{Project: "q", Seqs: []entity.Seq{clickhouse.Shared(5, 102)}},
	}
	for range 2 { // killed meanwhile
		own, err := s.noteBegun(t.Context(), list)
		if want := []removal.Erasure{{Project: "p", Seqs: []entity.Seq{7, 101}}, {Project: "q", Seqs: []entity.Seq{102}}}; err != nil || !reflect.DeepEqual(own, want) {
			t.Errorf("of its own: %v, want %v; %v", own, want, err)
		}
		id, err := s.copies.read()
		want := []erased{{"p", []entity.Seq{7, clickhouse.Shared(3, 101), clickhouse.Shared(9, 1)}}}
		if err != nil || !reflect.DeepEqual(id.Apart.Begun, want) {
			t.Errorf("of others: %v, want %v; %v", id.Apart.Begun, want, err)
		}
	}
	want := []entity.Seq{clickhouse.Shared(3, 100), clickhouse.Shared(5, 101)}
	if got := s.sharedSeqs(5, []entity.Seq{100, 101}); !slices.Equal(got, want) {
		t.Errorf("in the tables: %v, want %v", got, want)
	}
	want = []entity.Seq{clickhouse.Shared(2, 100), clickhouse.Shared(2, 101)}
	if got := s.sharedSeqs(2, []entity.Seq{100, 101}); !slices.Equal(got, want) {
		t.Errorf("in other tables: %v, want %v", got, want)
	}
}
