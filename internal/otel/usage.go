package otel

import (
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// usage is a provider's or a library's object of counts.
type usage struct {
	prompt, completion, cacheRead, cacheWrite, reasoning, audioIn, audioOut Count
	// exclusive: the prompt is without what the cache read and wrote.
	exclusive bool

	written Count  // what the cache was given, added up by how long it stays
	beside  Count  // the same, beside cacheWrite
	hour    Count  // of what it was given, what stays for an hour
	tier    string // the service tier, as it was sent
	bad     bool   // a count is less than 0
	cut     bool   // its details begin with the tier
}

// usageOf reads an object of counts. Anthropic's raw form and Langfuse's own are exclusive;
// OpenAI's, with its details inside, is inclusive.
func usageOf(text string) usage {
	var u usage
	u.read(text, "")
	if !u.cacheWrite.Sent {
		u.cacheWrite = u.written
	}
	if u.beside.Sent {
		u.cacheWrite = Count{u.cacheWrite.N + u.beside.N, true}
	}
	return u
}

func (u *usage) read(text, inside string) {
	if text == "" || text[0] != '{' {
		return
	}
	members := rawjson.MembersOf([]byte(text))
	for {
		key, value, ok := members.Next()
		if !ok {
			return
		}
		u.member(inside, string(key), string(value))
	}
}

func (u *usage) member(inside, key, value string) {
	switch key {
	case "prompt_tokens_details", "input_tokens_details", "input_token_details":
		u.read(value, "input")
		return
	case "completion_tokens_details", "output_tokens_details", "output_token_details":
		u.read(value, "output")
		return
	case "cache_creation", "cache_creation_token_details": // objects by how long it is kept
		if value[0] == '{' {
			u.read(value, "written")
			return
		}
	case "service_tier", "serviceTier", "traffic_type", "trafficType", "speed":
		u.served(key, value)
		return
	}
	if tier, rest := entity.CutTier(key); tier != "" && inside != "" { // of LangChain
		if u.tier == "" {
			u.tier, u.cut = tier, true
		}
		key = rest
	}
	n := (Value{Type: String, Text: value}).count()
	if !n.Sent {
		u.bad = u.bad || value[0] == '-'
		return
	}
	switch inside {
	case "input":
		u.input(key, n)
	case "output":
		switch key {
		case "reasoning_tokens", "reasoning":
			u.reasoning = n
		case "audio_tokens", "audio":
			u.audioOut = n
		}
	case "written":
		u.stays(key, n)
	default:
		u.top(key, n)
	}
}

// served reads the service tier. Anthropic says apart that it was fast.
func (u *usage) served(key, value string) {
	if text := unquoted(value); text != value && (key != "speed" && u.tier != "fast" || text == "fast") {
		u.tier = text
	}
}

func (u *usage) input(key string, n Count) {
	switch key {
	case "cached_tokens", "cache_read":
		u.cacheRead = n
	case "cache_creation", "cache_write_tokens", "cache_creation_tokens":
		u.cacheWrite = n
	case "audio_tokens", "audio":
		u.audioIn = n
	default:
		u.stays(key, n)
	}
}

// stays adds a part of what a cache was given.
func (u *usage) stays(key string, n Count) {
	switch key {
	case "ephemeral_1h_input_tokens":
		u.hour = n
		fallthrough
	case "ephemeral_5m_input_tokens":
		u.written = Count{u.written.N + n.N, true}
	}
}

func (u *usage) top(key string, n Count) {
	switch key {
	case "prompt_tokens", "input_tokens":
		u.prompt = n
	case "input":
		u.prompt, u.exclusive = n, true
	case "completion_tokens", "output_tokens", "output":
		u.completion = n
	case "cache_read_input_tokens":
		u.cacheRead, u.exclusive = n, true
	case "cache_creation_input_tokens", "input_cache_creation":
		u.cacheWrite, u.exclusive = n, true
	case "input_cache_creation_1h": // of Langfuse's own, as the two below
		u.hour = n
		fallthrough
	case "input_cache_creation_5m":
		u.beside, u.exclusive = Count{u.beside.N + n.N, true}, true
	case "input_cache_read":
		u.cacheRead, u.exclusive = n, true
	case "reasoning_tokens", "output_reasoning_tokens":
		u.reasoning = n
	case "input_cached_tokens", "cached_tokens":
		u.cacheRead = n
	}
}
