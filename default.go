package brokle

import (
	"log/slog"
	"sync"
	"sync/atomic"
)

// process is this package's one global, as log/slog has one: the client of those who
// name none. Nothing but SetDefault and GetClient puts one there.
var process struct {
	mu      sync.Mutex // held by who changes client
	client  atomic.Pointer[Client]
	off     atomic.Bool // a disabled client began a trace: telemetry is off on purpose
	unnamed sync.Once   // says that something started without a client
}

// SetDefault makes c the client of what starts in a context that carries neither a trace
// nor a client: of the functions StartGeneration, StartSpan, StartObservation and Observe, and
// the client that GetClient returns. A nil c takes the default away. The client that was the default
// before is not closed, and what it has started goes on in it. Whoever made c closes it. Safe for concurrent use.
//
// Before the first SetDefault or GetClient there is no default: the package never makes a client that
// the program did not ask for.
func SetDefault(c *Client) {
	process.mu.Lock()
	defer process.mu.Unlock()
	process.client.Store(c)
}

// GetClient returns the default client. When there is none it makes one from the environment
// alone, which from then on is the default. When the environment is malformed that client
// is disabled and Err says why. Whoever calls GetClient closes the client before the program ends; Close sends what
// any part of the program recorded in it, and a closed default stays the default until SetDefault names another.
func GetClient() *Client {
	if c := process.client.Load(); c != nil {
		return c
	}
	process.mu.Lock()
	defer process.mu.Unlock()
	if c := process.client.Load(); c != nil { // made while we waited
		return c
	}
	c, err := New(Config{})
	if err != nil {
		c = &Client{err: err}
	}
	process.client.Store(c)
	return c
}

// sayUnnamed warns once that what starts here is not recorded. A program whose telemetry
// is turned off does not need to hear it.
func sayUnnamed(name string) {
	if process.off.Load() {
		return
	}
	process.unnamed.Do(func() {
		slog.Warn("brokle: not recorded, and said only once: the context carries no trace and no client, and there is no default. "+
			"Use client.StartGeneration, brokle.WithClient or brokle.SetDefault", "name", name)
	})
}
