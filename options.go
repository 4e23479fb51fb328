package brokle

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/payload"
)

// Option says something about a trace, an observation or a score when it
// starts, is updated or ends. One that means nothing there is left out.
// What an option holds is only looked at when telemetry is on.
type Option func(*details)

// details is what options say.
type details struct {
	id, name, typ              string
	start, end                 time.Time
	now                        time.Time // if it had to be read
	userID, sessionID          string
	tags                       []string
	version, release           string
	level, levelWord, status   string
	errorType, outcome         string // outcome is a status: error or aborted
	model, provider            string
	prompt, completion         *int64
	inputCost, outputCost      *float64
	input, output              any // nil: not said; encoded once, into the event
	metadata, params           json.RawMessage
	comment, source, evaluator string
	clear                      []string
	call                       *call // nil until an option says something of it
	err                        error

	counts [3]int64 // those of Usage, and their sum
	made   made
}

// made is what is made of details.
type made struct {
	observation Observation
	trace       Trace
	told        payload.Told
}

// gather is what opts say, until free.
func (c *Client) gather(opts []Option) *details {
	d, _ := c.said.Get().(*details)
	if d == nil {
		d = &details{}
	}
	for _, o := range opts {
		if o != nil {
			o(d)
		}
	}
	return d
}

// free gives d back; it must not be looked at any more.
func (c *Client) free(d *details) {
	*d = details{}
	c.said.Put(d)
}

// json encodes a value of any type; an error is kept for the event.
func (d *details) json(v any) json.RawMessage {
	if raw, ok := v.(json.RawMessage); ok {
		return raw
	}
	b, err := payload.Encode(v)
	if err != nil {
		d.err = err
	}
	return b
}

// ID sets the id of what starts: 1 to 255 characters. Default: a new random one of W3C's form
// (Trace Context §3.2.2), 32 hexadecimal digits for a trace, 16 for an observation, as OpenTelemetry has them; for a score its event's.
func ID(id string) Option { return func(d *details) { d.id = id } }

// Type sets the type of the observation that Observe and Do make: TypeTool, TypeRetrieval, … Default: TypeSpan. In Update it says another one.
func Type(typ string) Option { return func(d *details) { d.typ = typ } }

// StartedAt sets the start time. Default: now.
func StartedAt(t time.Time) Option { return func(d *details) { d.start = t } }

// EndedAt sets the end time. Default for End: now.
func EndedAt(t time.Time) Option { return func(d *details) { d.end = t } }

// UserID names whom a trace is about.
func UserID(id string) Option { return func(d *details) { d.userID = id } }

// SessionID names the conversation that a trace belongs to.
func SessionID(id string) Option { return func(d *details) { d.sessionID = id } }

// Tags adds tags.
func Tags(tags ...string) Option { return func(d *details) { d.tags = append(d.tags, tags...) } }

// CodeVersion is the version of the code or prompt.
func CodeVersion(v string) Option { return func(d *details) { d.version = v } }

// Release is the release of the application.
func Release(v string) Option { return func(d *details) { d.release = v } }

// Input is what went in: any value that encoding/json takes.
func Input(v any) Option { return func(d *details) { d.input = said(v) } }

// Output is what came out: any value that encoding/json takes.
func Output(v any) Option { return func(d *details) { d.output = said(v) } }

// said is v as details have it: a nil is said, too, and a json.RawMessage that is empty is not.
func said(v any) any {
	if v == nil {
		return json.RawMessage("null")
	}
	if raw, ok := v.(json.RawMessage); ok && len(raw) == 0 {
		return nil
	}
	return v
}

// Metadata is an object; the server merges it key by key.
func Metadata(v map[string]any) Option { return func(d *details) { d.metadata = d.json(v) } }

// Model names the language model.
func Model(name string) Option { return func(d *details) { d.model = name } }

// Provider names who runs the model.
func Provider(name string) Option { return func(d *details) { d.provider = name } }

// ModelParameters are temperature and the like.
func ModelParameters(v map[string]any) Option { return func(d *details) { d.params = d.json(v) } }

// Usage counts tokens: prompt with those read from and written to a cache, completion with those of
// reasoning. The total is their sum. See CacheReadTokens and the others for the parts.
func Usage(prompt, completion int64) Option {
	return func(d *details) {
		d.counts[0], d.counts[1] = prompt, completion
		d.prompt, d.completion = &d.counts[0], &d.counts[1]
	}
}

