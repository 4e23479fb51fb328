package price

// match finds the models that the names of a call lead to. Own prices come first; in each layer the answered model is asked for before
// the one that was asked for.
func (b *Book) match(n names) (m matched) {
	for _, l := range b.layers {
		for i, name := range [...]string{n.answered, n.asked} {
			if name == "" || i == 1 && name == n.answered {
				continue
			}
			f, reason := l.find(n.provider, name)
			if f.model == nil {
				if reason > m.reason {
					m.reason = reason
				}
				continue
			}
			f.name = name
			m.found = append(m.found, f)
		}
	}
	if len(m.found) > 0 {
		m.reason = Priced
	}
	return m
}

// find asks the shelves that may have a name, in order: with each spelling of it, from as it is to the boldest.
func (l layer) find(provider, name string) (found, Reason) {
	w := spellings(provider, name)
	for _, place := range w.places {
		for _, at := range place.providers {
			if f := l.on(at, place); f.model != nil {
				return f, Priced
			}
		}
	}
	if w.sellers {
		return l.only(w.places[0])
	}
	return found{}, NoPrice
}

// on looks on one provider's shelf, and among the own prices that are for every provider.
func (l layer) on(provider string, p place) found {
	for _, key := range [...]string{provider, ""} {
		s := l[key]
		if s == nil || provider == "" || s.own && p.borrowed { // an own price is for whom it names
			continue
		}
		for _, sp := range p.spellings {
			if m := s.exact[sp.text]; m != nil {
				return found{model: m, as: sp.text, rule: rule(p.rule, sp.rule)}
			}
		}
		for _, sp := range p.spellings {
			if sp.exact && !s.own {
				continue
			}
			if m := s.match(sp.text); m != nil {
				return found{model: m, as: sp.text, rule: rule(p.rule, sp.rule, "by a pattern")}
			}
		}
	}
	return found{}
}

// only finds the one provider whose shelf has a name that no vendor has.
func (l layer) only(p place) (found, Reason) {
	var f found
	for provider := range l {
		g := l.on(provider, place{spellings: p.spellings[:1], rule: "only this provider sells it"})
		switch {
		case g.model == nil:
		case f.model != nil && f.model != g.model:
			return found{}, Ambiguous
		default:
			f = g
		}
	}
	if f.model == nil {
		return f, NoPrice
	}
	return f, Priced
}

// rule joins what was done to a name into a sentence.
func rule(steps ...string) string {
	text := ""
	for _, s := range steps {
		switch {
		case s == "":
		case text == "":
			text = s
		default:
			text += ", " + s
		}
	}
	if text == "" {
		return "by its name"
	}
	return text
}
