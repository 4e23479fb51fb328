package entity

import (
	"time"
	"unsafe"
)

// instant is microseconds since 1970, or nothing.
type instant struct {
	us    int64
	known bool
}

func (i *instant) least(us int64) {
	if !i.known || us < i.us {
		*i = instant{us, true}
	}
}

func (i *instant) greatest(us int64) {
	if !i.known || us > i.us {
		*i = instant{us, true}
	}
}

func (i instant) time() time.Time { return time.UnixMicro(i.us).UTC() }

// state is what the events of an entity say beside what goes into its row as it is.
type state struct {
	said      [numMoments]instant
	batchEnv  string        // the last that is not "default", or ""
	collected []*FieldValue // of lists and of JSON: all, in order

	created, completed, any instant // least create, greatest complete, least of all
}

// The times of which a row does not simply have the last.
const (
	startSaid = iota
	endSaid
	firstTokenSaid
	numMoments
)

const defaultEnvironment = "default"

// fold makes row what items say, which stand in their order, and leaves in s what else they say.
func fold[R any](s *state, sh *shape[R], row *R, items []foldItem) {
	*s = state{collected: s.collected[:0]}
	*row = sh.blank
	for i := range items {
		s.take(&items[i], &sh.spots, unsafe.Pointer(row), unsafe.Pointer(&sh.blank))
	}
	if len(s.collected) > 0 {
		sh.join(s, row)
	}
}

// take applies one event: each value takes the place of the one before it.
func (s *state) take(item *foldItem, spots *[NumFields]spot, row, blank unsafe.Pointer) {
	s.any.least(item.at)
	switch item.rank {
	case RankCreate:
		s.created.least(item.at)
	case RankComplete:
		s.completed.greatest(item.at)
	}
	if item.env != "" {
		s.batchEnv = item.env
	}
	if item.clears {
		s.clear(item, spots, row, blank)
	}
	for i := range item.values {
		v := &item.values[i]
		to := spots[v.Field]
		switch to.as {
		case asText:
			*(*string)(unsafe.Add(row, to.at)) = v.Text
		case asFirst:
			if first := (*string)(unsafe.Add(row, to.at)); *first == "" {
				*first = v.Text
			}
		case asInteger:
			*(**int64)(unsafe.Add(row, to.at)) = &v.Int
		case asFloat:
			*(**float64)(unsafe.Add(row, to.at)) = &v.Num
		case asMoment:
			s.said[to.at] = instant{v.Int, true}
		case asJoined:
			s.collected = append(s.collected, v)
		}
	}
}

// clear empties the fields that an event names; those that are no fields are passed over.
func (s *state) clear(item *foldItem, spots *[NumFields]spot, row, blank unsafe.Pointer) {
	for i := range item.values {
		if item.values[i].Field != Clear {
			continue
		}
		for _, name := range item.values[i].List {
			if f, ok := FieldNamed(name); ok {
				s.empty(f, spots[f], row, blank)
			}
		}
		return
	}
}

func (s *state) empty(f Field, to spot, row, blank unsafe.Pointer) {
	switch to.as {
	case asText:
		*(*string)(unsafe.Add(row, to.at)) = *(*string)(unsafe.Add(blank, to.at))
	case asInteger:
		*(**int64)(unsafe.Add(row, to.at)) = nil
	case asFloat:
		*(**float64)(unsafe.Add(row, to.at)) = nil
	case asMoment:
		s.said[to.at] = instant{}
	case asJoined:
		kept := s.collected[:0]
		for _, v := range s.collected {
			if v.Field != f {
				kept = append(kept, v)
			}
		}
		s.collected = kept
	}
}

// text is the last text of a field that is held as JSON.
func (s *state) text(f Field) string {
	for i := len(s.collected) - 1; i >= 0; i-- {
		if s.collected[i].Field == f {
			return s.collected[i].Text
		}
	}
	return ""
}

// inferredStart is the start of an entity that says none.
func (s *state) inferredStart() instant {
	if s.created.known {
		return s.created
	}
	return s.any
}

func (s *state) start() (at instant, inferred bool) {
	if s.said[startSaid].known {
		return s.said[startSaid], false
	}
	return s.inferredStart(), true
}

func (s *state) end() instant {
	if s.said[endSaid].known {
		return s.said[endSaid]
	}
	return s.completed
}
