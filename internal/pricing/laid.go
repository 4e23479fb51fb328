package pricing

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/brokle-ai/brokle-go/internal/price"
)

// mostLaid is how many own prices are laid before books at a time, some ten megabytes of them: all that were ever set are kept, and few are
// asked.
const mostLaid = 20_000

// mostChecked is how many bytes of own prices a start reads beside the last of each project: some 25 000 prices, in a quarter of a second.
const mostChecked = 1 << 20

// shelf keeps own prices as they were set, packed, and lays them before books when a call asks for these.
type shelf struct {
	later *price.Later
	mu    sync.Mutex // guards to, which is large
	to    *flate.Writer
}

func newShelf() *shelf { return &shelf{later: price.NewLater(mostLaid)} }

// laid is own prices of a project, laid before each of the books.
type laid struct {
	packed []byte
	size   int // of the text
	books  []*price.Book
}

// lay lays own prices of a project, which were taken, before books.
func (s *shelf) lay(project string, text []byte, books line[*price.Book]) *laid {
	own := &laid{packed: s.pack(text), size: len(text), books: make([]*price.Book, len(books))}
	for i := range books {
		own.books[i] = s.later.Over(books[i].is, func() ([]price.Own, error) { return own.list(project) })
	}
	return own
}

func (s *shelf) pack(text []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b bytes.Buffer
	if s.to == nil {
		s.to, _ = flate.NewWriter(&b, flate.BestSpeed) // it fails for another level only
	} else {
		s.to.Reset(&b)
	}
	_, _ = s.to.Write(text) // a buffer takes all
	_ = s.to.Close()
	return bytes.Clone(b.Bytes())
}

// check reads own prices, which another release may have taken: the last that each project set, and the others from the newest on while
// they have no more bytes than most. What a call costs by those that are not read here is said when it is asked: nothing if they cannot be read.
func (f *force) check(most int) error {
	older := line[*laid]{}
	of := map[*laid]string{}
	for project, sets := range f.own {
		last := len(sets) - 1
		if err := sets[last].is.check(project); err != nil {
			return err
		}
		for _, h := range sets[:last] {
			of[h.is] = project
		}
		older = append(older, sets[:last]...)
	}
	slices.SortFunc(older, func(a, b holding[*laid]) int { return b.n - a.n })
	for _, h := range older {
		if most -= h.is.size; most < 0 {
			return nil
		}
		if err := h.is.check(of[h.is]); err != nil {
			return err
		}
	}
	return nil
}

func (l *laid) check(project string) error {
	if _, err := l.list(project); err != nil {
		return fmt.Errorf("own prices of %s: %w", project, err)
	}
	return nil
}

// text is the own prices as they were set.
func (l *laid) text() ([]byte, error) {
	return io.ReadAll(flate.NewReader(bytes.NewReader(l.packed)))
}

// list is the own prices.
func (l *laid) list(project string) ([]price.Own, error) {
	text, err := l.text()
	if err != nil {
		return nil, err
	}
	return ownPrices(project, text)
}
