package duckstore

import "github.com/brokle-ai/brokle-go/internal/entity"

// partTwins sends the calls of models the long way that may have been reported before. Of two that may be twins each has a
// key that the other wants, so it is enough that the later one looks.
func (x *index) partTwins(w knowing) error {
	var seqs []int64
	var err error
	for i := range x.entities {
		s := &x.entities[i]
		if !s.twins || s.long {
			continue
		}
		if seqs, err = x.fold(&x.folder, s, seqs[:0]); err != nil {
			return err
		}
		project, id := x.name(s)
		if c := x.folder.Observations(id)[0].Call(); c != nil {
			s.long = w.met(project, c)
		}
	}
	return nil
}

// met says whether calls that may be twins of c were there before, or makes it one that was. It may be wrong when it says so.
func (w *Warehouse) met(project string, c *entity.Call) bool {
	var keys [entity.MostKeys]entity.Key
	for _, key := range c.AppendWants(keys[:0]) {
		if w.seen.has(w.seen.callKey(project, key)) {
			return true
		}
	}
	for _, key := range c.AppendHas(keys[:0]) {
		w.seen.add(w.seen.callKey(project, key))
	}
	return false
}
