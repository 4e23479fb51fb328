package pricing

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"sync"

	"github.com/brokle-ai/brokle-go/internal/price"
)

// mostLaid is how many own prices are laid before books at a time, some ten megabytes of them: all that were ever set are kept, and few are
// asked.
const mostLaid = 20_000

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
	books  []*price.Book
}

// lay lays own prices of a project, which were taken, before books.
func (s *shelf) lay(project string, text []byte, books line[*price.Book]) *laid {
	own := &laid{packed: s.pack(text), books: make([]*price.Book, len(books))}
	for i := range books {
		own.books[i] = s.later.Over(books[i].is, func() []price.Own {
			list, err := ownPrices(project, own.text())
			if err != nil {
				panic(fmt.Sprintf("own prices of %s, which were taken: %v", project, err)) // their SHA-256 is that of a text that was read before
			}
			return list
		})
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

// check reads the own prices of all projects, or of each only those that were set last, which a later release may have taken.
func (f *force) check(all bool) error {
	for project, sets := range f.own {
		if !all {
			sets = sets[len(sets)-1:]
		}
		for i := range sets {
			if _, err := ownPrices(project, sets[i].is.text()); err != nil {
				return fmt.Errorf("own prices of %s: %w", project, err)
			}
		}
	}
	return nil
}

// text is the own prices as they were set.
func (l *laid) text() []byte {
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(l.packed)))
	if err != nil {
		panic(fmt.Sprintf("own prices: %v", err)) // they were packed in this process
	}
	return text
}
