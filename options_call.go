package brokle

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/brokle-ai/brokle-go/internal/payload"
)

// call is what options say of a call of a model beyond its model and the two counts of Usage.
type call struct {
	requested, responseID            string
	finish, finishOriginal           string
	tier, requestedTier              string
	promptName, promptVersion        string
	cacheRead, cacheWrite, reasoning *int64
	cacheWrite1h                     *int64
	audioIn, audioOut                *int64
	cacheReadCost, cacheWriteCost    *float64
	totalCost                        *float64
	firstToken                       *float64 // milliseconds
	usage                            json.RawMessage
	counts                           map[string]int64
	attributes                       map[string]any
}

// ofCall is an option that says something of a call of a model.
func ofCall(say func(*call)) Option {
	return func(d *details) {
		if d.call == nil {
			d.call = &call{}
		}
		say(d.call)
	}
}

// InputTokens counts all tokens that went in, with those read from and written to a cache. What
// Usage counts as prompt.
func InputTokens(n int64) Option { return func(d *details) { d.prompt = &n } }

// OutputTokens counts all tokens that came out, with those of reasoning. What Usage counts as completion.
func OutputTokens(n int64) Option { return func(d *details) { d.completion = &n } }

// CacheReadTokens counts those of the input that were read from the provider's cache.
func CacheReadTokens(n int64) Option { return ofCall(func(c *call) { c.cacheRead = &n }) }

// CacheWriteTokens counts those of the input that were written to the provider's cache.
func CacheWriteTokens(n int64) Option { return ofCall(func(c *call) { c.cacheWrite = &n }) }

// CacheWrite1hTokens counts those of CacheWriteTokens that the cache keeps for an hour, which have another price.
func CacheWrite1hTokens(n int64) Option { return ofCall(func(c *call) { c.cacheWrite1h = &n }) }

// ReasoningTokens counts those of the output that the model thought with.
func ReasoningTokens(n int64) Option { return ofCall(func(c *call) { c.reasoning = &n }) }

// AudioInputTokens counts those of the input that are audio.
func AudioInputTokens(n int64) Option { return ofCall(func(c *call) { c.audioIn = &n }) }

// AudioOutputTokens counts those of the output that are audio.
func AudioOutputTokens(n int64) Option { return ofCall(func(c *call) { c.audioOut = &n }) }

// Count counts anything else by a name of your own, such as Count("pages", 3). It is in the observation's usage. A name by
// which a provider counts tokens ("prompt_tokens", "cached_tokens", …) means these.
func Count(name string, n int64) Option {
	return ofCall(func(c *call) {
		if c.counts == nil {
			c.counts = map[string]int64{}
		}
		c.counts[name] = n
	})
}

// ProviderUsage is the usage object of a provider's answer as it came: a json.RawMessage, or a value that encodes to
// it. The server knows the shapes of OpenAI, Anthropic, Gemini and others, and fills the counts that no other option says.
func ProviderUsage(v any) Option {
	return func(d *details) {
		raw := d.json(v)
		ofCall(func(c *call) { c.usage = raw })(d)
	}
}

// InputCost is what the input cost, with what its cache cost. See Cost.
func InputCost(v float64) Option { return func(d *details) { d.inputCost = &v } }

// OutputCost is what the output cost. See Cost.
func OutputCost(v float64) Option { return func(d *details) { d.outputCost = &v } }

// CacheReadCost is the part of InputCost for what was read from a cache.
func CacheReadCost(v float64) Option { return ofCall(func(c *call) { c.cacheReadCost = &v }) }

// CacheWriteCost is the part of InputCost for what was written to a cache.
func CacheWriteCost(v float64) Option { return ofCall(func(c *call) { c.cacheWriteCost = &v }) }

// TotalCost is what a call cost where its parts are not known. Default: the sum of InputCost and OutputCost.
func TotalCost(v float64) Option { return ofCall(func(c *call) { c.totalCost = &v }) }

