package clickhouse

import (
	"fmt"
	"slices"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/chance"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// What a node remembers of an entity is not all that there is when another node took events of it, or erased some, or a restart came between: whatever two nodes
// do in whatever order, the answers are those of one fold of the events that are left.
func TestWhatIsRememberedIsConfirmed(t *testing.T) {
	t.Parallel()
	s := server(t)
	for round := range chance.Rounds(3) {
		seed := chance.Seed(t)
		rng := chance.From(seed, uint64(40+round))
		recs := storetest.History(seed, 120)
		if round%3 == 1 {
			recs = storetest.SharedHistory(seed, 100)
		}
		logs, all := shareOut(rng, withRows(t, recs), 2)
		o := testOptions(t, s, s.Database(t))
		nodes := make([]*Warehouse, 2)
		open := func(n int) {
			own := o
			own.Node = uint16(n)
			nodes[n] = openWith(t, own)
		}
		open(0)
		open(1)
		erased := map[entity.Seq]bool{}
		done := []int{0, 0}
		for done[0] < len(logs[0]) || done[1] < len(logs[1]) {
			n := rng.IntN(2)
			to := min(done[n]+1+rng.IntN(12), len(logs[n]))
			if to > done[n] {
				insert(t, nodes[n], logs[n][done[n]:to], logs[n][to-1].Seq)
				done[n] = to
			}
			switch rng.IntN(8) {
			case 0: // one of them erases what the other may remember
				of := rng.IntN(2)
				if done[of] == 0 {
					continue
				}
				r := logs[of][rng.IntN(done[of])]
				var copies []entity.Seq // of which the table may have merged some away
				for node, log := range logs {
					for _, c := range log[:done[node]] {
						if c.Event.ID == r.Event.ID && c.Row.Content() == r.Row.Content() && c.Project == r.Project && c.Row.Kind() == r.Row.Kind() && string(c.Row.EntityID()) == string(r.Row.EntityID()) {
							copies = append(copies, Shared(uint16(node), c.Seq))
							erased[copies[len(copies)-1]] = true
						}
					}
				}
				if err := nodes[n].Erase(t.Context(), r.Project, copies); err != nil {
					t.Fatal(err)
				}
			case 1:
				closeOf(t, nodes[n])
				open(n)
			}
		}
		left := slices.DeleteFunc(all, func(r entity.Record) bool { return erased[r.Seq] })
		same(t, fmt.Sprintf("round %d, %d of %d events erased", round, len(erased), len(all)), answers(t, nodes[0]), answers(t, reference(t, left)))
		for _, w := range nodes {
			closeOf(t, w)
		}
	}
}
