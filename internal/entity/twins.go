package entity

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// One call of a provider may be reported by several libraries, each with a span of its own, often in
// traces of their own. Each report stays an observation; all but one of them are duplicates
// (ObservationRow.DuplicateOf), and count in no sum. Which are twins is decided from what their own
// events say, before anything is filled in from a twin, and does not depend on the order in which they come.
//
// Two reports are of one call when they are from different scopes, overlap in time, and have the same
// response id. Where one of them knows none, one must stand above the other (a framework above what instruments
// an SDK, that above the SDK itself), hold it in time, and say the same of what went in: the prompt,
// or where that was not sent all counts; counts that both know must be equal. Logfire's two spans of a stream
// are one call as well. What Brokle's own SDK reports is known by the response id alone, and is one scope.
//
// A scope reports a call once, so of the reports of another scope at most one is a twin. By the response
// id it is the nearest one: a child or a parent, else what begins and ends at nearly the same
// time. By the prompt or the counts it must be the only one, or the only child or parent:
// if that is not sure, all are kept. Both must choose each other.

// Ref names an observation of a project.
type Ref struct{ TraceID, ID string }

func (r Ref) compare(o Ref) int {
	return cmp.Or(strings.Compare(r.TraceID, o.TraceID), strings.Compare(r.ID, o.ID))
}

// StreamRole is which part of a call a report is.
type StreamRole byte

// The roles. Only Logfire's reports are other than whole.
const (
	WholeCall   StreamRole = '-'
	StreamBegun StreamRole = 'c' // it ends at the first byte
	StreamRead  StreamRole = 's' // it is written at the end of the stream
)

// Bounds of the two halves of a stream, in microseconds.
const (
	streamTolerance = 50_000        // between the first byte and the reader's first look
	longestStream   = 3_600_000_000 // a longer one is not joined to its beginning
)

// LongestReachUS is how far apart in time, in µs, the halves of a stream are at most. Other twins overlap.
const LongestReachUS = longestStream + streamTolerance

// Call is an observation as far as it decides which others report the same call of a provider.
type Call struct {
	Ref
	// From and To are when it was, in Unix µs.
	From, To int64

	parent, scope, prompt, response string
	counts                          string // PROMPT/COMPLETION, as the row's Twin begins
	level                           uint8
	embedding                       bool
	tokensIn, tokensOut             int64 // -1: not sent
	size                            int64 // bytes of input and output
	role                            StreamRole
	streamed                        int64 // µs; of StreamRead
}

// SaidOfTwins is the field Twin as an event says it: how many bytes input and output have, and of a stream's half
// which it is, and how long it was read, in µs.
func SaidOfTwins(size int, role StreamRole, streamed int64) string {
	return fmt.Sprintf("%d %c %d", size, role, streamed)
}

// noteCall turns what events say of twins into what the row keeps, which is all that Call needs and
// what a twin may change later: "" of what can have none. It is said once, before anything is filled in.
//
//	PROMPT/COMPLETION SIZE ROLE STREAMED RESPONSE-ID
func (o *ObservationRow) noteCall() {
	said := o.Twin
	o.Twin = ""
	switch {
	case !isCall(o.Type) || o.EndTime == nil || o.EndTime.Before(o.StartTime):
		return
	case o.Door == ownDoor:
		if o.Scope != ownScope || o.ResponseID == "" {
			return
		}
		said = saidOfOwn
	case said == "" || o.Scope == ownScope:
		return
	}
	var made [128]byte
	text := appendCount(made[:0], o.PromptTokens)
	text = appendCount(append(text, '/'), o.CompletionTokens)
	text = append(append(append(text, ' '), said...), ' ')
	o.Twin = string(append(text, o.ResponseID...))
}

func appendCount(text []byte, n *int64) []byte {
	if n == nil {
		return append(text, '-')
	}
	return strconv.AppendInt(text, *n, 10)
}

// Call is nil when the observation can have no twin.
func (o *ObservationRow) Call() *Call {
	if o.Twin == "" || o.EndTime == nil {
		return nil
	}
	counts, rest, _ := strings.Cut(o.Twin, " ")
	size, rest, _ := strings.Cut(rest, " ")
	role, rest, _ := strings.Cut(rest, " ")
	streamed, response, whole := strings.Cut(rest, " ")
	if !whole || len(role) != 1 {
		return nil
	}
	in, out, _ := strings.Cut(counts, "/")
	return &Call{
		Ref: Ref{o.TraceID, o.ID}, From: o.StartTime.UnixMicro(), To: o.EndTime.UnixMicro(),
		parent: o.ParentObservationID, scope: o.Scope, prompt: o.PromptKey, response: response, counts: counts, level: levelOf(o.Scope),
		embedding: strings.EqualFold(o.Type, "embedding"), tokensIn: numberOf(in), tokensOut: numberOf(out),
		size: numberOf(size), role: StreamRole(role[0]), streamed: numberOf(streamed),
	}
}

