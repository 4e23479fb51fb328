package modelcall

import (
	"bytes"
	"context"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/brokle-ai/brokle-go"
)

// Outer is a step that a framework's callbacks told of: requests on the goroutine that made the callback belong to it, unless their context carries
// another observation than the callback's: then the program began one in between, or they are another's.
type Outer struct {
	// Given is the context that the callback got.
	Given context.Context
	// Observation is set of a call of a model, which has begun: the first request to generate goes on in it, so that one call is one.
	Observation *brokle.ActiveObservation
	// Below is where other requests hang: those within the step, or further tries of the call.
	Below context.Context
	// NoContent leaves out of it what was said, whatever the Recorder of the request keeps.
	NoContent bool

	goroutine uint64
	taken     atomic.Bool
}

// process is what callbacks and the client that sends their requests have in common: a library whose callbacks return no context hands
// nothing from one to the other, but it calls both on one goroutine. n spares those a look who have no callbacks.
var process struct {
	n  atomic.Int64
	mu sync.Mutex // guards at
	at map[uint64]*Outer
}

// Announce tells that what this goroutine sends next is for o. It replaces what was announced on it before.
func (o *Outer) Announce() {
	o.goroutine = Goroutine()
	process.mu.Lock()
	defer process.mu.Unlock()
	if process.at == nil {
		process.at = map[uint64]*Outer{}
	}
	process.at[o.goroutine] = o
	process.n.Store(int64(len(process.at)))
}

// Withdraw ends the announcement, from any goroutine. taken says whether a request goes on in the observation, and ends it: then what
// announced it has nothing more to say.
func (o *Outer) Withdraw() (taken bool) {
	process.mu.Lock()
	defer process.mu.Unlock()
	if process.at[o.goroutine] == o {
		delete(process.at, o.goroutine)
		process.n.Store(int64(len(process.at)))
	}
	return o.taken.Load()
}

// Taken says whether a request goes on in the observation.
func (o *Outer) Taken() bool { return o.taken.Load() }

// announced is what was announced on this goroutine, and ctx belongs to; nil when nothing was.
func announced(ctx context.Context) *Outer {
	if process.n.Load() == 0 {
		return nil
	}
	g := Goroutine()
	process.mu.Lock()
	o := process.at[g]
	process.mu.Unlock()
	if o == nil || ScopeOf(o.Given) != ScopeOf(ctx) {
		return nil
	}
	return o
}

// Scope is where a context says that things belong: the ids of its trace and its innermost observation.
type Scope struct{ Trace, Observation string }

// ScopeOf is the Scope of ctx.
func ScopeOf(ctx context.Context) Scope {
	return Scope{brokle.TraceFromContext(ctx).ID(), brokle.ObservationFromContext(ctx).ID()}
}

// Goroutine is the number of the calling goroutine, which no other one of the process ever has; 0 when it cannot be told. The runtime tells it only in
// the first line of a stack: "goroutine 7 [running]:".
func Goroutine() uint64 {
	var buf [40]byte
	line := bytes.TrimPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	digits, _, _ := bytes.Cut(line, []byte(" "))
	n, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
