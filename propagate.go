package brokle

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// The headers of W3C's Trace Context and Baggage recommendations.
const (
	headerTraceparent = "Traceparent"
	headerTracestate  = "Tracestate"
	headerBaggage     = "Baggage"
)

// The members of these headers that are ours. User and session have the names of OpenTelemetry's semantic conventions.
const (
	stateKey        = "brokle"
	baggageUser     = "user.id"
	baggageSession  = "session.id"
	baggageTags     = "brokle.tags"
	baggageMetadata = "brokle.metadata"
)

const (
	maxStateValue = 256  // Trace Context §3.3.1.3.2: characters of a tracestate member
	maxBaggage    = 8192 // Baggage §3.3.2: bytes that everybody has to carry on
	maxCarriedID  = 255  // characters of a user's or a session's id
)

// remote is a trace of another process, and the observation in it that asked this one.
type remote struct{ trace, observation string }

// Inject writes what ctx carries into the headers of a request, so that the observations of the process that takes it (Extract) hang
// below the one of ctx: trace and observation into traceparent (W3C Trace Context), ids that are not of its form also into
// tracestate, and user, session, tags and metadata into baggage (W3C Baggage), whose other members stay. A context without a trace adds
// nothing to the first two. The flag sampled is always set: whether a trace is kept follows from its id, in every process. Mask sees none of this, and whoever gets the request can read it: InjectTrace leaves the baggage out.
// Metadata and tags that would make the baggage longer than 8192 bytes are left out.
func Inject(ctx context.Context, h http.Header) {
	InjectTrace(ctx, h)
	s := scopeOf(ctx)
	if s.carried == nil {
		return
	}
	members := foreign(h.Values(headerBaggage), baggageUser, baggageSession, baggageTags, baggageMetadata)
	length := len(strings.Join(members, ","))
	add := func(key, value string) {
		if member := key + "=" + url.PathEscape(value); length+len(member)+1 <= maxBaggage {
			members, length = append(members, member), length+len(member)+1
		}
	}
	if s.carried.userID != "" {
		add(baggageUser, s.carried.userID)
	}
	if s.carried.sessionID != "" {
		add(baggageSession, s.carried.sessionID)
	}
	addJSON := func(key string, v any) {
		if b, err := json.Marshal(v); err == nil {
			add(key, string(b))
		}
	}
	if len(s.carried.tags) > 0 {
		addJSON(baggageTags, s.carried.tags)
	}
	if len(s.carried.metadata) > 0 {
		addJSON(baggageMetadata, s.carried.metadata)
	}
	if len(members) > 0 {
		h.Set(headerBaggage, strings.Join(members, ","))
	}
}

// InjectTrace is Inject without baggage: it says which trace goes on, and nothing of whom it is about.
func InjectTrace(ctx context.Context, h http.Header) {
	at := scopeOf(ctx).at()
	if at.trace == "" {
		return
	}
	trace, parent := w3cTraceID(at.trace), w3cParentID(at.trace, at.observation)
	h.Set(headerTraceparent, "00-"+trace+"-"+parent+"-01")
	members := foreign(h.Values(headerTracestate), stateKey)
	exact := url.QueryEscape(at.trace) + ";" + url.QueryEscape(at.observation)
	if at != (remote{trace, parent}) && len(exact) <= maxStateValue {
		members = append([]string{stateKey + "=" + exact}, members...)
	}
	if h.Del(headerTracestate); len(members) > 0 {
		h.Set(headerTracestate, strings.Join(members, ","))
	}
}

// at is the trace to which what starts next belongs, and the observation below which it hangs; "" where that is the trace.
func (s scope) at() remote {
	if s.trace == nil && s.remote != nil {
		return *s.remote
	}
	return remote{s.trace.ID(), s.parent.ID()}
}

// foreign are the members of lists without those of these keys.
func foreign(lists []string, keys ...string) (kept []string) {
	for _, list := range lists {
		for member := range strings.SplitSeq(list, ",") {
			member = strings.TrimSpace(member)
			key, _, _ := strings.Cut(member, "=")
			if own := strings.TrimSpace(key); member != "" && !slices.Contains(keys, own) {
				kept = append(kept, member)
			}
		}
	}
	return kept
}

// Extract returns a context that goes on where the sender of a request with these headers was: an observation that starts
// with it, and with no trace in ctx, belongs to the sender's trace and hangs below the sender's observation; StartTrace begins a
// trace of its own. User, session, tags and metadata of the baggage are carried as by WithUser and its like. Headers that are missing or malformed say
// nothing. Only take headers of whom you trust: they may name any trace and any user of the project.
func Extract(ctx context.Context, h http.Header) context.Context {
	s := scopeOf(ctx)
	if at, ok := remoteOf(h); ok {
		s.remote = &at
	}
	var c carried
	if s.carried != nil {
		c = *s.carried
	}
	if readBaggage(h.Values(headerBaggage), &c) {
		s.carried = &c
	}
	return s.in(ctx)
}

// remoteOf reads traceparent, and tracestate as far as it speaks of the same.
func remoteOf(h http.Header) (at remote, ok bool) {
	parts := strings.Split(strings.TrimSpace(h.Get(headerTraceparent)), "-")
	// Of a later version the first four parts mean the same; ff is none (Trace Context §4.3).
	if len(parts) < 4 || len(parts[0]) != 2 || parts[0] == "ff" || parts[0] == "00" && len(parts) != 4 || strings.Trim(parts[0], "0123456789abcdef") != "" ||
		!isW3CID(parts[1], traceIDDigits) || !isW3CID(parts[2], observationIDDigits) || len(parts[3]) != 2 {
		return remote{}, false
	}
	at = remote{parts[1], parts[2]}
	for _, list := range h.Values(headerTracestate) {
		for member := range strings.SplitSeq(list, ",") {
			if exact, ok := exactly(strings.TrimSpace(member)); ok && w3cTraceID(exact.trace) == at.trace {
				if w3cParentID(exact.trace, exact.observation) != at.observation { // somebody stands between
					exact.observation = at.observation
				}
				return exact, true
			}
		}
	}
	return at, true
}

// exactly reads the ids that tracestate has of ours.
func exactly(member string) (at remote, ok bool) {
	key, value, _ := strings.Cut(member, "=")
	trace, observation, whole := strings.Cut(value, ";")
	if key != stateKey || !whole {
		return remote{}, false
	}
	var err, err2 error
	at.trace, err = url.QueryUnescape(trace)
	at.observation, err2 = url.QueryUnescape(observation)
	return at, err == nil && err2 == nil && at.trace != ""
}

// readBaggage reads the members that are ours into c, and says whether there are any.
func readBaggage(lists []string, c *carried) (any bool) {
	for _, list := range lists {
		for member := range strings.SplitSeq(list, ",") {
			member, _, _ = strings.Cut(member, ";") // properties
			key, escaped, _ := strings.Cut(member, "=")
			value, err := url.PathUnescape(strings.TrimSpace(escaped))
			if err != nil || value == "" {
				continue
			}
			switch strings.TrimSpace(key) {
			case baggageUser:
				any = carriedID(value, &c.userID) || any
			case baggageSession:
				any = carriedID(value, &c.sessionID) || any
			case baggageTags:
				any = json.Unmarshal([]byte(value), &c.tags) == nil || any
			case baggageMetadata:
				any = json.Unmarshal([]byte(value), &c.metadata) == nil || any
			}
		}
	}
	return any
}

func carriedID(value string, to *string) bool {
	if utf8.RuneCountInString(value) > maxCarriedID || !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
		return false
	}
	*to = value
	return true
}
