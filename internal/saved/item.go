package saved

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// What an item may have.
const (
	maxName        = 200  // characters
	maxDescription = 2000 // characters
	maxItems       = 500  // of one kind, in a project
)

// Errors of Put and Delete.
var (
	// ErrInvalid says that an item is not what it should be; the error has a line for each thing that is wrong.
	ErrInvalid = errors.New("it is not valid")
	// ErrUnknown says that there is nothing of this name.
	ErrUnknown = errors.New("there is nothing of this name")
)

// Head is what every item has.
type Head struct {
	Name      string    `json:"name"`       // unique in the project, 1 to 200 characters
	UpdatedAt time.Time `json:"updated_at"` // when it was last put
	UpdatedBy string    `json:"updated_by"` // the id of the key that did
}

func (h *Head) head() *Head { return h }

// item is what a list holds.
type item interface {
	head() *Head
	// check says what is wrong, a line each, without the name.
	check() []error
}

// checked is the error of an item, or nil.
func checked(x item) error {
	errs := x.check()
	if err := nameFault(x.head().Name); err != nil {
		errs = append([]error{err}, errs...)
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrInvalid, errors.Join(errs...))
}

func nameFault(name string) error {
	switch {
	case name == "" || utf8.RuneCountInString(name) > maxName:
		return fmt.Errorf("name: it has 1 to %d characters", maxName)
	case strings.TrimSpace(name) != name || !printable(name):
		return errors.New("name: it neither begins nor ends with a space, and has no control characters")
	}
	return nil
}

// printable says that a text is UTF-8 and has no control characters.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 })
}
