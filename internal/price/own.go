package price

// Prices are the books in force: for each project the one that holds for it.
type Prices struct {
	base     *Book
	projects map[string]*Book
}

// NewPrices lays own prices before a book.
func NewPrices(base *Book, own []Own) *Prices {
	return &Prices{base: base, projects: map[string]*Book{}}
}

// For is the book of a project.
func (p *Prices) For(project string) *Book {
	if b, ok := p.projects[project]; ok {
		return b
	}
	return p.base
}

// Own is a price that somebody set.
type Own struct {
	Project string // "" is every project
	Names   []string
	Entry   Entry
}