// TimeToFirstToken is how long after its start the first piece of the answer came. Delta and FirstToken
// of an observation measure it.
func TimeToFirstToken(after time.Duration) Option {
	ms := float64(after.Microseconds()) / 1000
	return ofCall(func(c *call) { c.firstToken = &ms })
}

// FinishReason is why the model ended, in the provider's own word: the server shows it as stop, length,
// tool_calls, content_filter or error, and keeps the word. Of several choices it is the first's; the others are in the Output.
func FinishReason(word string) Option {
	return ofCall(func(c *call) { c.finish, c.finishOriginal = word, word })
}

// ResponseID is the provider's name of its answer.
func ResponseID(id string) Option { return ofCall(func(c *call) { c.responseID = id }) }

// RequestedModel names the model that was asked for, where Model names the one that answered.
func RequestedModel(name string) Option { return ofCall(func(c *call) { c.requested = name }) }

// ServiceTier is the provider's name of the tier in which it answered, such as "priority" or "batch": tiers have prices.
func ServiceTier(name string) Option { return ofCall(func(c *call) { c.tier = name }) }

// RequestedServiceTier names the tier that was asked for.
func RequestedServiceTier(name string) Option {
	return ofCall(func(c *call) { c.requestedTier = name })
}

// Prompt names the prompt that the input was made from, and its version; either may be "". Statistics can be grouped by both (prompt_name, prompt_version), and
// lists filtered. They are also the attributes gen_ai.prompt.name (OpenTelemetry's semantic conventions for generative AI) and gen_ai.prompt.version. OfPrompt says
// both of a prompt that the server gave.
func Prompt(name, version string) Option {
	return func(d *details) {
		if name != "" {
			Attribute("gen_ai.prompt.name", name)(d)
		}
		if version != "" {
			Attribute("gen_ai.prompt.version", version)(d)
		}
		ofCall(func(c *call) { c.promptName, c.promptVersion = name, version })(d)
	}
}

// Attribute says one thing by a name of your own: any value that encoding/json takes. Lists can be filtered by it (attributes.KEY).
func Attribute(key string, v any) Option {
	return func(d *details) {
		raw := d.json(v)
		ofCall(func(c *call) {
			if c.attributes == nil {
				c.attributes = map[string]any{}
			}
			c.attributes[key] = raw
		})(d)
	}
}

// say puts what c says into o.
func (c *call) say(o *Observation, d *details) {
	o.RequestedModel, o.ResponseID, o.FinishReason, o.FinishReasonOriginal = c.requested, c.responseID, c.finish, c.finishOriginal
	o.ServiceTier, o.RequestedServiceTier, o.CacheWrite1hTokens = c.tier, c.requestedTier, c.cacheWrite1h
	o.PromptName, o.PromptVersion = c.promptName, c.promptVersion
	o.CacheReadTokens, o.CacheWriteTokens, o.ReasoningTokens = c.cacheRead, c.cacheWrite, c.reasoning
	o.AudioInputTokens, o.AudioOutputTokens = c.audioIn, c.audioOut
	o.CacheReadCost, o.CacheWriteCost, o.TotalCost = c.cacheReadCost, c.cacheWriteCost, c.totalCost
	o.TimeToFirstTokenMS = c.firstToken
	if len(c.attributes) > 0 {
		o.Attributes = d.json(c.attributes)
	}
	o.Usage = c.usage
	if len(c.counts) > 0 {
		o.Usage = d.withCounts(c.usage, c.counts)
	}
}

// withCounts is usage, an object or nothing, with counts of other names.
func (d *details) withCounts(usage json.RawMessage, counts map[string]int64) json.RawMessage {
	all := map[string]any{}
	if len(usage) > 0 {
		var sent map[string]json.RawMessage
		if err := json.Unmarshal(usage, &sent); err != nil {
			d.err = err
			return nil
		}
		for name, v := range sent {
			all[name] = v
		}
	}
	for name, n := range maps.All(counts) {
		all[name] = n
	}
	b, err := payload.Encode(all)
	if err != nil {
		d.err = err
	}
	return b
}
