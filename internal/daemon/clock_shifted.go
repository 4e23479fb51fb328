//go:build faultpoints

package daemon

import (
	"os"
	"strings"
	"time"
)

// now is the clock of every part, as wrong as the file that BROKLE_CLOCK_FILE names
// says: it holds a Go duration, which is read each time. Only tests build it.
func now() time.Time {
	b, err := os.ReadFile(os.Getenv("BROKLE_CLOCK_FILE"))
	if err != nil {
		return time.Now()
	}
	wrong, err := time.ParseDuration(strings.TrimSpace(string(b)))
	if err != nil {
		panic("BROKLE_CLOCK_FILE: " + err.Error())
	}
	return time.Now().Add(wrong)
}