// Clone is c in memory of its own.
func (c *Call) Clone() *Call {
	o := *c
	for _, text := range [...]*string{&o.TraceID, &o.ID, &o.parent, &o.scope, &o.prompt, &o.response, &o.counts} {
		*text = strings.Clone(*text)
	}
	return &o
}

// numberOf is -1 where there is none.
func numberOf(text string) int64 {
	if text == "-" {
		return -1
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// providersSDK is what the scopes of a provider's own SDKs begin with, whose calls others wrap: they know the provider's counts best
// and, as a rule, say the least of the content.
const providersSDK = "com.anthropic.sdk."

func isProvidersSDK(scope string) bool { return strings.HasPrefix(scope, providersSDK) }

// ownScope is the scope of what Brokle's own SDK reports; no other call has it.
const ownScope = ""

// saidOfOwn is what is known of these: that the call is whole.
var saidOfOwn = SaidOfTwins(0, WholeCall, 0)

// frameworks are scopes above the SDKs of providers: what they report, an instrumentation of the
// SDK reports again.
var frameworks = []string{
	"openinference.instrumentation.langchain", "opentelemetry.instrumentation.langchain", "langsmith", "litellm", "openlit.instrumentation.langchain",
	"openinference.instrumentation.llama_index", "openlit.instrumentation.litellm", "opentelemetry.instrumentation.llamaindex", "ai",
}

// levels is how many levels there are.
const levels = 3

// levelOf is how far a scope stands above the wire: the provider's own SDK, what instruments such
// an SDK, and a framework that calls one.
func levelOf(scope string) uint8 {
	if isProvidersSDK(scope) {
		return 0
	}
	if slices.ContainsFunc(frameworks, func(f string) bool {
		rest, ok := strings.CutPrefix(scope, f)
		return ok && (rest == "" || rest[0] == '.')
	}) {
		return 2
	}
	return 1
}

// own says that Brokle's own SDK reports the call.
func (c *Call) own() bool { return c.scope == ownScope }

// better orders the reports of one call: the one to keep comes first. It is that of Brokle's own SDK, to which scores and steps below it belong;
// else the one with more content; the provider's own SDK comes last; between equals the earlier, then the lesser id.
func (c *Call) better(o *Call) int {
	if c.own() != o.own() {
		if c.own() {
			return -1
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(min(o.level, 1), min(c.level, 1)),
		cmp.Compare(o.size, c.size),
		cmp.Compare(c.From, o.From),
		c.Ref.compare(o.Ref),
	)
}

// likeness is by what two reports are of one call.
type likeness uint8

const (
	unlike     likeness = iota
	byContent           // by prompt or counts
	byResponse          // by response id, or as the halves of a stream
)

// like compares two reports. It is symmetric.
func (c *Call) like(o *Call) likeness {
	switch {
	case c.Ref == o.Ref || c.embedding != o.embedding:
		return unlike
	case c.scope == o.scope:
		if c.begins(o) || o.begins(c) {
			return byResponse
		}
		return unlike
	case c.From > o.To || o.From > c.To:
		return unlike
	case c.response != "" && o.response != "":
		if c.response == o.response {
			return byResponse
		}
		return unlike
	case c.own() || o.own():
		return unlike
	}
	outer, inner := c, o
	if inner.level > outer.level {
		outer, inner = inner, outer
	}
	if outer.level == inner.level || inner.From < outer.From || inner.To > outer.To ||
		!agree(outer.tokensIn, inner.tokensIn) || !agree(outer.tokensOut, inner.tokensOut) {
		return unlike
	}
	if outer.prompt != "" && inner.prompt != "" {
		if outer.prompt == inner.prompt {
			return byContent
		}
		return unlike
	}
	if outer.tokensIn >= 0 && outer.tokensIn == inner.tokensIn && outer.tokensOut == inner.tokensOut {
		return byContent
	}
	return unlike
}

// agree: counts are equal or not known.
func agree(a, b int64) bool { return a < 0 || b < 0 || a == b }

// begins says whether o is the rest of the stream that begins with c: of the same prompt, and read from
// when c ended.
func (c *Call) begins(o *Call) bool {
	if c.role != StreamBegun || o.role != StreamRead || c.prompt != o.prompt || c.prompt == "" || o.streamed > longestStream {
		return false
	}
	apart := o.From - o.streamed - c.To
	return apart < streamTolerance && -apart < streamTolerance
}

// family says whether one is the parent of the other.
func (c *Call) family(o *Call) bool {
	return c.TraceID == o.TraceID && (c.parent == o.ID || o.parent == c.ID)
}

// apart is how far the times of two reports are from each other, in µs.
func (c *Call) apart(o *Call) int64 { return distance(c.From, o.From) + distance(c.To, o.To) }

func distance(a, b int64) int64 { return max(a-b, b-a) }
