package dataset

import (
	"errors"
	"sync"
)

// Dataset is one, as it was known when it was found. What changes it changes it as it is by then.
type Dataset struct {
	id      string
	project *project

	mu   sync.RWMutex // guards what follows
	log  *log
	gone bool
}

// change keeps the lines that edit makes of the dataset as it is. Among nodes edit may be called several times.
func (s *Dataset) change(edit func(now *Dataset, has *contents) ([]*line, error)) error {
	return s.project.change(s.id, func(has *contents) ([]*line, error) {
		now := has.datasets[s.id]
		if now == nil || !now.log.whole() {
			return nil, ErrUnknown
		}
		return edit(now, has)
	})
}

// errMoved says that lines are not there any more, or not as they were: they were erased, or their dataset was deleted, by another node.
var errMoved = errors.New("another node has changed what was read meanwhile")

// reading runs read on the dataset as it is known, and again on what it is by then when another node has erased some of it.
func (s *Dataset) reading(read func(now *Dataset) error) error {
	err := s.locked(read)
	if !errors.Is(err, errMoved) {
		return err
	}
	now, err := s.project.again(s.id)
	if err != nil {
		return err
	}
	return now.locked(read)
}

func (s *Dataset) locked(read func(now *Dataset) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return read(s)
}
