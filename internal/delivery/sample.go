package delivery

import (
	"sync"

	"github.com/oklog/ulid/v2"

	"github.com/brokle-ai/brokle-go/internal/payload"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// sampler decides by trace id, the same in every process: a trace is whole or
// absent. An event that names only an observation follows that observation, as
// long as it is remembered.
type sampler struct {
	threshold uint64

	mu       sync.Mutex // guards both
	out, old map[uint64]struct{}
}

// sampleMemory is how many left-out observations are remembered at least.
const sampleMemory = 32 << 10

func newSampler(rate float64) *sampler {
	return &sampler{threshold: uint64(rate * (1 << 53)), out: make(map[uint64]struct{})}
}

// trace says whether the trace of this id is kept.
func (s *sampler) trace(id uint64) bool {
	// FNV's high bits vary little between short ids: mix before cutting.
	id ^= id >> 33
	id *= 0xff51afd7ed558ccd
	id ^= id >> 33
	id *= 0xc4ceb9fe1a85ec53
	id ^= id >> 33
	return id>>11 < s.threshold
}

// keep decides one event. Its id is id, or auto when that is empty.
func (s *sampler) keep(t wire.EventType, id string, auto ulid.ULID, body []byte) bool {
	var trace, own, observation uint64
	payload.EachID(body, func(name payload.Name, v []byte) {
		switch name {
		case payload.TraceID:
			trace = hash64(v)
		case payload.ExternalTraceID:
			if trace == 0 {
				trace = hash64(v)
			}
		case payload.ID, payload.OtherID:
			if own == 0 || name == payload.ID {
				own = hash64(v)
			}
		case payload.ObservationID:
			observation = hash64(v)
		}
	})
	if own == 0 {
		if id == "" {
			id = auto.String()
		}
		own = hash64(id)
	}
	if trace == 0 && (t == wire.TraceCreate || t == wire.TraceUpdate) {
		trace = own
	}
	if trace == 0 { // it follows what it names
		return !s.isOut(own) && (observation == 0 || !s.isOut(observation))
	}
	kept := s.trace(trace)
	if !kept {
		s.leaveOut(own)
	}
	return kept
}

func (s *sampler) isOut(id uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, a := s.out[id]
	_, b := s.old[id]
	return a || b
}

func (s *sampler) leaveOut(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.out) >= sampleMemory {
		s.old, s.out = s.out, make(map[uint64]struct{}, sampleMemory)
	}
	s.out[id] = struct{}{}
}
