#!/usr/bin/env bash
# Genkit for Go: one type of usage, three ways to count. Which it is, the plugin of the model decides.
#
# Guessed: Genkit's usage (inputTokens, outputTokens, thoughtsTokens, cachedContentTokens, totalTokens) means the same whichever
# plugin filled it: a framework hides how its providers count.
# Seen 2026-11-30: github.com/firebase/genkit/go v1.12.0, its plugins for OpenAI, Google and Anthropic, and one call each, of 100 tokens in, 80 of
# them from the cache, and 50 out, 30 of them thoughts where the provider counts these
#   OpenAI      in 100  out 50  thoughts 30  cached 80  total 150    the output has the thoughts
#   Google      in 100  out 20  thoughts 30  cached 80  total 150    the output is without the thoughts
#   Anthropic   in 10   out 50  thoughts 0   cached 80  total 0      the input is without the cache; 10 that were written to it are in no count
# So a sum of inputTokens and outputTokens over models is 150 of 150, 120 of 150 and 60 of 150 tokens. The total tells them apart: it is the sum
# of both for OpenAI, of three for Google, and missing for Anthropic.
set -euo pipefail
dir=$(mktemp -d); trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/genkit"
	"github.com/firebase/genkit/go/plugins/anthropic"
	"github.com/firebase/genkit/go/plugins/compat_oai/openai"
	"github.com/firebase/genkit/go/plugins/googlegenai"
	"github.com/openai/openai-go/option"
)

func answer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.HasSuffix(r.URL.Path, "/chat/completions"):
		io.WriteString(w, `{"id":"1","object":"chat.completion","model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Paris."}}],
			"usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":80},"completion_tokens_details":{"reasoning_tokens":30}}}`)
	case strings.HasSuffix(r.URL.Path, "/messages"):
		io.WriteString(w, `{"id":"1","type":"message","role":"assistant","model":"m","stop_reason":"end_turn","content":[{"type":"text","text":"Paris."}],
			"usage":{"input_tokens":10,"cache_read_input_tokens":80,"cache_creation_input_tokens":10,"output_tokens":50}}`)
	default:
		io.WriteString(w, `{"candidates":[{"index":0,"finishReason":"STOP","content":{"role":"model","parts":[{"text":"Paris."}]}}],
			"usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":80,"candidatesTokenCount":20,"thoughtsTokenCount":30,"totalTokenCount":150}}`)
	}
}

func main() {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	s := httptest.NewServer(http.HandlerFunc(answer))
	ctx := context.Background()
	g := genkit.Init(ctx, genkit.WithPlugins(
		&openai.OpenAI{APIKey: "k", Opts: []option.RequestOption{option.WithBaseURL(s.URL + "/v1")}},
		&googlegenai.GoogleAI{APIKey: "k", BaseURL: s.URL}, &anthropic.Anthropic{APIKey: "k", BaseURL: s.URL}))
	for _, name := range []string{"openai/gpt-4o-mini", "googleai/gemini-2.5-flash", "anthropic/claude-sonnet-4-5"} {
		r, err := genkit.Generate(ctx, g, ai.WithModelName(name), ai.WithPrompt("Capital of France?"), ai.WithConfig(map[string]any{}))
		if err != nil {
			panic(err)
		}
		u := r.Usage
		fmt.Println(name, u.InputTokens, u.OutputTokens, u.ThoughtsTokens, u.CachedContentTokens, u.TotalTokens)
	}
}
GO
go mod init probe 2>/dev/null
plugins=github.com/firebase/genkit/go/plugins
go get github.com/firebase/genkit/go/genkit@v1.12.0 $plugins/anthropic@v1.12.0 $plugins/compat_oai/openai@v1.12.0 $plugins/googlegenai@v1.12.0 2>/dev/null
go mod tidy 2>/dev/null
go run . 2>log.txt >seen.txt || { cat log.txt; exit 1; }
cat seen.txt
diff seen.txt - <<'WANT'
openai/gpt-4o-mini 100 50 30 80 150
googleai/gemini-2.5-flash 100 20 30 80 150
anthropic/claude-sonnet-4-5 10 50 0 80 0
WANT
