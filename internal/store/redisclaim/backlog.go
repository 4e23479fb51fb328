package redisclaim

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"time"
)

// backlog keeps what was stored while Redis was away, oldest first.
type backlog struct {
	max   int
	mu    sync.Mutex // guards marks
	marks []mark
}

// mark is an id that is stored, and until when that is remembered.
type mark struct {
	project string
	place   place
	until   int64 // Unix milliseconds
}

// add keeps m; true when the oldest mark had to go for it.
func (b *backlog) add(m mark) (dropped bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.marks = append(b.marks, m)
	if len(b.marks) <= b.max {
		return false
	}
	b.marks = b.marks[1:]
	return true
}

// take removes up to most of the oldest marks. The memory goes with the last one.
func (b *backlog) take(most int) []mark {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := slices.Clone(b.marks[:min(most, len(b.marks))])
	if b.marks = b.marks[len(taken):]; len(b.marks) == 0 {
		b.marks = nil
	}
	return taken
}

func (b *backlog) size() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.marks)
}

// keep puts marks into the backlog.
func (c *Claimer) keep(project string, places []place, ttl time.Duration) {
	until := c.o.Now().Add(min(ttl, maxTTL)).UnixMilli()
	dropped := 0
	for _, p := range places {
		if c.backlog.add(mark{project, p, until}) {
			dropped++
		}
	}
	c.n.add(&c.n.dropped, dropped)
}

// handedOver is the owner of marks from the backlog: they have no lease.
const handedOver = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// hand writes the backlog to Redis. Marks that are not written stay in it.
func (c *Claimer) hand(ctx context.Context) error {
	const chunk = 1000
	for c.backlog.size() > 0 {
		byProject := map[string][]mark{}
		for _, m := range c.backlog.take(chunk) {
			byProject[m.project] = append(byProject[m.project], m)
		}
		var failure error
		for project, marks := range byProject {
			if failure == nil {
				failure = c.handProject(ctx, project, marks)
			}
			if failure != nil {
				for _, m := range marks {
					if c.backlog.add(m) {
						c.n.add(&c.n.dropped, 1)
					}
				}
			}
		}
		if failure != nil {
			return failure
		}
	}
	return nil
}

func (c *Claimer) handProject(ctx context.Context, project string, marks []mark) error {
	now := c.o.Now().UnixMilli()
	places := make([]place, 0, len(marks))
	ttls := make([]byte, 0, 4*len(marks))
	for _, m := range marks {
		if left := m.until - now; left > 0 {
			places = append(places, m.place)
			ttls = binary.BigEndian.AppendUint32(ttls, milliseconds(time.Duration(left)*time.Millisecond))
		}
	}
	if len(places) == 0 {
		return nil
	}
	if err := c.commit(ctx, project, places, handedOver, ttls, [tagCount]int64{}); err != nil {
		return err
	}
	c.n.add(&c.n.handed, len(places))
	return nil
}
