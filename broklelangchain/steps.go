package broklelangchain

import (
	"context"
	"errors"
	"sync"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/modelcall"
)

// kind is what a step is to the callbacks that begin and end it.
type kind uint8

const (
	chain  kind = iota
	action      // a tool that an agent chose, and that makes no callbacks of its own, as far as is known
	tool
	retriever
	model
)

// alone says that nothing begins within a step of this kind: what begins after it shows that it is over.
func (k kind) alone() bool { return k == action || k == retriever || k == model }

// step is one that has begun.
type step struct {
	kind  kind
	given modelcall.Scope // of the context that the callback got
	ctx   context.Context // carries o: what begins below it
	o     *brokle.ActiveObservation
	outer *modelcall.Outer // what requests on its goroutine belong to
	taken bool             // a request told how it ends, and no callback is heard any more; known when it is off the stack
}

// stack is what has begun on one goroutine, the outermost first. The library calls what begins a step and what ends it from one function, so on
// one goroutine, and hands nothing else from one to the other: no context comes back from a callback, and one context serves many goroutines.
type stack struct {
	open []*step
	age  uint64      // the number of its beginning
	stop func() bool // ends the watch on the outermost's context
}

// Bounds of what has begun and not ended: of goroutines, and of steps on one. Beyond them the oldest counts as left.
const (
	maxStacks = 4096
	maxOpen   = 256
)

// steps are all that have begun and not ended.
type steps struct {
	mu     sync.Mutex // guards the rest, and all stacks
	stacks map[uint64]*stack
	begun  uint64
}

// below is the context in which the next step on this goroutine begins, which got ctx: that of the innermost step that is open there. But
// ctx goes before it when it carries another observation than that step got: then the program began one in between, or this is another request.
func (s *steps) below(ctx context.Context) context.Context {
	g, given := modelcall.Goroutine(), modelcall.ScopeOf(ctx)
	s.mu.Lock()
	st := s.stacks[g]
	var over []*step
	if st != nil {
		if over = st.leaveAlone(); len(st.open) >= maxOpen {
			over = append(st.cut(0), over...)
		}
		if len(st.open) > 0 && st.open[len(st.open)-1].given == given {
			ctx = st.open[len(st.open)-1].ctx
		}
		s.drop(g, st)
	}
	s.mu.Unlock()
	left(over, nil)
	return ctx
}

// push adds n to this goroutine's stack. given is the context that the callback got.
func (s *steps) push(given context.Context, n *step) {
	n.given = modelcall.ScopeOf(given)
	g := modelcall.Goroutine()
	s.mu.Lock()
	over := s.add(g, n)
	outermost := s.stacks[g].open[0] == n
	s.mu.Unlock()
	left(over, nil)
	if outermost {
		s.watch(given, g)
	}
}

// add returns what had to go for n.
func (s *steps) add(g uint64, n *step) (over []*step) {
	st := s.stacks[g]
	if st == nil {
		if len(s.stacks) >= maxStacks {
			over = s.oldest()
		}
		s.begun++
		st = &stack{age: s.begun}
		s.stacks[g] = st
	}
	st.open = append(st.open, n)
	return over
}

// oldest takes the stack that began first.
func (s *steps) oldest() []*step {
	var first uint64
	for g, st := range s.stacks {
		if old := s.stacks[first]; old == nil || st.age < old.age {
			first = g
		}
	}
	st := s.stacks[first]
	over := st.cut(0)
	s.drop(first, st)
	return over
}

// watch ends what this goroutine has open when ctx ends, if it has not by then.
func (s *steps) watch(ctx context.Context, g uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stacks[g]
	if st == nil || ctx.Done() == nil {
		return
	}
	st.stop = context.AfterFunc(ctx, func() {
		s.mu.Lock()
		over := st.cut(0)
		if s.stacks[g] == st {
			delete(s.stacks, g)
		}
		s.mu.Unlock()
		left(over, context.Cause(ctx))
	})
}

// end takes the innermost step of a kind off this goroutine's stack, and with it what is still above it; nil when there is none.
func (s *steps) end(kinds ...kind) (ended *step) {
	g := modelcall.Goroutine()
	s.mu.Lock()
	st := s.stacks[g]
	at := st.find(kinds)
	var over []*step
	if at >= 0 {
		ended = st.open[at]
		over = st.cut(at)[1:]
		s.drop(g, st)
	}
	s.mu.Unlock()
	left(over, nil)
	if ended != nil {
		ended.taken = ended.outer.Withdraw()
		s.announce(st)
	}
	return ended
}

// announce says what requests on this goroutine belong to now, of which st is the stack.
func (s *steps) announce(st *stack) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(st.open); n > 0 {
		st.open[n-1].outer.Announce()
	}
}

// leave ends what is above the innermost step of a kind on this goroutine's stack.
func (s *steps) leave(above kind) {
	s.mu.Lock()
	st := s.stacks[modelcall.Goroutine()]
	var over []*step
	if at := st.find([]kind{above}); at >= 0 {
		over = st.cut(at + 1)
	}
	s.mu.Unlock()
	if len(over) > 0 {
		left(over, nil)
		s.announce(st)
	}
}

// top is the innermost step of this goroutine when it is of that kind; else nil.
func (s *steps) top(k kind) *step {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.stacks[modelcall.Goroutine()]; st != nil && len(st.open) > 0 && st.open[len(st.open)-1].kind == k {
		return st.open[len(st.open)-1]
	}
	return nil
}

// goOn says that the action which this goroutine is at is a tool that makes callbacks of its own; false when it is at none.
func (s *steps) goOn() bool {
	n := s.top(action)
	if n == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n.kind = tool
	return true
}

// drop forgets a stack on which nothing is left.
func (s *steps) drop(g uint64, st *stack) {
	if len(st.open) > 0 {
		return
	}
	if st.stop != nil {
		st.stop()
	}
	if s.stacks[g] == st {
		delete(s.stacks, g)
	}
}

// find is the place of the innermost step of one of the kinds; -1 when there is none.
func (st *stack) find(kinds []kind) int {
	if st == nil {
		return -1
	}
	for i := len(st.open) - 1; i >= 0; i-- {
		for _, k := range kinds {
			if st.open[i].kind == k {
				return i
			}
		}
	}
	return -1
}

// cut takes off what lies from a place upwards.
func (st *stack) cut(at int) []*step {
	over := append([]*step(nil), st.open[at:]...)
	clear(st.open[at:])
	st.open = st.open[:at]
	return over
}

// leaveAlone takes off what must be over, because something else begins.
func (st *stack) leaveAlone() []*step {
	at := len(st.open)
	for at > 0 && st.open[at-1].kind.alone() {
		at--
	}
	return st.cut(at)
}

// left ends steps of which the library never said how they ended, the innermost first. why is the end of their context; nil when that is not it.
func left(over []*step, why error) {
	for i := len(over) - 1; i >= 0; i-- {
		n := over[i]
		if n.outer.Withdraw() {
			continue
		}
		switch {
		case errors.Is(why, context.Canceled):
			n.o.Abort()
		case why != nil:
			n.o.End(brokle.Error(why))
		case n.kind == action:
			n.o.End()
		default:
			n.o.End(brokle.Level(brokle.LevelWarn), brokle.StatusMessage(untold))
		}
	}
}

// untold is what is known of the end of a step that had none.
const untold = "the library made no callback for its end"
