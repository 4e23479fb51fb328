package transport

import (
	"testing"
	"time"
)

func TestBackoffGrowsWithJitterAndHonoursRetryAfter(t *testing.T) {
	t.Parallel()
	b := ExponentialBackoff{Base: time.Second, Max: 8 * time.Second}
	for attempt, most := range map[int]time.Duration{1: 1, 2: 2, 4: 8, 5: 8, 100: 8} {
		longest := time.Duration(0)
		for range 2000 {
			w, again := b.Next(attempt, nil)
			if !again || w < 0 || w > most*time.Second {
				t.Fatalf("attempt %d: %v", attempt, w)
			}
			longest = max(longest, w)
		}
		if longest < most*time.Second*9/10 {
			t.Errorf("attempt %d: never above %v", attempt, longest)
		}
	}
	if w, _ := b.Next(1, &RequestError{RetryAfter: 20 * time.Second}); w < 20*time.Second {
		t.Errorf("Retry-After ignored: %v", w)
	}
	if w, _ := b.Next(1, &RequestError{RetryAfter: time.Hour}); w > 80*time.Second {
		t.Errorf("Retry-After of an hour: %v", w)
	}
}
