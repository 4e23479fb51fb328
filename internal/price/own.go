package price

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Own is a price that somebody set, for a name or a pattern of names.
type Own struct {
	Project string // "" is every project
	Name    string // as in a book: exactly so, ^beginning or ~regular expression, in lower case
	Entry   Entry  // Provider "" is every provider
}

const (
	mostOwn   = 10_000 // own prices that a file may have
	mostWrong = 100    // lines of what is wrong that are said
)

// ParseOwn reads own prices of a project ("" is any): a JSON array of objects with model and prices of a million tokens in US dollars,
// and what narrows them (docs/costs.md has all keys). Source names the file in entries. The error has a line for each thing that is wrong,
// in the order of the file, that says which model it is of, where it stands and what was expected: all that is found, or the first hundred.
func ParseOwn(source, project string, data []byte) ([]Own, error) {
	r := newOwnReader(source, data, func(o *Own, key, value string) error {
		switch {
		case key == "project" && project != "" && value != project:
			return fmt.Errorf("%q is another project than that of the key, %q", value, project)
		case key == "tier":
			return checkTier(value)
		}
		return nil
	})
	r.readAll()
	r.succeed(true)
	return r.all()
}

// KeptOwn reads what ParseOwn took, maybe that of an earlier release with fewer rules: a service tier may have any name, and of two prices for
// the same calls the first counts. Everything that a release took must be readable by all later ones.
func KeptOwn(source string, data []byte) ([]Own, error) {
	r := newOwnReader(source, data, func(*Own, string, string) error { return nil })
	r.readAll()
	r.succeed(false)
	return r.all()
}

// all is what was read, or all that is wrong with it.
func (r *ownReader) all() ([]Own, error) {
	if len(r.wrong) == 0 {
		return r.list, nil
	}
	slices.SortStableFunc(r.wrong, func(a, b wrong) int { return a.line - b.line })
	lines := make([]string, 0, mostWrong+1)
	for i, w := range r.wrong {
		if i == mostWrong {
			lines = append(lines, fmt.Sprintf("and %d more", len(r.wrong)-mostWrong))
			break
		}
		lines = append(lines, w.text)
	}
	return nil, errors.New(strings.Join(lines, "\n"))
}

// checkTier says which names of service tiers there are.
func checkTier(name string) error {
	known := []string{"batch", "fast", "flex", "priority", "provisioned_throughput", "reserved", "scale"}
	tier := standard(strings.ToLower(name))
	if tier == "" || slices.Contains(known, tier) {
		return nil
	}
	return fmt.Errorf("%q is no service tier: want %s, or standard, which it is when it is left out", name, strings.Join(known, ", "))
}

// blankOwn is a price that nothing was said of.
func blankOwn(source string, line int) Own {
	return Own{Entry: Entry{Rates: unpriced(), Source: source, Line: line, from: math.MinInt64, until: math.MaxInt64}}
}

// check says what is wrong with the whole; said are the keys that it has.
func (o *Own) check(said map[string]bool) (all []error) {
	if !said["model"] {
		all = append(all, errors.New("it has no model"))
	}
	if o.Entry.until <= o.Entry.from {
		all = append(all, errors.New("until is not after from"))
	}
	for key := range said {
		if _, ok := ownRates(key); ok {
			return all
		}
	}
	return append(all, errors.New("it has no price; one that is free has input and output 0"))
}

// conditions are what two own prices for one name may not have in common, but for the time from which they hold.
type conditions struct {
	project, provider, name, tier string
	above                         int64
	hours                         Hours
	days                          Days
}

// succeed ends each price where the next one for the same begins. What is wrong by itself takes no part. Two that begin together are wrong
// when it is strict; else both stay, and the first counts.
func (r *ownReader) succeed(strict bool) {
	groups := map[conditions][]*Own{}
	for i := range r.list {
		o := &r.list[i]
		c := conditions{o.Project, o.Entry.Provider, o.Name, o.Entry.Tier, o.Entry.Above, o.Entry.Hours, o.Entry.Days}
		groups[c] = append(groups[c], o)
	}
	for _, g := range groups {
		slices.SortStableFunc(g, func(a, b *Own) int {
			switch {
			case a.Entry.from < b.Entry.from:
				return -1
			case a.Entry.from > b.Entry.from:
				return 1
			}
			return a.Entry.Line - b.Entry.Line
		})
		for i, o := range g[1:] {
			before := g[i]
			switch {
			case before.Entry.from == o.Entry.from && !strict:
			case before.Entry.from == o.Entry.from:
				r.fail(o.Entry.Line, "%q: lines %d and %d are for the same calls: give them another from, tier, above, hours, days or provider", o.Name, before.Entry.Line, o.Entry.Line)
			case before.Entry.until > o.Entry.from:
				before.Entry.Until, before.Entry.until = o.Entry.From, o.Entry.from
			}
		}
	}
}
