package duckstore

import (
	"github.com/brokle-ai/brokle-go/internal/entity"
)

// fact is what makes two events of a project the same: see store.Fold.
type fact struct {
	project, eventID string
	content          uint64
}

func factOf(r *entity.Record) fact { return fact{r.Project, r.Event.ID, r.Fields.Content} }

// unknown returns the records whose fact is not in the table, nor earlier in recs. The
// filter rules out nearly all look-ups.
func (w *Warehouse) unknown(recs []entity.Record) ([]*entity.Record, error) {
	var suspects map[fact]bool
	for i := range recs {
		f := factOf(&recs[i])
		if w.seen.add(w.seen.factKey(f.project, f.eventID, f.content)) {
			if suspects == nil {
				suspects = make(map[fact]bool)
			}
			suspects[f] = true
		}
	}
	present := map[fact]bool{}
	if suspects != nil {
		var err error
		if present, err = w.present(suspects); err != nil {
			return nil, err
		}
	}
	fresh := make([]*entity.Record, 0, len(recs))
	for i := range recs {
		f := factOf(&recs[i])
		if suspects[f] {
			if present[f] {
				continue
			}
			present[f] = true // the first one goes in
		}
		fresh = append(fresh, &recs[i])
	}
	return fresh, nil
}

// present returns those of the facts that are in the table.
func (w *Warehouse) present(facts map[fact]bool) (map[fact]bool, error) {
	keys := make([]entityKey, 0, len(facts))
	for f := range facts {
		keys = append(keys, entityKey{project: f.project, id: f.eventID})
	}
	present := make(map[fact]bool)
	err := w.write.scan("SELECT project, event_id, content FROM events WHERE "+among("event_id"), params(keys), func(b block) {
		for i := range b.rows {
			if f := (fact{b.text(0, i), b.text(1, i), b.uint64s(2)[i]}); facts[f] {
				present[f] = true
			}
		}
	})
	return present, err
}
