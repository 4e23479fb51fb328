package idindex

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"sort"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/brokle-ai/brokle-go/internal/bloom"
)

// A run is a file of entries in the order of their keys: pages, what is known of the pages, a filter, a footer. The keys
// are shared out evenly among the pages; docs/format.md has the bytes.
const (
	entryLen  = 20
	pageMean  = 128 // entries
	footerLen = 80
	runMagic  = "BROKIDS\x00"
	deltaMax  = 1<<48 - 1 // µs that an expiry may lie behind the run's first
)

// errDamaged is a file that is not what was written.
var errDamaged = errors.New("is damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// page is what is known of a page.
type page struct {
	end uint32 // the number of entries up to its end
	sum uint32
}

// footer is what a run says of itself.
type footer struct {
	pages, entries, marks int
	first, most, last     int64 // expiries: of the first entry to go, of three quarters, of all
	lines, probes         int   // of the filter
	pageSum, filterSum    uint32
}

func (f *footer) append(b []byte) []byte {
	at := len(b)
	b = append(b, runMagic...)
	b = binary.LittleEndian.AppendUint32(b, FormatVersion)
	b = binary.LittleEndian.AppendUint32(b, uint32(f.pages))
	for _, v := range [...]uint64{uint64(f.entries), uint64(f.marks), uint64(f.first), uint64(f.most), uint64(f.last)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	for _, v := range [...]uint32{uint32(f.lines), uint32(f.probes), f.pageSum, f.filterSum, 0} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return binary.LittleEndian.AppendUint32(b, checksum(b[at:]))
}

// parse reads the footer of a file of size bytes, and holds it against the size.
func (f *footer) parse(b []byte, size int64) error {
	u32 := func(at int) int { return int(binary.LittleEndian.Uint32(b[at:])) }
	u64 := func(at int) int64 { return int64(binary.LittleEndian.Uint64(b[at:])) }
	switch {
	case string(b[:8]) != runMagic || checksum(b[:footerLen-4]) != uint32(u32(footerLen-4)):
		return fmt.Errorf("its footer %w", errDamaged)
	case u32(8) > FormatVersion:
		return ErrNewer
	}
	*f = footer{
		pages: u32(12), entries: int(u64(16)), marks: int(u64(24)), first: u64(32), most: u64(40), last: u64(48),
		lines: u32(56), probes: u32(60), pageSum: uint32(u32(64)), filterSum: uint32(u32(68)),
	}
	if f.entries < 0 || f.entries > math.MaxUint32 || f.pages == 0 || f.lines == 0 || f.probes == 0 || f.probes > 7 || f.size() != size {
		return fmt.Errorf("its footer %w", errDamaged)
	}
	return nil
}

// sum is the checksum that ends it.
func (f *footer) sum() uint32 { return binary.LittleEndian.Uint32(f.append(nil)[footerLen-4:]) }

// Where the parts of the file are.
func (f *footer) pagesAt() int64  { return int64(f.entries) * entryLen }
func (f *footer) filterAt() int64 { return f.pagesAt() + int64(f.pages)*8 }
func (f *footer) size() int64 {
	return f.filterAt() + int64(f.lines)*bloom.LineBytes + footerLen
}

// run is a run that is open for look-ups.
type run struct {
	footer
	number uint64
	path   string
	file   vfs.File
	page   []page
	filter *bloom.Filter // nil: there was no memory for it
}

// openRun opens a run, and checks all but its pages. It does not load the filter.
func openRun(fs vfs.FS, path string, number uint64) (_ *run, err error) {
	r := &run{number: number, path: path}
	if r.file, err = fs.Open(path, vfs.RandomReadsOption); err != nil {
		return nil, err
	}
	if err := r.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), r.file.Close())
	}
	return r, nil
}

func (r *run) load() error {
	info, err := r.file.Stat()
	if err != nil {
		return err
	}
	b, err := r.read(info.Size()-footerLen, footerLen, nil)
	if err == nil {
		err = r.parse(b, info.Size())
	}
	if err == nil {
		b, err = r.read(r.pagesAt(), r.pages*8, b)
	}
	if err != nil {
		return err
	}
	whole, end := checksum(b) == r.pageSum, uint32(0)
	r.page = make([]page, r.pages)
	for i := range r.page {
		p := page{binary.LittleEndian.Uint32(b[8*i:]), binary.LittleEndian.Uint32(b[8*i+4:])}
		whole = whole && p.end >= end
		r.page[i], end = p, p.end
	}
	if !whole || int(end) != r.entries {
		return fmt.Errorf("its list of pages %w", errDamaged)
	}
	return nil
}

