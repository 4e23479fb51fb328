package entity

// KeyKind is by what calls are looked for that may be twins.
type KeyKind byte

// The kinds of keys.
const (
	ByResponseID KeyKind = 'r'
	ByPromptKey  KeyKind = 'p'
	ByCounts     KeyKind = 'c' // PROMPT/COMPLETION, as a row's Twin begins
)

// Key is what twins have in common: of two that may be twins, each has a key that the other wants. Two reports of
// one scope want nothing of each other but for the halves of a stream, so that a prompt that is sent a thousand times finds nobody.
type Key struct {
	Kind  KeyKind
	Value string
	// rank tells those that may be twins of a report from those that may not.
	rank rank
}

// rank is a report's level and what it does not know, or its role in a stream.
type rank struct {
	level         uint8
	noID, noInput bool
	role          StreamRole
}

// Has are the keys by which the call is found.
func (c *Call) Has() []Key { return c.AppendHas(nil) }

// MostKeys is more keys than a call has or wants.
const MostKeys = 16

// AppendHas appends to keys what Has returns.
func (c *Call) AppendHas(keys []Key) []Key {
	if c.response != "" {
		keys = append(keys, Key{Kind: ByResponseID, Value: c.response})
	}
	if c.own() {
		return keys
	}
	own := rank{level: c.level, noID: c.response == ""}
	if c.prompt != "" {
		keys = append(keys, Key{ByPromptKey, c.prompt, own})
		if c.role != WholeCall {
			keys = append(keys, Key{ByPromptKey, c.prompt, rank{role: c.role}})
		}
	}
	if c.tokensIn >= 0 {
		own.noInput = c.prompt == ""
		keys = append(keys, Key{ByCounts, c.counts, own})
	}
	return keys
}

// Wants are keys of which each of its twins has one.
func (c *Call) Wants() []Key { return c.AppendWants(nil) }

// AppendWants appends to keys what Wants returns.
func (c *Call) AppendWants(keys []Key) []Key {
	if c.response != "" {
		keys = append(keys, Key{Kind: ByResponseID, Value: c.response})
	}
	if c.own() {
		return keys
	}
	switch c.role {
	case StreamBegun:
		keys = append(keys, Key{ByPromptKey, c.prompt, rank{role: StreamRead}})
	case StreamRead:
		keys = append(keys, Key{ByPromptKey, c.prompt, rank{role: StreamBegun}})
	}
	for level := range uint8(levels) {
		if level == c.level {
			continue
		}
		for _, noID := range [...]bool{true, false} {
			if !noID && c.response != "" {
				continue // both have one: that decides
			}
			if c.prompt != "" {
				keys = append(keys, Key{ByPromptKey, c.prompt, rank{level: level, noID: noID}})
			}
			if c.tokensIn < 0 {
				continue
			}
			keys = append(keys, Key{ByCounts, c.counts, rank{level: level, noID: noID, noInput: true}})
			if c.prompt == "" {
				keys = append(keys, Key{ByCounts, c.counts, rank{level: level, noID: noID}})
			}
		}
	}
	return keys
}

// Reach is when its twins were: each begins not after last and ends not before first, in Unix µs.
func (c *Call) Reach() (first, last int64) {
	switch c.role {
	case StreamBegun:
		return c.From, c.To + longestStream + streamTolerance
	case StreamRead:
		return c.From - c.streamed - streamTolerance, c.To
	}
	return c.From, c.To
}
