package budget

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/brokle-ai/brokle-go/internal/price"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Budget is what may be spent in each period.
type Budget struct {
	Name        string   `json:"name"`                  // its own within the project: 1 to 64 of a-z, 0-9, dash, underscore and dot
	Period      string   `json:"period"`                // day or month
	Zone        string   `json:"tz,omitempty"`          // the IANA name of the zone by whose clock it begins; absent: UTC
	UserID      string   `json:"user_id,omitempty"`     // only what this user spent
	Model       string   `json:"model,omitempty"`       // only calls of this model
	Environment string   `json:"environment,omitempty"` // only what is of this environment
	KeyID       string   `json:"key_id,omitempty"`      // only what the key of this id brought, revoked or not
	Warn        *float64 `json:"warn,omitempty"`        // USD; absent: no such level
	Stop        *float64 `json:"stop,omitempty"`        // the same; not below warn
}

// ErrInvalid is that of budgets that cannot be taken; its text has a line for each thing that is wrong.
var ErrInvalid = errors.New("invalid budgets")

// The bounds of what is taken.
const (
	MaxBudgets   = 50 // of a project: each has series in /metrics, and asks the Warehouse
	maxAll       = 500
	longestText  = 512 // of what narrows a budget, in bytes
	longestName  = 64
	mostDecimals = 6
)

// members are what a budget may have, in the order in which they are documented.
var members = []string{"name", "period", "tz", "user_id", "model", "environment", "key_id", "warn", "stop"}

// Parse reads the budgets of a project: a JSON array of objects. Whatever is wrong is in one ErrInvalid, a line for each thing.
func Parse(text []byte) ([]Budget, error) {
	var list []map[string]jsontext.Value
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("%w: must be a JSON array of objects, none of which has a member twice", ErrInvalid)
	}
	var wrong []error
	if len(list) > MaxBudgets {
		wrong = append(wrong, fmt.Errorf("there are %d, a project has at most %d", len(list), MaxBudgets))
	}
	budgets, names := make([]Budget, len(list)), map[string]bool{}
	for i, fields := range list {
		r := reader{fields: fields, at: fmt.Sprintf("budget %d", i+1)}
		r.read(&budgets[i])
		if name := budgets[i].Name; name != "" {
			if names[name] {
				r.fail("name", "is another's, too")
			}
			names[name] = true
		}
		wrong = append(wrong, r.wrong...)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return budgets, nil
}

// reader reads one budget, and collects what is wrong with it.
type reader struct {
	fields map[string]jsontext.Value
	at     string
	wrong  []error
}

func (r *reader) fail(member, format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Errorf("%s, %s: "+format, append([]any{r.at, member}, args...)...))
}

func (r *reader) read(b *Budget) {
	if r.fields == nil {
		r.wrong = append(r.wrong, fmt.Errorf("%s: must be an object, not null", r.at))
		return
	}
	if b.Name = r.text("name"); validName(b.Name) {
		r.at += fmt.Sprintf(" (%s)", b.Name)
	} else {
		b.Name = ""
		r.fail("name", "must be 1 to %d characters of a-z, 0-9, dash, underscore and dot", longestName)
	}
	if b.Period = r.text("period"); b.Period != Day && b.Period != Month {
		r.fail("period", "must be day or month")
	}
	if b.Zone = r.text("tz"); b.Zone != "" {
		if _, err := store.Zone(b.Zone); err != nil {
			r.fail("tz", "must be the IANA name of a time zone, such as Europe/Kyiv")
		}
	}
	b.UserID, b.Model, b.Environment, b.KeyID = r.text("user_id"), r.text("model"), r.text("environment"), r.text("key_id")
	b.Warn, b.Stop = r.level("warn"), r.level("stop")
	_, warns := r.fields["warn"]
	_, stops := r.fields["stop"]
	switch {
	case !warns && !stops:
		r.fail("warn, stop", "one of them is needed")
	case b.Warn != nil && b.Stop != nil && *b.Warn > *b.Stop:
		r.fail("warn", "must not be above stop")
	}
	r.others()
}

// others fails for members that a budget has not.
func (r *reader) others() {
	var unknown []string
	for name := range r.fields {
		if !slices.Contains(members, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		if name == "key" || name == "api_key" {
			r.fail(name, "is unknown; a budget of a key has key_id, the key's id, which `brokle keys list` shows")
			continue
		}
		r.fail(fmt.Sprintf("%.40q", name), "is unknown; known are %s", strings.Join(members, ", "))
	}
}

// text is a member that is a text; "" when it is absent.
func (r *reader) text(member string) (s string) {
	raw, there := r.fields[member]
	if !there {
		return ""
	}
	if raw.Kind() != '"' || json.Unmarshal(raw, &s) != nil || s == "" || len(s) > longestText || strings.ContainsRune(s, 0) {
		r.fail(member, "must be a text of 1 to %d bytes", longestText)
		return ""
	}
	return s
}

// level is a member that is an amount, as a number or a text; nil when it is absent or wrong. With so few digits a float64 is written as it was read.
func (r *reader) level(member string) *float64 {
	raw, there := r.fields[member]
	if !there {
		return nil
	}
	text := string(raw)
	if raw.Kind() == '"' {
		if json.Unmarshal(raw, &text) != nil {
			text = ""
		}
	}
	amount, err := price.ParseAmount(text)
	if err != nil || amount <= 0 || amount%price.Amount(math.Pow10(12-mostDecimals)) != 0 {
		r.fail(member, "must be US dollars, more than 0, below 9,000,000, with at most %d decimals and no exponent", mostDecimals)
		return nil
	}
	dollars := amount.Dollars()
	return &dollars
}

func validName(s string) bool {
	return s != "" && len(s) <= longestName && !strings.ContainsFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.'
	})
}

// same says whether b and other count the same.
func (b *Budget) same(other *Budget) bool {
	return b.Name == other.Name && b.Period == other.Period && b.Zone == other.Zone &&
		b.UserID == other.UserID && b.Model == other.Model && b.Environment == other.Environment && b.KeyID == other.KeyID
}

// Scope says in words what is counted; "" is the whole project.
func (b *Budget) Scope() string {
	var parts []string
	for _, p := range []struct{ what, is string }{{"user", b.UserID}, {"model", b.Model}, {"environment", b.Environment}, {"key", b.KeyID}} {
		if p.is != "" {
			parts = append(parts, p.what+" "+p.is)
		}
	}
	return strings.Join(parts, ", ")
}

// The levels.
const (
	Warn = "warn"
	Stop = "stop"
)

// levels are the budget's, the lower first; nil for one that it has not.
func (b *Budget) levels() []struct {
	name string
	usd  *float64
} {
	return []struct {
		name string
		usd  *float64
	}{{Warn, b.Warn}, {Stop, b.Stop}}
}
