package price

import (
	"crypto/sha256"
	_ "embed" // the built-in book
	"encoding/hex"
	"fmt"
)

//go:embed book.txt
var builtinText string

// Book is prices that hold together. It may be used from many goroutines.
type Book struct {
	version string
	text    string
	layers  []layer // what was laid before comes first
	memo    memo
	later   *later // when the book is made later: it has no layers
	broken  bool   // its own prices cannot be read: it prices nothing
}

func newBook(version, text string, layers ...layer) *Book {
	b := &Book{version: version, text: text, layers: layers}
	b.memo.init()
	return b
}

// Builtin is the book in the binary. It is read in a few milliseconds, anew each time: keep it.
func Builtin() *Book {
	b, err := Parse(builtinText)
	if err != nil {
		panic(fmt.Sprintf("the built-in price book: %v", err)) // a test reads it
	}
	return b
}

// Version names the book by the tables that it was made from.
func (b *Book) Version() string { return b.version }

// Text is what Parse makes the same book from; without own prices that were laid before it.
func (b *Book) Text() string { return b.text }

// Hash is the SHA-256 of Text, in hexadecimal digits.
func (b *Book) Hash() string {
	sum := sha256.Sum256([]byte(b.text))
	return hex.EncodeToString(sum[:])
}

// Price is what a call costs, or why it has no cost. Names that were met before cost no allocation.
func (b *Book) Price(c *Call) (Cost, Reason) {
	cost, _, reason := b.price(c, nil)
	return cost, reason
}

// price also says which of the call's names gave the entry, and how, and keeps the parts unless p is nil.
func (b *Book) price(c *Call, p *parts) (Cost, *found, Reason) {
	b = b.made()
	if b.broken {
		return Cost{}, nil, NoOwn
	}
	if c.Answered == "" && c.Asked == "" {
		return Cost{}, nil, NoModel
	}
	m := b.memo.find(b, c)
	reason := m.reason
	for i := range m.found {
		f := &m.found[i]
		e, why := f.model.at(c)
		if e == nil {
			reason = first(reason, why)
			continue
		}
		switch {
		case c.Usage.Input == 0 && c.Usage.Output == 0:
			return Cost{}, f, NoTokens
		case !c.Usage.sound():
			return Cost{}, f, BadTokens
		}
		cost, why := p.charge(&c.Usage, &e.Rates)
		if why != Priced {
			return Cost{}, f, why
		}
		cost.Entry = e
		if c.Estimated {
			why = Estimated
		}
		return cost, f, why
	}
	return Cost{}, nil, reason
}

// first keeps the reason of what was tried first.
func first(a, b Reason) Reason {
	if a == Priced {
		return b
	}
	return a
}
