package extract

import (
	"cmp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// attributes fills what an observation does not say in its own keys from what the same SDK
// puts elsewhere: attributes (of a function it observes), request_attributes and
// response_attributes (of a wrapped call), status, success and error.
func (x *extractor) attributes() {
	var of spoken
	for _, s := range [...]slot{sResponseAttributes, entity.Attributes, sRequestAttributes} {
		raw := x.get(s)
		if raw == nil || raw[0] != '{' {
			continue
		}
		for m := rawjson.MembersOf(raw); ; {
			key, value, ok := m.Next()
			if !ok {
				break
			}
			if value[0] != 'n' && !x.attribute(string(key), value) {
				of.take(string(key), value)
			}
		}
	}
	if raw := x.get(entity.Attributes); raw != nil && raw[0] == '{' {
		x.put(entity.FieldValue{Field: entity.Attributes, Text: rawjson.Alias(raw)})
	}
	x.outcome(&of)
	of.put(x)
	if asked, ok := x.out.Get(entity.RequestedModel); ok && x.out.Rank == entity.RankCreate {
		x.fillText(entity.Model, asked.Text) // until something says what answered
	}
}

// outcome reads whether the observation failed, and why.
func (x *extractor) outcome(of *spoken) {
	status, _ := rawjson.Unquote(x.get(entity.Status))
	status = outcomes[strings.ToLower(status)]
	failed := status == entity.StatusError || of.errorType != "" || of.errorText != ""
	if string(x.get(sSuccess)) == "false" {
		failed = true
		if text, ok := rawjson.Unquote(x.get(entity.ErrorType)); ok {
			of.errorType = cmp.Or(of.errorType, text)
		}
		for _, s := range [...]slot{sErrorMessage, sError} {
			if text, ok := rawjson.Unquote(x.get(s)); ok {
				of.errorText = cmp.Or(of.errorText, text)
			}
		}
	}
	if failed {
		status = entity.StatusError
		x.fill(entity.FieldValue{Field: entity.Level, Text: "ERROR"})
		x.fillText(entity.StatusMessage, of.message())
		x.fillText(entity.ErrorType, of.errorType)
	}
	x.fillText(entity.Status, status)
}

// outcomes are the words for how something ended.
var outcomes = map[string]string{
	"ok": entity.StatusOK, "success": entity.StatusOK, "completed": entity.StatusOK,
	"error": entity.StatusError, "failed": entity.StatusError, "failure": entity.StatusError,
	"aborted": entity.StatusAborted, "cancelled": entity.StatusAborted, "canceled": entity.StatusAborted,
}

// fill adds a value of a field that the payload has not given.
func (x *extractor) fill(v entity.FieldValue) {
	if !x.given.has(v.Field) {
		x.put(v)
	}
}

func (x *extractor) fillText(f entity.Field, text string) {
	if text != "" {
		x.fill(entity.FieldValue{Field: f, Text: text})
	}
}

// members of an object that is made here; of a key given twice the last value counts.
type members struct {
	keys   []string
	values map[string][]byte
}

func (m *members) add(key string, value []byte) {
	if m.values == nil {
		m.values = make(map[string][]byte)
	}
	if m.values[key] == nil {
		m.keys = append(m.keys, key)
	}
	m.values[key] = value
}

func (m *members) object() []byte { return rawjson.Object(m.keys, m.values) }

// attribute reads one attribute that is a field. It returns false for any other key.
func (x *extractor) attribute(key string, value []byte) bool {
	switch key {
	case "llm.model.response":
		x.fillLabel(entity.Model, value)
	case "llm.model":
		x.fillLabel(entity.RequestedModel, value)
	case "gen_ai.prompt.name", "brokle.prompt.name":
		x.fillLabel(entity.PromptName, value)
		return false // lists can still be filtered by the attribute
	case "gen_ai.prompt.version", "brokle.prompt.version":
		x.fillLabel(entity.PromptVersion, value)
		return false
	case "llm.provider", "brokle.ai.provider":
		x.fillLabel(entity.Provider, value)
	case "llm.usage.prompt_tokens":
		x.fillNumber(entity.PromptTokens, entity.TokensForm, value)
	case "llm.usage.completion_tokens":
		x.fillNumber(entity.CompletionTokens, entity.TokensForm, value)
	case "llm.usage.total_tokens":
		x.fillNumber(entity.TotalTokens, entity.TokensForm, value)
	case "llm.cost.usd":
		x.fillNumber(entity.TotalCost, entity.CostForm, value)
	case "llm.finish_reason", "llm.stop_reason":
		if text, ok := rawjson.Unquote(value); ok {
			x.fillText(entity.FinishReason, entity.StopReason(text))
		}
	case "brokle.user_id":
		x.fillLabel(entity.UserID, value)
	case "brokle.session_id":
		x.fillLabel(entity.SessionID, value)
	case "brokle.tags":
		x.fillTags(value)
	case "brokle.output":
		x.fill(entity.FieldValue{Field: entity.Output, Text: rawjson.Alias(value)})
	default:
		return false
	}
	return true
}

func (x *extractor) fillLabel(f entity.Field, value []byte) {
	text, ok := rawjson.Unquote(value)
	if !ok && value[0] != '{' && value[0] != '[' {
		text = rawjson.Alias(value)
	}
	if utf8.RuneCountInString(text) <= MaxLabelLength && strings.IndexByte(text, 0) < 0 {
		x.fillText(f, text)
	}
}

func (x *extractor) fillNumber(f entity.Field, how entity.Form, value []byte) {
	if v := (entity.FieldValue{Field: f}); number(&v, value, how) {
		x.fill(v)
	} else if !x.given.has(f) && string(value) != `""` {
		x.note(f.String() + " among the attributes was left out: it must be " + how.String())
	}
}

// fillTags reads the tags that the SDK joins with commas.
func (x *extractor) fillTags(value []byte) {
	list, ok := tags(value, nil)
	if text, one := rawjson.Unquote(value); one {
		list = nil
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
	}
	if ok && len(list) > 0 {
		x.fill(entity.FieldValue{Field: entity.Tags, List: list})
	}
}

// maxArguments is how many positional arguments are read.
const maxArguments = 100

// spoken is what attributes say that several of them make up together.
type spoken struct {
	errorType, errorText string
	args                 [][]byte // of the function, by position; nil where none was sent
	kwargs, metadata     members
}

// take reads an attribute that is no field of its own. Keys that mean nothing here stay
// what they are in the payload.
func (of *spoken) take(key string, value []byte) {
	if rest, ok := strings.CutPrefix(key, "input.args."); ok {
		if n, err := strconv.Atoi(rest); err == nil && n >= 0 && n < maxArguments {
			for len(of.args) <= n {
				of.args = append(of.args, nil)
			}
			of.args[n] = value
		}
	} else if rest, ok := strings.CutPrefix(key, "input.kwargs."); ok {
		of.kwargs.add(rest, value)
	} else if rest, ok := strings.CutPrefix(key, "metadata."); ok {
		of.metadata.add(rest, value)
	} else if text, ok := rawjson.Unquote(value); ok {
		switch key {
		case "error.type":
			of.errorType = text
		case "error.message":
			of.errorText = text
		case "status_description":
			of.errorText = cmp.Or(of.errorText, text)
		}
	}
}

func (of *spoken) message() string {
	if of.errorType == "" || of.errorText == "" {
		return of.errorType + of.errorText
	}
	return of.errorType + ": " + of.errorText
}

// put adds the input that the arguments make, and the metadata. One positional argument
// alone is the input itself.
func (of *spoken) put(x *extractor) {
	if !x.given.has(entity.Input) && len(of.args)+len(of.kwargs.keys) > 0 {
		text := rawjson.Alias(of.arguments())
		if len(of.args) == 1 && of.args[0] != nil && len(of.kwargs.keys) == 0 {
			text = rawjson.Alias(of.args[0])
		}
		x.put(entity.FieldValue{Field: entity.Input, Text: text})
	}
	if len(of.metadata.keys) > 0 {
		of.putMetadata(x)
	}
}

// arguments is {"args": […], "kwargs": {…}} with what there is of them.
func (of *spoken) arguments() []byte {
	out := []byte{'{'}
	if len(of.args) > 0 {
		out = append(out, `"args":[`...)
		for i, value := range of.args {
			if i > 0 {
				out = append(out, ',')
			}
			if value == nil {
				value = []byte("null")
			}
			out = append(out, value...)
		}
		out = append(out, ']')
	}
	if len(of.kwargs.keys) > 0 {
		if len(of.args) > 0 {
			out = append(out, ',')
		}
		out = append(append(out, `"kwargs":`...), of.kwargs.object()...)
	}
	return append(out, '}')
}

// putMetadata puts the metadata of the attributes before what the payload has itself,
// which wins.
func (of *spoken) putMetadata(x *extractor) {
	metadata := rawjson.Alias(of.metadata.object())
	for i := range x.out.Values {
		if v := &x.out.Values[i]; v.Field == entity.Metadata {
			v.Text = string(entity.FoldMetadata([]string{metadata, v.Text}))
			return
		}
	}
	x.put(entity.FieldValue{Field: entity.Metadata, Text: metadata})
}
