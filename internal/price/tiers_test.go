package price

import (
	"slices"
	"testing"
)

// A dated name of the book has prices of all tiers that its name without the date has, where the standard prices are the same. Providers
// answer the dated name.
func TestDatedNamesHaveAllTiers(t *testing.T) {
	t.Parallel()
	held, apart := 0, 0
	for provider, s := range Builtin().layers[0] {
		for name, m := range s.exact {
			short, _ := undated(name)
			of := s.exact[short]
			if short == name || of == nil {
				continue
			}
			for _, tier := range []string{"batch", "fast", "flex", "priority"} {
				theirs, ours := ofTier(of, tier), ofTier(m, tier)
				switch {
				case len(theirs) == 0:
				case !samePrices(ofTier(of, ""), ofTier(m, "")):
					apart++
				case len(ours) == 0:
					t.Errorf("%s: %s has no prices of %s, which %s has", provider, name, tier, short)
				default:
					held++
				}
			}
		}
	}
	if held < 100 || apart == 0 {
		t.Errorf("%d tiers of dated names are held, %d are of names with another price", held, apart)
	}
}

func ofTier(m *model, tier string) (all []Entry) {
	for _, e := range m.entries {
		if e.Tier == tier {
			all = append(all, e)
		}
	}
	return all
}

// samePrices says whether entries are the same but for where they are from.
func samePrices(a, b []Entry) bool {
	return slices.EqualFunc(a, b, func(x, y Entry) bool {
		return x.Rates == y.Rates && x.from == y.from && x.until == y.until && x.Above == y.Above && x.Hours == y.Hours && x.Days == y.Days
	})
}
