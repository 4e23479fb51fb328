package saved

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Looks are how a chart can be drawn.
func Looks() []string { return []string{"line", "bars", "table"} }

// Chart is a question to statistics that a dashboard draws, for whatever time is looked at.
type Chart struct {
	Head
	Question string `json:"question"`      // metrics, of, group_by and filters as GET /v1/stats has them after "?"; at most 8 KiB
	Look     string `json:"look"`          // line, bars or table
	Log      bool   `json:"log,omitempty"` // the axis is logarithmic
}

func (c *Chart) check() []error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	values, err := url.ParseQuery(c.Question)
	if err != nil || len(c.Question) > maxQuery || !printable(c.Question) {
		wrong("question: it is what an address has after \"?\", at most %d bytes", maxQuery)
	}
	for _, name := range []string{"from", "to", "interval", "tz", "limit", "cursor"} {
		if values.Has(name) {
			wrong("question: %s is the dashboard's to say", name)
		}
	}
	if !slices.Contains(Looks(), c.Look) {
		wrong("look: it is one of %s", strings.Join(Looks(), ", "))
	}
	return errs
}
