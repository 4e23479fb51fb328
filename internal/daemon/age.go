package daemon

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Age is how old something may grow, written in days and what time.Duration
// takes: 30d, 36h, 1d12h.
type Age time.Duration

const (
	day = 24 * time.Hour
	// maxAge is about a hundred years: below it no sum of times overflows.
	maxAge = 36_525 * day
)

// ParseAge reads an Age. It is not negative.
func ParseAge(text string) (Age, error) {
	bad := fmt.Errorf("%q is no age such as 30d, 36h or 1d12h", text)
	days, rest, found := strings.Cut(text, "d")
	var sum time.Duration
	if found {
		n, err := strconv.ParseUint(days, 10, 32)
		if err != nil || time.Duration(n) > maxAge/day {
			return 0, bad
		}
		sum = time.Duration(n) * day
	} else {
		rest = text
	}
	if rest != "" || !found {
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 || d > maxAge {
			return 0, bad
		}
		sum += d
	}
	return Age(sum), nil
}

// String writes days where there are whole ones.
func (a Age) String() string {
	d := time.Duration(a)
	days, rest := d/day, d%day
	switch {
	case d == 0:
		return "0"
	case days == 0:
		return rest.String()
	case rest == 0:
		return fmt.Sprintf("%dd", days)
	}
	return fmt.Sprintf("%dd%s", days, rest)
}

// leastAge is the shortest retention, of a project too.
const leastAge = Age(time.Minute)

// retention reads both settings of it.
func (c Config) retention() (store.Retention, error) {
	r := store.Retention{Default: time.Duration(c.Retention)}
	if c.RetentionProjects == "" {
		return r, nil
	}
	r.Projects = map[string]time.Duration{}
	for _, part := range strings.Split(c.RetentionProjects, ",") {
		name, text, found := strings.Cut(strings.TrimSpace(part), "=")
		if !found {
			return r, errors.New("must be NAME=AGE, several with commas between them")
		}
		if !keyring.ValidProject(name) {
			return r, fmt.Errorf("%q is no project's name: 1 to 64 of a-z, 0-9, - _ and dots", name)
		}
		if _, twice := r.Projects[name]; twice {
			return r, fmt.Errorf("names %s twice", name)
		}
		age, err := ParseAge(text)
		if err != nil {
			return r, err
		}
		if age != 0 && (age < leastAge || age > Age(maxAge)) {
			return r, fmt.Errorf("of %s must be 1m and up, or 0", name)
		}
		r.Projects[name] = time.Duration(age)
	}
	return r, nil
}
