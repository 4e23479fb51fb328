// Package watch is for tests only: it looks at what others do meanwhile, and waits until it has come to something.
package watch

import (
	"bytes"
	"sync"
	"testing"
	"time"
)

// Output is what others have written so far. It may be used concurrently.
type Output struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

// String is all of it.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// Until is Within 20 seconds.
func Until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	Within(t, 20*time.Second, what, ok)
}

// Within waits until ok, and ends the test with what when that takes longer than d.
func Within(t testing.TB, d time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(d)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("did not happen within %s: %s", d, what)
		}
	}
}
