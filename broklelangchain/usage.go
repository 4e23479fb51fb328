package broklelangchain

import (
	"reflect"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/brokle-ai/brokle-go"
)

// told is what an answer says beside its words. The library's models put it into GenerationInfo, each by its own names, and into every choice again.
func told(res *llms.ContentResponse) (opts []brokle.Option) {
	for _, c := range res.Choices {
		if c == nil {
			continue
		}
		if f := finish(c); f != "" {
			opts = append(opts, brokle.FinishReason(f))
		}
		i := info(c.GenerationInfo)
		if name, _ := i["model"].(string); name != "" { // Mistral
			opts = append(opts, brokle.Model(name))
		}
		return append(opts, i.usage()...)
	}
	return nil
}

// finish is why a choice ended. The client of Google AI gives the name of a constant in Go: FinishReasonMaxTokens.
func finish(c *llms.ContentChoice) string {
	name, google := strings.CutPrefix(c.StopReason, "FinishReason")
	if !google {
		return c.StopReason
	}
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToUpper(b.String())
}

// info is a choice's GenerationInfo.
type info map[string]any

// count is the first of the counts that is there and not 0, which is also said of what was not counted.
func (i info) count(names ...string) int64 {
	for _, name := range names {
		v := reflect.ValueOf(i[name])
		switch {
		case v.CanInt() && v.Int() > 0:
			return v.Int()
		case v.CanFloat() && v.Float() > 0:
			return int64(v.Float())
		}
	}
	return 0
}

// usage counts tokens; nothing when the library did not.
func (i info) usage() (opts []brokle.Option) {
	i = i.flat()
	read := i.count("CacheReadInputTokens", "PromptCachedTokens", "CachedTokens")
	if _, own := i["CacheHit"]; own { // of a cache that the library has for Ollama
		read = 0
	}
	written := i.count("CacheCreationInputTokens")
	in := i.count("PromptTokens")
	if in == 0 { // Anthropic counts what the cache has beside it
		in = i.count("InputTokens", "input_tokens") + read + written
	}
	out := i.count("CompletionTokens", "OutputTokens", "output_tokens")
	if in+out == 0 {
		return nil
	}
	opts = append(opts, brokle.Usage(in, out))
	for _, part := range []struct {
		n   int64
		say func(int64) brokle.Option
	}{
		{read, brokle.CacheReadTokens}, {written, brokle.CacheWriteTokens}, {i.count("CompletionReasoningTokens", "ReasoningTokens", "ThinkingTokens"), brokle.ReasoningTokens},
		{i.count("PromptAudioTokens"), brokle.AudioInputTokens}, {i.count("CompletionAudioTokens"), brokle.AudioOutputTokens},
	} {
		if part.n > 0 {
			opts = append(opts, part.say(part.n))
		}
	}
	return opts
}

// flat is i with the counts of a struct "usage", which Mistral's has.
func (i info) flat() info {
	v := reflect.Indirect(reflect.ValueOf(i["usage"]))
	if v.Kind() != reflect.Struct {
		return i
	}
	all := info{}
	for _, name := range []string{"PromptTokens", "CompletionTokens"} {
		if f := v.FieldByName(name); f.IsValid() && f.CanInterface() {
			all[name] = f.Interface()
		}
	}
	return all
}
