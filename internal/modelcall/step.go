package modelcall

import (
	"context"
	"encoding/json"

	"github.com/brokle-ai/brokle-go"
)

// Recording says whether anybody records a step of typ that starts with ctx; where nobody was named, the SDK says so once, by name.
func (r *Recorder) Recording(ctx context.Context, typ, name string) bool {
	c := r.Client
	if c == nil {
		if c = brokle.ClientFromContext(ctx); c == nil {
			brokle.StartObservation(ctx, typ, name)
			return false
		}
	}
	return c.Recording()
}

// Start begins a step that a framework tells of: Options, then opts, are said of it. In the context that it returns the requests of a step that
// is a call of a model are not recorded once more, by whatever sends them.
func (r *Recorder) Start(ctx context.Context, typ, name string, opts []brokle.Option) (context.Context, *brokle.ActiveObservation) {
	all := append(r.Options[:len(r.Options):len(r.Options)], opts...)
	var o *brokle.ActiveObservation
	if r.Client != nil {
		ctx, o = r.Client.StartObservation(ctx, typ, name, all...)
	} else {
		ctx, o = brokle.StartObservation(ctx, typ, name, all...)
	}
	if typ == brokle.TypeGeneration || typ == brokle.TypeEmbedding {
		ctx = context.WithValue(ctx, inside{}, true)
	}
	return ctx, o
}

// Content is v as JSON, without media and the ends of long texts, as bodies are kept; nil where v is nil or does not encode.
func Content(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	b, err := encode(v)
	if err != nil {
		return nil
	}
	return shorten(b)
}

// Failed says err of a step, without its text where content is not recorded: providers repeat in it what was said.
func (r *Recorder) Failed(err error) []brokle.Option {
	opts := []brokle.Option{brokle.Error(err)}
	if r.NoContent {
		opts = append(opts, brokle.StatusMessage(""))
	}
	return opts
}