// loadFilter reads and checks the filter.
func (r *run) loadFilter() (*bloom.Filter, error) {
	b, err := r.read(r.filterAt(), r.lines*bloom.LineBytes, nil)
	if err != nil {
		return nil, err
	}
	if checksum(b) != r.filterSum {
		return nil, fmt.Errorf("%s: its filter %w", r.path, errDamaged)
	}
	return bloom.From(b, r.probes), nil
}

// read reads n bytes into buf, or into more memory.
func (r *run) read(off int64, n int, buf []byte) ([]byte, error) {
	buf = slices.Grow(buf[:0], n)[:n]
	if off < 0 {
		return nil, fmt.Errorf("%s %w", r.path, errDamaged)
	}
	if got, err := r.file.ReadAt(buf, off); got < n {
		return nil, fmt.Errorf("read %s at %d: %w", r.path, off, err)
	}
	return buf, nil
}

// from is where a page begins, in entries.
func (r *run) from(p int) int {
	if p == 0 {
		return 0
	}
	return int(r.page[p-1].end)
}

// readPages reads and checks pages side by side.
func (r *run) readPages(p, end int, buf []byte) ([]byte, error) {
	from := r.from(p)
	b, err := r.read(int64(from)*entryLen, (r.from(end)-from)*entryLen, buf)
	if err != nil {
		return nil, err
	}
	for ; p < end; p++ {
		if checksum(b[(r.from(p)-from)*entryLen:(r.from(p+1)-from)*entryLen]) != r.page[p].sum {
			return nil, fmt.Errorf("%s: page %d %w", r.path, p, errDamaged)
		}
	}
	return b, nil
}

func (r *run) entry(b []byte) entry {
	seq, delta := binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[12:])
	return entry{binary.LittleEndian.Uint64(b), seq & (1<<48 - 1), r.first + int64(delta>>16)}
}

// has is false when the run surely has nothing with the key.
func (r *run) has(key uint64) bool { return r.filter == nil || r.filter.Has(key) }

// get calls yield for the entries with a key, the latest first, until that returns false. It reads into buf.
func (r *run) get(key uint64, buf *[]byte, yield func(entry) bool) error {
	p := place(key, r.pages)
	b, err := r.readPages(p, p+1, *buf)
	if err != nil {
		return err
	}
	*buf = b
	n := len(b) / entryLen
	i := sort.Search(n, func(i int) bool { return binary.LittleEndian.Uint64(b[i*entryLen:]) >= key })
	for ; i < n; i++ {
		if e := r.entry(b[i*entryLen:]); e.key != key || !yield(e) {
			break
		}
	}
	return nil
}

// reader goes through a run in the order of its entries.
type reader struct {
	r    *run
	next int // page
	buf  []byte
	rest []byte // of buf
	e    entry
	ok   bool // e is the next entry
}

func (s *reader) advance() error {
	for len(s.rest) == 0 {
		if s.ok = s.next < s.r.pages; !s.ok {
			return nil
		}
		const most = 256 << 10 / entryLen
		end := s.next + 1
		for end < s.r.pages && s.r.from(end+1)-s.r.from(s.next) <= most {
			end++
		}
		b, err := s.r.readPages(s.next, end, s.buf)
		if err != nil {
			return err
		}
		s.buf, s.rest, s.next = b, b, end
	}
	s.e, s.ok = s.r.entry(s.rest), true
	s.rest = s.rest[entryLen:]
	return nil
}

// merger goes through several runs at once, without the entries that skip names and those that a later one supersedes.
type merger struct {
	from []*reader
	skip func(expires int64) bool
	e    entry
	ok   bool // e is the next entry
}

func newMerger(runs []*run, skip func(expires int64) bool) (*merger, error) {
	m := &merger{skip: skip}
	for _, r := range runs {
		s := &reader{r: r}
		if err := s.advance(); err != nil {
			return nil, err
		}
		m.from = append(m.from, s)
	}
	return m, m.advance()
}

func (m *merger) advance() error {
	for before, had := m.e, m.ok; ; {
		var best *reader
		for _, s := range m.from {
			if s.ok && (best == nil || s.e.before(&best.e)) {
				best = s
			}
		}
		if m.ok = best != nil; !m.ok {
			return nil
		}
		m.e = best.e
		if err := best.advance(); err != nil || !m.skip(m.e.expires) && !(had && supersedes(&before, &m.e)) {
			return err
		}
	}
}
