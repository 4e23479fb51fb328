package ingest

import (
	"fmt"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/medium"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Medium is one that was taken out of the event at Index of a request.
type Medium struct {
	Index int
	medium.Medium
}

// TakenFrom are media that were taken out of the event at a place.
func TakenFrom(index int, media []medium.Medium) []Medium {
	all := make([]Medium, len(media))
	for i := range media {
		all[i] = Medium{index, media[i]}
	}
	return all
}

// putMedia makes the media of the events to store durable, before these are: an event never refers to what is not
// there. done is called when it is known what became of the events.
func (in *Ingest) putMedia(s *submission, r *Request) (done func(), err error) {
	var all []store.MediumOf
	for i := range r.Media {
		m := &r.Media[i]
		at, kept := slices.BinarySearch(s.index, m.Index)
		if !kept {
			continue
		}
		happened := store.EventTime(s.batch.Events[at].Timestamp.UnixMicro(), s.batch.ReceivedAt.UnixMicro())
		all = append(all, store.MediumOf{Medium: &m.Medium, At: time.UnixMicro(happened)})
	}
	if len(all) == 0 {
		return func() {}, nil
	}
	if done, err = in.o.Media.Put(s.batch.Project, all); err != nil {
		in.counters.add(func(c *Stats) { c.Unavailable++ })
		return nil, fmt.Errorf("keep media: %w", err)
	}
	return done, nil
}
