package broklegenkit_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/genkit"
	"github.com/firebase/genkit/go/plugins/compat_oai/openai"
	"github.com/openai/openai-go/option"
	"go.uber.org/goleak"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/broklegenkit"
	"github.com/brokle-ai/brokle-go/internal/modelcall/calltest"
	"github.com/brokle-ai/brokle-go/internal/watch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a provider, Genkit with its plugin for OpenAI that is recorded, and where the records go. Genkit's tracers are the process's: one bench
// at a time.
type bench struct {
	*calltest.Bench
	plugin *broklegenkit.Plugin
	g      *genkit.Genkit
}

func newBench(t *testing.T, opts ...broklegenkit.Option) *bench {
	t.Helper()
	b := &bench{Bench: calltest.New(t)}
	b.Base.Transport = answersTools{b.Base.Transport}
	b.plugin = broklegenkit.New(append(opts, broklegenkit.WithClient(b.Client))...)
	t.Cleanup(b.plugin.Stop)
	// The slash at the end: without it each call of this client writes it into the URL that all share.
	b.g = genkit.Init(t.Context(), genkit.WithPlugins(b.plugin, &openai.OpenAI{APIKey: "sk-test", Opts: []option.RequestOption{
		option.WithBaseURL(b.URL + "/v1/"), option.WithHTTPClient(b.Base), option.WithMaxRetries(0),
	}}))
	return b
}

// answersTools asks another model once tools have answered, because the stand-in's m-tool would call them for ever.
type answersTools struct{ next http.RoundTripper }

func (a answersTools) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(body, []byte(`"role":"tool"`)) {
		body = bytes.Replace(body, []byte(`"m-tool"`), []byte(`"m-done"`), 1)
	}
	out := req.Clone(req.Context())
	out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return a.next.RoundTrip(out)
}

func (b *bench) ask(ctx context.Context, model string, opts ...ai.GenerateOption) (*ai.ModelResponse, error) {
	return genkit.Generate(ctx, b.g, append(opts, ai.WithModelName("openai/"+model), ai.WithPrompt("Why is the sky blue?"))...)
}

// flushed is what has been sent up to now.
func (b *bench) flushed() []brokle.Event {
	if err := b.Client.Flush(context.Background()); err != nil {
		b.T.Fatal(err)
	}
	return b.Srv.Events()
}

// steps are what was recorded; each has ended once.
func (b *bench) steps() map[string]*calltest.Call {
	b.T.Helper()
	// Genkit does not wait for the other tools of an answer when one fails: they may end, and even begin, after it.
	var all []*calltest.Call
	watch.Until(b.T, "every step has ended", func() bool {
		all = b.Calls(b.flushed())
		return !slices.ContainsFunc(all, func(c *calltest.Call) bool { return c.Ends == 0 })
	})
	if err := b.Client.Close(context.Background()); err != nil {
		b.T.Fatal(err)
	}
	byName := map[string]*calltest.Call{}
	for _, c := range all {
		name := c.Name
		for n := 2; byName[name] != nil; n++ {
			name = fmt.Sprint(c.Name, " ", n)
		}
		if byName[name] = c; c.Ends != 1 {
			b.T.Errorf("%s has ended %d times", name, c.Ends)
		}
	}
	return byName
}
