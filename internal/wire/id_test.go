package wire_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

func TestNewIDRisesWithinTheProcess(t *testing.T) {
	t.Parallel()
	const goroutines, each = 8, 2000
	var mu sync.Mutex
	seen := make(map[string]bool)
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			own := make([]string, each)
			for i := range own {
				own[i] = wire.NewID()
				if i > 0 && own[i] <= own[i-1] {
					t.Errorf("%s came after %s", own[i], own[i-1])
					return
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for _, id := range own {
				if !wire.ValidID(id) || len(id) != 26 || seen[id] {
					t.Errorf("id %q is wrong or came twice", id)
				}
				seen[id] = true
			}
		})
	}
	wg.Wait()
}

func TestNewIDAtCarriesItsTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 5, 6, 7, 8, 9, 123e6, time.UTC)
	got, ok := wire.IDTime(wire.NewIDAt(at))
	if !ok || !got.Equal(at) {
		t.Errorf("time of the id is %v, %v; want %v", got, ok, at)
	}
	if a, b := wire.NewIDAt(at), wire.NewIDAt(at.Add(time.Millisecond)); a >= b {
		t.Errorf("%s does not sort before %s", a, b)
	}
	for _, far := range []time.Time{time.Unix(-5, 0), time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if id := wire.NewIDAt(far); !wire.ValidID(id) {
			t.Errorf("%v gave %q", far, id)
		}
	}
}

func TestIDTimeOfWhatIsNoULID(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "abc", strings.Repeat("F", 26), strings.Repeat("U", 26), "0123456789abcdef0123456789abcdef"} {
		if at, ok := wire.IDTime(id); ok {
			t.Errorf("%q has the time %v", id, at)
		}
	}
}

func TestValidID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"":                           false,
		"a":                          true,
		"01K0ZV6B3T8M5Q2Y7R4N1W9XCD": true,
		"FFFFFFFFFFFFFFFFFFFFFFFFFF": true, // overflows a ULID; opaque all the same
		"trace_00ff!~":               true,
		strings.Repeat("x", 128):     true,
		strings.Repeat("x", 129):     false,
		"with space":                 false,
		"tab\there":                  false,
		"del\x7f":                    false,
		"nul\x00":                    false,
		"é":                          false,
	} {
		if got := wire.ValidID(id); got != want {
			t.Errorf("ValidID(%q) = %v", id, got)
		}
	}
}
