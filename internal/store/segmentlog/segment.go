package segmentlog

import (
	"sort"
	"sync"
	"sync/atomic"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// segment is one file of the Log.
type segment struct {
	id      uint64 // identity for caches; no two segments of a process share one
	base    entity.Seq
	path    string
	salt    uint32
	salted  bool // false when the header is damaged: the first block tells
	packed  bool
	rewrote bool       // written whole by a rewrite: header's last, newest and jobs are right
	jobs    uint32     // of a rewritten segment
	fence   entity.Seq // base of the segment behind it at open; 0 for none
	prev    entity.Seq // header's: what the segment before it held when this one was begun
	file    identity   // of the file at path
	until   entity.Seq // at open, prev of the segment behind it: what this one should hold

	// Guarded by Log.mu.
	last   entity.Seq // the last durable Seq; base-1 for none
	end    int64      // durable bytes
	sealed bool       // no longer appended to

	damaged atomic.Bool // bytes were found that are not the blocks they were

	mu     sync.Mutex   // guards below; held while a segment is gone through for the first time
	loaded bool         // marks are complete up to end
	marks  []mark       // in the order of the file
	asked  []entity.Seq // the raw requests of jobs
	newest int64        // latest commit time, Unix µs

	ages *ages // what is known of its events' times; the holder of maint's

	find sync.Mutex // guards below; apart from mu, for which the committer waits
	// filter is the segment's filter file, nil when it has none. When it was
	// checked, covered are its stretches, else those that the packer made and that searches found.
	filter  *filterFile
	checked bool
	covered covered
}

// mark is where a block starts. There is one for about every 8 KiB of file.
type mark struct {
	first entity.Seq
	off   int64
}

const markEvery = 8 << 10

// note records a block for look-ups.
func (s *segment) note(h *blockHeader, off int64) {
	s.newest = max(s.newest, h.committed)
	if n := len(s.marks); n == 0 || off-s.marks[n-1].off >= markEvery {
		s.marks = append(s.marks, mark{h.first, off})
	}
	if h.kind == kindJob {
		s.asked = append(s.asked, h.first)
	}
}

// scanner goes through the blocks of s that lie before end.
func (s *segment) scanner(h *handle, end int64, ahead int) *scanner {
	sc := newScanner(h.file, end, ahead)
	sc.salt, sc.salted, sc.fence, sc.after = s.salt, s.salted, s.fence, s.base-1
	return sc
}

// load makes marks complete: for a segment found at open, by going through its
// headers once. It reports the damage that it saw then; missing is how many Seqs
// at its end are in no file.
func (s *segment) load(h *handle, end int64) (lost int64, holes int, missing entity.Seq, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loaded {
		return 0, 0, 0, nil
	}
	s.marks, s.asked = s.marks[:0], s.asked[:0]
	sc := s.scanner(h, end, headerAhead)
	for b, off := range sc.blocks() {
		s.note(&b, off)
	}
	if sc.err != nil {
		return 0, 0, 0, sc.err
	}
	s.loaded = true
	// With holes, it is they that lack. A rewritten file names its last Seq itself, and
	// may have left out what held it: the request of a job that is done.
	if !s.rewrote && sc.after < s.until && sc.holes == 0 {
		missing = s.until - sc.after
	}
	return sc.lost, sc.holes, missing, nil
}

// from returns a scanner that starts at or a little before the block of seq. The
// segment is loaded.
func (s *segment) from(seq entity.Seq, h *handle, end int64, ahead int) *scanner {
	sc := s.scanner(h, end, ahead)
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := sort.Search(len(s.marks), func(i int) bool { return s.marks[i].first > seq }) - 1; i >= 0 {
		sc.off, sc.after = s.marks[i].off, s.marks[i].first-1
	}
	return sc
}

// newestCommit is the latest commit time in a loaded segment, Unix µs.
func (s *segment) newestCommit() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newest
}