// Cost is what a call cost, in the currency you use everywhere. The total is their sum,
// which the server adds exactly: 0.1 and 0.2 are 0.3.
func Cost(input, output float64) Option {
	return func(d *details) { d.inputCost, d.outputCost = &input, &output }
}

// The levels of an observation.
const (
	LevelDebug   = "DEBUG"
	LevelInfo    = "INFO"
	LevelWarn    = "WARN"
	LevelError   = "ERROR"
	LevelDefault = "DEFAULT"
)

// Level is one of LevelDebug … LevelError, or a logger's word for one in any case: CRITICAL, FATAL,
// EMERGENCY, SEVERE, ALERT and PANIC mean ERROR, WARNING means WARN, NOTICE means INFO, TRACE and VERBOSE mean DEBUG. The
// word itself goes along as "severity_text". Any other word is sent as it is, for the server to decide.
func Level(level string) Option {
	return func(d *details) { d.level, d.levelWord = levelOf(level) }
}

// levelOf returns the level that a word stands for, and the word where it is another.
func levelOf(word string) (level, original string) {
	switch upper := strings.ToUpper(strings.TrimSpace(word)); upper {
	case LevelDebug, LevelInfo, LevelWarn, LevelError, LevelDefault:
		return upper, ""
	case "CRITICAL", "FATAL", "EMERGENCY", "SEVERE", "ALERT", "PANIC":
		return LevelError, word
	case "WARNING":
		return LevelWarn, word
	case "NOTICE":
		return LevelInfo, word
	case "TRACE", "VERBOSE":
		return LevelDebug, word
	}
	return word, ""
}

// StatusMessage says in words how it went.
func StatusMessage(text string) Option { return func(d *details) { d.status = text } }

// Clear takes back, in an Update or End, what was said before of these fields, by their
// names on the wire: Clear("tags", "user_id"). What the same call says of them is there
// afterwards; a null changes nothing.
func Clear(fields ...string) Option {
	return func(d *details) { d.clear = append(d.clear, fields...) }
}

// Comment explains a score.
func Comment(text string) Option { return func(d *details) { d.comment = text } }

// Source of a score: API, AUTO, HUMAN or EVAL.
func Source(source string) Option { return func(d *details) { d.source = source } }

// Evaluator names who or what gave a score, and its version.
func Evaluator(name, version string) Option {
	return func(d *details) { d.evaluator, d.version = name, version }
}

// trace is what d says of a trace, until free.
func (d *details) trace() *payload.Told {
	t := &d.made.trace
	t.ID, t.Name, t.UserID, t.SessionID, t.Tags = d.id, d.name, d.userID, d.sessionID, d.tags
	t.StartTime, t.EndTime, t.Clear = d.start, timeOrNil(&d.end), d.clear
	t.Version, t.Release, t.Metadata, t.StatusMessage, t.ErrorType = d.version, d.release, d.metadata, d.status, d.errorType
	d.made.told = payload.Told{Trace: t, Input: d.input, Output: d.output}
	return &d.made.told
}

// observation is what d says of an observation, until free.
func (d *details) observation(traceID, id string) *payload.Told {
	o := &d.made.observation
	o.ID, o.TraceID, o.Type, o.Name, o.StartTime, o.EndTime = id, traceID, d.typ, d.name, d.start, timeOrNil(&d.end)
	o.Level, o.StatusMessage, o.ErrorType, o.Version, o.Model, o.Provider = d.level, d.status, d.errorType, d.version, d.model, d.provider
	o.PromptTokens, o.CompletionTokens, o.TotalTokens, o.InputCost, o.OutputCost = d.prompt, d.completion, d.total(), d.inputCost, d.outputCost
	o.Tags, o.Clear, o.ModelParameters, o.Metadata = d.tags, d.clear, d.params, d.metadata
	if d.call != nil {
		d.call.say(o, d)
	}
	d.made.told = payload.Told{Observation: o, Word: d.levelWord, Input: d.input, Output: d.output}
	return &d.made.told
}

// total is the sum of both counts. The server leaves a negative count out: what a sum with it says is wrong.
func (d *details) total() *int64 {
	if d.prompt == nil || d.completion == nil || *d.prompt < 0 || *d.completion < 0 {
		return nil
	}
	d.counts[2] = *d.prompt + *d.completion
	return &d.counts[2]
}

func timeOrNil(t *time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return t
}
