package price

// Prices are what is in force: for each project the book that holds for it. It may be used from many goroutines.
type Prices struct {
	all      *Book
	projects map[string]*Book
}

// NewPrices lays own prices before a book: those of a project first, then those of every project. Where an own price does not hold, for
// a time or a tier, what lies below it does.
func NewPrices(base *Book, list []Own) *Prices {
	layers := map[string]layer{}
	models := map[Own]*model{}
	for i := range list {
		o := &list[i]
		l := layers[o.Project]
		if l == nil {
			l = layer{}
			layers[o.Project] = l
		}
		key := Own{Project: o.Project, Name: o.Name, Entry: Entry{Provider: o.Entry.Provider}}
		m := models[key]
		if m == nil {
			m = &model{provider: o.Entry.Provider, name: o.Name}
			models[key] = m
			l.put(m, []string{o.Name})
		}
		m.entries = append(m.entries, o.Entry)
	}
	p := &Prices{all: base, projects: map[string]*Book{}}
	for _, l := range layers {
		l.finish(true)
	}
	if l, ok := layers[""]; ok {
		p.all = over(base, l)
	}
	for project, l := range layers {
		if project != "" {
			p.projects[project] = over(p.all, l)
		}
	}
	return p
}

// over is a book with a layer before it.
func over(b *Book, l layer) *Book {
	return newBook(b.version, b.text, append([]layer{l}, b.layers...)...)
}

// For is the book of a project.
func (p *Prices) For(project string) *Book {
	if b, ok := p.projects[project]; ok {
		return b
	}
	return p.all
}
