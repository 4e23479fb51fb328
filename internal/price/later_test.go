package price

import (
	"fmt"
	"sync"
	"testing"
)

// Books of own prices are made when they are asked, only so many stay, and one that was forgotten says the same again.
func TestLater(t *testing.T) { // not parallel: it counts allocations
	base, keeper := Builtin(), NewLater(100)
	made := make([]int, 20)
	books := make([]*Book, len(made))
	for i := range books {
		books[i] = keeper.Over(base, func() ([]Own, error) {
			made[i]++ // the keeper makes one at a time
			list, err := KeptOwn("own", fmt.Appendf(nil, `[{"model":"m","input":%d}%s]`, i+1, many(29)))
			if err != nil {
				t.Error(err)
			}
			return list, nil
		})
	}
	if keeper.size != 0 || books[0].Version() != base.Version() || books[0].Hash() != base.Hash() {
		t.Error("a book is made before it is asked, or is not named as its base")
	}
	ask := func(i int) {
		cost, reason := books[i].Price(&Call{Provider: "openai", Answered: "m", Start: moment(t, someDay), Usage: Usage{Input: million}})
		if reason != Priced || cost.Total != Amount(i+1)*USD {
			t.Errorf("book %d: %s %s", i, cost.Total, reason)
		}
	}
	for range 2 {
		for i := range books {
			ask(i)
			ask(0)
		}
	}
	if keeper.size > 100 || len(keeper.kept) != 3 || made[0] != 1 || made[1] != 2 || made[19] != 2 {
		t.Errorf("%d own prices in %d books, made %v", keeper.size, len(keeper.kept), made)
	}
	call := &Call{Provider: "openai", Answered: "m", Start: moment(t, someDay), Usage: Usage{Input: million}}
	books[0].Price(call)
	if n := testing.AllocsPerRun(100, func() { books[0].Price(call) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	large := keeper.Over(base, func() ([]Own, error) {
		return KeptOwn("own", []byte(`[{"model":"m","input":7}`+many(200)+`]`))
	})
	if cost, _ := large.Price(call); cost.Total != 7*USD || len(keeper.kept) != 1 {
		t.Errorf("one that is more than all may be costs %s, and %d are kept", cost.Total, len(keeper.kept))
	}
}

// many are own prices of other models.
func many(n int) (text string) {
	for i := range n {
		text += fmt.Sprintf(`,{"model":"other-%d","input":1}`, i)
	}
	return text
}

// A book that is made and forgotten by many at once says the same to all of them.
func TestLaterByMany(t *testing.T) {
	t.Parallel()
	base, keeper := Builtin(), NewLater(2)
	books := make([]*Book, 8)
	for i := range books {
		books[i] = keeper.Over(base, func() ([]Own, error) {
			return KeptOwn("own", fmt.Appendf(nil, `[{"model":"m","input":%d}]`, i+1))
		})
	}
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for n := range 500 {
				i := (n*7 + g) % len(books)
				cost, _ := books[i].Price(&Call{Provider: "openai", Answered: "m", Usage: Usage{Input: million}})
				if cost.Total != Amount(i+1)*USD {
					t.Errorf("book %d: %s", i, cost.Total)
				}
			}
		})
	}
	all.Wait()
}
