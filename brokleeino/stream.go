package brokleeino

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/callbacks"
	"github.com/cloudwego/eino/schema"

	"github.com/brokle-ai/brokle-go"
)

// patience is how long a stream may go on after its context has ended, until its step counts as left: what has come whole when the
// context ends is read meanwhile.
const patience = time.Second

// reads runs read in a goroutine of its own, which Handler.Wait waits for, and ends the step when ctx does and read does not.
func (r *run) reads(ctx context.Context, g *gathered, read func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		t := time.NewTimer(patience)
		defer t.Stop()
		select {
		case <-done:
		case <-t.C:
			guarded(func() { r.end(g.said(), context.Cause(ctx)) })
		}
	})
	r.h.reading.Go(func() {
		defer close(done)
		defer stop()
		guarded(read)
	})
}

// readOutput reads a copy of what comes out, to its end: whoever reads another copy gets it from eino all the same.
func (r *run) readOutput(ctx context.Context, s *schema.StreamReader[callbacks.CallbackOutput]) {
	g := &gathered{r: r, stream: true}
	r.reads(ctx, g, func() {
		defer s.Close()
		err := pieces(s, func(v any) bool { g.take(v); return !r.over() })
		r.end(g.said(), err)
	})
}

// readInput reads a copy of what goes in, up to the bound.
func (r *run) readInput(ctx context.Context, s *schema.StreamReader[callbacks.CallbackInput]) {
	g := &gathered{r: r, stream: true}
	r.h.reading.Go(func() {
		guarded(func() {
			defer s.Close()
			_ = pieces(s, func(v any) bool { g.take(v); return !g.full() && ctx.Err() == nil }) // an error is that of the step that made it
			if out := g.whole(); out != nil {
				r.o.Update(brokle.Input(out))
			}
		})
	})
}

// pieces gives each piece of s to take until that says false, and returns the error that ended s; nil when that is all.
func pieces[T any](s *schema.StreamReader[T], take func(any) bool) error {
	for {
		v, err := s.Recv()
		var one *schema.SourceEOF
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &one): // of several streams that were merged
		case err != nil:
			return err
		case !take(v):
			return nil
		}
	}
}

// eventsOf says whether out is what an agent of the ADK gives when it begins: its events, of which each handler has its own.
func eventsOf(out any) (read func(*gathered) outcome, ok bool) {
	switch out := out.(type) {
	case *adk.AgentCallbackOutput:
		return func(g *gathered) outcome { return eventsInto(g, out.Events) }, out.Events != nil
	case *adk.TypedAgentCallbackOutput[*schema.AgenticMessage]:
		return func(g *gathered) outcome { return eventsInto(g, out.Events) }, out.Events != nil
	}
	return nil, false
}

// outcome is how an agent ended.
type outcome struct {
	err  error
	opts []brokle.Option
}

// readEvents reads an agent's events to their end.
func (r *run) readEvents(ctx context.Context, events func(*gathered) outcome) {
	if !r.claim() {
		return
	}
	g := &gathered{r: r}
	r.reads(ctx, g, func() {
		o := events(g)
		r.end(append(g.said(), o.opts...), o.err)
	})
}

// eventsInto keeps the last message of an agent, which is its answer.
func eventsInto[M adk.MessageType](g *gathered, events *adk.AsyncIterator[*adk.TypedAgentEvent[M]]) (o outcome) {
	for {
		e, ok := events.Next()
		if !ok {
			return o
		}
		if o.err = e.Err; e.Output != nil && e.Output.MessageOutput != nil {
			if err := g.last(e.Output.MessageOutput.IsStreaming, any(e.Output.MessageOutput.Message), streamOf(e.Output.MessageOutput)); o.err == nil {
				o.err = err
			}
		}
		if e.Action != nil && e.Action.Interrupted != nil {
			o.opts = append(o.opts, brokle.Attribute("eino.interrupted", true))
		}
		if e.Action != nil && e.Action.TransferToAgent != nil { // who goes on is a step of its own
			o.opts = append(o.opts, brokle.Attribute("eino.transferred_to", e.Action.TransferToAgent.DestAgentName))
			return o
		}
	}
}

func streamOf[M adk.MessageType](v *adk.TypedMessageVariant[M]) func(take func(any) bool) error {
	return func(take func(any) bool) error {
		if v.MessageStream == nil {
			return nil
		}
		defer v.MessageStream.Close()
		return pieces(v.MessageStream, take)
	}
}

// last forgets what came before, and takes a message.
func (g *gathered) last(streaming bool, m any, stream func(func(any) bool) error) error {
	g.forget(streaming)
	if !streaming {
		g.take(m)
		return nil
	}
	return stream(func(v any) bool { g.take(v); return true })
}
