package wire

import (
	"crypto/rand"
	"encoding/binary"
	"math"
	"math/bits"
	mrand "math/rand/v2"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// ids makes ULIDs that rise strictly within the process.
var ids = newIDSource()

// idSource draws its random bits from ChaCha8, a cryptographic generator
// seeded by the system once: asking the system for every id costs more than all else
// that happens to an event.
type idSource struct {
	mu  sync.Mutex // guards all below
	rng *mrand.ChaCha8
	ms  uint64 // time of the last id
	hi  uint16 // its random part: 16 bits and 64
	lo  uint64
}

func newIDSource() *idSource {
	var seed [32]byte
	rand.Read(seed[:]) // never fails (crypto/rand)
	return &idSource{rng: mrand.NewChaCha8(seed)}
}

// next returns a ULID for ms, or for the last millisecond used when the clock
// went back, so that ids made later sort later.
func (s *idSource) next(ms uint64) (id ulid.ULID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ms > s.ms || !s.step() {
		s.ms = max(ms, s.ms+1)
		// The top bit stays 0, so that a millisecond has room for at least 2^47 more ids.
		s.hi, s.lo = uint16(s.rng.Uint64()>>49), s.rng.Uint64()
	}
	_ = id.SetTime(s.ms) // in range until the year 10889
	binary.BigEndian.PutUint16(id[6:], s.hi)
	binary.BigEndian.PutUint64(id[8:], s.lo)
	return id
}

// step raises the random part by 1 to 2^32, so that the next id cannot be
// guessed from this one. False when this millisecond is used up.
func (s *idSource) step() bool {
	lo, carry := bits.Add64(s.lo, s.rng.Uint64()>>32+1, 0)
	if carry == 1 && s.hi == math.MaxUint16 {
		return false
	}
	s.hi, s.lo = s.hi+uint16(carry), lo
	return true
}

// NextID is the 16 bytes of a new ULID for ms, Unix milliseconds: NewIDAt without its text.
func NextID(ms uint64) [16]byte { return ids.next(ms) }

// NewID returns a new ULID (26 characters of Crockford base32): 48 bits of
// Unix milliseconds, 80 random bits. Ids made later in this process sort later.
// It is safe for concurrent use.
func NewID() string { return ids.next(ulid.Now()).String() }

// NewIDAt returns a new ULID whose time is t (milliseconds, 1970 to 10889).
// Its order against ids of NewID is that of the times.
func NewIDAt(t time.Time) string {
	ms := t.UnixMilli()
	if ms < 0 {
		ms = 0
	}
	return ulid.MustNew(min(uint64(ms), ulid.MaxTime()), rand.Reader).String()
}

// IDTime returns the time in a ULID, or false when id is not one. It is a hint
// for people: an event id is opaque and need not be a ULID.
func IDTime(id string) (time.Time, bool) {
	u, err := ulid.ParseStrict(id)
	if err != nil {
		return time.Time{}, false
	}
	return u.Timestamp().UTC(), true
}

// MaxIDLength is the longest event id, in characters.
const MaxIDLength = 128

// ValidID says whether id may name an event: 1 to 128 printable ASCII
// characters without space.
func ValidID(id string) bool {
	if len(id) == 0 || len(id) > MaxIDLength {
		return false
	}
	for i := 0; i < len(id); i++ {
		if id[i] <= ' ' || id[i] > '~' {
			return false
		}
	}
	return true
}
