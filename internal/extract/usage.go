package extract

import (
	"cmp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// usageSlots are the keys under which clients put a provider's usage as it came, in the
// order in which they count.
var usageSlots = [...]slot{entity.Usage, sUsageDetails, sUsageMetadata, sUsageMetadataCamel}

// usages fills the token fields that are not given yet from a provider's usage at these keys,
// and the field of the counts that have other names.
func (x *extractor) usages(at []slot) {
	var counts members
	for _, s := range at {
		raw := x.get(s)
		if raw == nil || raw[0] != '{' {
			continue
		}
		var named members
		r := usageReader{x: x, where: keys.names[s], named: &named}
		tier := r.read(raw)
		r.fill()
		x.fillText(entity.ServiceTier, r.tier(tier))
		for _, key := range named.keys {
			if counts.values[key] == nil {
				counts.add(key, named.values[key])
			}
		}
	}
	if len(counts.keys) > 0 {
		x.put(entity.FieldValue{Field: entity.Usage, Text: rawjson.Alias(counts.object())})
	}
}

// usageReader reads one usage.
type usageReader struct {
	x     *extractor
	where string // the payload's key
	has   [numParts]bool
	n     [numParts]int64
	// inclusive is set when a key shows that the input holds what was read from a cache.
	inclusive bool
	langfuse  bool // a key shows that it is Langfuse's own shape
	fast      bool // Anthropic says that it was, apart from the service tier
	// flex and priority: a detail begins so. What usageReader holds goes into no field as it is, lest x moves to the heap.
	flex, priority bool
	// named are counts of names that mean no part. A pointer, so that what is kept of them does not
	// move x to the heap.
	named *members
}

// read reads a usage, and returns the service tier that it says.
func (r *usageReader) read(raw []byte) (tier string) {
	var nested [pBilled - numParts][]byte
	m := rawjson.MembersOf(raw)
	for {
		key, value, ok := m.Next()
		if !ok {
			break
		}
		p := usageKeys(string(key))
		said, isTier := r.served(key, value)
		switch {
		case isTier:
			tier = cmp.Or(said, tier)
		case p == pNone:
			if n, ok := WholeNumber(value); ok {
				r.named.add(string(key), strconv.AppendInt(nil, n, 10))
			}
		case p > numParts:
			nested[p-numParts-1] = value
		default:
			r.take(p, key, value)
			r.shape(string(key))
		}
	}
	r.details(nested[pInputDetails-numParts-1], inputDetailKeys, pAudioIn)
	r.details(nested[pOutputDetails-numParts-1], outputDetailKeys, pAudioOut)
	r.created(nested[pCreation-numParts-1])
	// Cohere: what the model saw beats what is billed, and holds what was cached.
	for _, tokens := range [...]part{pActual, pBilled} {
		if _, ok := r.object(nested[tokens-numParts-1], usageKeys); ok {
			r.inclusive = true
			break
		}
	}
	return tier
}

// shape knows clients by names that only they have.
func (r *usageReader) shape(key string) {
	switch key {
	case "cachedInputTokens", // Vercel AI SDK: its input is all of it
		"cache_read_tokens", "cache_write_tokens": // Pydantic AI, too
		r.inclusive = true
	case "output":
		r.langfuse = true
	}
}

// details reads an object of parts, which all are parts of the whole that stands beside
// it, or Gemini's list of {modality, tokenCount}.
func (r *usageReader) details(raw []byte, keys func(string) part, audio part) {
	if written, ok := r.object(raw, keys); ok {
		r.inclusive = r.inclusive || audio == pAudioIn
		r.created(written)
	}
	if len(raw) == 0 || raw[0] != '[' {
		return
	}
	for e := rawjson.ElementsOf(raw); ; {
		one, ok := e.Next()
		if !ok {
			return
		}
		r.modality(one, audio)
	}
}

func (r *usageReader) modality(raw []byte, audio part) {
	var modality string
	var count []byte
	for m := rawjson.MembersOf(raw); ; {
		key, value, ok := m.Next()
		if !ok {
			break
		}
		switch string(key) {
		case "modality":
			modality, _ = rawjson.Unquote(value)
		case "tokenCount":
			count = value
		}
	}
	if modality == "AUDIO" && count != nil {
		r.take(audio, []byte("tokenCount"), count)
	}
}

// created reads what the cache was given by how long it is kept: Anthropic's object, or Bedrock's list of {ttl, inputTokens}.
func (r *usageReader) created(raw []byte) {
	if _, ok := r.object(raw, creationKeys); ok || len(raw) == 0 || raw[0] != '[' {
		return
	}
	for e := rawjson.ElementsOf(raw); ; {
		one, ok := e.Next()
		if !ok {
			return
		}
		kept, count := pWriteShort, []byte(nil)
		for m := rawjson.MembersOf(one); ; {
			key, value, ok := m.Next()
			if !ok {
				break
			}
			switch string(key) {
			case "ttl":
				if ttl, _ := rawjson.Unquote(value); ttl == "1h" {
					kept = pWriteLong
				}
			case "inputTokens":
				count = value
			}
		}
		if count != nil {
			r.take(kept, []byte("inputTokens"), count)
		}
	}
}

// served reads the service tier of the answer, which some say in the usage; isTier is false for another key.
func (r *usageReader) served(key, value []byte) (tier string, isTier bool) {
	switch string(key) {
	case "service_tier", "serviceTier", "traffic_type", "trafficType", "speed": // Anthropic; Gemini, Vertex
	default:
		return "", false
	}
	text, ok := rawjson.Unquote(value)
	switch {
	case !ok:
	case string(key) == "speed":
		r.fast = text == "fast"
	case utf8.RuneCountInString(text) > MaxLabelLength || strings.IndexByte(text, 0) >= 0:
		r.x.note("payload." + r.where + "." + string(key) + " was left out: it must be " + entity.TierForm.String())
	default:
		return entity.Tier(text), true
	}
	return "", true
}

// tier is the service tier of the usage, which says this one.
func (r *usageReader) tier(said string) string {
	switch {
	case r.fast:
		return "fast"
	case said != "":
		return said
	case r.flex:
		return "flex"
	case r.priority:
		return "priority"
	}
	return ""
}

// object reads the members of raw and says whether it is an object. written is what LiteLLM's details have in it, by how long it is kept.
func (r *usageReader) object(raw []byte, keys func(string) part) (written []byte, ok bool) {
	if len(raw) == 0 || raw[0] != '{' {
		return nil, false
	}
	for m := rawjson.MembersOf(raw); ; {
		key, value, ok := m.Next()
		if !ok {
			return written, true
		}
		name := rawjson.Alias(key)
		if name == "cache_creation_token_details" {
			written = value
		} else if p := keys(name); p != pNone && p < numParts {
			r.take(p, key, value)
		}
		switch tier, _ := entity.CutTier(name); tier {
		case "flex":
			r.flex = true
		case "priority":
			r.priority = true
		}
	}
}

// take reads one count. Of a part that may stand in several places the largest stays.
func (r *usageReader) take(p part, key, value []byte) {
	if value[0] == 'n' || string(value) == `""` {
		return
	}
	n, ok := WholeNumber(value)
	if !ok {
		r.x.note("payload." + r.where + "." + short(string(key)) + " was left out: it must be " + entity.TokensForm.String())
		return
	}
	if p == pRead || p == pWrite || p == pReasoning {
		n = max(n, r.n[p])
	}
	r.has[p], r.n[p] = true, n
}

// fill makes the parts canonical and fills the fields: the prompt includes what was read from
// and written to a cache, the completion includes the reasoning.
func (r *usageReader) fill() {
	if r.has[pWriteShort] || r.has[pWriteLong] {
		if split := r.n[pWriteShort] + r.n[pWriteLong]; split > r.n[pWrite] {
			r.has[pWrite], r.n[pWrite] = true, split
		}
	}
	if r.has[pWriteBeside] || r.has[pWriteBesideLong] {
		r.has[pWrite], r.n[pWrite] = true, r.n[pWrite]+r.n[pWriteBeside]+r.n[pWriteBesideLong]
		r.has[pWriteLong], r.n[pWriteLong] = true, r.n[pWriteLong]+r.n[pWriteBesideLong]
	}
	if !r.has[pOutput] {
		r.has[pOutput], r.n[pOutput] = r.has[pAnswer], r.n[pAnswer]
	}
	if r.has[pApart] && r.langfuse {
		r.has[pThoughts], r.n[pThoughts] = true, r.n[pApart]
	} else if r.has[pApart] {
		r.has[pReasoning], r.n[pReasoning] = true, max(r.n[pReasoning], r.n[pApart])
	}
	cached := r.n[pRead] + r.n[pWrite]
	input, known := r.n[pInput], r.has[pInput]
	if !known {
		input, known = r.n[pFresh], r.has[pFresh]
		if !r.inclusive {
			input += cached
			cached = 0
		}
	}
	if known && cached > input { // a whole that is less than its parts is none of them
		r.x.note("payload." + r.where + " says more cached tokens than input tokens: they were taken as beside one another")
		input += cached
	}
	r.put(entity.PromptTokens, input+r.n[pToolUse], known)
	r.put(entity.CompletionTokens, r.output(input), r.has[pOutput] || r.has[pThoughts])
	r.put(entity.TotalTokens, r.n[pTotal], r.has[pTotal])
	r.put(entity.CacheReadTokens, r.n[pRead], r.has[pRead])
	r.put(entity.CacheWriteTokens, r.n[pWrite], r.has[pWrite])
	r.put(entity.CacheWrite1hTokens, r.n[pWriteLong], r.has[pWriteLong])
	r.put(entity.ReasoningTokens, max(r.n[pReasoning], r.n[pThoughts]), r.has[pReasoning] || r.has[pThoughts])
	r.put(entity.AudioInputTokens, r.n[pAudioIn], r.has[pAudioIn])
	r.put(entity.AudioOutputTokens, r.n[pAudioOut], r.has[pAudioOut])
}

// output is the completion with its reasoning. It is beside it for Gemini, and for xAI, whose
// total shows it.
func (r *usageReader) output(input int64) int64 {
	out, reasoning := r.n[pOutput], r.n[pReasoning]
	if r.has[pOutput] && reasoning > out {
		r.x.note("payload." + r.where + " says more reasoning tokens than output tokens: they were taken as beside one another")
	}
	beside := reasoning > out || reasoning > 0 && r.has[pTotal] && r.n[pTotal] == input+out+reasoning
	if beside {
		out += reasoning
	}
	return out + r.n[pThoughts]
}

func (r *usageReader) put(f entity.Field, n int64, known bool) {
	if known && n <= MaxTokens {
		r.x.fill(entity.FieldValue{Field: f, Int: n})
	}
}
