package saved

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/document"
)

// Saved is what is kept of all projects. It is safe for concurrent use.
type Saved struct {
	place document.Place
	now   func() time.Time
	asks  func(question string) error
	turn  sync.Mutex // one change at a time: a file has no order of its own
}

// Options of a Saved.
type Options struct {
	Place document.Place   // where it is kept. Required.
	Now   func() time.Time // the clock of UpdatedAt. Default time.Now.
	// Asks says what is wrong with the question of a chart. Default: nothing is.
	Asks func(question string) error
}

// Open reads what is kept. The error is ErrNewer, or what is damaged.
func Open(o Options) (*Saved, error) {
	raw, err := o.Place.Read()
	if err == nil {
		_, err = parse("the file of what is saved", raw)
	}
	if err != nil {
		return nil, fmt.Errorf("open what is saved: %w", err)
	}
	s := &Saved{place: o.Place, now: o.Now, asks: o.Asks}
	if s.now == nil {
		s.now = time.Now
	}
	if s.asks == nil {
		s.asks = func(string) error { return nil }
	}
	return s, nil
}

// Definitions are those of a project, by name.
func (s *Saved) Definitions() List[Definition, *Definition] {
	return List[Definition, *Definition]{of: s, in: func(p *project) *[]Definition { return &p.Definitions }}
}

// Charts are those of a project, by name.
func (s *Saved) Charts() List[Chart, *Chart] {
	return List[Chart, *Chart]{of: s, in: func(p *project) *[]Chart { return &p.Charts }, more: func(c *Chart) error {
		if err := s.asks(c.Question); err != nil {
			return fmt.Errorf("%w: question: %w", ErrInvalid, err)
		}
		return nil
	}}
}

// Views are those of a project, by name.
func (s *Saved) Views() List[View, *View] {
	return List[View, *View]{of: s, in: func(p *project) *[]View { return &p.Views }}
}

// pointer is how an item is used: by *T.
type pointer[T any] interface {
	*T
	item
}

// List is the items of one kind.
type List[T any, P pointer[T]] struct {
	of   *Saved
	in   func(*project) *[]T
	more func(P) error // what is wrong beside what an item knows itself; or nil
}

// All lists a project's items by name.
func (l List[T, P]) All(of string) ([]T, error) {
	raw, err := l.of.place.Read()
	if err != nil {
		return nil, err
	}
	f, err := parse("what is saved", raw)
	if err != nil {
		return nil, err
	}
	if p := f.Projects[of]; p != nil {
		return slices.Clip(*l.in(p)), nil
	}
	return nil, nil
}

// Put keeps the item that text, a JSON object, says under this name, in the place of one that is there, and returns it. by is the id of the key that does.
// ErrInvalid says what is wrong, a line each; so it does of a name in text that is another.
func (l List[T, P]) Put(of, name, by string, text []byte) (T, error) {
	var x T
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&x); err != nil {
		return x, fmt.Errorf("%w: it is no JSON object of this kind: %s", ErrInvalid, strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return x, fmt.Errorf("%w: something follows the object", ErrInvalid)
	}
	head := P(&x).head()
	if head.Name != "" && head.Name != name {
		return x, fmt.Errorf("%w: name: the path says %q", ErrInvalid, name)
	}
	head.Name, head.UpdatedAt, head.UpdatedBy = name, l.of.now().UTC(), by
	if err := checked(P(&x)); err != nil {
		return x, err
	}
	if l.more != nil {
		if err := l.more(&x); err != nil {
			return x, err
		}
	}
	return x, l.change(of, name, func(items []T, i int, found bool) ([]T, error) {
		if found {
			items[i] = x
			return items, nil
		}
		if len(items) >= maxItems {
			return nil, fmt.Errorf("%w: the project has %d of them, which is as many as there may be", ErrInvalid, maxItems)
		}
		return slices.Insert(items, i, x), nil
	})
}

// Delete removes what has this name. ErrUnknown when there is nothing.
func (l List[T, P]) Delete(of, name string) error {
	return l.change(of, name, func(items []T, i int, found bool) ([]T, error) {
		if !found {
			return nil, ErrUnknown
		}
		return slices.Delete(items, i, i+1), nil
	})
}

// change gives edit a project's items and where the name is among them, or would be.
func (l List[T, P]) change(of, name string, edit func(items []T, i int, found bool) ([]T, error)) error {
	l.of.turn.Lock()
	defer l.of.turn.Unlock()
	_, err := l.of.place.Change(func(old []byte) ([]byte, error) {
		f, err := parse("what is saved", old)
		if err != nil {
			return nil, err
		}
		p := f.Projects[of]
		if p == nil {
			p = &project{}
			f.Projects[of] = p
		}
		items := l.in(p)
		i, found := place[T, P](*items, name)
		if *items, err = edit(*items, i, found); err != nil {
			return nil, err
		}
		return f.encode()
	})
	return err
}

func place[T any, P pointer[T]](items []T, name string) (int, bool) {
	return slices.BinarySearchFunc(items, name, func(x T, name string) int { return cmp.Compare(P(&x).head().Name, name) })
}
