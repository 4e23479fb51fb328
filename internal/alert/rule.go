package alert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/query"
)

// Rule is what is watched, and what of it is told.
type Rule struct {
	Name         string        `json:"name"`                  // its own within the project: 1 to 64 of a-z, 0-9, dash, underscore and dot, a letter or digit first
	Description  string        `json:"description,omitempty"` // what it means and what to do; sent along; at most 2000 characters
	Question     string        `json:"question"`              // one metric, of, group_by and filters as GET /v1/stats has them after "?"; at most 8 KiB
	Window       string        `json:"window"`                // how much time is asked about: 1m to 30d
	Lag          string        `json:"lag"`                   // how long before now the window ends, so that what comes late counts: 0s to 1d; 1m when absent
	Every        string        `json:"every"`                 // how far apart the looks are: 30s to 1d; 1m when absent
	Comparison   string        `json:"comparison"`            // above or below: on which side of a threshold a value must be
	Warning      *float64      `json:"warning,omitempty"`     // absent: there is no such level
	Alert        *float64      `json:"alert,omitempty"`       // the same; it is passed later than the warning
	For          int64         `json:"for"`                   // how many looks in a row must say so before the state changes, in any direction: 1 to 100; 1 when absent
	NoData       string        `json:"no_data"`               // what it means that there is no value: ok, keep (the state stays), warning or alert; keep when absent
	Destinations []Destination `json:"destinations"`          // where changes are told, at most 5; none: they are shown only
	Disabled     bool          `json:"disabled,omitempty"`    // nothing is looked at, and the state is ok
}

// Destination is where changes are told.
type Destination struct {
	ID      string `json:"id,omitempty"`      // given by the server; with it what is masked stays as it is
	Kind    string `json:"kind"`              // webhook, slack or command
	URL     string `json:"url,omitempty"`     // of a webhook and of Slack; shown without its path, which may be a secret
	Secret  string `json:"secret,omitempty"`  // of a webhook: whsec_ and 24 to 64 bytes in base64, by which requests are signed; never shown again. Absent: one is made, and shown once
	Command string `json:"command,omitempty"` // of a command: its name in the server's --alert-command
}

// ErrInvalid is that of a rule that cannot be taken; the error has a line for each thing that is wrong.
var ErrInvalid = errors.New("it is not valid")

// ErrUnknown says that there is no rule of a name.
var ErrUnknown = errors.New("there is no alert of this name")

// The states.
const (
	stateOK      = "ok"
	stateWarning = "warning"
	stateAlert   = "alert"
)

// keepState is the meaning of no data by which the state stays.
const keepState = "keep"

// The sides of a threshold.
const (
	above = "above"
	below = "below"
)

// The bounds of what is taken.
const (
	MaxRules        = 100 // of a project: each asks the Warehouse
	maxAll          = 1000
	maxDestinations = 5
	longestName     = 64
	longestText     = 2000    // characters
	longestQuestion = 8 << 10 // bytes
	mostFor         = 100
)

// parseRule reads a rule of this name, and gives it its defaults.
func parseRule(name string, text []byte) (r Rule, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return r, fmt.Errorf("%w: it is no JSON object of a rule: %s", ErrInvalid, strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return r, fmt.Errorf("%w: something follows the object", ErrInvalid)
	}
	if r.Name != "" && r.Name != name {
		return r, fmt.Errorf("%w: name: the path says %q", ErrInvalid, name)
	}
	r.Name = name
	for _, d := range []struct {
		field  *string
		absent string
	}{{&r.Lag, "1m"}, {&r.Every, "1m"}, {&r.NoData, keepState}} {
		if *d.field == "" {
			*d.field = d.absent
		}
	}
	if r.For == 0 {
		r.For = 1
	}
	if r.Destinations == nil {
		r.Destinations = []Destination{}
	}
	return r, nil
}

// check says what is wrong with a rule that was kept. What its question means is looked at when it is put: a release that reads another grammar still starts.
func (r *Rule) check() error { return r.checked(nil) }

// checkPut is check of one that is put.
func (r *Rule) checkPut() error { return r.checked(r.questionFaults()) }

// questionFaults says what is wrong with what is asked.
func (r *Rule) questionFaults() []error {
	q, err := query.ReadQuestion(r.Question)
	switch {
	case err != nil:
		return []error{fmt.Errorf("question: %s", strings.ReplaceAll(err.Error(), "\n", " "))}
	case len(q.Groups) > 0 && (r.NoData == stateWarning || r.NoData == stateAlert):
		return []error{errors.New("no_data: with group_by it is ok or keep: which groups there are is known by their data alone")}
	}
	return nil
}

