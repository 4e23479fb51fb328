#!/usr/bin/env bash
# Which callbacks langchaingo makes for a step that begins depends on who does it: few tell of every end.
#
# Guessed: a model makes HandleLLMGenerateContentStart, then HandleLLMGenerateContentEnd with the answer or HandleLLMError; a tool and a retriever likewise.
# Seen 2026-11-30 with langchaingo 0.1.14 against a stand-in (nil: the end has no answer):
#                 that succeeds       that fails
#   openai        start end           start
#   anthropic     start               start error
#   ollama        start end           start error
#   mistral       start end:nil end   start end:nil error
#   calculator    start end           start
#   retriever     start end           start
# The callbacks return no context, and those of a start and of its end get the same one, which serves any number of goroutines (chains.Apply).
# Means for us: broklelangchain finds what belongs together by the goroutine, hears no end without an answer, ends what never ends with what
# encloses it, and lets the request of a recording HTTP client tell how a call of a model ended.
set -euo pipefail
dir=$(mktemp -d); trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'M'
module finding

go 1.26.0

require github.com/tmc/langchaingo v0.1.14
M
cat >main.go <<'G'
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/tmc/langchaingo/callbacks"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/anthropic"
	"github.com/tmc/langchaingo/llms/mistral"
	"github.com/tmc/langchaingo/llms/ollama"
	"github.com/tmc/langchaingo/llms/openai"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/tools"
	"github.com/tmc/langchaingo/vectorstores"
)

type heard struct {
	callbacks.SimpleHandler
	what []string
}

func (h *heard) say(s string)                                                              { h.what = append(h.what, s) }
func (h *heard) HandleLLMGenerateContentStart(context.Context, []llms.MessageContent)      { h.say("start") }
func (h *heard) HandleLLMError(context.Context, error)                                     { h.say("error") }
func (h *heard) HandleToolStart(context.Context, string)                                   { h.say("start") }
func (h *heard) HandleToolEnd(context.Context, string)                                     { h.say("end") }
func (h *heard) HandleToolError(context.Context, error)                                    { h.say("error") }
func (h *heard) HandleRetrieverStart(context.Context, string)                              { h.say("start") }
func (h *heard) HandleRetrieverEnd(context.Context, string, []schema.Document)             { h.say("end") }
func (h *heard) HandleLLMGenerateContentEnd(_ context.Context, res *llms.ContentResponse) {
	if res == nil {
		h.say("end:nil")
		return
	}
	h.say("end")
}

type store struct{ vectorstores.VectorStore }

func (store) SimilaritySearch(_ context.Context, query string, _ int, _ ...vectorstores.Option) ([]schema.Document, error) {
	if query == "bad" {
		return nil, errors.New("no index")
	}
	return nil, nil
}

func serve(w http.ResponseWriter, r *http.Request) {
	asked, _ := io.ReadAll(r.Body)
	switch {
	case strings.HasPrefix(r.URL.Path, "/bad"), strings.Contains(string(asked), `"model":"bad"`): // Mistral's client leaves the path of its endpoint out
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":{"message":"no"}}`)
	case strings.HasSuffix(r.URL.Path, "/messages"):
		fmt.Fprint(w, `{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`)
	case strings.HasSuffix(r.URL.Path, "/api/chat"):
		fmt.Fprintln(w, `{"model":"m","message":{"role":"assistant","content":"hi"},"done":true,"prompt_eval_count":1,"eval_count":1}`)
	default:
		fmt.Fprint(w, `{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`)
	}
}

func main() {
	s := httptest.NewServer(http.HandlerFunc(serve))
	ctx := context.Background()
	ask := func(m llms.Model) { _, _ = m.GenerateContent(ctx, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "hi")}) }
	for _, who := range []struct {
		name string
		do   func(h *heard, way string)
	}{
		{"openai", func(h *heard, way string) {
			m, _ := openai.New(openai.WithToken("k"), openai.WithBaseURL(s.URL+"/"+way), openai.WithCallback(h))
			ask(m)
		}},
		{"anthropic", func(h *heard, way string) {
			m, _ := anthropic.New(anthropic.WithToken("k"), anthropic.WithBaseURL(s.URL+"/"+way))
			m.CallbacksHandler = h
			ask(m)
		}},
		{"ollama", func(h *heard, way string) {
			m, _ := ollama.New(ollama.WithServerURL(s.URL+"/"+way), ollama.WithModel("m"))
			m.CallbacksHandler = h
			ask(m)
		}},
		{"mistral", func(h *heard, way string) {
			m, _ := mistral.New(mistral.WithAPIKey("k"), mistral.WithEndpoint(s.URL), mistral.WithModel(way), mistral.WithMaxRetries(1))
			m.CallbacksHandler = h
			ask(m)
		}},
		{"calculator", func(h *heard, way string) {
			_, _ = tools.Calculator{CallbacksHandler: h}.Call(ctx, map[string]string{"good": "2+2", "bad": "2+"}[way])
		}},
		{"retriever", func(h *heard, way string) {
			r := vectorstores.ToRetriever(store{}, 1)
			r.CallbacksHandler = h
			_, _ = r.GetRelevantDocuments(ctx, way)
		}},
	} {
		line := who.name
		for _, way := range []string{"good", "bad"} {
			h := &heard{}
			who.do(h, way)
			line += " | " + strings.Join(h.what, " ")
		}
		fmt.Println(line)
	}
}
G
go run -mod=mod . >got 2>err || { cat err; exit 1; }
cat got
diff got - <<'W' && echo "as the head of this script says"
openai | start end | start
anthropic | start | start error
ollama | start end | start error
mistral | start end:nil end | start end:nil error
calculator | start end | start
retriever | start end | start
W
