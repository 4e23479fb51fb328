package price

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// shelf is the models of one provider, by their names.
type shelf struct {
	own    bool // its patterns match tuned models, too
	exact  map[string]*model
	begins []beginning // the longest first
	texts  []expression

	once    sync.Once // compiles texts when a name first needs them: most never do
	regexps []*regexp.Regexp
}

type beginning struct {
	text  string
	model *model
}

type expression struct {
	text  string
	model *model
}

// The signs before a name of a book that is a pattern, or that begins with such a sign itself.
const (
	signBegins  = '^'
	signPattern = '~'
	signExact   = '='
)

// put adds a name or a pattern. Of two models with one name the first stays.
func (s *shelf) put(name string, m *model) {
	switch name[0] {
	case signBegins:
		s.begins = append(s.begins, beginning{name[1:], m})
	case signPattern:
		s.texts = append(s.texts, expression{name[1:], m})
	case signExact:
		name = name[1:]
		fallthrough
	default:
		if s.exact[name] == nil {
			s.exact[name] = m
		}
	}
}

// match finds a name by its patterns.
func (s *shelf) match(name string) *model {
	for _, b := range s.begins {
		if rest, ok := strings.CutPrefix(name, b.text); ok && !otherKind(rest) {
			return b.model
		}
	}
	s.once.Do(func() {
		for _, x := range s.texts {
			s.regexps = append(s.regexps, regexp.MustCompile(x.text)) // Parse has tried it
		}
	})
	for i, x := range s.regexps {
		if at := x.FindStringIndex(name); at != nil && !otherKind(name[at[1]:]) {
			return s.texts[i].model
		}
	}
	return nil
}

// otherKind says whether what follows a known beginning names another kind of model, which has other prices: claude-x-fast,
// gemini-x-tts.
func otherKind(rest string) bool {
	for word := range strings.FieldsFuncSeq(rest, func(r rune) bool { return r == '-' || r == '_' || r == '/' || r == '.' }) {
		switch word {
		case "tts", "audio", "image", "realtime", "live", "transcribe", "embed", "embedding", "fast", "mini", "nano", "lite", "pro", "ultra":
			return true
		}
	}
	return false
}

// layer is a book's models or the own prices before them, by provider; own prices may be for every provider, "".
type layer map[string]*shelf

func (l layer) put(m *model, names []string) {
	s := l[m.provider]
	if s == nil {
		s = &shelf{exact: map[string]*model{}}
		l[m.provider] = s
	}
	for _, n := range names {
		s.put(n, m)
	}
}

// finish makes the layer ready to be asked: the longest beginning of a shelf is the first one.
func (l layer) finish(own bool) {
	for _, s := range l {
		s.own = own
		slices.SortStableFunc(s.begins, func(a, b beginning) int { return len(b.text) - len(a.text) })
	}
}