func (r *Rule) checked(errs []error) error {
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !validName(r.Name) {
		wrong("name: it has 1 to %d characters of a-z, 0-9, dash, underscore and dot, and begins with a letter or a digit", longestName)
	}
	if utf8.RuneCountInString(r.Description) > longestText || !utf8.ValidString(r.Description) || strings.ContainsRune(r.Description, 0) {
		wrong("description: it has at most %d characters, and no NUL", longestText)
	}
	if len(r.Question) > longestQuestion || !utf8.ValidString(r.Question) {
		wrong("question: it has at most %d bytes", longestQuestion)
	}
	for _, d := range []struct {
		name, text  string
		least, most time.Duration
	}{{"window", r.Window, time.Minute, 30 * day}, {"lag", r.Lag, 0, day}, {"every", r.Every, 30 * time.Second, day}} {
		if v, err := parseSpan(d.text); err != nil || v < d.least || v > d.most {
			wrong("%s: it is from %s to %s, such as 90s, 5m, 12h or 7d", d.name, spanText(d.least), spanText(d.most))
		}
	}
	if r.For < 1 || r.For > mostFor {
		wrong("for: it is 1 to %d", mostFor)
	}
	if r.NoData != stateOK && r.NoData != keepState && r.NoData != stateWarning && r.NoData != stateAlert {
		wrong("no_data: it is ok, keep, warning or alert")
	}
	errs = append(errs, r.thresholdFaults()...)
	if len(r.Destinations) > maxDestinations {
		wrong("destinations: there are at most %d", maxDestinations)
	}
	for i := range r.Destinations {
		for _, err := range r.Destinations[i].faults() {
			wrong("destinations, %d: %w", i+1, err)
		}
		if slices.ContainsFunc(r.Destinations[:i], r.Destinations[i].same) {
			wrong("destinations, %d: it is there twice", i+1)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

func (r *Rule) thresholdFaults() []error {
	var errs []error
	if r.Comparison != above && r.Comparison != below {
		errs = append(errs, errors.New("comparison: it is above or below"))
	}
	switch {
	case r.Warning == nil && r.Alert == nil:
		errs = append(errs, errors.New("warning, alert: one of them is needed"))
	case r.Warning == nil || r.Alert == nil:
	case r.Comparison == above && *r.Warning >= *r.Alert:
		errs = append(errs, errors.New("warning: it is less than alert, as a value rises past it first"))
	case r.Comparison == below && *r.Warning <= *r.Alert:
		errs = append(errs, errors.New("warning: it is more than alert, as a value falls past it first"))
	}
	return errs
}

// level is the state that a value means; nil is no data.
func (r *Rule) level(value *float64) string {
	if value == nil {
		return r.NoData
	}
	passes := func(threshold *float64) bool {
		return threshold != nil && (r.Comparison == above && *value > *threshold || r.Comparison == below && *value < *threshold)
	}
	switch {
	case passes(r.Alert):
		return stateAlert
	case passes(r.Warning):
		return stateWarning
	}
	return stateOK
}

// The rule's times, which were checked.
func (r *Rule) window() time.Duration { return spanOf(r.Window) }
func (r *Rule) lag() time.Duration    { return spanOf(r.Lag) }
func (r *Rule) every() time.Duration  { return spanOf(r.Every) }

func validName(s string) bool {
	return s != "" && len(s) <= longestName && s[0] != '-' && s[0] != '_' && s[0] != '.' && !strings.ContainsFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.'
	})
}

const day = 24 * time.Hour

// parseSpan reads a Go duration, before which days may stand: 90s, 1h30m, 7d, 1d12h.
func parseSpan(text string) (time.Duration, error) {
	days, rest, has := strings.Cut(text, "d")
	if !has {
		return time.ParseDuration(text)
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil {
		return 0, errors.New("it is no time")
	}
	var more time.Duration
	if rest != "" {
		more, err = time.ParseDuration(rest)
	}
	return time.Duration(n)*day + more, err
}

// spanOf is a time that was checked.
func spanOf(text string) time.Duration {
	d, _ := parseSpan(text)
	return d
}

// spanText writes a time as people do.
func spanText(d time.Duration) string {
	if d >= day && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if cut, ok := strings.CutSuffix(text, zero[1:]); ok && strings.HasSuffix(cut, zero[:1]) {
			text = cut
		}
	}
	return text
}
