package saved

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// What a view may have.
const (
	maxQuery   = 8 << 10 // bytes
	maxColumns = 200
)

// Pages are the lists that a view can be of.
func Pages() []string { return []string{"traces", "observations", "sessions", "users", "scores"} }

// View is a list as somebody wants to look at it again.
type View struct {
	Head
	Page    string   `json:"page"`              // traces, observations, sessions, users or scores
	Query   string   `json:"query"`             // filters, time and order as the page's address has them after "?"; at most 8 KiB
	Columns []Column `json:"columns,omitempty"` // those that are shown, in their order; none: the usual ones
}

// Column is one column of a view.
type Column struct {
	Key   string `json:"key"`             // as the page calls it
	Width int    `json:"width,omitempty"` // pixels, 30 to 2000; 0: the usual
}

func (v *View) check() []error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !slices.Contains(Pages(), v.Page) {
		wrong("page: it is one of %s", strings.Join(Pages(), ", "))
	}
	if _, err := url.ParseQuery(v.Query); err != nil || len(v.Query) > maxQuery || !printable(v.Query) {
		wrong("query: it is what an address has after \"?\", at most %d bytes", maxQuery)
	}
	if len(v.Columns) > maxColumns {
		wrong("columns: there are at most %d", maxColumns)
	}
	keys := map[string]bool{}
	for i, c := range v.Columns {
		if nameFault(c.Key) != nil || keys[c.Key] {
			wrong("columns, %d: key: it has 1 to %d characters, and is there once", i+1, maxName)
		}
		if c.Width != 0 && (c.Width < 30 || c.Width > 2000) {
			wrong("columns, %d: width: it is 30 to 2000 pixels", i+1)
		}
		keys[c.Key] = true
	}
	return errs
}
